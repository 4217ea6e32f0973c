"""Sketches, which are made from Python's own trees, have the same nodes at the same places as what libcst parses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import libcst as cst
import msgspec
import pytest
from hypothesis import given, settings
from test_source import EVERY_SYNTAX, ODD_TEXTS, layouts, sample_paths

from conclint.analysis.fields import iter_nodes, syntax_fields
from conclint.analysis.module import analyse
from conclint.source import Sketch, Source, SourceError, decode, parse, sketch
from conclint.worker import group_checks

RARE = {
    "match": "match a:\n    case 1: pass\n",
    "type parameters of a function": "def f[T](a: T) -> T: ...\n",
    "type parameters of a class": "class Box[T]: ...\n",
    "a type alias": "type Alias = int\n",
    "a lazy import": "lazy import later\n",
    "a template": "t'{a}'\n",
}
"""Syntax that is left to libcst; some of it is newer than the Python that runs this."""

FIELDS: dict[type[cst.CSTNode], tuple[str, ...]] = {
    **dict.fromkeys((cst.Name, cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString), ("value",)),
    **dict.fromkeys((cst.BooleanOperation, cst.BinaryOperation, cst.UnaryOperation), ("operator",)),
    **dict.fromkeys((cst.ComparisonTarget, cst.AugAssign), ("operator",)),
    **dict.fromkeys((cst.Arg, cst.Param), ("star",)),
    **dict.fromkeys((cst.For, cst.With, cst.FunctionDef, cst.CompFor), ("asynchronous",)),
    cst.ImportFrom: ("relative",),
}
"""Besides the fields that hold syntax, those that the analysis asks for."""

WITH_PLACES = (cst.BaseExpression, cst.BaseStatement, cst.BaseSmallStatement)


def read_texts() -> dict[str, str]:
    texts = {str(path): decode(path.read_bytes()) for path in sample_paths() if "CON001" not in path.parts}
    # The part of it that every Python of ours knows, and no more.
    texts["most syntax"] = EVERY_SYNTAX[: EVERY_SYNTAX.index("match subject")].replace("lazy ", "")
    return {**texts, **ODD_TEXTS}


TEXTS = read_texts()


def draw(text: str, path: str = "shop.py") -> Source:
    return sketch(text, path=path, module="shop")


def assert_alike(exact: Source, drawn: Source) -> None:
    """Compare two trees node by node, and place by place where the second one tells any."""
    assert isinstance(drawn, Sketch)
    stack: list[tuple[object, object]] = [(exact.tree, drawn.tree)]
    while stack:
        one, other = stack.pop()
        assert type(one) is type(other), (exact.path, one)
        if not isinstance(one, cst.CSTNode) or not isinstance(other, cst.CSTNode):
            continue
        for field in FIELDS.get(type(one), ()):
            assert describe(getattr(one, field)) == describe(getattr(other, field)), exact.path
        assert other in drawn.places or not isinstance(
            other, cst.BaseExpression | cst.BaseStatement | cst.BaseSmallStatement
        )
        if other in drawn.places:
            start, end = drawn.place(other)
            if isinstance(other, cst.BaseCompoundStatement):
                # Python counts the last semicolon, too.
                end = start + len(exact.text[start:end].rstrip("; "))
            assert (start, end) == find_place(one, exact), (exact.path, exact.span(one))
            assert drawn.span(other).line == exact.text.count("\n", 0, drawn.place(other)[0]) + 1 or "\r" in exact.text
        for field in syntax_fields(type(one)):
            stack += zip_longest(iter_values(getattr(one, field)), iter_values(getattr(other, field)))


def describe(value: object) -> object:
    """Return what matters of a field that holds no syntax: text, the kind of a node, or how many there are."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return len(value)
    return type(value) if isinstance(value, cst.CSTNode) else value


def find_place(node: cst.CSTNode, exact: Source) -> tuple[int, int]:
    start, end = exact.place(node)
    if isinstance(node, cst.CompFor):
        # libcst counts the whitespace before it, with comments.
        before = re.match(r"(?:\s|#[^\n]*)*", exact.text[start:end])
        start += before.end() if before is not None else 0
    return (0, len(exact.text)) if isinstance(node, cst.Module) else (start, end)


def iter_values(value: object) -> Iterator[object]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from value
    else:
        yield value


def is_known(text: str) -> bool:
    """Return whether this Python can parse a text, and nothing in it is left to libcst."""
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    rare = {"Match", "TypeAlias", "TemplateStr"}
    return not any(type(node).__name__ in rare or getattr(node, "type_params", None) for node in ast.walk(parsed))


@pytest.mark.parametrize("path", TEXTS)
def test_the_nodes_are_those_of_libcst_and_stand_where_they_do(path: str) -> None:
    text = TEXTS[path]
    drawn = draw(text, path)
    assert isinstance(drawn, Sketch) is is_known(text)
    if isinstance(drawn, Sketch):
        exact = parse(text, path=path, module="shop")
        assert_alike(exact, drawn)
        checks = group_checks()
        wanted, found = analyse(exact, checks), analyse(drawn, checks)
        if exact.tree.code == text:
            # libcst forgets form feeds, and where the module begins with them.
            assert msgspec.json.encode(wanted.facts) == msgspec.json.encode(found.facts)
        assert [(one.code, one.message) for one in wanted.alarms] == [(one.code, one.message) for one in found.alarms]
        assert wanted.failures == found.failures == ()


@given(layouts())
@settings(max_examples=60, deadline=None)
def test_they_are_however_a_file_is_laid_out(text: str) -> None:
    assert_alike(parse(text, path="shop.py", module="shop"), draw(text))


@pytest.mark.parametrize(
    "text",
    [
        "a = (1), 2\nb = ((1), 2)\nc = ((1), (2))\nd = (((1)), 2)\ne = (1), (2)\nf = ()\ng = ( # one\n 1, # two\n )\n",
        "a[(1), 2]\na[(1, 2)]\na[((1), 2)]\na[1:2, ::3]\na[()]\na[*b]\n",
        "f(x for x in y)\nf((x for x in (y)))\n(x for x in y if (x) if (not x))\n",
        "[a for a in (b) if (c)]\n[a for (a) in b for c in d]\nasync def f(): return [a async for a, in (b)]\n",
        "(a and (b) and c) or ((d) or e or (\n # why\n f or g))\n",
        "if a: pass; b\nelse: c;\ntry: a\nexcept A: b\nelse: c\nfinally: d\n",
        "if a:\n  b\n  # else:\nelse:\n  if c: d\nif a: b\nelif c: d\nelse: e\n",
        "for a in b:\n  c;\n# no\nelse:  # yes\n  d\nwhile a:\n  b\nelse:\n  c\n",
        "@a\n@(b) # c\nasync \\\n def f(): pass\n@c\nclass D(e, *f, g=h, **i): pass\n",
        "def f(a, b=1, /, c=2, *d, e, f=3, **g): pass\ndef g(*, a): pass\nlambda a, *b, c=1: a\n",
        "del a, b\ndel (c, d)\ndel e\n",
        "x = 'a' 'b'\ny = f'{a!r:>{b}}' 'c'\nz = ('d'\n  f\"{e['f']}\")\nu = f'''\n{\n1}'''\n",
        "ﬁ = ﬁ.ﬁ(ﬁ=ﬁ)\ndef ﬁ(ﬁ, *ﬁﬁ): é = 'ü' + ﬁ\n",
        "a = 0x_ff, 1_0.0e1, 1J, ..., None, True, b'x', -1\n",
        "with (a as b, c): pass\nwith (a), (yield): pass\nwith (a, b) as c: pass\n",
        "x = yield\ny = (yield)\nz = await_(await_)\nf(*a, b, *c, d=1, *e, **g)\n",
        "import a.b as c, d\nfrom .. import e\nfrom . .f.g import (h as i, j,)\nfrom k import *\n",
        "def f():\n  global a, b , \\\n c\n  nonlocal d\ntry: a\nexcept (B) as c: d\nexcept (E, F) \\\n as g: h\n",
        "a: int\nb: 'c' = d\ne.f: g\ng += h\nraise i from j\nassert k, l\nglobal m\n",
        "a < b <= (c) is not d not in e\nnot a\n(a := b)\na if b else (c)\n{**a, b: c}\n{a, *b}\n[*a, b]\n",
    ],
)
def test_they_are_with_parentheses_and_comments_in_odd_places(text: str) -> None:
    drawn = draw(text)
    if not isinstance(drawn, Sketch):
        pytest.fail(f"left to libcst: {text}")
    assert_alike(parse(text, path="shop.py", module="shop"), drawn)


@pytest.mark.parametrize("text", RARE.values(), ids=RARE)
def test_what_is_rare_is_left_to_libcst(text: str) -> None:
    drawn = draw(text)
    assert not isinstance(drawn, Sketch)
    assert drawn.tree.code == text


def test_what_libcst_refuses_is_refused() -> None:
    with pytest.raises(SourceError, match="'\\(' was never closed"):
        draw("x = (1,\n")
    with pytest.raises(SourceError, match="null byte"):
        draw("x = '\0'\n")
    with pytest.raises(SourceError, match="nested too deeply"):
        draw("x = " + "not " * 5_000 + "x\n")


def test_nodes_that_only_hold_others_have_no_place() -> None:
    drawn = draw("f(a)\n")
    (argument,) = (node for node in iter_nodes(drawn.tree) if isinstance(node, cst.Arg))
    with pytest.raises(LookupError, match="type Arg"):
        drawn.place(argument)


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("f()\n", (False, False, False)),
        ("# why\n\nf()\n", (True, False, False)),
        ("f()  # why\n", (False, True, False)),
        ("f(a,  # why\n  b)\n", (False, True, False)),
        ("f()\n\n# next\n", (False, False, True)),
        ("a\nf()\nb  # other\n", (False, False, False)),
    ],
)
def test_comments_are_found_around_a_statement(text: str, comments: tuple[bool, bool, bool]) -> None:
    for source in (draw(text), parse(text, path="shop.py", module="shop")):
        statement = next(
            one for one in source.tree.body if isinstance(one, cst.SimpleStatementLine) and "f(" in code(one, source)
        )
        assert source.find_comments(statement) == comments


def code(node: cst.CSTNode, source: Source) -> str:
    start, end = source.place(node)
    return source.text[start:end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("(a)\n", True), ("a\n", False), ("( # c\na # d\n)\n", False), ("(\na\n)\n", True), ("f(b, (a))\n", True)],
)
def test_parentheses_are_seen(text: str, expected: bool) -> None:
    source = draw(text)
    name = next(node for node in iter_nodes(source.tree) if isinstance(node, cst.Name) and node.value == "a")
    assert source.has_parentheses(name) is expected
