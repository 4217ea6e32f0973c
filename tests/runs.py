"""How tests run the pipeline over fixtures and over the blocks of rule pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from conclint.config import Config, Options, read_settings, resolve
from conclint.discover import discover
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.rule import UNUSED_SUPPRESSION
from conclint.pipeline import check_files
from conclint.resources import NO_RESOURCES, Resources
from conclint.rounds import Fixed, fix_files
from conclint.rules import load

ROOT = Path(__file__).parent.parent
BROUGHT_BY_FIXES = {"CON104": {"CON101", "CON501"}}
"""What fixes of a rule bring to light: a thread that is started must be joined."""


def make_config(code: str, folder: Path | None = None) -> Config:
    """Select the rules that are on by default and `code`; a `pyproject.toml` in `folder` may say more."""
    settings_file = folder / "pyproject.toml" if folder else None
    has_settings = settings_file is not None and settings_file.is_file()
    settings = read_settings(
        (str(folder),) if folder else (),
        flags=Options(extend_select=(code,)),
        config=(str(settings_file),) if has_settings else (),
        isolated=not has_settings,
        environ={},
    )
    project = folder.as_posix() if folder else None
    return resolve(replace(settings, project=project), load().rules)


def check_case(case: Path, *, triage: bool = True, resources: Resources = NO_RESOURCES) -> tuple[Diagnostic, ...]:
    """Check a fixture: a Python file is a project of one module, a folder a whole project."""
    code = case.parent.name
    if case.is_dir():
        config = make_config(code, case)
        files = discover([case.relative_to(ROOT).as_posix()], config).files
        return check(files, config, triage=triage, resources=resources)
    module = SourceFile(case.relative_to(ROOT).as_posix(), case.stem)
    return check([module], make_config(code), triage=triage, resources=resources)


def check_texts(texts: Mapping[str, str], code: str) -> tuple[Diagnostic, ...]:
    """Check a project that is given as texts by path, such as `shop/cart.py`."""
    files = [_make_file(path, text) for path, text in texts.items()]
    return check(files, make_config(code))


def check(
    files: Sequence[SourceFile], config: Config, *, triage: bool = True, resources: Resources = NO_RESOURCES
) -> tuple[Diagnostic, ...]:
    """Run the pipeline; a bug of ours that it caught fails the test."""
    outcome = check_files(files, config, triage=triage, resources=resources)
    assert not outcome.failures, "\n".join(failure.traceback for failure in outcome.failures)
    return tuple(outcome.diagnostics)


def _make_file(path: str, text: str) -> SourceFile:
    parts = path.removesuffix(".py").split("/")
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    return SourceFile(path, module, is_package, content=text.encode())


def fix_case(case: Path, code: str, *, contents: Mapping[str, bytes] | None = None) -> Fixed:
    """Apply the fixes of one rule, unsafe ones too, to a fixture; `contents` stand in for its files, by path."""
    folder = case if case.is_dir() else None
    config = make_config(code, folder)
    # A comment is only known to be of no use where the rules that it names are selected.
    selected = config.selected if code == UNUSED_SUPPRESSION else config.selected & {code, "CON001"}
    config = replace(config, selected=selected, fixable=frozenset({code}))
    return fix_files(read_case(case, contents), config, unsafe=True)


def read_case(case: Path, contents: Mapping[str, bytes] | None = None) -> tuple[SourceFile, ...]:
    """Return the files of a fixture with their content."""
    if case.is_dir():
        files = discover([case.relative_to(ROOT).as_posix()], make_config(case.parent.name, case)).files
    else:
        files = (SourceFile(case.relative_to(ROOT).as_posix(), case.stem),)
    given = contents or {}
    return tuple(
        replace(file, content=given.get(file.path, (ROOT / file.path).read_bytes())) if file.shown else file
        for file in files
    )
