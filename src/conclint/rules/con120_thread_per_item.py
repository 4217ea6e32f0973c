"""CON120: see docs/rules/CON120.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.analysis.blocks import find_block, find_following, find_line, iter_comments, join_edits, remove, wrap
from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.analysis.holding import is_in_coroutine
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Collection, Item, Name, Result, ValueId
from conclint.project.iteration import find_assigned, is_given
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON120",
    name="thread-per-item",
    summary="a thread is started for each item, however many there are",
    help="submit the items to a `ThreadPoolExecutor`, which limits the number of threads",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report threads that are made in a loop, are given its item, and are neither counted nor joined there."""
    for made in project.lifetimes.iter_made(Kind.THREAD):
        place = made.place
        loops = place.context.loops
        if not loops or is_test(place) or not is_given(place, find_assigned(place.facts, loops[-1])):
            continue
        if _is_bounded(project, place) or _is_limited(project, made):
            continue
        start = next(project.lifetimes.iter_calls(made.found, Role.START), None)
        if start is not None:
            name = project.lifetimes.describe(made)
            subject = f"the thread {name}" if name else "a thread"
            message = f"{subject} is started for each item of this loop, however many there are"
            started = project.related(start.site.module, start.call.span, "it is started here")
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, started)


def _is_bounded(project: Project, place: CallPlace) -> bool:
    """Whether what the loop runs over is written there, or counted."""
    facts, loop = place.facts, place.context.loops[-1]
    for flow in facts.flows:
        found = facts.values[flow.source]
        if loop in facts.contexts[flow.context].loops and isinstance(found, Item):
            return _is_counted(project, place, found.base)
    return False


def _is_counted(project: Project, place: CallPlace, value: ValueId) -> bool:
    found = place.facts.values[value]
    if isinstance(found, Collection):
        return True
    if isinstance(found, Result):
        call = place.facts.calls[found.call]
        if place.facts.values[call.callee] == Name("builtins.range"):
            return True
        return any(_is_counted(project, place, argument.value) for argument in call.arguments)
    return isinstance(found, Name | Attribute)


def _is_limited(project: Project, made: Made) -> bool:
    """Whether the same loop waits for a semaphore, or for a thread."""
    loop = made.place.context.loops[-1]
    facts = made.place.facts
    for entry in facts.acquisitions:
        if loop in facts.contexts[entry.context].loops:
            return True
    joins = project.lifetimes.iter_calls(made.found, Role.JOIN)
    return any(loop in join.context.loops for join in joins if join.site.module == made.place.site.module)


_NAMES = ("executor", "pool", "thread_pool")
"""Variables for the executor, the first one that is free."""


class _Threads(NamedTuple):
    """Threads that a loop makes, starts and keeps in a list, all of which a second loop joins."""

    made: cst.Call
    start: cst.SimpleStatementLine
    join: cst.Attribute


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Submit to an executor what the threads would run."""
    made = editor.find(anchor.span, cst.Call)
    loop = editor.around(made, cst.For) if made is not None else None
    if made is None or loop is None or is_in_coroutine(editor, loop) or not find_block(editor, loop):
        return None
    threads = _find_threads(editor, made, loop)
    submitted = _submit(editor, made)
    name = next((one for one in _NAMES if editor.is_unbound(one, made)), None)
    reference = editor.refer("concurrent.futures.ThreadPoolExecutor", loop)
    if threads is None or submitted is None or name is None or reference is None:
        return None
    removed = remove(editor, threads.start)
    wrapped = wrap(editor, [loop], f"with {reference.text}() as {name}:")
    if removed is None or wrapped is None:
        return None
    function = editor.replace(made.func, f"{name}.submit")
    edits = (*reference.edits, function, *submitted, removed, editor.replace(threads.join.attr, "result"))
    return Fix("Submit it to an executor", Applicability.UNSAFE, join_edits(edits, wrapped))


def _find_threads(editor: Editor, made: cst.Call, loop: cst.For) -> _Threads | None:
    """Return the threads, if nothing else is done with them than what these hold."""
    line = find_line(editor, made)
    given = line.body[0] if line is not None else None
    if not isinstance(given, cst.Assign) or given.value is not made or len(given.targets) != 1:
        return None
    thread = editor.code(given.targets[0].target)
    lines = {editor.code(one): one for one in loop.body.body if isinstance(one, cst.SimpleStatementLine)}
    start = lines.get(f"{thread}.start()")
    kept = next((text.removesuffix(f".append({thread})") for text in lines if text.endswith(f".append({thread})")), "")
    joining = next((one for one in find_following(editor, loop) if _is_join_loop(editor, one, kept)), None)
    if start is None or not kept.isidentifier() or not isinstance(joining, cst.For):
        return None
    join = next(one for one in iter_nodes(joining.body) if isinstance(one, cst.Attribute))
    # The variable is bound, started and kept; bound and joined again if the second loop has the same one.
    own = 3 if editor.code(joining.target) != thread else 5
    around = editor.function(loop) or editor.source.tree
    is_plain = _count(around, thread) == own and _count(around, kept) == 3
    return _Threads(made, start, join) if is_plain and _is_list(editor, around, kept) else None


def _is_join_loop(editor: Editor, node: cst.CSTNode, kept: str) -> bool:
    if not isinstance(node, cst.For) or editor.code(node.iter) != kept or node.orelse is not None:
        return False
    return [editor.code(one) for one in node.body.body] == [f"{editor.code(node.target)}.join()"]


def _is_list(editor: Editor, around: cst.CSTNode, kept: str) -> bool:
    """Whether the list is made empty, and nothing says what it holds: that would have to change as well."""
    return any(isinstance(one, cst.Assign) and editor.code(one) == f"{kept} = []" for one in iter_nodes(around))


def _count(around: cst.CSTNode, name: str) -> int:
    return sum(isinstance(one, cst.Name) and one.value == name for one in iter_nodes(around))


def _submit(editor: Editor, made: cst.Call) -> tuple[Edit, ...] | None:
    """Return the edits that make `(f, x)` of `(target=f, args=(x,))`; None for any other arguments."""
    names = [one.keyword.value if one.keyword is not None else "" for one in made.args]
    if names not in (["target"], ["target", "args"]) or editor.scope(made).resolve(made.func) != "threading.Thread":
        return None
    target, *others = made.args
    cuts = [(editor.source.offsets[target][0], editor.outer(target.value)[0])]
    for one in others:
        elements: Sequence[cst.BaseElement] = one.value.elements if isinstance(one.value, cst.Tuple | cst.List) else ()
        if not elements:
            return None
        first, last = elements[0], elements[-1]
        cuts.append((editor.source.offsets[one][0], editor.source.offsets[first][0]))
        cuts.append((editor.outer(last.value)[1], editor.outer(one.value)[1]))
    if any(comment for start, end in cuts for comment in iter_comments(editor, start, end)):
        return None
    return tuple(editor.edit(start, end, "") for start, end in cuts)
