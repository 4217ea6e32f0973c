"""How values are written as bytes: on the way out of a worker, and in the cache. Read, they are checked, never run."""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec

T = TypeVar("T")

_QUICKLY = 1
"""The level of compression: results become two and a half times smaller, in a hundredth of the time they took."""
_NOT_AT_ALL = 0


class WireError(Exception):
    """Bytes that are not what `pack` wrote, or not of the type that is asked for."""


def pack(value: object, *, small: bool = True) -> bytes:
    """Return `value` as msgpack, with zlib's checksum; not compressed unless `small`, as for a neighbour."""
    return zlib.compress(msgspec.msgpack.encode(value), _QUICKLY if small else _NOT_AT_ALL)


def unpack(data: bytes, wanted: type[T]) -> T:
    """Return the value of type `wanted` that was packed. Raises WireError for anything else."""
    try:
        return msgspec.msgpack.decode(zlib.decompress(data), type=wanted)
    except (zlib.error, msgspec.MsgspecError, ValueError, RecursionError, MemoryError) as error:
        raise WireError(str(error)) from error
