"""What the language server is made of: places in texts, buffers, results that outlive a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from conclint.cache import Cache
from conclint.fixes import apply_edits, decode, find_differences
from conclint.model.file import SourceFile
from conclint.model.result import Findings
from conclint.model.span import NEWLINE, Span
from conclint.server.buffers import encode, find_path, is_saved, make_uri
from conclint.server.client import Client, read_client
from conclint.server.positions import Lines
from conclint.server.results import Results
from conclint.wire import pack
from conclint.worker import check_module

CODE = "import threading\n\nlock = threading.Lock()\n"
LINES = st.text(alphabet="ab\n\r\x0c é𝔘", max_size=40)


# Places


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 7), ("utf-16", 4), ("utf-32", 3)])
def test_columns_are_counted_in_units_of_the_client(encoding: str, units: int) -> None:
    found = Lines("é𝔘x = 1\n", encoding).find_range(Span(1, 4, 1, 5))
    assert found == types.Range(types.Position(0, units), types.Position(0, units + 1))


@given(LINES, st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_each_character_is_found_where_a_client_counts_it(text: str, encoding: str) -> None:
    lines = Lines(text, encoding)
    sizes = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
    for number, line in enumerate(NEWLINE.split(text)):
        for column in range(len(line) + 1):
            start = lines.find_range(Span(number + 1, column + 1, number + 1, column + 1)).start
            codec = encoding if encoding == "utf-8" else f"{encoding}-le"
            before = line.encode(codec)[: start.character * sizes[encoding]]
            assert (start.line, before.decode(codec)) == (number, line[:column])


def test_only_what_ends_lines_in_python_ends_them() -> None:
    lines = Lines("a\x0cb\u2028c\rd\r\ne\n", "utf-16")
    assert lines.find_range(Span(1, 5, 1, 6)).start == types.Position(0, 4)
    assert lines.find_range(Span(3, 1, 3, 2)).start == types.Position(2, 0)


def test_a_place_behind_the_end_is_the_end() -> None:
    lines = Lines("ab\ncd", "utf-16")
    assert lines.find_range(Span(9, 4, 9, 5)) == types.Range(types.Position(1, 2), types.Position(1, 2))
    assert lines.find_range(Span(1, 9, 1, 9)).start == types.Position(0, 2)


def test_half_a_character_is_a_character() -> None:
    assert Lines("'\ud835' + x", "utf-16").find_range(Span(1, 7, 1, 8)).start == types.Position(0, 6)


@given(LINES, LINES)
def test_differences_turn_one_text_into_the_other(old: str, new: str) -> None:
    assert apply_edits(old, find_differences("a.py", old, new)) == new


# Buffers


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("x = 'é'\n", b"x = '\xc3\xa9'\n"),
        ("# coding: latin-1\nx = 'é'\n", b"# coding: latin-1\nx = '\xe9'\n"),
        ("# coding: latin-1\nx = '𝔘'\n", "# coding: latin-1\nx = '𝔘'\n".encode()),
        ("# coding: klingon\n", b"# coding: klingon\n"),
        ("\ufeffx = 1\n", b"\xef\xbb\xbfx = 1\n"),
        ("x = '\ud835'\n", b"x = '\xed\xa0\xb5'\n"),
    ],
)
def test_a_buffer_has_the_bytes_that_saving_gives(text: str, data: bytes) -> None:
    assert encode(text) == data


@given(LINES)
def test_what_is_encoded_is_read_again(text: str) -> None:
    read = decode(encode(text))
    assert read is not None
    assert read.content == text


def test_a_byte_order_mark_makes_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert is_saved(str(path), b"x = 1\n")
    assert not is_saved(str(path), b"x = 2\n")
    assert not is_saved(str(tmp_path / "b.py"), b"x = 1\n")


def test_uris_are_paths_and_back(tmp_path: Path) -> None:
    path = (tmp_path / "o dé#.py").as_posix()
    assert find_path(make_uri(path)) == path
    assert find_path("untitled:Untitled-1") is None


def test_a_client_that_says_nothing_can_do_little() -> None:
    assert read_client(types.ClientCapabilities(), "utf-16") == Client()


# Results


def test_what_a_buffer_gave_is_known_again_and_not_written(tmp_path: Path) -> None:
    saved, buffer = _make_files(tmp_path)
    results = Results(str(tmp_path / "cache"))
    results.identify([saved, buffer])
    for file in (saved, buffer):
        results.store(file, pack(check_module(file)), triage=True)
    results.flush()
    again = results.load([saved, buffer], triage=True)
    assert {path: found.path for path, found in again.items()} == {file.path: file.path for file in (saved, buffer)}
    assert results.load([buffer], triage=True)[buffer.path] is again[buffer.path], "it is unpacked once"
    assert results.load([buffer], triage=False) == {}
    disk = Cache(str(tmp_path / "cache"))
    disk.identify([saved, replace(buffer, content=None)])
    assert disk.load([saved], triage=True).keys() == {saved.path}


def test_what_has_changed_is_not_known(tmp_path: Path) -> None:
    saved, buffer = _make_files(tmp_path)
    results = Results(str(tmp_path / "cache"))
    results.identify([saved, buffer])
    for file in (saved, buffer):
        results.store(file, pack(check_module(file)), triage=True)
    changed = replace(buffer, content=b"pass\n")
    results.identify([saved, changed])
    assert results.load([saved, changed], triage=True).keys() == {saved.path}


def test_what_a_project_gave_is_known_while_nothing_changes(tmp_path: Path) -> None:
    files = _make_files(tmp_path)
    results = Results(str(tmp_path / "cache"))
    results.identify(files)
    found = Findings((), {})
    results.store_project(files, b"all rules", found, triage=True)
    assert results.load_project(files, b"all rules", triage=True) is found
    assert results.load_project(files, b"some rules", triage=True) is None
    changed = (files[0], replace(files[1], content=b"pass\n"))
    results.identify(changed)
    assert results.load_project(changed, b"all rules", triage=True) is None


def _make_files(folder: Path) -> tuple[SourceFile, SourceFile]:
    path = folder / "saved.py"
    path.write_text(CODE, encoding="utf-8")
    return SourceFile(str(path), "saved"), SourceFile(str(folder / "open.py"), "open", content=CODE.encode())
