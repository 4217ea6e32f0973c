"""CON511: see docs/rules/CON511.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.collections_ import MUTATORS
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import ModuleFacts
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Item, Result, ValueId
from conclint.project.objects import Object
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON511",
    name="manager-proxy-nested-mutation",
    summary="a copy of what a manager's dict or list holds is changed: the change is lost",
    help="assign the changed value to the proxy again, or put a proxy of its own there",
    category=Category.PROCESS,
    since="0.1.0",
)

_MANAGER = "multiprocessing.managers.SyncManager"
_PROXIES = frozenset({f"{_MANAGER}.dict", f"{_MANAGER}.list"})
_GETTERS = frozenset({"get", "setdefault"})

_KEYS = (cst.Attribute, cst.Integer, cst.Name, cst.SimpleString)
_ENTRIES = ("entry", "changed_entry", "kept_entry")
"""Variables for the copy, the first one that is free."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report changes of what comes out of a proxy, which are made to a copy."""
    if not any(project.calls_to(_PROXIES)):
        return
    for module, facts in enumerate(project.modules):
        for target, span, function in _iter_changes(facts):
            proxy = _find_proxy(project, module, target)
            if proxy is not None and not _is_stored_back(project, module, function, proxy):
                name, entry = (project.places.describe(module, value) for value in (proxy, target))
                subject = f"`{entry}`" if "…" not in entry.replace("[…]", "") else f"an entry of `{name}`"
                message = f"{subject} is a copy of what the manager holds: the change is lost"
                anchor = project.anchor(module, span, name)
                yield project.alarm(
                    module, RULE.code, span, message, *_relate(project, module, proxy), anchors=(anchor,)
                )


def _relate(project: Project, module: int, proxy: ValueId) -> Iterator[Related]:
    made = min(project.objects(module, proxy), key=repr)
    if made.site is not None and made.site.what == "call":
        place = project.call(made.site)
        yield project.related(made.site.module, place.call.span, "the manager makes it here")


def _iter_changes(facts: ModuleFacts) -> Iterator[tuple[ValueId, Span, int]]:
    """Yield what is changed in place, by method or by item, with the function around it."""
    for call in facts.calls:
        callee = facts.values[call.callee]
        if isinstance(callee, Attribute) and callee.name in MUTATORS:
            yield callee.base, call.span, call.function
    for flow in facts.flows:
        target = facts.values[flow.target]
        if not isinstance(target, Item):
            continue
        if not isinstance(facts.values[flow.source], Item):
            yield target.base, flow.span, flow.function
        elif isinstance(inner := facts.values[target.base], Item):
            # `d[k] += more` says that elements of `more` become elements of `d[k]`, which is assigned again.
            yield inner.base, flow.span, flow.function


def _find_proxy(project: Project, module: int, value: ValueId) -> ValueId | None:
    """Return the proxy that a value has been read from, where that gives plain collections only (must)."""
    facts = project.modules[module]
    found = facts.values[value]
    base: ValueId | None = None
    if isinstance(found, Item):
        base = found.base
    elif isinstance(found, Result):
        callee = facts.values[facts.calls[found.call].callee]
        base = callee.base if isinstance(callee, Attribute) and callee.name in _GETTERS else None
    if base is None:
        return None
    proxies = project.objects(module, base)
    if not proxies or not all(one.symbol in _PROXIES for one in proxies):
        return _find_proxy(project, module, base)
    held = [one for proxy in proxies for one in project.elements(proxy)]
    return base if held and all(_is_plain(project, one) for one in held) else None


def _is_plain(project: Project, found: Object) -> bool:
    row = project.class_row(found)
    return row is not None and row.kind is Kind.COLLECTION and found.symbol not in _PROXIES


def _is_stored_back(project: Project, module: int, function: int, proxy: ValueId) -> bool:
    """Whether the function assigns to the proxy what it has read from there: `d[k] = d[k]`, `d[k] = entry`."""
    facts = project.modules[module]
    held = {one for found in project.objects(module, proxy) for one in project.elements(found)}
    for flow in facts.flows:
        target = facts.values[flow.target]
        if flow.function == function and isinstance(target, Item) and target.base == proxy:
            source = facts.values[flow.source]
            if held & project.objects(module, flow.source) and isinstance(source, Item):
                return True
    return False


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Change a copy, and assign that to the proxy again."""
    found = editor.find(anchor.span, (cst.AugAssign, cst.Call, cst.Subscript))
    changed = found.target if isinstance(found, cst.AugAssign) else found
    line = editor.line_of(changed) if changed is not None else None
    indent = editor.indent(line) if line is not None else None
    if not isinstance(changed, cst.Call | cst.Subscript) or not _is_target(editor, changed) or not anchor.words:
        return None
    entry = _find_entry(editor, changed, anchor.words[0])
    name = next((one for one in _ENTRIES if editor.is_unbound(one, changed)), None)
    if line is None or indent is None or entry is None or name is None:
        return None
    written = editor.code(entry)
    edits = (
        editor.insert_before(line, f"{name} = {written}\n{indent}"),
        editor.replace(entry, name),
        editor.insert(editor.end_of_line(line), f"{indent}{written} = {name}\n"),
    )
    return Fix(f"Assign what is changed to `{anchor.words[0]}` again", Applicability.UNSAFE, edits)


def _is_target(editor: Editor, changed: cst.Call | cst.Subscript) -> bool:
    """Whether the statement does nothing else but this change."""
    around = editor.parent(changed)
    if isinstance(changed, cst.Call):
        return isinstance(around, cst.Expr)
    return isinstance(around, cst.AugAssign) or (
        isinstance(around, cst.AssignTarget) and isinstance(editor.parent(around), cst.Assign)
    )


def _find_entry(editor: Editor, changed: cst.Call | cst.Subscript, proxy: str) -> cst.Subscript | None:
    """Return the `proxy[key]` that is changed, where the key may be read twice."""
    node: cst.BaseExpression = changed.func if isinstance(changed, cst.Call) else changed
    while isinstance(node, cst.Attribute | cst.Subscript):
        if isinstance(node, cst.Subscript) and editor.code(node.value) == proxy:
            index = node.slice[0].slice
            is_plain = isinstance(index, cst.Index) and isinstance(index.value, _KEYS) and node is not changed
            return node if is_plain and len(node.slice) == 1 else None
        node = node.value
    return None
