"""What access to files means: `open`, `os`, `pathlib`, `shutil`, archives, temporary files, file locks.

All rows have `Effect.FILE`, except those that wait for other processes: what they do is usually fast, and whether it
is a fault in a coroutine is a rule of its own.
"""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout

_TEXT = "io.TextIOWrapper"
_PATH = "pathlib.Path"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("io.IOBase", "_io._IOBase"), kind=Kind.OTHER),
    *(
        ClassRow(names=(f"io.{name}", f"_io.{name}"), kind=Kind.OTHER, bases=("io.IOBase",))
        for name in ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")
    ),
    ClassRow(names=(_PATH, "pathlib.PosixPath", "pathlib.WindowsPath"), kind=Kind.OTHER),
    ClassRow(names=("zipfile.ZipFile",), kind=Kind.OTHER),
    ClassRow(names=("tarfile.TarFile",), kind=Kind.OTHER),
    ClassRow(names=("tempfile.TemporaryDirectory",), kind=Kind.OTHER),
)

_FUNCTIONS = {
    "os": (
        "access chmod chown close closerange copy_file_range fdatasync fsync ftruncate fwalk getcwd getxattr "
        "lchown link listdir listxattr lockf lseek lstat makedirs mkdir mkfifo mknod open posix_fallocate pread preadv "
        "pwrite pwritev read readlink readv remove removedirs removexattr rename renames replace rmdir scandir "
        "sendfile setxattr stat statvfs symlink sync truncate unlink utime walk write writev"
    ),
    "os.path": "exists getatime getctime getmtime getsize isdir isfile islink ismount lexists realpath samefile",
    "json": "dump",
    "pickle": "dump",
    "shutil": (
        "chown copy copy2 copyfile copyfileobj copymode copystat copytree disk_usage make_archive move rmtree "
        "unpack_archive which"
    ),
    "glob": "glob iglob",
    "tempfile": "NamedTemporaryFile SpooledTemporaryFile TemporaryFile mkdtemp mkstemp",
    "codecs": "open",
    "gzip": "open",
    "bz2": "open",
    "lzma": "open",
    "io": "open_code",
    "dbm": "open",
    "shelve": "open",
    "linecache": "getline getlines checkcache",
    "fileinput": "input",
    "filecmp": "cmp cmpfiles",
}
"""Functions that access files, by module."""

_METHODS = {
    "io.IOBase": "flush readline readlines writelines truncate",
    _TEXT: "read write __next__",
    "io.BufferedReader": "read read1 readinto readinto1 peek",
    "io.BufferedWriter": "write",
    "io.BufferedRandom": "read read1 readinto readinto1 write",
    "io.FileIO": "read readall readinto write",
    _PATH: (
        "chmod exists expanduser glob group hardlink_to is_block_device is_char_device is_dir is_fifo is_file is_mount "
        "is_socket is_symlink iterdir lchmod lstat mkdir owner read_bytes read_text readlink rename replace "
        "resolve rglob rmdir samefile stat symlink_to touch unlink write_bytes write_text"
    ),
    "zipfile.ZipFile": "extract extractall open read testzip write writestr",
    "tarfile.TarFile": "add addfile extract extractall extractfile getmembers getnames",
    "tempfile.TemporaryDirectory": "cleanup",
}
"""Methods that access files, by class."""

_CLOSING = ("io.IOBase", "zipfile.ZipFile", "tarfile.TarFile")

CALLS: tuple[CallRow, ...] = (
    CallRow(names=("builtins.open", "io.open", "_io.open"), effects=Effect.FILE, returns=_TEXT, keeps=False),
    *(
        CallRow(names=(f"{module}.{name}",), effects=Effect.FILE, keeps=False)
        for module, names in _FUNCTIONS.items()
        for name in names.split()
    ),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.FILE, keeps=False)
        for owner, names in _METHODS.items()
        for name in names.split()
    ),
    CallRow(names=(f"{_PATH}.open",), effects=Effect.FILE, returns=_TEXT, keeps=False),
    CallRow(names=(f"{_PATH}.cwd",), effects=Effect.FILE, returns=_PATH, keeps=False),
    CallRow(names=(f"{_PATH}.home",), returns=_PATH, keeps=False),
    CallRow(names=(f"{_PATH}.walk",), effects=Effect.FILE, keeps=False, since=(3, 12)),
    *(
        CallRow(names=(f"{_PATH}.{name}",), effects=Effect.FILE, keeps=False, since=(3, 14))
        for name in ("copy", "copy_into", "move", "move_into")
    ),
    CallRow(names=(f"{_PATH}.is_junction",), effects=Effect.FILE, keeps=False, since=(3, 12)),
    CallRow(names=("os.path.isjunction",), effects=Effect.FILE, keeps=False, since=(3, 12)),
    CallRow(names=("compression.zstd.open",), effects=Effect.FILE, since=(3, 14)),
    CallRow(names=("zipfile.ZipFile",), effects=Effect.FILE),
    CallRow(names=("tarfile.open", "tarfile.TarFile.open"), effects=Effect.FILE, returns="tarfile.TarFile"),
    CallRow(names=("tempfile.TemporaryDirectory",), effects=Effect.FILE),
    *(CallRow(names=(f"{name}.close",), effects=Effect.FILE, role=Role.CLOSE) for name in _CLOSING),
    # LOCK_NB makes them return at once; it stands in a flag argument.
    CallRow(names=("fcntl.flock",), effects=Effect.WAIT, timeout=Timeout(keyword=""), keeps=False),
    CallRow(names=("fcntl.lockf",), effects=Effect.WAIT, timeout=Timeout(keyword=""), keeps=False),
)
