"""CON102: see docs/rules/CON102.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Result
from conclint.project.callables import Handover, gives_no_callable
from conclint.project.objects import Site
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON102",
    name="callback-already-called",
    summary="a function is called where the function itself should be handed over",
    help="hand over the function without the parentheses, and its arguments in their own place",
    category=Category.THREAD,
    since="0.1.0",
)

_TAKES_OTHERS = (RunsIn.TASK, RunsIn.HERE)
"""What takes coroutines, or runs a key function at once."""
_BEHIND = "*"
"""Arguments follow the function: `submit(f, x)`."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls in the place of a callable whose result cannot be called."""
    for handover in project.handovers:
        module = handover.place.site.module
        value = project.value(module, handover.argument.value)
        if handover.spawn.runs_in in _TAKES_OTHERS or not isinstance(value, Result):
            continue
        site = Site(module, value.call)
        if gives_no_callable(project, site):
            yield _report(project, handover, site)


def _report(project: Project, handover: Handover, site: Site) -> Alarm:
    callee = project.places.describe(site.module, project.call(site).call.callee)
    taker = handover.taker.rpartition(".")[2]
    message = f"`{callee}` is called here, and `{taker}` gets its result, which cannot be called"
    related, words = _iter_definitions(project, site), _find_words(project, handover, site)
    anchors = (project.anchor(site.module, handover.argument.span, *words),) if words else ()
    return project.alarm(site.module, RULE.code, handover.argument.span, message, *related, anchors=anchors)


def _find_words(project: Project, handover: Handover, site: Site) -> tuple[str, ...]:
    """Say where the arguments of a plain function belong: in a tuple and a dict, by keyword, or behind the function."""
    functions = [project.function(target.function) for target in project.callees(site)]
    if not functions or any(found is None or found.is_async or found.is_generator for found in functions):
        return ()
    spawn = handover.spawn
    if spawn.arguments_from is not None:
        return (_BEHIND,)
    return (spawn.args_keyword, spawn.kwargs_keyword) if spawn.args_keyword and spawn.kwargs_keyword else ()


def _iter_definitions(project: Project, site: Site) -> Iterator[Related]:
    for target in sorted(project.callees(site), key=lambda target: target.function)[:1]:
        place, function = project.place(target.function), project.function(target.function)
        if place is not None and function is not None:
            what = "returns no function" if function.returns else "returns None"
            if function.is_async:
                what = "returns a coroutine"
            yield project.related(place.module, function.span, f"`{function.name}` {what}")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hand over the function, and its arguments as what takes it wants them."""
    made = editor.find(anchor.span, cst.Call)
    argument = editor.parent(made) if made is not None else None
    taker = editor.parent(argument) if argument is not None else None
    if made is None or not anchor.words or made.lpar or not isinstance(taker, cst.Call):
        return None
    behind = taker.args[[one.value for one in taker.args].index(made) + 1 :]
    moved = _write_behind(made, editor) if anchor.words == (_BEHIND,) else _write_named(made, anchor.words, editor)
    is_taken = any(one.keyword is None or one.star or one.keyword.value in anchor.words for one in behind)
    if moved is None or is_taken:
        return None
    title = f"Hand over `{editor.code(made.func)}` itself"
    rest = editor.edit(editor.outer(made.func)[1], editor.outer(made)[1], moved)
    return Fix(title, Applicability.SAFE, (rest,), reveals=ANY_RULE)


def _write_behind(made: cst.Call, editor: Editor) -> str | None:
    """Return the arguments as they follow the function; those by keyword, not everything passes on."""
    if any(one.keyword is not None or one.star == "**" for one in made.args):
        return None
    return "".join(f", {one.star}{editor.code(one.value)}" for one in made.args)


def _write_named(made: cst.Call, words: tuple[str, ...], editor: Editor) -> str | None:
    """Return the arguments as a tuple and a dict."""
    if any(one.star == "**" for one in made.args):
        return None
    plain = [f"{one.star}{editor.code(one.value)}" for one in made.args if one.keyword is None]
    named = [f'"{one.keyword.value}": {editor.code(one.value)}' for one in made.args if one.keyword is not None]
    text = f", {words[0]}=({', '.join(plain)}{',' if len(plain) == 1 else ''})" if plain else ""
    return text + (f", {words[1]}={{{', '.join(named)}}}" if named else "")
