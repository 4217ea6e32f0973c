"""Which files are found, under which module names, and which of them are shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conclint.config import Config, Options, read_settings, resolve
from conclint.discover import Discovery, discover


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*paths: str, text: str = "") -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def make_config(paths: tuple[str, ...], **flags: object) -> Config:
    return resolve(read_settings(paths, flags=Options(**flags), environ={}), ())  # type: ignore[arg-type]


def find(*paths: str, **flags: object) -> Discovery:
    return discover(paths, make_config(paths, **flags))


def shown(*paths: str, **flags: object) -> list[str]:
    return [file.path for file in find(*paths, **flags).files if file.shown]


def modules(*paths: str, **flags: object) -> dict[str, str]:
    return {file.path: file.module for file in find(*paths, **flags).files}


def test_python_and_stub_files_are_found_in_order() -> None:
    write("b.py", "a/x.py", "a/y.pyi", "a/z.txt", "a/w.pyc")
    assert shown(".") == ["a/x.py", "a/y.pyi", "b.py"]
    assert shown("b.py", "a") == shown("a", "b.py") == ["a/x.py", "a/y.pyi", "b.py"]


def test_a_path_outside_the_working_directory_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("lib/x.py", "work/y.py")
    monkeypatch.chdir(tmp_path / "work")
    assert shown("../lib", "./y.py") == [(tmp_path / "lib" / "x.py").as_posix(), "y.py"]


def test_packages_are_named_from_above_their_outermost_init() -> None:
    write("shop/__init__.py", "shop/cart/__init__.py", "shop/cart/item.py", "tool.py")
    expected = {
        "shop/__init__.py": "shop",
        "shop/cart/__init__.py": "shop.cart",
        "shop/cart/item.py": "shop.cart.item",
    }
    assert modules("shop/cart/item.py") == expected
    assert modules(".") == {**expected, "tool.py": "tool"}
    files = {file.path: file.is_package for file in find(".").files}
    assert files["shop/cart/__init__.py"]
    assert not files["shop/cart/item.py"]


def test_a_src_layout_is_not_part_of_the_name() -> None:
    write("conclint.toml", "src/shop/__init__.py", "src/space/deep/x.py", "tests/test_x.py", "libs/one/src/one/y.py")
    assert modules("src/space/deep/x.py") == {
        "src/shop/__init__.py": "shop",
        "src/space/deep/x.py": "space.deep.x",
        "tests/test_x.py": "tests.test_x",
        "libs/one/src/one/y.py": "one.y",
    }


def test_a_namespace_is_named_from_the_given_path() -> None:
    write("ns/part/x.py", "my-tools/helper/y.py")
    assert modules(".") == {"ns/part/x.py": "ns.part.x", "my-tools/helper/y.py": "helper.y"}


def test_the_src_setting_says_where_names_begin_and_what_the_project_is() -> None:
    write("lib/shop/__init__.py", "lib/other/x.py", "bin/run.py")
    assert modules("bin", src=("lib",)) == {
        "lib/shop/__init__.py": "shop",
        "lib/other/x.py": "other.x",
        "bin/run.py": "run",
    }
    assert shown("bin", src=("lib",)) == ["bin/run.py"]


def test_the_whole_project_is_read_whatever_is_named() -> None:
    write("conclint.toml", "shop/a.py", "shop/b.py", "tests/test_a.py")
    whole = modules(".")
    for paths in (("shop",), ("shop/a.py",), ("tests/test_a.py", "shop/b.py")):
        assert modules(*paths) == whole
    assert shown("shop/a.py") == ["shop/a.py"]


def test_a_script_without_a_project_brings_its_siblings_only() -> None:
    write("scripts/run.py", "scripts/helper.py", "scripts/deep/other.py", "elsewhere.py")
    assert modules("scripts/run.py") == {"scripts/run.py": "run", "scripts/helper.py": "helper"}


def test_excluded_folders_are_left_out_but_not_files_that_are_named() -> None:
    write("a.py", "venv/lib/x.py", "node_modules/y.py", "legacy/z.py", "legacy/keep/w.py")
    assert shown(".") == ["a.py", "legacy/keep/w.py", "legacy/z.py"]
    assert shown(".", extend_exclude=("legacy/*.py",)) == ["a.py", "legacy/keep/w.py"]
    assert shown("venv/lib/x.py", "a.py") == ["a.py", "venv/lib/x.py"]
    assert shown("venv") == ["venv/lib/x.py"]
    assert shown("venv/lib/x.py", "a.py", force_exclude=True) == ["a.py"]
    assert shown("venv", force_exclude=True) == []


def test_ignore_files_count_in_a_repository() -> None:
    write("a.py", "gen/x.py", "gen/keep.py", "sub/y_gen.py", "sub/z.py", "local.py", "any.py")
    write(".gitignore", text="gen/*\n!gen/keep.py\n")
    write("sub/.gitignore", text="*_gen.py\n")
    write(".ignore", text="any.py\n")
    everything = ["a.py", "any.py", "gen/keep.py", "gen/x.py", "local.py", "sub/y_gen.py", "sub/z.py"]
    assert shown(".") == [path for path in everything if path != "any.py"]
    write(".git/info/exclude", text="/local.py\n")
    assert shown(".") == ["a.py", "gen/keep.py", "sub/z.py"]
    assert shown("sub") == ["sub/z.py"]
    assert shown("gen/x.py") == ["gen/x.py"]
    assert shown(".", respect_gitignore=False) == everything


def test_a_folder_that_is_named_is_checked_even_when_it_is_ignored() -> None:
    write(".git/HEAD", "gen/x.py")
    write(".gitignore", text="gen/\n")
    assert shown(".") == []
    assert shown("gen") == ["gen/x.py"]


def test_links_end_and_each_real_file_comes_once(tmp_path: Path) -> None:
    write("pkg/a.py", "pkg/deep/b.py", "outside/c.py")
    os.symlink(tmp_path / "pkg", "pkg/deep/loop")
    os.symlink("loop2", "pkg/loop2")
    os.symlink("nowhere.py", "pkg/dangling.py")
    os.symlink("a.py", "pkg/A_link.py")
    os.symlink(tmp_path / "outside", "pkg/linked")
    assert shown("pkg") == ["pkg/a.py", "pkg/deep/b.py", "pkg/linked/c.py"]
    assert shown("pkg", "pkg/a.py", "pkg/deep") == ["pkg/a.py", "pkg/deep/b.py", "pkg/linked/c.py"]


def test_a_folder_may_be_called_like_a_file() -> None:
    write("x.py/inner.py")
    assert shown(".") == ["x.py/inner.py"]


def test_missing_paths_are_told() -> None:
    write("a.py")
    assert find("a.py", "nope.py", "no/dir").missing == ("nope.py", "no/dir")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_told() -> None:
    write("a.py", "closed/b.py")
    Path("closed").chmod(0)
    try:
        found = find(".")
    finally:
        Path("closed").chmod(0o700)
    assert found.unreadable == ("closed",)
    assert [file.path for file in found.files] == ["a.py"]


def test_standard_input_stands_for_a_file() -> None:
    write("conclint.toml", "shop/__init__.py", "shop/a.py")
    config = make_config(("shop/a.py",))
    found = discover(["-"], config, stdin=b"x = 1\n", stdin_filename="shop/a.py")
    contents = {file.path: (file.content, file.shown) for file in found.files}
    assert contents == {"shop/__init__.py": (None, False), "shop/a.py": (b"x = 1\n", True)}
    nameless = discover(["-"], config, stdin=b"x = 1\n")
    assert [(file.path, file.content) for file in nameless.files] == [("-", b"x = 1\n")]


def test_a_large_tree_is_found_whole() -> None:
    for package in range(50):
        write(f"p{package}/__init__.py")
        for number in range(20):
            write(f"p{package}/m{number}.py")
    assert len(shown(".")) == 1050
