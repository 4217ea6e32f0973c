"""CON422: see docs/rules/CON422.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.awaiting import hand_to_thread
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Effect
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.blocking import Blocking, find_blocking
from conclint.project.file_access import (
    is_entry_access,
    opens_for_writing,
    reads_at_start,
    reads_own_file,
    writes_little,
)
from conclint.project.loops import collect_busy_functions, may_await_there
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON422",
    name="blocking-file-access-in-async",
    summary="a coroutine, or a callback of the event loop, reads or writes files in its own thread",
    help="move what reads and writes into a function, and call it with `await asyncio.to_thread(…)`",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)

_OPENING = frozenset(
    """
    TarFile ZipFile fwalk glob iglob input open open_code rglob walk
    """.split()
)
"""What only gives a file or an iterator: most of the work comes when that is read or written."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report access to the contents of files and folders, directly in what runs on an event loop."""
    for function in collect_busy_functions(project):
        opened: set[str] = set()
        for place in project.calls_in(function):
            if place.call.use is Use.AWAITED or is_test(place):
                continue
            found = find_blocking(project, place, Effect.FILE)
            if found is None or is_entry_access(found) or opens_for_writing(project, place, found):
                continue
            is_new = found.receiver is None or found.receiver.symbol not in opened
            # What is opened here is reported once, where it is opened.
            if is_new and not _is_brief(project, place, found):
                callee = project.places.describe(place.site.module, place.call.callee)
                message = f"`{callee}` holds up the event loop while it accesses files"
                anchors = (
                    (project.anchor(place.site.module, place.call.span, "thread"),)
                    if _is_all(project, place, found)
                    else ()
                )
                yield project.alarm(place.site.module, RULE.code, place.call.span, message, anchors=anchors)
            opened.add(found.row.returns)


def _is_brief(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Whether little is read or written, or at a time when hardly anybody waits (may)."""
    return (
        writes_little(project, place, found)
        or reads_own_file(project, place, found)
        or reads_at_start(project, place, found)
    )


def _is_all(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Whether a thread could do all of the access in one call, with no lock held while that is awaited (must)."""
    return found.name.rpartition(".")[2] not in _OPENING and may_await_there(project, place)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hand the call to a thread."""
    return hand_to_thread(editor, anchor)
