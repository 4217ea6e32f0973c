"""The parser's nodes, built quickly, are the same nodes, and nobody else notices."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import libcst as cst
import pytest
from test_source import EVERY_SYNTAX

from conclint.building import building_quickly


def parse_quickly(text: str) -> cst.Module:
    with building_quickly():
        return cst.parse_module(text)


def test_the_tree_is_the_same() -> None:
    usual, quick = cst.parse_module(EVERY_SYNTAX), parse_quickly(EVERY_SYNTAX)
    assert usual.deep_equals(quick)
    assert quick.code == EVERY_SYNTAX


def test_what_the_parser_does_not_give_has_its_default() -> None:
    with building_quickly():
        built = cst.Call(cst.Name("f"), [cst.Arg(cst.Name("a"))])
    assert cst.Module([]).code_for_node(built) == "f(a)"
    assert built.deep_equals(cst.Call(cst.Name("f"), [cst.Arg(cst.Name("a"))]))


def test_other_users_of_libcst_keep_the_checks() -> None:
    parse_quickly("a = 1\n")
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")
    with pytest.raises(dataclasses.FrozenInstanceError):
        cst.Name("a").value = "b"  # type: ignore[misc]


def test_the_checks_are_back_after_an_error_and_after_nesting() -> None:
    with building_quickly():
        parse_quickly("a = 1\n")
    with pytest.raises(cst.ParserSyntaxError):
        parse_quickly("a = (\n")
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")


def test_a_process_of_our_own_needs_no_checks_any_more() -> None:
    code = (
        "import libcst as cst; from conclint.building import build_quickly, building_quickly\n"
        "build_quickly()\n"
        "with building_quickly(): tree = cst.parse_module('a.b(c)\\n')\n"
        "print(tree.code == 'a.b(c)\\n', cst.Name('').value == '')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True"]
