"""Fenced code blocks as CommonMark 0.31 has them, in its own examples and beside a whole CommonMark parser."""

from __future__ import annotations

import random
import re

import pytest
from markdown_it import MarkdownIt

from dlm.document.code import CodeFences

PIECES = [
    "```",
    "~~~",
    "````",
    "`",
    "> ",
    ">",
    "- ",
    "-",
    "1. ",
    "2. ",
    "2)",
    "*",
    "+ ",
    " ",
    "  ",
    "   ",
    "    ",
    "\t",
]
PIECES += ["a", "b c", "#", "# h", "---", "===", "***", "* * *", "```x", "``` `", *["\n"] * 5]
MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 100}).disable(["html_block", "reference"])
QUOTE_FAR_IN = re.compile(r"^(?: {4}| {0,3}\t)[^\n]*>", re.M)
"""The other parser takes ``>`` behind four blanks for a quotation that goes on; by the specification it is not."""


def marked(text: str) -> str:
    """A letter a line: ``c`` for part of a code block, ``.`` for anything else."""
    code = CodeFences()
    return "".join("c" if code.step(line) else "." for line in text.split("\n"))


def by_the_other(text: str) -> str:
    letters = ["."] * (text.count("\n") + 1)
    for token in MARKDOWN.parse(text):
        if token.type == "fence" and token.map:
            letters[slice(*token.map)] = "c" * (token.map[1] - token.map[0])
    return "".join(letters)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\n<\n >\n```", "cccc"),
        ("~~~\n<\n >\n~~~", "cccc"),
        ("``\nfoo\n``", "..."),
        ("```\naaa\n~~~\n```", "cccc"),
        ("~~~\naaa\n```\n~~~", "cccc"),
        ("````\naaa\n```\n``````", "cccc"),
        ("~~~~\naaa\n~~~\n~~~~", "cccc"),
        ("```", "c"),
        ("`````\n\n```\naaa", "cccc"),
        ("> ```\n> aaa\n\nbbb", "cc.."),
        ("```\n\n  \n```", "cccc"),
        ("```\n```", "cc"),
        (" ```\n aaa\naaa\n```", "cccc"),
        ("  ```\naaa\n  aaa\naaa\n  ```", "ccccc"),
        ("   ```\n   aaa\n    aaa\n  aaa\n   ```", "ccccc"),
        ("    ```\n    aaa\n    ```", "..."),
        ("```\naaa\n  ```", "ccc"),
        ("   ```\naaa\n  ```", "ccc"),
        ("```\naaa\n    ```", "ccc"),
        ("``` ```\naaa", ".."),
        ("~~~~~~\naaa\n~~~ ~~", "ccc"),
        ("foo\n```\nbar\n```\nbaz", ".ccc."),
        ("foo\n---\n~~~\nbar\n~~~\n# baz", "..ccc."),
        ("```ruby\ndef foo(x)\n```", "ccc"),
        ("~~~~    ruby startline=3 $%@#$\ndef foo(x)\n~~~~~~~", "ccc"),
        ("````;\n````", "cc"),
        ("``` aa ```\nfoo", ".."),
        ("~~~ aa ``` ~~~\nfoo\n~~~", "ccc"),
        ("```\n``` aaa\n```", "ccc"),
    ],
)
def test_the_examples_of_the_specification(text: str, expected: str) -> None:
    assert marked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- ```\n  a\n  ```\n  b", "ccc."),
        ("- ```\n  a\nb", "cc."),
        ("- ```\n\n  a\n- b", "ccc."),
        ("- a\n\n  ```\n  b\n  ```", "..ccc"),
        ("1.  a\n    ```\n    b\n    ```\nc", ".ccc."),
        ("1) ```\n b", "c."),
        ("- a\n    ```", ".c"),
        ("-     ```", "."),
        ("-\n  ```\n  a", ".cc"),
        ("-\n\n  ```\na", "..cc"),
        ("> ```\n> a\n> ```\n> b", "ccc."),
        ("> ```\n```\na", "ccc"),
        ("> > ```\n> > a\n> b", "cc."),
        ("> - ```\n>   a\n> b", "cc."),
        ("> a\nb\n```", "..c"),
        ("a\n2. ```\nb", "..."),
        ("a\n1. ```\nb", ".c."),
        ("***\n2. ```", ".c"),
        ("-\t```\n\ta", "cc"),
        (">\t```\n> a", "cc"),
        ("* * *\n  ```", ".c"),
    ],
)
def test_a_code_block_ends_with_its_quotation_or_list_item(text: str, expected: str) -> None:
    assert marked(text) == expected
    assert by_the_other(text) == expected


def test_any_text_is_divided_as_a_commonmark_parser_divides_it() -> None:
    draw = random.Random(15)
    compared = 0
    for _ in range(8000):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randint(2, 22))).rstrip("\n \t>")
        if not QUOTE_FAR_IN.search(text):
            assert marked(text) == by_the_other(text), repr(text)
            compared += 1
    assert compared > 6000


def test_a_block_left_open_is_told_apart_from_one_that_its_container_ends() -> None:
    for text, line in [("a\n```\nb", 2), ("```\n```", 0), ("- ```\n  b", 0), ("> ~~~\n> b", 0), ("> a\n\n~~~", 3)]:
        code = CodeFences()
        for each in text.split("\n"):
            code.step(each)
        assert code.unclosed == line
