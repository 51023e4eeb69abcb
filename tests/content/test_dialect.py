"""The short cuts through the parser: they make the very tokens that the long way makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from content import dialect

PIECES = (
    *(
        "word",
        "Two words",
        "- item",
        "* item",
        "+ item",
        "-",
        "1. one",
        "2) two",
        "10. ten",
        "> quoted",
        "# Head",
        "---",
    ),
    *("===", "| a | b |", "|---|---|", "a | b", "--- | ---", "```", "~~~", ":::note T", ":::", ":::quiz x", "    code"),
    *(
        "[x]: /y",
        "[x]",
        "<b>",
        "a  ",
        "*em*",
        "a\\",
        "&amp;",
        "ж думи",
        "  two",
        "   three",
        "\ttab",
        "- ",
        "-word",
        "",
    ),
    *("  - nested", "    - deeper", "word: more", "a `b` c", "~~x~~", "http://x.y", "é", "1", "!", "word\ttab\t"),
)
TEXTS = sorted([*Path("content").rglob("*.md"), *Path("quizzes/banks").rglob("*.md"), *Path("docs").rglob("*.md")])


def _parser(*, short: bool) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable(["table", "strikethrough"])
    alternatives = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    markdown.block.ruler.before("fence", "container", dialect.container, alternatives)
    if short:
        markdown.block.ruler.before("table", "short_paragraph", dialect.short_paragraph)
        markdown.core.ruler.at("inline", dialect.inline)
    return markdown


LONG, SHORT = _parser(short=False), _parser(short=True)


def _tokens(markdown: MarkdownIt, text: str) -> list[dict[str, object]]:
    return [token.as_dict() for token in markdown.parse(text)]


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("\n".join))
def test_lines_in_any_order_give_the_same_tokens(text: str) -> None:
    assert _tokens(SHORT, text) == _tokens(LONG, text)


@settings(max_examples=500)
@given(st.text(alphabet="ab -*+>#|:`~_[]()!<&\\\n\t1.ж", max_size=40))
def test_characters_in_any_order_give_the_same_tokens(text: str) -> None:
    assert _tokens(SHORT, text) == _tokens(LONG, text)


@pytest.mark.parametrize("path", TEXTS, ids=str)
def test_our_own_texts_give_the_same_tokens(path: Path) -> None:
    text = path.read_text("utf-8")
    assert _tokens(SHORT, text) == _tokens(LONG, text)
