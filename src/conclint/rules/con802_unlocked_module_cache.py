"""CON802: see docs/rules/CON802.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.holding import hold_new_lock
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix
from conclint.model.naming import is_test_code
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Collection, Local, Name
from conclint.project.gil_reliant import collect_stale_tests
from conclint.project.loops import is_called_by_coroutines
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.twins import Twins
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON802",
    name="unlocked-module-cache",
    summary="a cache that the whole module shares is filled without a lock: two threads make the same entry",
    help="hold a lock around the test and the assignment, or use `functools.cache` if an entry may be made twice",
    category=Category.FREE_THREADING,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report dictionaries of modules and classes whose entries are made where they are missing, once per function."""
    caches: dict[Place, tuple[int, Span]] | None = None
    told, twins = collect_stale_tests(project), Twins(project)
    reported: set[tuple[Place, int, int]] = set()
    for module, facts in enumerate(project.modules):
        for sequence in facts.sequences:
            if sequence.kind is not SequenceKind.MISSING_KEY or sequence.rechecked:
                continue
            place = project.places.find(module, sequence.target)
            if place is None or place.kind is PlaceKind.CLOSURE or (module, sequence.check) in told:
                continue
            caches = _collect_caches(project) if caches is None else caches
            where = (place, module, sequence.function)
            if place not in caches or where in reported or not _matters(project, twins, module, sequence, place):
                continue
            if _is_unlocked(project, module, sequence, place):
                reported.add(where)
                yield _report(project, module, sequence, caches[place])


def _report(project: Project, module: int, sequence: Sequence, made: tuple[int, Span]) -> Alarm:
    name = project.places.describe(module, sequence.target)
    shared = project.related(*made, "all threads share this dictionary")
    filled = project.related(module, sequence.act, "it is filled here")
    message = f"an entry of `{name}` is made without a lock: two threads may each make one"
    anchors = (project.anchor(module, sequence.check, name),)
    return project.alarm(module, RULE.code, sequence.check, message, filled, shared, anchors=anchors)


def _matters(project: Project, twins: Twins, module: int, sequence: Sequence, place: Place) -> bool:
    """Whether an entry is made here (must), and two of them are not as good as one."""
    source, function = project.value(module, sequence.source), project.modules[module].functions[sequence.function]
    if isinstance(source, Local) and any(source.name == one.name for one in function.parameters):
        # Who registers what he is given does not make it twice.
        return False
    return twins.may_differ(module, sequence, place)


def _collect_caches(project: Project) -> dict[Place, tuple[int, Span]]:
    """Return the dictionaries in the bodies of modules and classes, with where they are made."""
    found: dict[Place, tuple[int, Span]] = {}
    for module, facts in enumerate(project.modules):
        for flow in facts.flows:
            if flow.function or not isinstance(facts.values[flow.target], Name):
                continue
            made = facts.values[flow.source]
            if isinstance(made, Collection) and made.kind == "dict":
                place = project.places.find(module, flow.target)
                if place is not None:
                    found[place] = (module, flow.span)
    return found


def _is_unlocked(project: Project, module: int, sequence: Sequence, place: Place) -> bool:
    facts = project.modules[module]
    function = facts.functions[sequence.function]
    if function.is_async or is_test_code(function.symbol):
        return False
    if project.shared.is_excused(module, function.symbol, sequence.target, inside=True):
        return False
    if is_called_by_coroutines(project, function.symbol):
        return False
    contexts = (sequence.check_context, sequence.act_context)
    if any(project.locks.lockset(module, sequence.function, context) for context in contexts):
        return False
    # With a lock elsewhere, it is the lock that is forgotten here: CON202, CON801.
    return not any(one.lockset for one in project.shared.by_place.get(place, ()))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make a lock beside the dictionary of the module, and hold it around the test and the assignment."""
    (name,) = anchor.words
    test = editor.find(anchor.span, cst.BaseExpression)
    statement = editor.parent(test) if test is not None else None
    if not isinstance(statement, cst.If) or isinstance(editor.parent(statement), cst.If) or not name.isidentifier():
        return None
    # `template = templates.get(name)` would stay outside of the lock.
    if not editor.is_read_in(statement.test, name) or not editor.is_changed_in(statement.body, name):
        return None
    return hold_new_lock(editor, name, statement, statement, ())
