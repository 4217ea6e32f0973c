"""The rules, one module each, and the loader that walks this package. There is no list of rules anywhere."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from conclint.model.rule import Category, Fixer, LocalCheck, ProjectCheck, Rule

_RULE = re.compile(r"^RULE = (Rule\(.*?^\))", re.MULTILINE | re.DOTALL)
_RULE_MODULE = re.compile(r"con\d{3}_\w+")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules by code, and their checks; a rule without a check is raised by the pipeline itself (CON001).

    `fixers` go by the code of their rule.
    """

    rules: tuple[Rule, ...]
    local: tuple[LocalCheck[Any, Any], ...]
    project: tuple[ProjectCheck[Any], ...]
    fixers: Mapping[str, Fixer[Any]]


@functools.cache
def load() -> RuleSet:
    """Import every rule module, in the order of the codes; two rules with one code or name are a RuntimeError."""
    found: dict[str, Rule] = {}
    names: set[str] = set()
    local: list[LocalCheck[Any, Any]] = []
    project: list[ProjectCheck[Any]] = []
    fixers: dict[str, Fixer[Any]] = {}
    for stem in _find_stems():
        module = importlib.import_module(f"{__name__}.{stem}")
        rule: Rule = module.RULE
        if rule.code in found or rule.name in names or not stem.startswith(rule.code.lower()):
            raise RuntimeError(f"{stem}: code or name of {rule.code} {rule.name} is taken or does not match the file")
        found[rule.code] = rule
        names.add(rule.name)
        local += [value for value in vars(module).values() if isinstance(value, LocalCheck)]
        project += [value for value in vars(module).values() if isinstance(value, ProjectCheck)]
        fixers |= _collect_fixers(module)
    return RuleSet(tuple(found.values()), tuple(local), tuple(project), fixers)


def load_fixers(codes: Collection[str]) -> dict[str, Fixer[Any]]:
    """Return the fixers of these rules by code. No other rule is imported, so that few alarms need little time."""
    stems = (stem for stem in _find_stems() if stem.partition("_")[0].upper() in codes)
    fixers: dict[str, Fixer[Any]] = {}
    for stem in stems:
        fixers |= _collect_fixers(importlib.import_module(f"{__name__}.{stem}"))
    return fixers


def _find_stems() -> list[str]:
    return sorted(info.name for info in pkgutil.iter_modules(__path__) if _RULE_MODULE.fullmatch(info.name))


def _collect_fixers(module: ModuleType) -> dict[str, Fixer[Any]]:
    return {value.rule.code: value for value in vars(module).values() if isinstance(value, Fixer)}


@functools.cache
def read() -> tuple[Rule, ...]:
    """Return the same rules as `load`, in a tenth of the time: no check is imported, and no parser with them."""
    modules = sorted(path for folder in __path__ for path in Path(folder).glob("con[0-9]*.py"))
    literals = (_RULE.search(path.read_text(encoding="utf-8")) for path in modules)
    found = tuple(_evaluate(literal[1]) for literal in literals if literal is not None)
    # Without their sources, as in a zip file, they have to be imported.
    return found or load().rules


def _evaluate(literal: str) -> Rule:
    call = ast.parse(literal, mode="eval").body
    assert isinstance(call, ast.Call)
    values: dict[str, Any] = {
        keyword.arg or "": Category[keyword.value.attr]
        if isinstance(keyword.value, ast.Attribute)
        else ast.literal_eval(keyword.value)
        for keyword in call.keywords
    }
    return Rule(**values)
