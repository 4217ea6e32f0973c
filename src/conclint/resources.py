"""What a run works with besides its files."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conclint.config import ConfigError

if TYPE_CHECKING:
    from conclint.cache import Cache

_DASK = "dask="


@dataclass(frozen=True, slots=True)
class Resources:
    """Nothing of it changes what is found.

    `executor` runs the batches instead of processes of our own. A file that takes one of these longer than `timeout`
    seconds fails. `cache` knows what earlier runs have found.
    """

    executor: Executor | None = None
    timeout: float | None = None
    cache: Cache | None = None
    kept: list[object] | None = None
    """Takes what is large and not needed any more, for a process that soon ends: to free it would take longer."""


NO_RESOURCES = Resources()


@contextlib.contextmanager
def open_executor(spec: str | None) -> Iterator[Executor | None]:
    """Give the executor that `spec` means, and shut it down; None for None.

    `dask=ADDRESS` is a Dask cluster by the address of its scheduler, `module:factory` what a function without
    arguments returns. Raises ConfigError where there is no such executor.
    """
    if spec is None:
        yield None
    elif spec.startswith(_DASK):
        with _connect_to_dask(spec) as executor:
            yield executor
    else:
        with _call_factory(spec) as executor:
            yield executor


@contextlib.contextmanager
def _connect_to_dask(spec: str) -> Iterator[Executor]:
    try:
        distributed = importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise ConfigError(f"--executor {spec}: needs the extra `dask`: pip install 'conclint[dask]'") from error
    try:
        client = distributed.Client(spec.removeprefix(_DASK), set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--executor {spec}: cannot connect: {error}") from error
    # The cluster goes on without us.
    with client, client.get_executor() as executor:
        yield executor


def _call_factory(spec: str) -> Executor:
    module, _, name = spec.partition(":")
    if not module or not name:
        raise ConfigError(f"--executor {spec}: is neither dask=ADDRESS nor module:factory")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"--executor {spec}: {error}") from error
    executor = factory()
    if not isinstance(executor, Executor):
        raise ConfigError(f"--executor {spec}: gives a {type(executor).__name__}, not a concurrent.futures.Executor")
    return executor
