"""Bytes to `Source`: our traversal and our positions are libcst's own, and what cannot be parsed is said."""

from __future__ import annotations

import ast
import inspect
import random
import sysconfig
from pathlib import Path

import libcst as cst
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libcst.metadata import MetadataWrapper, PositionProvider

from conclint import __version__
from conclint.analysis.fields import iter_children, iter_nodes
from conclint.model.file import SourceFile
from conclint.model.result import ModuleResult
from conclint.model.span import Span
from conclint.source import Source, SourceError, decode, parse
from conclint.wire import pack, unpack
from conclint.worker import Request, check_batch
from runs import check_texts

FIXTURES = Path(__file__).parent / "fixtures"
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
SAMPLE_SIZE = 30
LARGEST_SAMPLE = 60_000

SILENT = (
    *(cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.Comment),
    *(cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket),
    *(cst.LeftCurlyBrace, cst.RightCurlyBrace, cst.Comma, cst.Colon, cst.Semicolon, cst.Dot, cst.AssignEqual),
    *(cst.BaseUnaryOp, cst.BaseBinaryOp, cst.BaseBooleanOp, cst.BaseCompOp, cst.BaseAugOp),
    *(cst.Asynchronous, cst.ParamSlash),
)
"""Whitespace and punctuation, which say nothing that their parents do not say too."""

EVERY_SYNTAX = '''\
#!/usr/bin/env python
"""Every kind of syntax node once."""

from __future__ import annotations
import os.path as path, sys
from . import *
from .. import near as nearer
from . import(a, b as c,)
lazy import later
lazy from . import later

@decorate(1, *two, three=3, **four)
class Shop(Base, metaclass=Meta):
    rate: float = 1.5
    open: bool

    async def sell(self, item, /, count: int = 1, *rest, price, **extra) -> None:
        async with self.lock as lock, other:
            await lock
        async for each in self: pass
        else:
            pass
        return [x async for x in self if x if not x]

class Box[T: int, *Ts, **P]: ...
class Bag(): pass
type Alias[T = int] = list[T]

def work(a, *, b=1):
    global counter
    nonlocal_ = lambda *args, key=-1, **rest: (yield)
    def inner():
        nonlocal nonlocal_
        yield from work
        raise ValueError from None
    with (open("a") as f, open("b")): pass
    try:
        assert a, "text"
    except (KeyError, ValueError) as error:
        raise
    except:
        pass
    else:
        del a, b[0]
    finally:
        return
    try: ...
    except* OSError: ...
    for i, *others in a, b: continue
    else: pass
    while a: break
    else: pass
    counter += 1; a @= b
    a = b = {1, 2} if a else {**a, 1: 2, "k": [*b]}
    a[1:2:3, ..., None] = a.b.c(d := 1)(*a)
    print(f"{a!r:>{b}} {a=} text" "more" 'end', rb"bytes", 1.5, 2j, not a, +a, ~a, t"the {a!s:{b}}")
    a = {k: v for k, v in a for b in k}, {x for x in a}, (x for x in a), ()
    a = {**d for d in b}, [*x for x in a]
    a + b - c * d / e // f % g @ h ** i << j >> k & l | m ^ n
    a < b <= c != d is not e not in f in a is b == c > d >= e
    a and b or c
    if a: pass
    elif b: pass
    else: pass

match subject, more:
    case 1 | "two" | -3 | None | a.b:
        pass
    case x, *rest, _ if x:
        pass
    case (y, *_):
        pass
    case {"k": v, **others}:
        pass
    case Shop(1, name=n) as shop:
        pass
    case Shop():
        pass
'''

ODD_TEXTS = {
    "tabs": "def f(a):\n\tif a:\n\t\treturn  [a,\n\t\t\t\tb]\n\treturn\t a\n",
    "tabs and spaces": "if a:\n\tx = 1\nif b:\n        y = (1 ,\n\t  2)\n",
    "form feeds": "\fimport a\n\f\n\fdef f():\n    x = 1\n\f\n    y = [1,\f 2]\n",
    "CRLF": "import a\r\n\r\nif a:\r\n    b = (1,\r\n         2)  # c\r\n    '''x\r\ny'''.z()\r\n",
    "mixed newlines": "a = 1\r\nb = 2\nif a:\r\n    c = (3 +\n  4)\n",
    "no last newline": "if a:\n    b(c)",
    "comment at the end": "if a:\n    b(c)\n    # end",
    "continuation lines": "a = b + \\\n    c\nwith a as b, \\\n  c: pass\n",
    "wide characters": "名前 = 'ü𝄞' + f'{é!r}' ; x = 𝔘𝔫𝔦\n",
    "line separators in strings": "a = '\u2028 \x0b \x1c'; b = 1\nc = 2\n",
    "empty": "",
    "only a comment": "# nothing",
    "semicolons": "a; b ;c\nif a: b; c ;\n",
    "parentheses": "((a)) . b (( c ), (( d ,)), *( e ), ) [ ( f ) : ( g ) ]\n",
}


def sample_paths() -> tuple[Path, ...]:
    """Return all fixtures and the same files of the standard library each time; its tests hold broken ones."""
    library = [
        path
        for path in sorted(STANDARD_LIBRARY.rglob("*.py"))
        if not {"site-packages", "test", "tests", "lib2to3"} & set(path.relative_to(STANDARD_LIBRARY).parts)
        and path.stat().st_size < LARGEST_SAMPLE
    ]
    chosen = random.Random(1).sample(library, min(SAMPLE_SIZE, len(library)))
    return (*sorted(chosen), *sorted(FIXTURES.rglob("*.py")))


@pytest.fixture(scope="module")
def sources() -> tuple[Source, ...]:
    """Return what the sample, the odd texts and the text with every kind of syntax are parsed to."""
    texts = {**ODD_TEXTS, "every syntax": EVERY_SYNTAX}
    # The fixtures of CON001 are broken on purpose.
    texts.update((str(path), decode(path.read_bytes())) for path in sample_paths() if "CON001" not in path.parts)
    return tuple(read(text, path) for path, text in texts.items())


def read(text: str, path: str = "shop.py") -> Source:
    return parse(text, path=path, module="shop")


class TestTraversal:
    def test_it_visits_the_syntax_nodes_that_libcst_visits(self, sources: tuple[Source, ...]) -> None:
        for source in sources:
            visited = VisitedNodes()
            source.tree.visit(visited)
            expected = {id(node): type(node) for node in visited.nodes if not isinstance(node, SILENT)}
            assert {id(node): type(node) for node in iter_nodes(source.tree)} == expected, source.path

    def test_every_kind_of_syntax_node_is_among_them(self) -> None:
        kinds = {kind for kind in vars(cst).values() if inspect.isclass(kind) and issubclass(kind, cst.CSTNode)}
        concrete = {kind for kind in kinds if not kind.__name__.startswith("Base") and not issubclass(kind, SILENT)}
        seen = {type(node) for node in iter_nodes(read(EVERY_SYNTAX).tree)}
        # What stands in no tree that a parser makes.
        abstract = {cst.CSTNode, cst.MatchPattern, cst.MatchSequence}
        assert concrete - seen == abstract

    def test_a_child_stands_below_its_parent_only(self, sources: tuple[Source, ...]) -> None:
        for source in sources:
            nodes = list(iter_nodes(source.tree))
            below = [child for node in nodes for child in iter_children(node)]
            assert len(set(map(id, below))) == len(below) == len(nodes) - 1


class VisitedNodes(cst.CSTVisitor):
    """Remembers every node that libcst's own traversal visits."""

    def __init__(self) -> None:
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.nodes.append(node)
        return True


class TestPositions:
    def test_they_are_those_of_libcst(self, sources: tuple[Source, ...]) -> None:
        for source in sources:
            assert_positions_agree(source)

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_they_are_those_of_libcst_however_a_file_is_laid_out(self, data: st.DataObject) -> None:
        text = data.draw(layouts())
        assert_positions_agree(read(text))

    def test_a_byte_order_mark_counts_for_nothing(self) -> None:
        plain, marked = (read(decode(data)) for data in (b"a.b()\n", b"\xef\xbb\xbfa.b()\n"))
        assert [plain.span(node) for node in iter_nodes(plain.tree)] == [
            marked.span(node) for node in iter_nodes(marked.tree)
        ]

    def test_lines_and_columns_count_from_one_in_characters(self) -> None:
        source = read("é = 1\n𝔘 = f(\n    x)\n")
        (call,) = (node for node in iter_nodes(source.tree) if isinstance(node, cst.Call))
        assert source.span(call) == Span(2, 5, 3, 7)

    def test_the_text_at_the_offsets_of_an_expression_is_that_expression(self, sources: tuple[Source, ...]) -> None:
        for source in sources:
            if source.path == "every syntax":
                continue  # Python may be older than that
            for node in iter_nodes(source.tree):
                if isinstance(node, cst.BaseExpression) and not isinstance(node, cst.StarredElement):
                    start, end = source.offsets[node]
                    assert dump(source.text[start:end]) == dump(source.tree.code_for_node(node)), source.path

    @pytest.mark.parametrize(
        ("text", "span"),
        [
            ("\fimport a\nlast()\n", Span(2, 1, 2, 7)),
            ("x = 1\n\f\flast()\n", Span(2, 3, 2, 9)),
            ("def f():\n    x\n\f    last()\n", Span(3, 6, 3, 12)),
            ("\\\nx = 1\nlast()", Span(3, 1, 3, 7)),
            ("if a:\n    b\n    \\\n    c\n    last()", Span(5, 5, 5, 11)),
            ("\f\nclass A:\n\f\n    last()\n", Span(4, 5, 4, 11)),
        ],
    )
    def test_what_libcst_forgets_before_a_statement_moves_nothing(self, text: str, span: Span) -> None:
        source = read(text)
        (call,) = (node for node in iter_nodes(source.tree) if isinstance(node, cst.Call))
        assert source.span(call) == span
        start, end = source.offsets[call]
        assert source.text[start:end] == "last()"


def assert_positions_agree(source: Source) -> None:
    """Compare the positions of all nodes with libcst's; it counts in its own code, which may lack a form feed."""
    if source.tree.code != source.text:
        source = read(source.tree.code, source.path)
    positions = MetadataWrapper(source.tree, unsafe_skip_copy=True).resolve(PositionProvider)
    for node in iter_nodes(source.tree):
        span, expected = source.span(node), positions[node]
        assert (span.line, span.column - 1) == (expected.start.line, expected.start.column), source.path
        # Where the last newline is missing, libcst counts it in the end of the module all the same.
        if not isinstance(node, cst.Module):
            assert (span.end_line, span.end_column - 1) == (expected.end.line, expected.end.column), source.path


def dump(code: str) -> str:
    """Return the syntax tree of an expression; its parentheses, and where it stands, do not matter."""
    return ast.dump(ast.parse(f"({code}\n)", mode="eval"))


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """Draw a file of a few statements, with some indentation, newline, form feeds and end."""
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    indent = draw(st.sampled_from(["\t", "  ", "    ", " \t"]))
    parts = draw(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=6))
    feed = draw(st.sampled_from(["", "\f", "\f\n"]))
    text = feed.join(parts).replace("    ", indent)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", newline)


_PARTS = (
    "import a.b\n",
    "if a:\n    b.c(d)\nelse:\n    e\n",
    "def f(x, *, y=1):\n    return [x,\n        y]\n",
    "class C:\n    x = '''\n    text'''\n    def m(self): pass\n",
    "with a as b, c:\n    # comment\n    b[1:2]\n\n    c\n",
    "x = (a +\n  b) ; y\n",
    "# comment\n\n",
    "é = f'{ü!r:>{w}}'\n",
    "async def g():\n    async for i in x:\n        await i\n",
)


class TestDecode:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"x = '\xc3\xa9'\n", "x = 'é'\n"),
            (b"\xef\xbb\xbfx = '\xc3\xa9'\n", "x = 'é'\n"),
            (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n"),
            (b"#!/bin/sh\n# -*- coding: iso-8859-15 -*-\n'\xa4'\n", "#!/bin/sh\n# -*- coding: iso-8859-15 -*-\n'€'\n"),
            (b"# vim: set fileencoding=cp1252 :\r\n'\x80'\r\n", "# vim: set fileencoding=cp1252 :\r\n'€'\r\n"),
            (b"\n\n# coding: latin-1\n'\xc3\xa9'\n", "\n\n# coding: latin-1\n'é'\n"),
            (b"", ""),
        ],
        ids=["utf-8", "BOM", "latin-1", "second line", "vim", "third line is too late", "empty"],
    )
    def test_it_goes_by_mark_and_coding_line(self, data: bytes, text: str) -> None:
        assert decode(data) == text

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="#\x00")))
    def test_what_is_encoded_is_decoded(self, text: str) -> None:
        for mark in (b"", b"\xef\xbb\xbf"):
            assert decode(mark + text.encode()) == text.removeprefix("\ufeff" if not mark else "")

    @pytest.mark.parametrize(
        ("data", "message", "line"),
        [
            (b"a = 1\nb = '\xff'\n", "byte 0xff", 2),
            (b"# coding: ascii\n\n\n'\xe9'\n", "as ascii: byte 0xe9", 4),
            (b"# coding: klingon\n", "unknown encoding", 1),
            (b"\xef\xbb\xbf# coding: latin-1\n", "encoding problem", 1),
            (b"# coding: utf-16\n", "cannot be decoded", 1),
        ],
    )
    def test_what_cannot_be_decoded_says_why_and_where(self, data: bytes, message: str, line: int) -> None:
        with pytest.raises(SourceError, match=message) as caught:
            decode(data)
        assert caught.value.span == Span(line, 1, line, 1)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "message", "line", "column"),
        [
            ("x = = 1\n", "invalid syntax", 1, 5),
            ("a = 1\n\nx = (1,\n\n", "'\\(' was never closed", 3, 5),
            ("a = 1\nb = 'x\n", "unterminated string literal", 2, 5),
            ("if a:\n    b\n  c\n", "unindent does not match", 3, 4),
            ("a = 1\nprint 'x'\n", "[Mm]issing parentheses", 2, 1),
            ("a = 1\nb = '\0'\n", "null byte", 2, 1),
        ],
    )
    def test_a_syntax_error_says_what_and_where(self, text: str, message: str, line: int, column: int) -> None:
        with pytest.raises(SourceError, match=f"cannot be parsed: {message}") as caught:
            read(text)
        assert caught.value.span == Span(line, column, line, column)

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 5_000 + ")" * 5_000,
            "-" * 20_000 + "1",
            "+".join("1" * 10_000),
            "x" + ".real" * 5_000,
            "not " * 5_000 + "x",
        ],
        ids=["parentheses", "signs", "sums", "attributes", "words"],
    )
    def test_what_nests_too_deeply_is_refused(self, text: str) -> None:
        with pytest.raises(SourceError, match="nested too deeply"):
            read(f"x = {text}\n")

    @pytest.mark.parametrize(
        "text",
        [f"x = {list(range(20_000))}\n", f"x = '{'(' * 50_000}'\n", f"# {'(' * 50_000}\n", "x = 1 + 2\n" * 2_000],
        ids=["a long list", "a long string", "a long comment", "many lines"],
    )
    def test_what_is_long_and_flat_is_not(self, text: str) -> None:
        assert read(text).tree.code == text

    def test_what_nests_as_deeply_as_generated_code_is_parsed_on_demand_too(self) -> None:
        dormant = "def table():\n    return " + "+".join(["1"] * 1_500) + "\n"
        app = "import threading\nimport table\n\nthreading.Thread(target=table.table, daemon=True).start()\n"
        files = {"app.py": app, "table.py": dormant}
        assert "CON001" not in {diagnostic.code for diagnostic in check_texts(files, "CON001")}

    def test_what_nests_as_deeply_as_generated_code_is_parsed_by_a_worker(self) -> None:
        text = "import threading\nx = " + "+".join(["1"] * 1_500) + "\n"
        request = Request(__version__, False, (SourceFile("a.py", "a", content=text.encode()),))
        (packed,) = msgspec.msgpack.decode(check_batch(pack(request)), type=list[bytes])
        assert unpack(packed, ModuleResult).alarms == ()
