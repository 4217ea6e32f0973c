"""CON109: see docs/rules/CON109.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Context
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Name, Super
from conclint.project.daemons import is_base_initialiser
from conclint.project.exceptions import last_name
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON109",
    name="thread-subclass-without-super-init",
    summary="a subclass of a thread or process does not initialise its base, or has nothing to run",
    help="call `super().__init__()` first, and give the class a `run` method or a target",
    category=Category.THREAD,
    since="0.1.0",
)

_ASSERTION_ERROR = Name("builtins.AssertionError")
_DIRECT = "super"
"""What `super().__init__()` calls is the library's own."""
_NOUNS = {Kind.THREAD: "Thread", Kind.TIMER: "Timer", Kind.PROCESS: "Process"}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `__init__` methods that leave out the base's, and subclasses without anything to run."""
    for symbol in project.symbols.classes:
        kind = _find_kind(project, symbol)
        if kind is None or project.symbols.has_unknown_base(symbol) or _replaces_start(project, symbol):
            continue
        module, found = project.symbols.classes[symbol]
        own = project.symbols.methods.get(symbol, {}).get("__init__")
        place = project.place(own) if own is not None else None
        if own is not None and place is not None and not _reaches_base(project, own, symbol, set()):
            span = project.symbols.function(place).span
            message = f"`{found.name}.__init__` never calls `super().__init__()`: `start()` will fail"
            # The function of a timer is not known here.
            words = (_DIRECT,) if kind is not Kind.TIMER and _is_direct(project, symbol) else ()
            anchors = (project.anchor(module, span, *words),)
            yield project.alarm(module, RULE.code, span, message, anchors=anchors)
        elif kind is not Kind.TIMER and _has_nothing_to_run(project, symbol):
            message = f"`{found.name}` has no `run` method, and no target is passed to `{_NOUNS[kind]}`"
            yield project.alarm(module, RULE.code, found.span, message)


def _find_kind(project: Project, symbol: str) -> Kind | None:
    base = project.symbols.find_external_base(symbol)
    if base is None or base in project.symbols.classes:
        # The library itself knows what its objects need.
        return None
    row = catalog.find_class(base)
    return row.kind if row is not None and row.kind in _NOUNS else None


def _replaces_start(project: Project, symbol: str) -> bool:
    """Whether a class of the project says what `start` does, and leaves the library's out of it: a stand-in."""
    start = project.symbols.find_method(symbol, "start")
    place = project.place(start) if start is not None else None
    return place is not None and all(last_name(call) != "start" for call in project.calls_in(place))


def _is_direct(project: Project, symbol: str) -> bool:
    """Whether `super().__init__` is the library's own: another one's parameters would have to be known."""
    symbols = project.symbols
    own = [base for base in symbols.linearise(symbol) if base in symbols.classes]
    is_known = all(len(tuple(symbols.iter_bases(one))) == len(symbols.classes[one][1].bases) for one in own)
    return is_known and _find_next_initialiser(project, symbol, symbol) is None


def _reaches_base(project: Project, initialiser: str, symbol: str, seen: set[str]) -> bool:
    """Whether an `__init__` calls that of the library's class (may), as far as it runs for the class `symbol`.

    So does, in a way, what always raises: there is no object then, for which that would be missing. What is `seen` is
    not looked at again: a way through it was found then, or there is none. Each of all ways would take for ever.
    """
    place = project.place(initialiser)
    if initialiser in seen or place is None:
        return False
    seen.add(initialiser)
    calls = (_leads_to_base(project, call, symbol, seen) for call in project.calls_in(place))
    return any(calls) or _always_raises(project, place)


def _always_raises(project: Project, place: FunctionPlace) -> bool:
    """Whether a function raises whenever it is called (must)."""
    facts = project.modules[place.module]
    raises = (one for one in facts.raises if one.function == place.index)
    # `assert` raises the class itself, and only sometimes.
    return any(
        _is_certain(facts.contexts[one.context]) for one in raises if facts.values[one.value] != _ASSERTION_ERROR
    )


def _is_certain(context: Context) -> bool:
    return not (context.branches or context.loops or context.protected or context.after_return)


def _leads_to_base(project: Project, place: CallPlace, symbol: str, seen: set[str]) -> bool:
    callee = place.facts.values[place.call.callee]
    if is_base_initialiser(place, callee):
        following = _find_initialiser(project, place, symbol)
        # What is not of the project is taken for the library's own.
        return following is None or _reaches_base(project, following, symbol, seen)
    # `self._setup()` may do it.
    return any(
        _is_method(project, target.function, symbol) and _reaches_base(project, target.function, symbol, seen)
        for target in project.callees(place.site)
    )


def _find_initialiser(project: Project, place: CallPlace, symbol: str) -> str | None:
    callee = place.facts.values[place.call.callee]
    if isinstance(callee, Attribute) and isinstance(base := place.facts.values[callee.base], Super):
        return _find_next_initialiser(project, symbol, base.owner)
    if isinstance(callee, Name):
        resolved = project.symbols.resolve(callee.symbol).name
        return resolved if project.function(resolved) is not None else None
    return None


def _find_next_initialiser(project: Project, symbol: str, owner: str) -> str | None:
    """Return what `super().__init__` in the class `owner` means for an object of the class `symbol`."""
    line = project.symbols.linearise(symbol)
    for ancestor in line[line.index(owner) + 1 :] if owner in line else ():
        if ancestor not in project.symbols.classes and catalog.find_class(ancestor) is not None:
            return None
        if (found := project.symbols.methods.get(ancestor, {}).get("__init__")) is not None:
            return found
    return None


def _is_method(project: Project, function: str, symbol: str) -> bool:
    return function.rpartition(".")[0] in project.symbols.linearise(symbol)


def _has_nothing_to_run(project: Project, symbol: str) -> bool:
    """Whether objects of exactly this class are made, and certainly do nothing when they are started."""
    if project.symbols.find_method(symbol, "run") or project.symbols.find_method(symbol, "__init__"):
        return False
    if any(project.assigned(Object(ObjectKind.INSTANCE, symbol), name) for name in ("run", "_target")):
        return False
    made = project.lifetimes.iter_made(*_NOUNS)
    places = [one.place for one in made if one.found.symbol == symbol]
    return bool(places) and all(place.find_argument("target", 1) is None and not place.has_stars for place in places)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Initialise the base first of all."""
    name = editor.find(anchor.span, cst.Name) if anchor.words else None
    method = editor.parent(name) if name is not None else None
    if not isinstance(method, cst.FunctionDef) or not isinstance(method.body, cst.IndentedBlock):
        return None
    first = method.body.body[0]
    indent = editor.indent(first)
    if indent is None:
        return None
    if method.get_docstring() is not None:
        edit = editor.insert(editor.end_of_line(first), f"{indent}super().__init__()\n")
    else:
        edit = editor.insert(editor.start_of_line(first, with_comments=True), f"{indent}super().__init__()\n")
    return Fix("Call `super().__init__()`", Applicability.SAFE, (edit,), reveals=ANY_RULE)
