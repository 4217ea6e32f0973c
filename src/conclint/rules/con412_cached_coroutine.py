"""CON412: see docs/rules/CON412.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.callables import returns_coroutine
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON412",
    name="cached-coroutine",
    summary="a cache keeps a coroutine, which can be awaited only once",
    help="cache the result: with a cache made for coroutines, or keep a task, which may be awaited often",
    category=Category.ASYNC,
    since="0.1.0",
)

_CACHES = frozenset({"functools.cache", "functools.lru_cache", "functools.cached_property"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `lru_cache`, `cache` and `cached_property` on what gives a coroutine."""
    for module, facts in enumerate(project.modules):
        for function in facts.functions:
            decorators = project.decorators(function.symbol)
            # What stands between the cache and the function may make something of the coroutine that lasts.
            if not decorators or decorators[-1] not in _CACHES:
                continue
            if function.is_async or returns_coroutine(project, function.symbol):
                what = "generator" if function.is_async and function.is_generator else "coroutine"
                cache = decorators[-1].rpartition(".")[2]
                message = f"`{cache}` keeps the {what} of `{function.name}`, and the second caller gets a used one"
                yield project.alarm(module, RULE.code, function.span, message)
