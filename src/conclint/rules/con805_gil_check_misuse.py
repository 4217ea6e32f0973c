"""CON805: see docs/rules/CON805.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON805",
    name="gil-check-misuse",
    summary="the version or the build of Python is asked where it matters whether the GIL is enabled right now",
    help='ask `sys._is_gil_enabled()`, where it exists: `getattr(sys, "_is_gil_enabled", lambda: True)()`',
    category=Category.FREE_THREADING,
    since="0.1.0",
    default=False,
)

_VARIABLE = "Py_GIL_DISABLED"
_FUNCTION = "_is_gil_enabled"
_ASKS = re.compile(rf"\b{_FUNCTION}\s*\(|getattr\([^)]*{_FUNCTION}")
_BUILDS = re.compile(r"^\s*(?:import|from)\s+(?:setuptools|distutils|packaging|mesonpy)\b", re.MULTILINE)
_OF_GIL = re.compile(r"(?:^|_)(?:no)?gil(?:$|_)", re.IGNORECASE)
_OF_BUILD = re.compile(r"build|abi", re.IGNORECASE)
_OF_THREADS = re.compile(r"free_?thread", re.IGNORECASE)
"""What a build of Python is called that can do without the GIL, whether it does or not; no version is."""


@local_rule(RULE, on=(cst.SimpleString, cst.Comparison))
def check(node: cst.BaseExpression, scope: Scope) -> Iterator[Alarm]:
    """Report tests that are taken for tests of the GIL, in files that never ask for the GIL itself."""
    found = None
    if isinstance(node, cst.SimpleString):
        found = _read_string(node, scope)
    elif isinstance(node, cst.Comparison):
        found = _read_comparison(node, scope)
    if found is None:
        return
    text = scope.view.source.text
    # Who asks for both knows the difference; who builds wants to know about the build.
    if _ASKS.search(text) is None and _BUILDS.search(text) is None:
        test, what = found
        yield scope.alarm(test, f"this tells {what}, not whether the GIL is enabled")


def _read_string(node: cst.SimpleString, scope: Scope) -> tuple[cst.BaseExpression, str] | None:
    if _VARIABLE not in node.value and _FUNCTION not in node.value:
        return None
    argument = scope.parent(node)
    call = scope.parent(argument) if isinstance(argument, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return _read_subscript(argument, scope)
    name = scope.resolve(call.func)
    if node.evaluated_value == _FUNCTION and name == "builtins.hasattr" and scope.resolve(call.args[0].value) == "sys":
        return call, "whether Python is 3.13 or later"
    is_read = name == "sysconfig.get_config_var" or _is_of_variables(call.func, scope)
    if node.evaluated_value == _VARIABLE and is_read and _is_about_gil(call, scope):
        return call, "how Python was built"
    return None


def _read_subscript(index: cst.CSTNode | None, scope: Scope) -> tuple[cst.BaseExpression, str] | None:
    """Read `sysconfig.get_config_vars()["Py_GIL_DISABLED"]`, of which `index` is what stands in the brackets."""
    element = scope.parent(index) if index is not None else None
    found = scope.parent(element) if element is not None else None
    if not isinstance(found, cst.Subscript) or not _is_variables(found.value, scope) or not _is_about_gil(found, scope):
        return None
    return found, "how Python was built"


def _is_of_variables(node: cst.BaseExpression, scope: Scope) -> bool:
    """Whether this is `sysconfig.get_config_vars().get`."""
    return isinstance(node, cst.Attribute) and node.attr.value == "get" and _is_variables(node.value, scope)


def _is_variables(node: cst.BaseExpression, scope: Scope) -> bool:
    return isinstance(node, cst.Call) and scope.resolve(node.func) == "sysconfig.get_config_vars"


def _read_comparison(node: cst.Comparison, scope: Scope) -> tuple[cst.BaseExpression, str] | None:
    operands = [node.left, *(one.comparator for one in node.comparisons)]
    if len(operands) != 2 or not any(isinstance(one, cst.Attribute | cst.Name) for one in operands):
        return None
    # By themselves, versions and builds are asked for many reasons.
    if _is_condition(node, scope):
        return None
    symbols = {scope.resolve(one) for one in operands}
    if "sys.version_info" in symbols:
        name = _find_name(node, scope)
        is_meant = _OF_THREADS.search(name) is not None and _OF_BUILD.search(name) is None
        return (node, "which version Python has") if is_meant or _is_about_gil(node, scope) else None
    is_of_build = not symbols.isdisjoint({"sys.abiflags", "sys.version"})
    return (node, "how Python was built") if is_of_build and _is_about_gil(node, scope) else None


def _is_about_gil(node: cst.CSTNode, scope: Scope) -> bool:
    """Whether a test decides what the program does, or its result is named after the GIL and not after a build."""
    if _is_condition(node, scope):
        return True
    name = _find_name(node, scope)
    return _OF_GIL.search(name) is not None and _OF_BUILD.search(name) is None


def _is_condition(node: cst.CSTNode, scope: Scope) -> bool:
    inner, around = node, scope.parent(node)
    while isinstance(around, cst.BooleanOperation | cst.UnaryOperation | cst.Comparison | cst.ComparisonTarget):
        inner, around = around, scope.parent(around)
    return isinstance(around, cst.If | cst.IfExp | cst.While) and around.test is inner


def _find_name(node: cst.CSTNode, scope: Scope) -> str:
    """Return what the result of a test is called, by the variable that it is assigned to, or the function around."""
    around = scope.parent(node)
    while around is not None and not isinstance(around, cst.Module | cst.ClassDef):
        target = around.targets[0].target if isinstance(around, cst.Assign) else getattr(around, "target", None)
        if isinstance(around, cst.Assign | cst.AnnAssign) and isinstance(target, cst.Name):
            return target.value
        if isinstance(around, cst.FunctionDef):
            return around.name.value
        around = scope.parent(around)
    return ""
