"""Settings: where they come from, which one wins, and what a mistake in them says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from conclint.config import Config, ConfigError, Options, Settings, is_colour_wanted, read_settings, resolve
from conclint.config.describe import make_schema
from conclint.config.targets import VERSIONS
from conclint.model.hints import NO_HINTS, Hints
from conclint.model.rule import Category, Rule


def make_rule(code: str, name: str, *, default: bool = True, category: Category = Category.THREAD) -> Rule:
    return Rule(code=code, name=name, summary="", help="", category=category, since="0.1.0", default=default)


RULES = (
    make_rule("CON001", "syntax-error", category=Category.SYNTAX),
    make_rule("CON101", "thread-not-joined"),
    make_rule("CON102", "callback-already-called"),
    make_rule("CON119", "thread-started-at-import", default=False),
    make_rule("CON301", "network-call-without-timeout"),
)
DEFAULT = {"CON001", "CON101", "CON102", "CON301"}


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing above the folder of the test may count as its project.
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def load(
    toml: str = "", *, environ: dict[str, str] | None = None, inline: tuple[str, ...] = (), **flags: object
) -> Config:
    if toml:
        Path("conclint.toml").write_text(toml)
    options = Options(**flags)  # type: ignore[arg-type]
    return resolve(read_settings(["."], flags=options, config=inline, environ=environ or {}), RULES)


def test_rules_that_are_not_opt_in_are_on_by_default() -> None:
    assert load().selected == DEFAULT


@pytest.mark.parametrize(
    ("toml", "selected"),
    [
        ('select = ["CON3"]', {"CON001", "CON301"}),
        ('select = ["ALL"]', {*DEFAULT, "CON119"}),
        ('select = ["con101"]', {"CON001", "CON101"}),
        ('select = ["thread-not-joined"]', {"CON001", "CON101"}),
        ('select = ["CON"]', {*DEFAULT, "CON119"}),
        ("select = []", {"CON001"}),
        ('ignore = ["CON1"]', {"CON001", "CON301"}),
        ('ignore = ["ALL"]', set()),
        ('extend-ignore = ["syntax-error"]', DEFAULT - {"CON001"}),
        ('extend-select = ["CON119"]', {*DEFAULT, "CON119"}),
        ('select = ["CON101"]\nignore = ["CON1"]', {"CON001", "CON101"}),
        ('select = ["CON1"]\nignore = ["CON101"]', {"CON001", "CON102", "CON119"}),
        ('select = ["CON101"]\nignore = ["CON101"]', {"CON001"}),
        ('select = ["ALL"]\nignore = ["ALL"]\nextend-select = ["CON3"]', {"CON301"}),
    ],
)
def test_the_more_specific_selector_wins(toml: str, selected: set[str]) -> None:
    assert load(toml).selected == selected


def test_a_later_layer_wins() -> None:
    toml = 'select = ["CON101"]\nignore = ["CON3"]\njobs = 3'
    assert load(toml).selected == {"CON001", "CON101"}
    assert load(toml, environ={"CONCLINT_SELECT": "CON102,CON301"}).selected == {"CON001", "CON102", "CON301"}
    both = load(toml, environ={"CONCLINT_SELECT": "CON102", "CONCLINT_JOBS": "2"}, extend_select=("CON3",), jobs=1)
    assert (both.selected, both.jobs) == ({"CON001", "CON102", "CON301"}, 1)
    assert load(toml, inline=('select = ["CON3"]',)).selected == {"CON001", "CON301"}


def test_no_jobs_means_one_for_each_processor() -> None:
    assert 1 <= load().jobs <= (os.cpu_count() or 1)
    assert load("jobs = 0").jobs == load().jobs
    assert load("jobs = 7").jobs == 7


def test_the_nearest_settings_file_is_taken_and_no_other_is_merged(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "conclint.toml").write_text('ignore = ["CON3"]')
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.conclint]\nignore = ["CON1"]')
    (inner / "pyproject.toml").write_text("[tool.other]\nx = 1")
    config = resolve(read_settings([str(inner)], environ={}), RULES)
    assert config.selected == {"CON001", "CON301"}
    assert config.source == (tmp_path / "a" / "pyproject.toml").as_posix()
    assert resolve(read_settings([str(inner)], isolated=True, environ={}), RULES).selected == DEFAULT


def test_a_file_of_our_own_goes_before_pyproject(tmp_path: Path) -> None:
    Path("pyproject.toml").write_text('[tool.conclint]\nselect = ["CON1"]')
    Path(".conclint.toml").write_text('select = ["CON3"]')
    assert load().selected == {"CON001", "CON301"}
    assert load(inline=("pyproject.toml",)).selected == {"CON001", "CON101", "CON102", "CON119"}


def test_the_project_is_the_folder_of_the_settings_or_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "packages" / "shop"
    inner.mkdir(parents=True)
    (inner / "setup.py").touch()
    assert read_settings([str(inner)], environ={}).project == tmp_path.as_posix()
    (inner / "conclint.toml").touch()
    assert read_settings([str(inner)], environ={}).project == inner.as_posix()
    (tmp_path / ".git").rmdir()
    (inner / "conclint.toml").unlink()
    assert read_settings([str(inner)], environ={}).project == inner.as_posix()


def test_settings_above_the_repository_do_not_widen_the_project(tmp_path: Path) -> None:
    repository = tmp_path / "checkout"
    (repository / ".git").mkdir(parents=True)
    Path("conclint.toml").write_text('select = ["CON3"]')
    settings = read_settings([str(repository)], environ={})
    assert (settings.source, settings.project) == ((tmp_path / "conclint.toml").as_posix(), repository.as_posix())


def test_per_file_ignores_are_patterns_like_those_of_gitignore() -> None:
    config = load('[per-file-ignores]\n"tests/" = ["CON1"]\n"*_gen.py" = ["network-call-without-timeout"]')
    assert not config.is_selected("CON101", "tests/unit/test_cart.py")
    assert not config.is_selected("CON301", "shop/api_gen.py")
    assert config.is_selected("CON301", "tests/unit/test_cart.py")
    assert config.is_selected("CON101", "shop/cart.py")
    assert not config.is_selected("CON119", "shop/cart.py")


def test_exclude_replaces_the_default_names_and_extend_exclude_adds_to_them(tmp_path: Path) -> None:
    venv, legacy = (tmp_path / "venv").as_posix(), (tmp_path / "legacy" / "old").as_posix()
    assert load().is_excluded(venv, is_directory=True)
    assert not load('exclude = ["legacy/*"]').is_excluded(venv, is_directory=True)
    assert load('exclude = ["legacy/*"]').is_excluded(legacy, is_directory=True)
    assert load("", extend_exclude=("old",)).is_excluded(legacy, is_directory=True)


def test_src_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    Path("conclint.toml").write_text('src = ["lib", "."]')
    config = resolve(read_settings(["sub"], environ={}), RULES)
    assert config.src == ((tmp_path / "lib").as_posix(), tmp_path.as_posix())


def test_hints_are_those_of_the_last_layer_that_gives_any() -> None:
    assert load().hints == replace(NO_HINTS, versions=VERSIONS)
    toml = 'root-decorators = ["shop.jobs.job"]\nthread-safe-types = ["shop.Stock"]\nlock-factories = ["shop.lock"]'
    assert load(toml).hints == Hints(("shop.jobs.job",), ("shop.Stock",), ("shop.lock",), VERSIONS)
    config = load(toml, inline=('root-decorators = ["a.b", "c.d"]', "lock-factories = []"))
    assert config.hints == Hints(("a.b", "c.d"), ("shop.Stock",), (), VERSIONS)


@pytest.mark.parametrize(
    ("requires", "first", "last"),
    [
        ("", 10, 15),
        (">=3.12", 12, 15),
        (">=3.8", 10, 15),
        (">3.11", 11, 15),
        (">=3.10.4, <3.14", 10, 13),
        (">=3.11,<3.13.1", 11, 13),
        ("~=3.12", 12, 15),
        ("~=3.12.1", 12, 12),
        ("==3.13.*", 13, 13),
        ("<=3.12", 10, 12),
        (">=3,<4", 10, 15),
        (">=3.14,!=3.15.*", 14, 14),
        (">=2.7,<3", 10, 15),
        ("what you like", 10, 15),
    ],
)
def test_versions_are_those_that_installers_are_told(requires: str, first: int, last: int) -> None:
    Path("pyproject.toml").write_text(f'[project]\nrequires-python = "{requires}"')
    config = load()
    assert config.hints.versions == tuple((3, minor) for minor in range(first, last + 1))
    assert config.amendments.versions == config.hints.versions


def test_the_setting_goes_before_what_installers_are_told() -> None:
    Path("pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.10,<3.13"\n[tool.conclint]\ntarget-version = "3.14"'
    )
    assert load().hints.versions == ((3, 14), (3, 15))
    assert load(inline=('target-version = "3.11"',)).hints.versions[0] == (3, 11)
    assert resolve(read_settings(["."], isolated=True, environ={}), RULES).hints.versions == VERSIONS


def test_what_installers_are_told_is_found_beside_settings_of_our_own(tmp_path: Path) -> None:
    inner = tmp_path / "src" / "shop"
    inner.mkdir(parents=True)
    Path("pyproject.toml").write_text('[project]\nrequires-python = ">=3.13"')
    Path("conclint.toml").write_text("jobs = 1")
    assert resolve(read_settings([str(inner)], environ={}), RULES).hints.versions[0] == (3, 13)
    Path("pyproject.toml").write_text("[project\n")
    assert resolve(read_settings([str(inner)], environ={}), RULES).hints.versions == VERSIONS


def test_without_the_gil_other_rules_are_on() -> None:
    rules = (*RULES, make_rule("CON801", "gil-reliant", default=False, category=Category.FREE_THREADING))
    Path("pyproject.toml").write_text(
        '[project]\nclassifiers = ["Programming Language :: Python :: Free Threading :: 3 - Stable"]'
    )
    free = read_settings(["."], environ={})
    assert (resolve(free, rules).hints.gil, resolve(free, rules).selected) == (False, {*DEFAULT, "CON801"})
    locked = read_settings(["."], config=("gil = true",), environ={})
    assert (resolve(locked, rules).hints.gil, resolve(locked, rules).selected) == (True, DEFAULT)
    chosen = read_settings(["."], config=('ignore = ["CON8"]',), environ={})
    assert resolve(chosen, rules).selected == DEFAULT


def test_the_default_timeout_is_a_number_of_seconds() -> None:
    assert load("default-timeout = 30").hints.default_timeout == 30
    assert load("default-timeout = 30", inline=("default-timeout = 2.5",)).hints.default_timeout == 2.5


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("selct = []", "conclint.toml: unknown setting `selct`; did you mean `select`?"),
        (
            "per_file_ignores = {}",
            "conclint.toml: unknown setting `per_file_ignores`; did you mean `per-file-ignores`?",
        ),
        ("zzz = 1", "allowed are select, ignore, extend-select"),
        ('select = "CON101"', "conclint.toml: `select`: expected `array`, got `str`"),
        ("ignore = [1]", "conclint.toml: `ignore[0]`: expected `str`, got `int`"),
        ('jobs = "2"', "conclint.toml: `jobs`: expected `int`, got `str`"),
        ("jobs = -1", "conclint.toml: `jobs`: expected `int` >= 0"),
        ('root-decorators = ["job"]', "conclint.toml: `root-decorators`: `job` is no qualified name such as"),
        ('thread-safe-types = ["a.b c"]', "conclint.toml: `thread-safe-types`: `a.b c` is no qualified name"),
        ('lock-factories = "a.b"', "conclint.toml: `lock-factories`: expected `array`, got `str`"),
        ('target-version = "3.9"', "conclint.toml: `target-version`: unknown version `3.9`; "),
        ('target-version = "py312"', "conclint.toml: `target-version`: unknown version `py312`; did you mean `3.12`?"),
        ("target-version = 3.12", "conclint.toml: `target-version`: expected `str`, got `float`"),
        ("gil = 0", "conclint.toml: `gil`: expected `bool`, got `int`"),
        ("default-timeout = 0", "conclint.toml: `default-timeout`: expected `float` > 0"),
        ("flake8 = 1", "conclint.toml: `flake8`: expected `bool`, got `int`"),
        ('select = ["CON11"]\njobs = ', "conclint.toml: not valid TOML: "),
        ('ignore = ["CON999"]', "conclint.toml: `ignore`: unknown rule `CON999`; did you mean "),
        ('ignore = ["thread-not-joint"]', "unknown rule `thread-not-joint`; did you mean `thread-not-joined`?"),
        ('ignore = ["C"]', "unknown rule `C`"),
        ('per-file-ignores = {"a.py" = ["CONX"]}', "conclint.toml: `per-file-ignores`: unknown rule `CONX`"),
    ],
)
def test_a_mistake_is_told_in_one_line(toml: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(toml)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mistake_names_the_flag_or_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"^--extend-select: unknown rule `CON9`"):
        load(extend_select=("CON9",))
    with pytest.raises(ConfigError, match=r"^CONCLINT_IGNORE: unknown rule `nope`"):
        load(environ={"CONCLINT_IGNORE": "nope"})
    with pytest.raises(ConfigError, match=r"^CONCLINT_JOBS: expected a number of processes, got `many`"):
        load(environ={"CONCLINT_JOBS": "many"})
    with pytest.raises(ConfigError, match=r"^--config: `nowhere\.toml` is neither a settings file nor KEY=VALUE"):
        load(inline=("nowhere.toml",))
    with pytest.raises(ConfigError, match=r"^--config jobs=x: not valid TOML"):
        load(inline=("jobs=x",))


def test_a_broken_pyproject_that_is_not_about_us_does_no_harm() -> None:
    Path("pyproject.toml").write_text("[project\n")
    assert load().selected == DEFAULT
    Path("pyproject.toml").write_text("[tool.conclint]\nselect = [\n")
    with pytest.raises(ConfigError, match=r"^pyproject\.toml: not valid TOML"):
        load()


@pytest.mark.parametrize(
    ("environ", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_colour_follows_the_terminal_and_two_variables(
    environ: dict[str, str], *, terminal: bool, wanted: bool
) -> None:
    assert is_colour_wanted(terminal=terminal, environ=environ) is wanted


class TestSchema:
    def test_it_knows_what_the_settings_know(self) -> None:
        schema = make_schema()
        assert schema["additionalProperties"] is False
        properties = schema["properties"]
        assert isinstance(properties, dict)
        assert list(properties) == [field.encode_name for field in msgspec.structs.fields(Options)]
        assert properties["jobs"] == {
            "description": "Processes that work at once, 0 for one per processor.",
            "type": "integer",
            "minimum": 0,
            "default": 0,
        }

    def test_it_knows_no_null_as_toml_does_not(self) -> None:
        assert "null" not in json.dumps(make_schema())

    def test_defaults_are_what_holds_without_settings(self) -> None:
        config = resolve(Settings(), ())
        properties = make_schema()["properties"]
        assert isinstance(properties, dict)
        for key in ("force-exclude", "respect-gitignore", "flake8"):
            setting = properties[key]
            assert isinstance(setting, dict)
            assert setting["default"] == getattr(config, key.replace("-", "_"))
