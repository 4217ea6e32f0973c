"""Imports point one way (docs/architecture.md, section 2), and front ends start without what they may not need."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
PACKAGE = SRC / "conclint"

FRONT_END = frozenset(
    {
        *(
            "offers",
            "pipeline",
            "rounds",
            "cache",
            "config",
            "discover",
            "report",
            "resources",
            "fixes",
            "model",
            "pages",
        ),
        *("rules", "stages"),
    }
)

MAY_IMPORT: dict[str, frozenset[str]] = {
    "model": frozenset(),
    "catalog": frozenset({"model"}),
    "config": frozenset({"model", "catalog"}),
    "discover": frozenset({"model", "config"}),
    "pages": frozenset(),
    "node_types": frozenset(),
    "positions": frozenset({"node_types"}),
    "imports": frozenset({"model"}),
    # Trees of libcst's nodes from Python's own.
    "trees": frozenset({"model", "positions"}),
    "comments": frozenset({"model"}),
    "source": frozenset({"model", "positions", "trees"}),
    "analysis": frozenset({"model", "catalog", "comments", "source"}),
    "project": frozenset({"model", "catalog"}),
    "rules": frozenset({"model", "catalog", "analysis", "project"}),
    "suppress": frozenset({"model", "config", "comments"}),
    "fixes": frozenset({"model", "config"}),
    "report": frozenset({"model", "config"}),
    "wire": frozenset(),
    "cache": frozenset({"model", "catalog", "wire"}),
    "resources": frozenset({"cache", "config"}),
    # The front of the line, for one file: what a worker process runs.
    "worker": frozenset({"depth", "model", "catalog", "imports", "source", "analysis", "rules", "suppress", "wire"}),
    "memory": frozenset(),
    "depth": frozenset({"memory"}),
    # The second look at files, for fixes: parsing and rules again, but nothing of the project.
    "repair": frozenset({"cache", "depth", "model", "config", "source", "analysis", "rules"}),
    "ignores": frozenset({"model", "comments"}),
    "offers": frozenset({"model", "config", "pipeline", "fixes", "repair", "resources"}),
    "rounds": frozenset({"model", "comments", "config", "pipeline", "fixes", "ignores", "offers", "resources"}),
    "processes": frozenset({"worker"}),
    "stages": frozenset(),
    "workers": frozenset({"model", "config", "processes", "resources", "stages", "wire", "worker"}),
    "shares": frozenset({"model", "processes", "project"}),
    "pipeline": frozenset(
        {
            *(
                "memory",
                "repair",
                "shares",
                "model",
                "catalog",
                "config",
                "project",
                "resources",
                "rules",
                "stages",
                "suppress",
            ),
            *("memory", "workers"),
        }
    ),
    "cli": FRONT_END | {"server"},
    # It asks the catalog whether a file can matter at all, before it loads anything else.
    "flake8_plugin": FRONT_END | {"catalog"},
    # It keeps results as they come, and writes comments that suppress alarms.
    "server": FRONT_END | {"catalog", "ignores", "wire"},
    "__main__": frozenset({"cli"}),
    "__init__": FRONT_END,
}

MAY_IMPORT_HEAVY: dict[str, frozenset[str]] = {
    "libcst": frozenset({"node_types", "trees", "positions", "source", "analysis", "rules"}),
    "click": frozenset({"cli"}),
    "rich": frozenset({"cli", "report"}),
    "pathspec": frozenset({"config", "discover"}),
    "pygls": frozenset({"server"}),
    "lsprotocol": frozenset({"server"}),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def package_of(path: Path) -> str:
    """Return the first name below `conclint`: `model` for model/span.py, `pipeline` for pipeline.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def iter_imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that the module imports, in functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_package_name(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    package = package_of(path)
    assert package in MAY_IMPORT, f"give `{package}` its place in MAY_IMPORT and in docs/architecture.md"
    imported = {name.split(".")[1] for name in iter_imports(path) if name.startswith("conclint.")}
    # What is no module of the package is a name in conclint/__init__.py: `from conclint import __version__`.
    packages = {name for name in imported if is_package_name(name)}
    assert packages <= MAY_IMPORT[package] | {package}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_those_who_need_it_import_a_heavy_library(path: Path) -> None:
    imported = {name.partition(".")[0] for name in iter_imports(path)}
    for library in imported & MAY_IMPORT_HEAVY.keys():
        assert package_of(path) in MAY_IMPORT_HEAVY[library], library


def test_front_ends_use_the_loader_of_the_rules_only() -> None:
    for path in MODULES:
        if MAY_IMPORT.get(package_of(path), frozenset()) >= FRONT_END:
            named = {name for name in iter_imports(path) if name.startswith("conclint.rules.")}
            assert named <= {"conclint.rules.load", "conclint.rules.read", "conclint.rules.RuleSet"}, relative(path)


def test_the_project_never_sees_a_syntax_tree() -> None:
    for path in (PACKAGE / "project").rglob("*.py"):
        assert not {"ast", "libcst"} & {name.partition(".")[0] for name in iter_imports(path)}, relative(path)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_named_after_what_it_knows(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_no_file_has_a_name_that_windows_reserves(root: Path) -> None:
    folders = (root / name for name in ("src", "tests", "tools", "bench", "docs"))
    names = {path.name.partition(".")[0].lower() for folder in folders for path in folder.rglob("*")}
    assert not names & {"con", "prn", "aux", "nul"}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["version"]], ids=" ".join)
def test_a_front_end_starts_without_heavy_libraries(arguments: list[str]) -> None:
    assert not imported_by(["-m", "conclint", *arguments]) & {"libcst", "rich", "pathspec", "jinja2", "pygls"}


def test_the_flake8_plugin_is_imported_without_heavy_libraries() -> None:
    plugin = imported_by(["-c", "import conclint.flake8_plugin"])
    assert not plugin & {"libcst", "rich", "pathspec", "jinja2", "click"}


def imported_by(arguments: list[str]) -> set[str]:
    """Run Python and return the names of all modules that it imported."""
    run = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}
