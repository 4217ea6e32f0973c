"""Layers of options and the rules → the one `Config` of a run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from conclint.catalog import Amendments
from conclint.config.amend import QUALIFIED_NAME, make_amendments
from conclint.config.options import Layer, Options, Settings
from conclint.config.patterns import Patterns, absolute_path
from conclint.config.targets import resolve_versions
from conclint.config.words import ConfigError, suggest
from conclint.model.hints import Hints
from conclint.model.rule import Category, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_EXCLUDE = (
    *(".bzr", ".conclint_cache", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".hypothesis"),
    *(".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache"),
    *(".svn", ".tox", ".venv", ".vscode", "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist"),
    *("node_modules", "site-packages", "venv"),
)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a run, resolved. Paths are absolute, with forward slashes."""

    selected: frozenset[str]
    """The codes of the rules that are on, before `per-file-ignores`."""
    per_file_ignores: tuple[tuple[Patterns, frozenset[str]], ...]
    exclude: tuple[Patterns, ...]
    force_exclude: bool
    respect_gitignore: bool
    src: tuple[str, ...]
    """The directories of the user's own modules; empty where the settings do not say."""
    hints: Hints
    """What the user says of code that is not seen."""
    fixable: frozenset[str]
    """The codes of the rules whose alarms may be fixed."""
    amendments: Amendments
    """What the user adds to the catalog."""
    jobs: int
    """How many processes may work at once, at least 1."""
    cache_dir: str
    """Where results are kept between runs."""
    flake8: bool
    """Whether the flake8 plugin reports anything."""
    source: str | None = None
    project: str | None = None

    def is_selected(self, code: str, path: str) -> bool:
        """Say whether alarms of `code` are wanted in `path` (absolute, or relative to the working directory)."""
        if code not in self.selected:
            return False
        ignoring = [patterns for patterns, codes in self.per_file_ignores if code in codes]
        return not ignoring or not any(patterns.matches(absolute_path(path)) for patterns in ignoring)

    def is_fixable(self, code: str) -> bool:
        """Say whether alarms of `code` may be fixed."""
        return code in self.fixable

    def is_excluded(self, path: str, *, is_directory: bool) -> bool:
        """Say whether the absolute `path` itself matches `exclude`; its parents are not looked at."""
        return any(patterns.matches(path, is_directory=is_directory) for patterns in self.exclude)


def resolve(settings: Settings, rules: Sequence[Rule]) -> Config:
    """Turn the layers into one Config. Raises ConfigError for a rule that is not one of `rules`."""
    options = [layer.options for layer in settings.layers]
    jobs = _find_last(options, "jobs", 0)
    gil = _find_last(options, "gil", not settings.metadata.is_free_threaded)
    timeouts = (each.default_timeout for each in reversed(options))
    versions = resolve_versions(settings.layers, settings.metadata)
    return Config(
        selected=_resolve_selection(settings.layers, rules, gil=gil),
        per_file_ignores=tuple(_iter_per_file_ignores(settings.layers, rules)),
        exclude=_resolve_exclude(settings),
        src=_resolve_src(settings.layers),
        hints=Hints(
            root_decorators=_resolve_names(settings.layers, "root-decorators"),
            thread_safe_types=_resolve_names(settings.layers, "thread-safe-types"),
            lock_factories=_resolve_names(settings.layers, "lock-factories"),
            versions=versions,
            gil=gil,
            default_timeout=next((one for one in timeouts if one is not None), None),
        ),
        fixable=_resolve_fixable(settings.layers, rules),
        amendments=make_amendments(settings.layers, versions),
        jobs=jobs or _count_processors(),
        cache_dir=_resolve_cache_dir(settings),
        source=settings.source,
        project=settings.project,
        force_exclude=_find_last(options, "force_exclude", False),
        respect_gitignore=_find_last(options, "respect_gitignore", True),
        flake8=_find_last(options, "flake8", True),
    )


def _find_last(options: Sequence[Options], key: str, default: Value) -> Value:
    """Return what the last layer that says anything gives for a setting of the type of its default."""
    values: list[Value | None] = [getattr(each, key) for each in reversed(options)]
    return next((value for value in values if value is not None), default)


def find_rule(written: str, rules: Sequence[Rule]) -> Rule | None:
    """Return the rule of that code (in any case) or name."""
    return next((rule for rule in rules if written.upper() == rule.code or written == rule.name), None)


def _resolve_selection(layers: Sequence[Layer], rules: Sequence[Rule], *, gil: bool) -> frozenset[str]:
    # A file that cannot be read must never pass as clean, so its alarm stays on unless it is ignored by name.
    always = {rule.code for rule in rules if rule.category is Category.SYNTAX and rule.default}
    selected = {rule.code for rule in rules if rule.default or (rule.category is Category.FREE_THREADING and not gil)}
    for layer in layers:
        changes = _resolve_changes(layer, rules)
        if layer.options.select is not None:
            selected = set(always)
        selected |= {code for code, on in changes.items() if on}
        selected -= {code for code, on in changes.items() if not on}
    return frozenset(selected)


def _resolve_changes(layer: Layer, rules: Sequence[Rule]) -> dict[str, bool]:
    """Return what one layer turns on or off: the more specific selector wins, `ignore` among equals (as in ruff)."""
    options = layer.options
    written = [
        *(("select", True, selector) for selector in options.select or ()),
        *(("extend-select", True, selector) for selector in options.extend_select),
        *(("ignore", False, selector) for selector in options.ignore),
        *(("extend-ignore", False, selector) for selector in options.extend_ignore),
    ]
    matched = [(_match_selector(selector, rules, layer.label(key)), on) for key, on, selector in written]
    changes: dict[str, bool] = {}
    for (_, codes), on in sorted(matched, key=lambda item: (item[0][0], not item[1])):
        changes.update(dict.fromkeys(codes, on))
    return changes


def _match_selector(selector: str, rules: Sequence[Rule], label: str) -> tuple[int, frozenset[str]]:
    """Return how specific a selector is (0 for ALL, else the length of the code's prefix), and the codes it means."""
    rule = find_rule(selector, rules)
    if rule is not None:
        return len(rule.code), frozenset({rule.code})
    prefix = selector.upper()
    if prefix == "ALL":
        return 0, frozenset(rule.code for rule in rules)
    codes = frozenset(rule.code for rule in rules if rule.code.startswith(prefix))
    if not codes or not re.fullmatch(r"CON\d{0,3}", prefix):
        words = [word for rule in rules for word in (rule.code, rule.name)]
        raise ConfigError(f"{label}: unknown rule `{selector}`; {suggest(selector, [*words, 'ALL'])}")
    return len(prefix), codes


def _iter_per_file_ignores(layers: Sequence[Layer], rules: Sequence[Rule]) -> Iterable[tuple[Patterns, frozenset[str]]]:
    for layer in layers:
        for pattern, selectors in layer.options.per_file_ignores.items():
            label = layer.label("per-file-ignores")
            codes = (_match_selector(selector, rules, label)[1] for selector in selectors)
            yield Patterns(layer.base, (pattern,)), frozenset().union(*codes)


def _resolve_fixable(layers: Sequence[Layer], rules: Sequence[Rule]) -> frozenset[str]:
    fixable = frozenset(rule.code for rule in rules)
    for layer in layers:
        if layer.options.fixable is not None:
            selected = (_match_selector(one, rules, layer.label("fixable"))[1] for one in layer.options.fixable)
            fixable = frozenset().union(*selected)
        for selector in layer.options.unfixable:
            fixable -= _match_selector(selector, rules, layer.label("unfixable"))[1]
    return fixable


def _resolve_exclude(settings: Settings) -> tuple[Patterns, ...]:
    # The defaults are names of directories: they hold below the root of the file system.
    exclude = [Patterns(Path(Path.cwd().anchor).as_posix(), DEFAULT_EXCLUDE)]
    extended: list[Patterns] = []
    for layer in settings.layers:
        if layer.options.exclude is not None:
            exclude = [Patterns(layer.base, layer.options.exclude)]
        if layer.options.extend_exclude:
            extended.append(Patterns(layer.base, layer.options.extend_exclude))
    return (*exclude, *extended)


def _resolve_src(layers: Sequence[Layer]) -> tuple[str, ...]:
    for layer in reversed(layers):
        if layer.options.src is not None:
            return tuple(absolute_path(f"{layer.base}/{directory}") for directory in layer.options.src)
    return ()


def _resolve_cache_dir(settings: Settings) -> str:
    for layer in reversed(settings.layers):
        if layer.options.cache_dir is not None:
            return absolute_path((Path(layer.base) / layer.options.cache_dir).as_posix())
    return f"{settings.project or absolute_path('.')}/.conclint_cache"


def _resolve_names(layers: Sequence[Layer], key: str) -> tuple[str, ...]:
    """Return the qualified names that the last layer which says anything gives for the setting `key`."""
    for layer in reversed(layers):
        names: tuple[str, ...] | None = getattr(layer.options, key.replace("-", "_"))
        for name in names or ():
            if not QUALIFIED_NAME.fullmatch(name):
                raise ConfigError(f"{layer.label(key)}: `{name}` is no qualified name such as `package.module.name`")
        if names is not None:
            return names
    return ()


def _count_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
