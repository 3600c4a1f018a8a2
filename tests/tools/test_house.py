"""The figures of the house stay within the bounds that CONTRIBUTING.md gives."""

from __future__ import annotations

import ast
import re
from statistics import median

from tools import house

CONTRIBUTING = (house.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def module(text: str) -> house.Module:
    return house.Module("made_up.py", text.splitlines(), ast.parse(text))


def test_functions_are_small() -> None:
    lengths = sorted(house.length(found) for one in house.read() for found in house.functions(one))
    assert median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] <= 30


def test_a_large_module_has_its_reason_in_contributing() -> None:
    large = {one.path for one in house.read() if len(one.lines) > house.LARGE}
    reasons = CONTRIBUTING.partition("why it is over 400 lines")[2].partition("\n## ")[0]
    assert large == set(re.findall(r"(?m)^\| `([\w/.]+)` \| .{20,} \|$", reasons))
    assert len(large) <= 3


def test_the_length_of_a_function_leaves_its_docstring_out() -> None:
    (found,) = house.functions(
        module('def f(\n    a,\n):\n    """Text.\n\n    More.\n    """\n    b = a\n    return b\n')
    )
    assert house.length(found) == 5


def test_private_helpers_are_told_from_others() -> None:
    found = house.functions(
        module("def _f(): ...\nclass C:\n    def __init__(self): ...\n    def _g(self): ...\n    def h(self): ...")
    )
    assert sorted(one.name for one in found if house.is_private(one)) == ["_f", "_g"]


def test_comments_for_tools_are_not_counted() -> None:
    assert house.comments(module("a = 1  # noqa: E501  # why\n# why this\nb = '# no comment'\n")) == 1


def test_a_block_that_stands_twice_is_found_once() -> None:
    block = "\n".join(f"a{n} = {n}" for n in range(9))
    assert house.duplicates([module(block), module(f"x = 1\n{block}")]) == [("made_up.py:1", "made_up.py:2")]
