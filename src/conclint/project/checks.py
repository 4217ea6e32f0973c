"""Check-then-act on state that threads share: the sequences of the facts, joined with locks and threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.facts import Use
from conclint.model.ids import ContextId
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import Constant, Local, Unknown, ValueId
from conclint.project.guards import find_witness
from conclint.project.half_guarded import KEYED, OF_STATE, HalfGuarded, iter_half_guarded
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Object, ObjectKind
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.roots import Root
from conclint.project.shared import WRITES, SharedAccess
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import Project

_LEAST_TAKERS = 2


class CheckThenAct(NamedTuple):
    """A test and a change of one place without a lock around both (must), and why it is shared.

    Either `witness` is an access to the same place with `lock` held, or `root` begins a thread that gets here, or
    `taken` is where another method of the class takes `lock`: so threads share its objects.
    """

    kind: SequenceKind
    module: int
    function: int
    state: str
    check: Span
    act: Span
    place: Place
    target: ValueId
    """What is tested, as the module tells it."""
    witness: SharedAccess | None = None
    identity: Object | Place | None = None
    """The lock that `lock` names."""
    lock: str = ""
    root: Root | None = None
    taken: tuple[int, Span] | None = None


class _Test(NamedTuple):
    module: int
    function: str
    span: Span


class Checks:
    """Finds the check-then-acts that a second thread, or task, may upset."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def unguarded(self) -> tuple[CheckThenAct, ...]:
        """Those without any lock, in the order of modules and source."""
        return tuple(
            found
            for module, facts in enumerate(self._project.modules)
            for sequence in facts.sequences
            if (found := self._judge(module, sequence)) is not None
        )

    @cached_property
    def half_guarded(self) -> tuple[HalfGuarded, ...]:
        """Those of which only the act is under a lock."""
        return tuple(iter_half_guarded(self._project))

    def _judge(self, module: int, sequence: Sequence) -> CheckThenAct | None:
        project = self._project
        place = project.places.find(module, sequence.target)
        if place is None or self._is_harmless(module, sequence, place):
            return None
        symbol = project.modules[module].functions[sequence.function].symbol
        if project.shared.is_vouched_for(module, sequence.target, inside=sequence.kind in KEYED):
            return None
        if project.shared.is_quiet(symbol) and not self._is_singleton(module, sequence, symbol):
            return None
        if self._is_locked(module, sequence, symbol):
            return None
        state = project.places.describe(module, sequence.target)
        witness, identity = self._find_witness(place, symbol)
        test = _Test(module, symbol, sequence.check)
        root = None if witness is not None else self._find_root(place, test, sequence.target)
        taken = None
        if witness is None and root is None:
            taken, identity = self._find_owned(module, sequence, place, symbol)
            if taken is None:
                return None
        spans = (sequence.check, sequence.act)
        lock = self._project.guards.lock_names[identity] if identity is not None else ""
        found = CheckThenAct(sequence.kind, module, sequence.function, state, *spans, place, sequence.target)
        return found._replace(witness=witness, identity=identity, lock=lock, root=root, taken=taken)

    def _is_singleton(self, module: int, sequence: Sequence, symbol: str) -> bool:
        """Whether `__new__` tests the class itself: `cls._instance` is there before the object that it builds."""
        project = self._project
        target = project.places.split(module, sequence.target)
        function = project.modules[module].functions[sequence.function]
        if target is None or function.name != "__new__":
            return False
        return project.value(module, target[0]) in [Local(symbol, one.name) for one in function.parameters[:1]]

    def _is_of_class(self, module: int, sequence: Sequence) -> bool:
        """Whether the state is an attribute of a class, not of an object: `cls._instance`, that all threads share."""
        target = self._project.places.split(module, sequence.target)
        if target is None or sequence.kind is not SequenceKind.UNSET:
            return False
        return any(found.kind is ObjectKind.CLASS for found in self._project.objects(module, target[0]))

    def _find_owned(
        self, module: int, sequence: Sequence, place: Place, symbol: str
    ) -> tuple[tuple[int, Span] | None, Object | Place | None]:
        """Return where the class takes a lock of its own, with the lock.

        Several methods must do so, and none for this place: there the lock is known to be forgotten or not needed.
        """
        owner = symbol.rpartition(".")[0]
        if place.kind is not PlaceKind.ATTRIBUTE or not self._is_of_class(module, sequence):
            # A lock of the object may well be meant for other attributes alone.
            return None, None
        guards, shared = self._project.guards, self._project.shared
        accesses = shared.by_place.get(place._replace(element=False), ())
        for lock in sorted(guards.find_own_locks(place), key=lambda lock: guards.lock_names[lock]):
            methods = {
                name: where for name, where in self._takers.get(lock, {}).items() if name.startswith(f"{owner}.")
            }
            if len(methods) < _LEAST_TAKERS or any(lock in access.lockset for access in accesses):
                continue
            if self._project.locks.is_reached_without(symbol, lock):
                return methods[min(methods)], lock
        return None, None

    @cached_property
    def _takers(self) -> dict[Object | Place, dict[str, tuple[int, Span]]]:
        """Where each lock is acquired, by function."""
        found: dict[Object | Place, dict[str, tuple[int, Span]]] = {}
        for module, _, entry, lock in find_lock_sites(self._project):
            symbol = self._project.modules[module].functions[entry.function].symbol
            found.setdefault(lock.identity, {}).setdefault(symbol, (module, entry.span))
        return found

    def _is_harmless(self, module: int, sequence: Sequence, place: Place) -> bool:
        """Whether the state is private to the call, or doing the act twice gives the same."""
        if place.kind is PlaceKind.CLOSURE or sequence.rechecked or sequence.kind not in OF_STATE:
            return True
        if sequence.kind is SequenceKind.FLAG:
            return self._only_tells(module, sequence)
        if sequence.kind is SequenceKind.PRESENT_KEY:
            return False
        # A number that is worked out twice is the same number; an object that is made twice is not.
        return isinstance(self._project.value(module, sequence.source), Constant | Unknown)

    def _only_tells(self, module: int, sequence: Sequence) -> bool:
        """Whether all that the flag lets happen once is a message, which may as well come twice (must)."""
        project, facts = self._project, self._project.modules[module]
        arm = set(facts.contexts[sequence.act_context].branches)
        changed = any(
            access.function == sequence.function
            and access.kind in WRITES
            and access.target != sequence.target
            and access.span > sequence.check
            and arm <= set(facts.contexts[access.context].branches)
            for access in facts.accesses
        )
        done = [
            place
            for place in project.calls_in(FunctionPlace(module, sequence.function))
            if place.call.use is Use.DROPPED and place.call.span > sequence.check and arm <= set(place.context.branches)
        ]
        told = (project.externals(place.site) for place in done)
        return bool(done) and not changed and all(targets and all(map(_tells, targets)) for targets in told)

    def _is_locked(self, module: int, sequence: Sequence, symbol: str) -> bool:
        locks = self._project.locks
        held = self._lockset(module, sequence, sequence.check_context) | self._lockset(
            module, sequence, sequence.act_context
        )
        # A lock around either half: what is made of it is CON204's business.
        return bool(held) or locks.is_locked_by_name(symbol) or symbol in self._project.call_graph.passed_functions

    def _lockset(self, module: int, sequence: Sequence, context: ContextId) -> frozenset[Object | Place]:
        return self._project.locks.lockset(module, sequence.function, context)

    def _find_witness(self, place: Place, symbol: str) -> tuple[SharedAccess | None, Object | Place | None]:
        """Return a change of the same place under a lock of its owner: the author knows that threads share it."""
        guards, shared = self._project.guards, self._project.shared
        locks = guards.find_own_locks(place)
        accesses = shared.by_place.get(place._replace(element=False), ()) if locks else ()
        others = (one for one in accesses if one.function != symbol and not shared.is_quiet(one.function))
        elsewhere = [one for one in others if guards.may_share(place, symbol, one.function)]
        for lock in sorted(locks, key=lambda lock: guards.lock_names[lock]):
            witness = find_witness(elsewhere, lock)
            if witness is not None and self._project.locks.is_reached_without(symbol, lock):
                return witness, lock
        return None, None

    def _find_root(self, place: Place, test: _Test, target: ValueId) -> Root | None:
        """Return a root whose threads get here while another thread does too, with the same object."""
        races, symbol = self._project.races, test.function
        controls = self._project.parallel.controls(symbol)
        for control in controls:
            if races.is_common(control, place, test.module, target):
                return control.root
        for first, second in _iter_pairs(controls):
            meet = races.are_parallel(first, second) and races.is_shared(place, first, symbol, second, symbol)
            root = first.root or second.root if meet else None
            if root is not None and not races.happens_before.are_ordered(first, test, second, test):
                return root
        return None


def _tells(target: ExternalTarget) -> bool:
    return target.name.startswith("logging.") or target.name in ("builtins.print", "warnings.warn")


def _iter_pairs(controls: tuple[Control, ...]) -> Iterator[tuple[Control, Control]]:
    for index, first in enumerate(controls):
        for second in controls[index:]:
            yield first, second
