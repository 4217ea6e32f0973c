"""File access: how much of a file or folder a call reads or writes, as far as its function tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.model.naming import has_start_name
from conclint.model.values import Attribute, Await, Entered, Local, Name, Result, ValueId

if TYPE_CHECKING:
    from conclint.project.blocking import Blocking
    from conclint.project.project import CallPlace, Project

_ENTRY = frozenset(
    """
    NamedTemporaryFile SpooledTemporaryFile TemporaryDirectory TemporaryFile access chmod chown close cwd exists
    expanduser fdopen fileno flush ftruncate getatime getcwd getctime getmtime getsize group hardlink_to is_block_device
    is_char_device is_dir is_fifo is_file is_mount is_socket is_symlink isdir isfile islink ismount iterdir lchmod
    lexists link listdir lseek lstat makedirs mkdir mkdtemp mkfifo mkstemp owner readlink realpath remove rename replace
    resolve rmdir samefile scandir stat statvfs symlink symlink_to touch truncate unlink utime which
    """.split()
)
_ENTRY_NAMES = frozenset({"os.open"})
_WRITES = frozenset({"dump", "pwrite", "pwritev", "write", "write_bytes", "write_text", "writelines", "writev"})
_READS = frozenset({"open", "read", "read_bytes", "read_text", "readlines", "readline", "__next__"})
_ARCHIVES = ("tarfile.", "zipfile.")
"""They write what they read from other files."""
_MODES = {
    "builtins.open": 1,
    "bz2.open": 1,
    "codecs.open": 1,
    "gzip.open": 1,
    "lzma.open": 1,
    "pathlib.Path.open": 0,
}
"""Where the mode stands among the arguments."""
_WHOLE = frozenset({"decode", "dumps", "encode"})
"""What makes all of a value into something else, and does not pick a part."""
_PATH = "pathlib.Path"
_PATHS = frozenset({"os.path.join", _PATH})
_DEEPEST = 4


def is_entry_access(found: Blocking) -> bool:
    """Return whether a call only asks for, changes or lists entries of one folder: contents take longer (must)."""
    return _last_name(found) in _ENTRY or found.name in _ENTRY_NAMES


def opens_for_writing(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Return whether a call opens a file that is then only written (must): the contents are yet to come."""
    position = _MODES.get(found.row.names[0])
    mode = place.find_argument("mode", position) if position is not None else None
    given = project.constant(place.site.module, mode.value) if mode is not None else None
    return given is not None and isinstance(given.value, str) and not {"r", "+"} & set(given.value)


def writes_little(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Return whether a call writes, once, what the function has made or picked out itself (may).

    The system takes that into memory and writes it later. What a function was given, or has received, may be large.
    """
    if _last_name(found) not in _WRITES or found.name.startswith(_ARCHIVES) or _is_repeated(project, place, found):
        return False
    position = 1 if found.name.startswith("os.") else 0
    data = place.find_argument("data", position) or place.find_argument("obj", position)
    return data is not None and not _is_whole(project, place, data.value)


def reads_own_file(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Return whether a call reads a file whose name a `with` of the same function gives (may): it is just written."""
    if _last_name(found) not in _READS:
        return False
    callee = project.value(place.site.module, place.call.callee)
    if found.receiver is not None:
        is_path = found.row.names[0].startswith(_PATH)
        return is_path and isinstance(callee, Attribute) and _is_entered(project, place, callee.base)
    path = place.find_argument("file", 0)
    return path is not None and _is_entered(project, place, path.value)


def reads_at_start(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Return whether a call reads one file where a program or object is started (may), which others do not wait for."""
    return _last_name(found) in _READS and _is_start(project, place.function.symbol)


def _last_name(found: Blocking) -> str:
    return found.name.rpartition(".")[2]


def _is_repeated(project: Project, place: CallPlace, found: Blocking) -> bool:
    """Whether a loop goes on writing to what was opened before it, or to one file after the other."""
    written = place.find_argument("fp", 1) if found.receiver is None else None
    callee = project.value(place.site.module, place.call.callee)
    file = written.value if written is not None else callee.base if isinstance(callee, Attribute) else None
    opened = [flow for flow in place.facts.flows if flow.target == file and flow.function == place.call.function]
    around = {loop for flow in opened for loop in place.facts.contexts[flow.context].loops}
    return not set(place.context.loops) <= around


def _is_whole(project: Project, place: CallPlace, value: ValueId) -> bool:
    """Whether a value is all of a parameter, or of what was awaited."""
    found = project.value(place.site.module, value)
    if isinstance(found, Result):
        call = place.facts.calls[found.call]
        callee = project.value(place.site.module, call.callee)
        if isinstance(callee, Attribute) and callee.name in _WHOLE:
            return _is_whole(project, place, callee.base)
        name = callee.symbol.rpartition(".")[2] if isinstance(callee, Name) else ""
        return name in _WHOLE and bool(call.arguments) and _is_whole(project, place, call.arguments[0].value)
    if not isinstance(found, Local):
        return isinstance(found, Await)
    function = project.function(found.function)
    is_parameter = function is not None and any(one.name == found.name for one in function.parameters)
    sources = (project.value(place.site.module, one) for one in _find_sources(place, value))
    return is_parameter or any(isinstance(one, Await) for one in sources)


def _find_sources(place: CallPlace, value: ValueId) -> list[ValueId]:
    return [flow.source for flow in place.facts.flows if flow.target == value]


def _is_entered(project: Project, place: CallPlace, value: ValueId, depth: int = 0) -> bool:
    """Whether a path is what a `with` gives, or lies in a folder that it gives."""
    found = project.value(place.site.module, value)
    if isinstance(found, Entered):
        return True
    if depth == _DEEPEST:
        return False
    sources = _find_sources(place, value)
    if isinstance(found, Attribute) and found.name == "name":
        sources = [found.base]
    elif isinstance(found, Result):
        call = place.facts.calls[found.call]
        callee = project.value(place.site.module, call.callee)
        makes_path = isinstance(callee, Name) and callee.symbol in _PATHS
        sources = [argument.value for argument in call.arguments[:1] if makes_path]
    return any(_is_entered(project, place, source, depth + 1) for source in sources)


def _is_start(project: Project, symbol: str, depth: int = 0) -> bool:
    """Whether a function is called like one that starts something, or only such functions call it."""
    if has_start_name(symbol):
        return True
    callers = {caller for caller, _, _ in project.call_graph.callers.get(symbol, ())}
    if not callers or depth == _DEEPEST or project.call_graph.is_open(symbol):
        return False
    return all(_is_start(project, caller, depth + 1) for caller in callers)
