"""The language server: what `conclint check` finds, shown in an editor while one types. Needs the extra `lsp`."""

from __future__ import annotations

import gc
import logging
import sys

from conclint.server.checker import Flags
from conclint.server.features import Server

__all__ = ["Flags", "serve"]


def serve(flags: Flags) -> int:
    """Talk to a client on the standard streams until it goes; return 0 where it has said goodbye, else 1."""
    # Unlike a run, a server lives long.
    gc.enable()
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    # What it warns of, as an answer to a question that was withdrawn, is nobody's concern.
    logging.getLogger("pygls").setLevel(logging.ERROR)
    # What anybody prints would be taken for a message.
    sys.stdout = sys.stderr
    server = Server(flags)
    server.start_io(stdin, stdout)
    return 0 if server.is_shut_down else 1
