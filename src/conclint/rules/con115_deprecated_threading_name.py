"""CON115: see docs/rules/CON115.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON115",
    name="deprecated-threading-name",
    summary="an old camel-case name of `threading` is used",
    help="use the name that replaces it: the old one is deprecated since Python 3.10, or gone",
    category=Category.THREAD,
    since="0.1.0",
)

_REPLACEMENTS = {
    "threading.Thread.getName": "the attribute `name`",
    "threading.Thread.setName": "the attribute `name`",
    "threading.Thread.isDaemon": "the attribute `daemon`",
    "threading.Thread.setDaemon": "the attribute `daemon`",
    "threading.Thread.isAlive": "`is_alive()`",
    "threading.Condition.notifyAll": "`notify_all()`",
    "threading.Event.isSet": "`is_set()`",
    "threading.currentThread": "`current_thread()`",
    "threading.activeCount": "`active_count()`",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of the old names, on objects that are known to be threads, conditions and events."""
    for place in project.external_calls:
        old = _find_old_name(project, place)
        if old is not None:
            name = old.rpartition(".")[2]
            gone = "removed in Python 3.9" if name == "isAlive" else "deprecated"
            message = f"`{name}()` is {gone}"
            yield project.alarm(
                place.site.module, RULE.code, place.call.span, message, help=f"use {_REPLACEMENTS[old]}"
            )


def _find_old_name(project: Project, place: CallPlace) -> str | None:
    """Return the old name that a call certainly means, under the class that defines it."""
    if project.callees(place.site):
        return None
    names = {_find_origin(target.name) for target in project.externals(place.site)}
    return names.pop() if len(names) == 1 else None


_OLD_NAMES = frozenset(name.rpartition(".")[2] for name in _REPLACEMENTS)


def _find_origin(name: str) -> str | None:
    owner, _, method = name.rpartition(".")
    if method not in _OLD_NAMES:
        return None
    candidates = (name, *(f"{base}.{method}" for base in catalog.resolve_mro(owner)))
    return next((one for one in candidates if one in _REPLACEMENTS), None)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Write what replaces the old name."""
    call = editor.find(anchor.span, cst.Call)
    if call is None:
        return None
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    if not isinstance(name, cst.Name):
        return None
    if isinstance(call.func, cst.Name):
        return _fix_function(editor, call)
    if name.value in _RENAMED:
        new = _RENAMED[name.value]
        return Fix(f"Use `{new}`", Applicability.SAFE, (editor.replace(name, new),))
    return _fix_attribute(editor, call, name)


def _fix_attribute(editor: Editor, call: cst.Call, name: cst.Name) -> Fix | None:
    """Fix `thread.getName()` and, as a statement on one line, `thread.setName("reader")`."""
    attribute = _ATTRIBUTES.get(name.value)
    is_setter = name.value.startswith("set")
    if attribute is None or len(call.args) != is_setter:
        return None
    start, stop = editor.source.offsets[name][0], editor.source.offsets[call][1]
    edits = (editor.edit(start, stop, attribute),)
    if is_setter:
        argument = call.args[0]
        if argument.star or call.lpar or not isinstance(editor.parent(call), cst.Expr) or "\n" in editor.code(call):
            return None
        edits = (editor.edit(start, stop, f"{attribute} = {editor.code(argument.value)}"),)
    return Fix(f"Use the attribute `{attribute}`", Applicability.SAFE, edits)


def _fix_function(editor: Editor, call: cst.Call) -> Fix | None:
    """Fix `currentThread()` where the function itself is imported."""
    old = (editor.scope(call).resolve(call.func) or "").rpartition(".")[2]
    new = _RENAMED.get(old)
    reference = editor.refer(f"threading.{new}", call) if new is not None else None
    if reference is None:
        return None
    return Fix(f"Use `{new}`", Applicability.SAFE, (*reference.edits, editor.replace(call.func, reference.text)))


_RENAMED = {
    "isAlive": "is_alive",
    "notifyAll": "notify_all",
    "isSet": "is_set",
    "currentThread": "current_thread",
    "activeCount": "active_count",
}
_ATTRIBUTES = {"getName": "name", "setName": "name", "isDaemon": "daemon", "setDaemon": "daemon"}
