"""`conclint server`, as an editor talks to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from conclint.cli import main
from conclint.pages import read_page
from conclint.server.actions import FIX_ALL
from server_client import apply_edit, find_edits, make_capabilities, start

pytestmark = pytest.mark.asyncio

UNSAFE = """\
import threading


def begin(worker):
    thread = threading.Thread(target=worker)
    thread.start()
"""
SAFE = """\
import threading

lock = threading.Lock()


def add(items):
    with lock.acquire():
        items.append(1)
"""
CLEAN = """\
import threading

lock = threading.Lock()


def add(items):
    with lock:
        items.append(1)
"""
PROGRAM = """\
import threading

from accounts import add

first = threading.Thread(target=add)
second = threading.Thread(target=add)
first.start()
second.start()
first.join()
second.join()
"""
RACE = """\
total = 0


def add():
    global total
    total += 1
"""
GUARDED = """\
import threading

total = 0
lock = threading.Lock()


def add():
    global total
    with lock:
        total += 1
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.conclint]\n", encoding="utf-8")
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# Diagnostics


async def test_diagnostics_are_sent_with_all_that_is_known(shop: Path) -> None:
    main_file = write(shop, "main.py", PROGRAM)
    accounts = write(shop, "accounts.py", RACE)
    async with start(shop, capabilities=make_capabilities()) as editor:
        editor.open(accounts)
        await editor.until(lambda: any(one.version == 1 for one in editor.published))
        told = next(one for one in editor.published if one.version == 1)
        (one,) = told.diagnostics
    assert (one.code, one.source, one.severity) == ("CON201", "conclint", types.DiagnosticSeverity.Error)
    assert one.code_description is not None
    assert one.code_description.href.endswith("/rules/CON201/")
    assert one.message == "`total` is updated by two threads without a lock\nhelp: hold one lock around every update"
    related = [
        (each.location.uri, each.location.range.start.line, each.message) for each in one.related_information or ()
    ]
    assert related == [
        (main_file.as_uri(), 4, "1. `add` begins to run in a thread here"),
        (main_file.as_uri(), 5, "2. `add` begins to run in a thread here"),
    ]


async def test_what_is_of_no_use_or_deprecated_is_tagged(shop: Path) -> None:
    write(shop, "conclint.toml", 'extend-select = ["CON002"]\n')
    path = write(
        shop, "old.py", "import threading\n\nme = threading.currentThread()\nyours = 1  # conclint: ignore[CON101]\n"
    )
    async with start(shop) as editor:
        editor.open(path)
        tags = {one.code: list(one.tags or ()) for one in await editor.pull(path)}
    assert tags == {"CON115": [types.DiagnosticTag.Deprecated], "CON002": [types.DiagnosticTag.Unnecessary]}


async def test_who_asks_again_is_told_that_nothing_has_changed(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    name = types.TextDocumentIdentifier(path.as_uri())
    async with start(shop) as editor:
        editor.open(path)
        first = await editor.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(name))
        assert isinstance(first, types.RelatedFullDocumentDiagnosticReport)
        editor.change(path, UNSAFE + "# more\n")
        again = types.DocumentDiagnosticParams(name, previous_result_id=first.result_id)
        second = await editor.client.text_document_diagnostic_async(again)
    assert [one.code for one in first.items] == ["CON101"]
    assert isinstance(second, types.RelatedUnchangedDocumentDiagnosticReport)
    assert second.result_id == first.result_id
    assert not editor.published, "who asks is not told without asking"


async def test_the_whole_workspace_can_be_asked_for(shop: Path) -> None:
    bad, worse = write(shop, "bad.py", UNSAFE), write(shop, "worse.py", SAFE)
    write(shop, "fine.py", CLEAN)
    async with start(shop) as editor:
        first = await editor.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams([]))
        found = {one.uri: [each.code for each in one.items] for one in first.items if hasattr(one, "items")}
        assert found == {bad.as_uri(): ["CON101"], worse.as_uri(): ["CON240"]}
        previous = [types.PreviousResultId(one.uri, one.result_id or "") for one in first.items]
        worse.write_text(CLEAN, encoding="utf-8")
        editor.tell_changed(worse)
        second = await editor.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(previous))
    kinds = {one.uri: one.kind for one in second.items}
    assert kinds == {bad.as_uri(): "unchanged", worse.as_uri(): "full"}


async def test_unsaved_buffers_are_checked_with_the_rest_of_the_project(shop: Path) -> None:
    write(shop, "main.py", PROGRAM)
    accounts = write(shop, "accounts.py", GUARDED)
    async with start(shop) as editor:
        editor.open(accounts)
        assert await editor.pull_codes(accounts) == []
        editor.change(accounts, RACE)
        assert await editor.pull_codes(accounts) == ["CON201"]
        assert accounts.read_text(encoding="utf-8") == GUARDED
        editor.close(accounts)
        assert await editor.pull_codes(accounts) == []


async def test_a_change_of_one_file_shows_in_another_one(shop: Path) -> None:
    main_file = write(shop, "main.py", PROGRAM)
    accounts = write(shop, "accounts.py", RACE)
    async with start(shop, capabilities=make_capabilities()) as editor:
        editor.open(main_file)
        await editor.until(lambda: editor.find_published(accounts) == ["CON201"])
        editor.change(main_file, "print(1)\n")
        await editor.until(lambda: editor.find_published(accounts) == [])
        assert editor.published[-1].version is None or editor.published[-1].uri == main_file.as_uri()


async def test_a_new_file_is_checked_before_it_is_saved(shop: Path) -> None:
    path = shop / "new.py"
    async with start(shop) as editor:
        editor.open(path, UNSAFE)
        assert await editor.pull_codes(path) == ["CON101"]


async def test_what_the_settings_leave_out_is_left_alone(shop: Path) -> None:
    (shop / "build").mkdir()
    path = write(shop, "build/job.py", UNSAFE)
    async with start(shop) as editor:
        editor.open(path)
        assert await editor.pull_codes(path) == []
        new = shop / "build" / "new.py"
        editor.open(new, UNSAFE)
        assert await editor.pull_codes(new) == []


async def test_a_file_that_does_not_parse_says_so(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    async with start(shop) as editor:
        editor.open(path)
        editor.change(path, UNSAFE + "def (\n")
        (one,) = await editor.pull(path)
        assert (one.code, one.severity, one.range.start.line) == ("CON001", types.DiagnosticSeverity.Error, 6)
        editor.change(path, UNSAFE)
        assert await editor.pull_codes(path) == ["CON101"]


async def test_changes_do_not_queue_up_and_nothing_stale_is_sent(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    async with start(shop, capabilities=make_capabilities()) as editor:
        editor.open(path)
        for number in range(40):
            latest = editor.change(path, "\n" * number + UNSAFE)
        await editor.until(lambda: any(one.version == latest for one in editor.published))
    versions = [one.version or 0 for one in editor.published]
    assert versions == sorted(versions)
    assert len(versions) < 10
    for told in editor.published:
        assert [one.range.start.line for one in told.diagnostics] == [3 + max(0, (told.version or 0) - 1)]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 25), ("utf-16", 20), ("utf-32", 18)])
async def test_columns_count_what_the_client_counts(shop: Path, encoding: str, column: int) -> None:
    line = 'x = "é𝔘𝔘", (threading.Thread(target=print).start())\n'
    path = write(shop, "odd.py", f"import threading\n{line}")
    before = line[: line.index("threading")]
    units = {"utf-8": len(before.encode()), "utf-16": len(before.encode("utf-16-le")) // 2, "utf-32": len(before)}
    async with start(shop, capabilities=make_capabilities(pulls=True, encoding=encoding)) as editor:
        assert editor.server.position_encoding == encoding
        editor.open(path)
        (one,) = [one for one in await editor.pull(path) if one.code == "CON101"]
    assert (one.range.start.line, one.range.start.character) == (1, units[encoding])


async def test_a_question_that_is_withdrawn_disturbs_nobody(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    async with start(shop) as editor:
        editor.open(path)
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(path.as_uri()))
        for number in range(3):
            editor.client.protocol.send_request(types.TEXT_DOCUMENT_DIAGNOSTIC, params, msg_id=f"q{number}")
            editor.client.cancel_request(types.CancelParams(f"q{number}"))
        assert await editor.pull_codes(path) == ["CON101"]


# Settings and files


async def test_broken_settings_are_told_and_those_from_before_hold(shop: Path) -> None:
    path, settings = write(shop, "job.py", UNSAFE), shop / "pyproject.toml"
    async with start(shop) as editor:
        editor.open(path)
        assert await editor.pull_codes(path) == ["CON101"]
        settings.write_text("[tool.conclint]\nselekt = []\n", encoding="utf-8")
        editor.tell_changed(settings)
        assert await editor.pull_codes(path) == ["CON101"]
        settings.write_text('[tool.conclint]\nignore = ["CON101"]\n', encoding="utf-8")
        editor.tell_changed(settings)
        assert await editor.pull_codes(path) == []
    (told,) = editor.client.messages
    assert "pyproject.toml: unknown setting `selekt`; did you mean `select`?" in told.message


async def test_broken_settings_at_the_start_do_not_end_the_server(shop: Path) -> None:
    path, settings = write(shop, "job.py", UNSAFE), shop / "pyproject.toml"
    settings.write_text("[tool.conclint\n", encoding="utf-8")
    async with start(shop) as editor:
        editor.open(path)
        assert await editor.pull_codes(path) == []
        assert "not valid TOML" in editor.client.messages[0].message
        settings.write_text("", encoding="utf-8")
        editor.save(path)
        assert await editor.pull_codes(path) == ["CON101"]


async def test_files_that_come_and_go_are_noticed(shop: Path) -> None:
    accounts = write(shop, "accounts.py", RACE)
    async with start(shop) as editor:
        editor.open(accounts)
        assert await editor.pull_codes(accounts) == []
        main_file = write(shop, "main.py", PROGRAM)
        editor.tell_changed(main_file, types.FileChangeType.Created)
        assert await editor.pull_codes(accounts) == ["CON201"]
        main_file.unlink()
        editor.tell_changed(main_file, types.FileChangeType.Deleted)
        assert await editor.pull_codes(accounts) == []


async def test_each_folder_of_the_workspace_has_its_own_settings(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, "pyproject.toml", '[tool.conclint]\nignore = ["CON101"]\n')
    here, there = write(shop, "job.py", UNSAFE), write(other, "job.py", UNSAFE)
    async with start(shop, other) as editor:
        editor.open(here)
        editor.open(there)
        assert (await editor.pull_codes(here), await editor.pull_codes(there)) == (["CON101"], [])
        folder = types.WorkspaceFolder(shop.as_uri(), "shop")
        event = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
        editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
        # What is still open is checked for itself.
        assert await editor.pull_codes(here) == ["CON101"]
        report = await editor.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams([]))
        assert {one.uri for one in report.items} == {here.as_uri(), there.as_uri()}


async def test_a_file_outside_of_the_workspace_is_checked_while_it_is_open(shop: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "script.py", UNSAFE)
    async with start(shop, capabilities=make_capabilities()) as editor:
        editor.open(path)
        await editor.until(lambda: editor.find_published(path) == ["CON101"])
        editor.close(path)
        await editor.until(lambda: editor.find_published(path) == [])


async def test_the_first_run_shows_its_progress(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    async with start(shop, capabilities=make_capabilities(pulls=True, progress=True)) as editor:
        editor.open(path)
        await editor.pull(path)
        (reports,) = editor.client.progress_reports.values()
    assert isinstance(reports[0], types.WorkDoneProgressBegin)
    assert isinstance(reports[-1], types.WorkDoneProgressEnd)


# Code actions and hover

FIXED = ["CON101", "CON240", "CON401", "CON221", "CON404", "CON115"]


async def test_json_sarif_and_the_editor_get_the_same_edits(
    shop: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [_copy_fixture(root, code, shop) for code in FIXED]
    main(["check", "--no-progress", "--output-format", "json", str(shop)])
    told = json.loads(capsys.readouterr().out)
    main(["check", "--no-progress", "--output-format", "sarif", str(shop)])
    (log,) = json.loads(capsys.readouterr().out)["runs"]
    wanted = sorted(_read_json_fix(one["fix"]) for one in told if one["fix"] is not None)
    assert len({one["code"] for one in told if one["fix"] is not None}) >= len(FIXED)
    found = []
    async with start(shop) as editor:
        for path in paths:
            editor.open(path)
            actions = await editor.act(path, only=[types.CodeActionKind.QuickFix])
            found += [_read_action(one, paths) for one in actions if "ignore on this line" not in one.title]
    assert sorted(found) == wanted
    assert sorted(_read_sarif_fix(fix) for one in log["results"] for fix in one.get("fixes", ())) == wanted


def _copy_fixture(root: Path, code: str, folder: Path) -> Path:
    fixed = min((root / "tests" / "fixtures" / code).glob("*.py.fixed"))
    return Path(shutil.copy(fixed.with_suffix(""), folder / f"{code.lower()}.py"))


def _read_json_fix(fix: dict) -> tuple:
    edits = sorted(
        (Path(one["filename"]).name, *one["location"].values(), *one["end_location"].values(), one["content"])
        for one in fix["edits"]
    )
    return fix["message"], fix["applicability"] == "safe", tuple(edits)


def _read_sarif_fix(fix: dict) -> tuple:
    edits = sorted(
        (
            Path(change["artifactLocation"]["uri"]).name,
            *(one["deletedRegion"][key] for key in ("startLine", "startColumn", "endLine", "endColumn")),
            one["insertedContent"]["text"],
        )
        for change in fix["artifactChanges"]
        for one in change["replacements"]
    )
    return fix["description"]["text"], fix["properties"]["applicability"] == "safe", tuple(edits)


def _read_action(action: types.CodeAction, paths: list[Path]) -> tuple:
    assert action.edit is not None
    title = action.title.partition(": ")[2]
    assert title.endswith(" (unsafe)") is not action.is_preferred
    edits = sorted(
        (path.name, *_read_range(one.range), one.new_text) for path in paths for one in find_edits(action.edit, path)
    )
    return title.removesuffix(" (unsafe)"), action.is_preferred, tuple(edits)


def _read_range(place: types.Range) -> tuple[int, int, int, int]:
    start, end = place.start, place.end
    return start.line + 1, start.character + 1, end.line + 1, end.character + 1


async def test_only_what_stands_at_the_place_is_offered(shop: Path) -> None:
    path = write(shop, "job.py", SAFE + UNSAFE.partition("\n")[2])
    async with start(shop) as editor:
        editor.open(path)
        alarms = await editor.pull(path)
        assert [one.code for one in alarms] == ["CON240", "CON101"]
        safe, ignore_safe, *rest = await editor.act(path, alarms[0].range, ["quickfix"])
        assert (safe.is_preferred, safe.diagnostics) == (True, (alarms[0],))
        assert ignore_safe.title == "CON240: ignore on this line"
        assert not rest
        unsafe, *_ = await editor.act(path, alarms[1].range, ["quickfix"])
        assert unsafe.title.endswith(" (unsafe)")
        assert unsafe.is_preferred is False
        nowhere = types.Range(types.Position(0, 0), types.Position(0, 1))
        assert await editor.act(path, nowhere, ["quickfix"]) == []


async def test_fix_all_does_what_fix_does(shop: Path) -> None:
    path = write(shop, "job.py", SAFE + SAFE.replace("add", "add_too") + UNSAFE)
    text = path.read_text(encoding="utf-8")
    async with start(shop) as editor:
        editor.open(path)
        (lazy,) = await editor.act(path, only=[FIX_ALL])
        assert lazy.edit is None
        resolved = await editor.client.code_action_resolve_async(lazy)
        assert resolved.edit is not None
        new = apply_edit(text, resolved.edit, path)
    assert main(["check", "--fix", "--quiet", "--no-progress", str(shop)]) == 1
    assert new == path.read_text(encoding="utf-8")
    assert ".acquire()" not in new


async def test_who_cannot_resolve_gets_all_fixes_when_they_are_asked_for(shop: Path) -> None:
    path = write(shop, "job.py", SAFE)
    capabilities = make_capabilities(pulls=True)
    assert capabilities.text_document is not None
    assert capabilities.text_document.code_action is not None
    capabilities.text_document.code_action.resolve_support = None
    async with start(shop, capabilities=capabilities) as editor:
        editor.open(path)
        assert FIX_ALL not in [one.kind for one in await editor.act(path)]
        (action,) = await editor.act(path, only=["source.fixAll"])
    assert action.edit is not None
    assert apply_edit(SAFE, action.edit, path) == CLEAN


async def test_ignoring_writes_what_add_ignore_writes(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    async with start(shop) as editor:
        editor.open(path)
        actions = await editor.act(path, only=["quickfix"])
        ignore = next(one for one in actions if one.title == "CON101: ignore on this line")
        assert ignore.edit is not None
        new = apply_edit(UNSAFE, ignore.edit, path)
        editor.change(path, new)
        assert await editor.pull_codes(path) == []
    main(["check", "--add-ignore", "--quiet", "--no-progress", str(shop)])
    assert new == path.read_text(encoding="utf-8")


async def test_edits_are_meant_for_the_version_that_was_checked(shop: Path) -> None:
    path = write(shop, "job.py", SAFE)
    async with start(shop) as editor:
        editor.open(path)
        editor.change(path, "# changed\n" + SAFE)
        action, *_ = await editor.act(path, only=["quickfix"])
    assert action.edit is not None
    (change,) = action.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == 2
    assert [one.range.start.line for one in find_edits(action.edit, path)] == [7]


async def test_hovering_shows_the_page_of_the_rule(shop: Path) -> None:
    path = write(shop, "job.py", UNSAFE)
    name = types.TextDocumentIdentifier(path.as_uri())
    async with start(shop) as editor:
        editor.open(path)
        (alarm,) = await editor.pull(path)
        line = alarm.range.start.line
        found = await editor.client.text_document_hover_async(types.HoverParams(name, types.Position(line, 0)))
        assert await editor.client.text_document_hover_async(types.HoverParams(name, types.Position(0, 0))) is None
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.kind is types.MarkupKind.Markdown
    assert found.range == alarm.range
    assert (read_page("CON101") or "-").strip() in found.contents.value


# The command


async def test_a_server_that_is_left_without_a_word_fails() -> None:
    left = subprocess.run(
        [sys.executable, "-m", "conclint", "server", "--stdio"], input=b"", capture_output=True, check=False
    )
    assert left.returncode == 1
    assert left.stdout == b""


async def test_without_the_extra_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['pygls'] = None; from conclint.cli import main; sys.exit(main(['server']))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "conclint: error: server: needs the extra `lsp`: pip install 'conclint[lsp]'\n"


async def test_what_is_no_file_or_not_python_is_left_alone(shop: Path) -> None:
    items = [
        types.TextDocumentItem("untitled:Untitled-1", "python", 1, UNSAFE),
        types.TextDocumentItem((shop / "pyproject.toml").as_uri(), "toml", 1, "[tool.conclint]\n"),
    ]
    async with start(shop) as editor:
        for item in items:
            editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            name = types.TextDocumentIdentifier(item.uri)
            report = await editor.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(name))
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            assert list(report.items) == []
        assert not editor.client.messages
