"""Room for deep syntax trees: libcst's parser recurses natively, and Python code over trees does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from conclint.memory import without_collector

_STACK_BYTES = 64 * 1024 * 1024
"""Address space for the stack, of which only what is used takes memory."""
_DEEPEST_STACK = 12_000
"""Recursion limit while a tree is built and walked: generated code nests deeper than Python's usual 1000 frames."""

Answer = TypeVar("Answer")


def run_deeply(work: Callable[[], Answer]) -> Answer:
    """Run `work` in a thread with the stack that it may need; what it raises is raised here."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(_raise_limit(work))
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that waits
            errors.append(error)

    # On the usual stack, the parser would end the process on deep nesting.
    previous = threading.stack_size(_STACK_BYTES)
    try:
        thread = threading.Thread(target=run, name="conclint-worker")
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def _raise_limit(work: Callable[[], Answer]) -> Answer:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST_STACK))
    try:
        with without_collector():
            return work()
    finally:
        sys.setrecursionlimit(limit)
