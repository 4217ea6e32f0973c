"""What ends the program, or changes what all threads of a process share: directory, umask, locale, environment."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow

CLASSES: tuple[ClassRow, ...] = ()

_CHANGES = {
    "the working directory": ("os.chdir", "os.fchdir", "os.chroot", "posix.chdir"),
    "the umask": ("os.umask", "posix.umask"),
    "the locale": ("locale.setlocale", "_locale.setlocale"),
    "the time zone": ("time.tzset",),
    "`sys.stdout`": ("contextlib.redirect_stdout",),
    "`sys.stderr`": ("contextlib.redirect_stderr",),
    "the warning filters": ("warnings.catch_warnings",),
    "the default timeout of sockets": ("socket.setdefaulttimeout",),
    "the environment": (
        "os.putenv",
        "os.unsetenv",
        *(f"os.environ.{method}" for method in ("update", "pop", "popitem", "setdefault", "clear")),
        *(f"os.environb.{method}" for method in ("update", "pop", "popitem", "setdefault", "clear")),
    ),
}

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(name,), keeps=False, exits=True) for name in ("sys.exit", "builtins.exit", "builtins.quit")),
    *(CallRow(names=(name,), changes=what) for what, names in _CHANGES.items() for name in names),
    CallRow(names=("contextlib.chdir",), changes="the working directory", since=(3, 11)),
)
