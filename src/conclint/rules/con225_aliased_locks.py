"""CON225: see docs/rules/CON225.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.analysis.names import iter_parameters
from conclint.analysis.scope import Scope
from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

RULE = Rule(
    code="CON225",
    name="aliased-locks",
    summary="one lock is made where each object or key was meant to have its own",
    help="make one for each: in a comprehension, with `field(default_factory=…)`, or in `__init__`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_ALIASED = LOCK_KINDS | {Kind.EVENT, Kind.QUEUE}
_DATACLASSES = frozenset(
    {"dataclasses.dataclass", "attr.s", "attr.attrs", "attr.define", "attrs.define", "attrs.frozen"}
)
_FIELDS = frozenset({"dataclasses.field", "attr.ib", "attr.field", "attrs.field"})


@local_rule(RULE, on=(cst.BinaryOperation, cst.Call, cst.ClassDef))
def check(node: cst.CSTNode, scope: Scope) -> Iterator[Alarm]:
    """Report `[Lock()] * n`, `dict.fromkeys(keys, Lock())`, and default values that are one lock for all objects."""
    if isinstance(node, cst.BinaryOperation):
        yield from _check_repetition(node, scope)
    elif isinstance(node, cst.Call):
        yield from _check_keys(node, scope)
    elif isinstance(node, cst.ClassDef):
        yield from _check_fields(node, scope)
        yield from _check_defaults(node, scope)


def _check_repetition(node: cst.BinaryOperation, scope: Scope) -> Iterator[Alarm]:
    """Report `[Lock()] * n`; as an argument, of `zip` or `starmap`, it hands one lock to all on purpose."""
    if not isinstance(node.operator, cst.Multiply) or isinstance(scope.parent(node), cst.Arg):
        return
    for side, count in ((node.left, node.right), (node.right, node.left)):
        if isinstance(side, cst.List | cst.Tuple) and not (isinstance(count, cst.Integer) and count.value == "1"):
            for element in side.elements:
                if (name := _find_made(element.value, scope)) is not None:
                    message = f"this is one `{name}` many times over"
                    yield scope.alarm(element.value, message, help=f"write `[{name}(…) for _ in …]`")


def _check_keys(node: cst.Call, scope: Scope) -> Iterator[Alarm]:
    is_named = isinstance(node.func, cst.Attribute) and node.func.attr.value == "fromkeys"
    if is_named and len(node.args) == 2 and scope.resolve(node.func) == "builtins.dict.fromkeys":
        value = node.args[1].value
        if (name := _find_made(value, scope)) is not None:
            yield scope.alarm(value, f"all keys get one `{name}`", help=f"write `{{key: {name}(…) for key in …}}`")


def _check_fields(node: cst.ClassDef, scope: Scope) -> Iterator[Alarm]:
    """Report the default values of fields: they are made once, with the class."""
    decorators = (
        one.decorator.func if isinstance(one.decorator, cst.Call) else one.decorator for one in node.decorators
    )
    if not any(scope.resolve(decorator) in _DATACLASSES for decorator in decorators):
        return
    for statement in node.body.body:
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(part, cst.AnnAssign) and part.value is not None and not _is_of_class(part.annotation, scope):
                value = _unwrap_field(part.value, scope)
                if (name := _find_made(value, scope)) is not None:
                    help_line = f"write `field(default_factory={name})`"
                    yield scope.alarm(value, f"all objects of `{node.name.value}` get one `{name}`", help=help_line)


def _check_defaults(node: cst.ClassDef, scope: Scope) -> Iterator[Alarm]:
    """Report `def __init__(self, lock=Lock())` where the lock is kept; elsewhere, it may serve as a static variable."""
    for method in node.body.body:
        if not isinstance(method, cst.FunctionDef) or method.name.value != "__init__":
            continue
        for parameter in iter_parameters(method.params):
            name = _find_made(parameter.default, scope)
            if name is not None and parameter.default is not None and _keeps(method.body, parameter.name.value):
                message = f"all objects that are made without `{parameter.name.value}` get one `{name}`"
                yield scope.alarm(parameter.default, message, help="use None as the default, and make it in `__init__`")


def _find_made(node: cst.BaseExpression | None, scope: Scope) -> str | None:
    """Return how the class of a lock, event or queue is written, if the expression makes a new one."""
    if not isinstance(node, cst.Call):
        return None
    row = catalog.find_class(scope.resolve(node.func) or "")
    return scope.code(node.func) if row is not None and row.kind in _ALIASED else None


def _is_of_class(annotation: cst.Annotation, scope: Scope) -> bool:
    found = annotation.annotation
    found = found.value if isinstance(found, cst.Subscript) else found
    return scope.resolve(found) in ("typing.ClassVar", "typing_extensions.ClassVar")


def _unwrap_field(value: cst.BaseExpression, scope: Scope) -> cst.BaseExpression:
    if isinstance(value, cst.Call) and scope.resolve(value.func) in _FIELDS:
        for argument in value.args:
            if argument.keyword is not None and argument.keyword.value == "default":
                return argument.value
    return value


def _keeps(body: cst.BaseSuite, name: str) -> bool:
    """Whether a method assigns its parameter to an attribute, as its own statement."""
    parts = (part for line in body.body if isinstance(line, cst.SimpleStatementLine) for part in line.body)
    return any(
        isinstance(part, cst.Assign | cst.AnnAssign)
        and isinstance(part.value, cst.Name)
        and part.value.value == name
        and any(isinstance(target, cst.Attribute) for target in _iter_targets(part))
        for part in parts
    )


def _iter_targets(part: cst.Assign | cst.AnnAssign) -> Iterator[cst.BaseExpression]:
    if isinstance(part, cst.AnnAssign):
        yield part.target
    else:
        yield from (target.target for target in part.targets)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make one for each."""
    made = editor.find(anchor.span, cst.Call)
    around = editor.parent(made) if made is not None else None
    if made is None or around is None:
        return None
    if isinstance(around, cst.Element):
        return _fix_repetition(editor, made, around)
    if isinstance(around, cst.Arg):
        return _fix_keys(editor, made, around)
    return _fix_field(editor, made) if isinstance(around, cst.AnnAssign) else None


def _fix_repetition(editor: Editor, made: cst.Call, element: cst.Element) -> Fix | None:
    display = editor.parent(element)
    product = editor.parent(display) if display is not None else None
    if not isinstance(display, cst.List) or len(display.elements) > 1 or not isinstance(product, cst.BinaryOperation):
        return None
    count = product.right if product.left is display else product.left
    text = f"[{editor.code(made)} for _ in range({editor.code(count)})]"
    start, end = editor.source.offsets[product]
    return Fix("Make one for each in a comprehension", Applicability.SAFE, (editor.edit(start, end, text),))


def _fix_keys(editor: Editor, made: cst.Call, argument: cst.Arg) -> Fix | None:
    call = editor.parent(argument)
    if not isinstance(call, cst.Call) or len(call.args) != 2 or any(one.star or one.keyword for one in call.args):
        return None
    keys = call.args[0].value
    if not editor.is_free("key") or (isinstance(keys, cst.GeneratorExp) and not keys.lpar):
        return None
    text = f"{{key: {editor.code(made)} for key in {editor.code(keys)}}}"
    start, end = editor.source.offsets[call]
    return Fix("Make one for each key", Applicability.SAFE, (editor.edit(start, end, text),))


def _fix_field(editor: Editor, made: cst.Call) -> Fix | None:
    owner = editor.around(made, cst.ClassDef)
    decorators = owner.decorators if owner is not None else ()
    written = [one.decorator.func if isinstance(one.decorator, cst.Call) else one.decorator for one in decorators]
    if not any(editor.scope(one).resolve(one) == "dataclasses.dataclass" for one in written):
        return None
    reference = editor.refer("dataclasses.field", made)
    if reference is None:
        return None
    factory = editor.code(made.func) if not made.args else f"lambda: {editor.code(made)}"
    text = f"{reference.text}(default_factory={factory})"
    return Fix("Make one for each object", Applicability.SAFE, (*reference.edits, editor.replace(made, text)))
