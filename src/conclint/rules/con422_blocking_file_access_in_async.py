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

_SHORT = frozenset(
    """
    SpooledTemporaryFile access chmod chown close cwd exists expanduser fileno flush getatime getcwd getctime getmtime
    getsize group hardlink_to is_block_device is_char_device is_dir is_fifo is_file is_mount is_socket is_symlink isdir
    isfile islink ismount lchmod lexists link lseek lstat makedirs mkdir mkfifo owner readlink realpath remove rename
    replace resolve rmdir samefile stat statvfs symlink symlink_to touch unlink utime
    """.split()
)
"""What only asks for, or changes, a single entry of a folder: the contents of files take longer."""

_OPENING = frozenset(
    """
    NamedTemporaryFile TarFile TemporaryDirectory TemporaryFile ZipFile fdopen fwalk glob iglob input iterdir open
    open_code rglob scandir walk
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
            if found is None or found.name.rpartition(".")[2] in _SHORT:
                continue
            # What is opened here is reported once, where it is opened.
            if found.receiver is None or found.receiver.symbol not in opened:
                callee = project.places.describe(place.site.module, place.call.callee)
                message = f"`{callee}` holds up the event loop while it accesses files"
                anchors = (
                    (project.anchor(place.site.module, place.call.span, "thread"),)
                    if _is_all(project, place, found)
                    else ()
                )
                yield project.alarm(place.site.module, RULE.code, place.call.span, message, anchors=anchors)
            opened.add(found.row.returns)


def _is_all(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Whether a thread could do all of the access in one call, with no lock held while that is awaited (must)."""
    return found.name.rpartition(".")[2] not in _OPENING and may_await_there(project, place)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hand the call to a thread."""
    return hand_to_thread(editor, anchor)
