"""CON235: see docs/rules/CON235.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import deepen, find_following, find_line, is_statement, iter_own, leaks
from conclint.analysis.editor import Editor
from conclint.analysis.locksets import is_nonblocking
from conclint.catalog.rows import LOCK_KINDS, CallRow, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.timeouts import find_timeout
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON235",
    name="timed-acquire-ignored",
    summary="nobody looks whether an `acquire()` that may give up has got the lock",
    help="enter the critical section only if it returns true: `if lock.acquire(timeout=…):`",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_OWNED = LOCK_KINDS - {Kind.SEMAPHORE}
"""A semaphore may be released by whoever likes to, and be taken just to count down."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report acquires that may fail, where the lock is used and released as if they never did."""
    for place in project.external_calls:
        if (place.call.use is Use.DROPPED or place.site in project.unread_results) and _may_give_up(project, place):
            released = _find_release(project, place)
            if released is not None and _does_something(project, place, released):
                name = project.places.describe(place.site.module, place.call.callee)
                message = f"`{name}` may return without the lock, and nobody looks whether it has"
                related = project.related(
                    place.site.module, released.call.span, "it is released here, whether it is held or not"
                )
                yield project.alarm(place.site.module, RULE.code, place.call.span, message, related)


def _may_give_up(project: Project, place: CallPlace) -> bool:
    """Whether a lock is acquired with a timeout, or without waiting (must), that others may hold."""
    targets = project.externals(place.site)
    if not targets or project.callees(place.site):
        return False
    for target in targets:
        row = project.find_row(target)
        kind = project.class_row(target.receiver) if target.receiver is not None else None
        if row is None or kind is None or kind.kind not in _OWNED or not target.name.endswith(".acquire"):
            return False
        made = target.receiver.site if target.receiver is not None else None
        if made is not None and made.what == "call" and project.call(made).function_place == place.function_place:
            # Nobody else has this one yet.
            return False
        if not _is_bounded(project, place, row):
            return False
    return True


def _is_bounded(project: Project, place: CallPlace, row: CallRow) -> bool:
    timeout, module = row.timeout, place.site.module
    if timeout is None:
        return False
    for keyword, position, expected in timeout.nonblocking:
        given = place.find_argument(keyword, position)
        constant = project.constant(module, given.value) if given is not None else None
        if constant is not None and constant.value == expected:
            return True
    given = find_timeout(place, timeout)
    return given is not None and not _is_infinite(project.value(module, given.value), timeout.infinite)


def _is_infinite(value: object, infinite: tuple[object, ...]) -> bool:
    return isinstance(value, Constant) and value.value in infinite


def _does_something(project: Project, acquired: CallPlace, released: CallPlace) -> bool:
    """Whether there is a critical section between the two: without, the lock is only made to be free."""
    spans = [other.call.span for other in project.calls_in(acquired.function_place)]
    spans += [access.span for access in acquired.facts.accesses if access.function == acquired.call.function]
    return any(precedes(acquired.call.span, span) and precedes(span, released.call.span) for span in spans)


def _find_release(project: Project, place: CallPlace) -> CallPlace | None:
    """Return where the same function releases the same lock further down."""
    acquired = project.places.split(place.site.module, place.call.callee)
    if acquired is None:
        return None
    wanted = (acquired[0], "release")
    for other in project.calls_in(place.function_place):
        is_release = project.places.split(other.site.module, other.call.callee) == wanted
        if is_release and precedes(place.call.span, other.call.span):
            return other
    return None


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Look at the result: raise where time is up; leave out what needs the lock where nobody waits for it."""
    call = editor.find(anchor.span, cst.Call)
    line = find_line(editor, call) if call is not None else None
    if call is None or line is None or not isinstance(call.func, cst.Attribute):
        return None
    given = line.body[0]
    target = given.targets[0].target if isinstance(given, cst.Assign) and len(given.targets) == 1 else None
    if not is_statement(editor, call) and not (isinstance(target, cst.Name) and editor.parent(call) is given):
        return None
    lock = editor.code(call.func.value)
    if is_nonblocking(call):
        return _skip(editor, call, line, lock)
    return None if _is_released_above(editor, line, lock) else _raise(editor, call, line, lock)


def _raise(editor: Editor, call: cst.Call, line: cst.SimpleStatementLine, lock: str) -> Fix | None:
    if editor.scope(call).resolve(cst.Name("TimeoutError")) != "builtins.TimeoutError":
        return None
    before = editor.indent(line) or ""
    step = editor.source.tree.default_indent
    told = f'("{lock} is not free")' if lock.replace(".", "").isidentifier() else ""
    raising = f"{before}{step}raise TimeoutError{told}\n"
    edits = (*_test(editor, call, line, "if not "), editor.insert(editor.end_of_line(line), raising))
    if isinstance(line.body[0], cst.Assign):
        name = editor.code(line.body[0].targets[0].target)
        edits = (editor.insert(editor.end_of_line(line), f"{before}if not {name}:\n{raising}"),)
    return Fix("Raise `TimeoutError` without the lock", Applicability.UNSAFE, edits)


def _skip(editor: Editor, call: cst.Call, line: cst.SimpleStatementLine, lock: str) -> Fix | None:
    following = find_following(editor, line)
    last = next((number for number, one in enumerate(following) if _releases(editor, one, lock)), None)
    section = following[: last + 1] if last is not None else ()
    # What a `return` gives, and what the section binds, is missing where the section is left out.
    if not section or leaks(editor, section) or any(isinstance(one, cst.Return) for one in iter_own(section)):
        return None
    deeper = deepen(editor, section)
    if deeper is None:
        return None
    if isinstance(line.body[0], cst.Assign):
        name = editor.code(line.body[0].targets[0].target)
        # Not at the beginning of the next line, which is indented.
        end = len(editor.source.text[: editor.end_of_line(line)].rstrip("\r\n"))
        edits = (editor.insert(end, f"\n{editor.indent(line)}if {name}:"), *deeper)
    else:
        edits = (*_test(editor, call, line, "if "), *deeper)
    return Fix("Leave it out without the lock", Applicability.UNSAFE, edits)


def _test(editor: Editor, call: cst.Call, line: cst.SimpleStatementLine, opening: str) -> tuple[Edit, ...]:
    """Return the edits that make a test of a statement."""
    statement = editor.outer(call) if isinstance(line.body[0], cst.Expr) else None
    return (editor.insert(statement[0], opening), editor.insert(statement[1], ":")) if statement is not None else ()


def _releases(editor: Editor, node: cst.CSTNode, lock: str) -> bool:
    return any(
        isinstance(one, cst.Attribute) and one.attr.value == "release" and editor.code(one.value) == lock
        for one in iter_own([node])
    )


def _is_released_above(editor: Editor, line: cst.SimpleStatementLine, lock: str) -> bool:
    """Whether a `finally` around releases the lock: what is raised in its `try` would come there without it."""
    return any(
        isinstance(found, cst.Try) and found.finalbody is not None and _releases(editor, found.finalbody, lock)
        for found in editor.iter_around(line)
    )
