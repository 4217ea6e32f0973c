"""What may run in parallel with what: the threads of control that reach each function."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.gevent_ import PATCHERS
from conclint.catalog.rows import RunsIn
from conclint.model.values import Attribute, Constant, Local, Name, Value
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.roots import PARALLEL_KINDS, Root

if TYPE_CHECKING:
    from conclint.project.project import Project

_LOOP_KINDS = frozenset({RunsIn.TASK, RunsIn.LOOP_CALLBACK})
OTHER_MEMORY = frozenset({RunsIn.PROCESS, RunsIn.EXECUTOR_PROCESS})


class Control(NamedTuple):
    """A thread of control: the main thread (root None), or the threads that begin at a root."""

    root: Root | None
    many: bool
    """Whether several of its threads may run at once; `has_shared_receiver` says whether on the same object."""


MAIN = Control(None, many=False)


class Parallel:
    """Answers which threads of control reach a function.

    Roots that interrupt a thread, and those that wait for their turn on a loop or in a server, are no thread of their
    own: what they reach belongs to none here, unless another one reaches it too.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def controls(self, symbol: str) -> tuple[Control, ...]:
        """Return the threads of control that may run a function (may), the main thread first."""
        return self._controls.get(symbol, ())

    @cached_property
    def _controls(self) -> dict[str, tuple[Control, ...]]:
        found: dict[str, list[Control]] = {}
        for symbol in self._project.call_graph.reach(self._main_starts()):
            found.setdefault(symbol, []).append(MAIN)
        by_control: dict[Control, set[str]] = {}
        for root in self._project.roots if not self.takes_turns else ():
            if root.runs_in in PARALLEL_KINDS:
                control = Control(root, self.is_many(root))
                by_control.setdefault(control, set()).add(root.function)
        for control, starts in by_control.items():
            for symbol in self._project.call_graph.reach(starts):
                found.setdefault(symbol, []).append(control)
        return {symbol: tuple(controls) for symbol, controls in found.items()}

    @cached_property
    def takes_turns(self) -> bool:
        """Whether the program has all its threads made greenlets, which change over only where they wait (must).

        It does so when it is imported. A function that patches, as gunicorn has one, is for those who want it.
        """
        # In gevent itself they are functions of the project, of which the catalog does not tell.
        names = {Name(name) for name in PATCHERS & self._project.symbols.names}
        return any(
            not call.function and facts.values[call.callee] in names
            for facts in (self._project.modules if names else ())
            for call in facts.calls
        ) or any(not place.call.function for place in self._project.calls_to(PATCHERS))

    def _main_starts(self) -> set[str]:
        """Return where the main thread comes in: public functions that nothing known calls or spawns."""
        project = self._project
        graph = project.call_graph
        # A task that a library runs in a process of its own is the main thread there.
        own = {root for root in project.roots if root.runs_in in OTHER_MEMORY and root.site.what == "function"}
        elsewhere = {root.function for root in project.roots if root.runs_in is not RunsIn.HERE and root not in own}
        return {
            symbol
            for symbol in project.symbols.functions
            if symbol not in elsewhere
            and graph.is_open(symbol)
            # One that calls itself must still be called by somebody first.
            and all(caller == symbol for caller, _, _ in graph.callers.get(symbol, ()))
        }

    def is_many(self, root: Root) -> bool:
        """Return whether several threads of a root may run at once (may)."""
        if root.runs_in is RunsIn.REQUEST_THREAD:
            return True
        spawn = self._project.find_call(root.site)
        if spawn is None or root.runs_in is RunsIn.CALLBACK_THREAD:
            return False
        if root.runs_in is RunsIn.EXECUTOR_THREAD:
            return not self.is_single_worker(root)
        return bool(spawn.context.loops)

    def has_shared_receiver(self, root: Root) -> bool:
        """Return if all threads of the root get the same object: `target=self.work`, not `target=Worker().work`."""
        receiver = root.receiver
        if receiver is None or receiver.kind is ObjectKind.CLASS:
            return True
        spawn = self._project.find_call(root.site)
        if spawn is None or receiver.site == root.site:
            return False
        values = spawn.facts.values
        for argument in spawn.call.arguments:
            value = values[argument.value]
            if isinstance(value, Attribute) and any(
                found.kind is ObjectKind.BOUND and found.symbol == root.function
                for found in self._project.objects(root.site.module, argument.value)
            ):
                base = values[value.base]
                return _is_lasting(values, base) and not self._is_link(root, spawn.function.owner, base)
        return False

    def find_handle(self, root: Root) -> str:
        """Return the attribute through which the spawner reaches the object: "helper" of `target=self.helper.run`."""
        spawn = self._project.find_call(root.site)
        values = spawn.facts.values if spawn is not None and root.receiver is not None else ()
        for argument in spawn.call.arguments if spawn is not None and values else ():
            value = values[argument.value]
            if isinstance(value, Attribute) and value.name == root.function.rpartition(".")[2]:
                base = values[value.base]
                return base.name if isinstance(base, Attribute) else ""
        return ""

    def _is_link(self, root: Root, spawner: str, base: Value) -> bool:
        """Whether `self.next.work` leads from an object to another one of the same class."""
        if not isinstance(base, Attribute) or root.receiver is None:
            return False
        return bool(spawner) and root.receiver.symbol in (
            *self._project.symbols.linearise(spawner),
            *self._project.symbols.subclasses.get(spawner, ()),
        )

    def is_single_worker(self, root: Root) -> bool:
        """Return whether an executor runs the jobs of a root one after the other."""
        project = self._project
        executors: list[Object] = [
            target.receiver for target in project.externals(root.site) if target.receiver is not None
        ]
        return bool(executors) and all(self._has_one_worker(found.site) for found in executors)

    def _has_one_worker(self, site: Site | None) -> bool:
        made = self._project.find_call(site)
        argument = made.find_argument("max_workers", 0) if made is not None else None
        return made is not None and argument is not None and made.facts.values[argument.value] == Constant(1)


def _is_lasting(values: tuple[Value, ...], base: Value) -> bool:
    """Whether a receiver is the same one at every spawn: `self`, its attributes, globals."""
    while isinstance(base, Attribute):
        base = values[base.base]
    return isinstance(base, Name) or (isinstance(base, Local) and base.name in ("self", "cls"))
