"""HTML of strangers as Markdown: text stays text, marks hold, and what is left out is named."""

from __future__ import annotations

import html as markup
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content import render
from quizzes.formats.html import to_markdown


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("<p>one</p>two<p>three", "one\n\ntwo\n\nthree"),
        ("a <b>bold</b> and <em>slanted </em>word", "a **bold** and *slanted* word"),
        ("H<sub>2</sub>O, 10<sup>-3</sup>", "H₂O, 10⁻³"),
        ("x<br>y", "x\\\ny"),
        ("<code>a `b`</code>", "`` a `b` ``"),
        ("<pre>one\n  two</pre>", "```\none\n  two\n```"),
        ("<ul><li>a<ol><li>b</ol><li>c</ul>", "* a\n\n  1) b\n* c"),
        ("<table><tr><th>a<th>b<tr><td>1|2<td>3</table>", "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"),
        ("<blockquote><p>a<p>b</blockquote>", "> a\n>\n> b"),
        ('<a href="https://example.org/a(b)">c</a>', "[c](<https://example.org/a(b)>)"),
        ('<img src="@@PLUGINFILE@@/a%20b.png" alt="A [plan]">', "![A \\[plan\\]](<file:a b.png>)"),
        ("<h2>Head</h2>", "**Head**"),
        ("caf&eacute; &amp; &lt;b&gt;&nbsp;x", "café & \\<b> x"),
    ],
)
def test_what_markdown_has_a_form_for_is_kept(source: str, wanted: str) -> None:
    converted = to_markdown(source)
    assert (converted.text, converted.losses) == (wanted, ())


@pytest.mark.parametrize(
    ("source", "wanted", "loss"),
    [
        ("a<script>alert(1)</script>b", "ab", "<script>"),
        ("a<style>p{}</style>", "a", "<style>"),
        ("a<iframe src=x>b</iframe>", "a", "<iframe>"),
        ("a<form><input></form>", "a", "<form>"),
        ("<blink>a</blink>", "a", "<blink>"),
        ('<a href="javascript:alert(1)">a</a>', "a", "link"),
        ('<a href=" java\tscript:alert(1)">a</a>', "a", "link"),
        ('<img src="data:image/png;base64,AA" alt="a">', "a", "picture"),
        ('<img src="//example.org/a.png" alt="a">', "a", "picture"),
        ('x<b>"y"</b>z', 'x"y"z', "emphasis within a word"),
        ("e<sup>abc</sup>", "e^(abc)", "raised or lowered text"),
        ("<table><tr><td colspan=2>a</table>", "| a |\n| --- |", "joined cells of a table"),
    ],
)
def test_what_is_left_out_is_named(source: str, wanted: str, loss: str) -> None:
    converted = to_markdown(source)
    assert (converted.text, converted.losses) == (wanted, (loss,))


def test_an_option_is_one_line() -> None:
    converted = to_markdown("<p>a</p><ul><li>b</li></ul><pre>c\nd</pre>", one_line=True)
    assert (converted.text, converted.losses) == ("a b `c d`", ("list",))


@pytest.mark.parametrize(
    "text",
    [
        *("# a", "- a", "1. a", "1) a", "> a", "***", "---", "a\n===", "|a|\n|-|", ":::quiz x", "```", "~~~", "~~a~~"),
        *("*a*", "_a_", "`a`", "[a](b)", "![a](b)", "<http://a.b>", "&amp;", "&#65;", "\\*", "a\\", "**", "5 * 3 _ 2"),
    ],
)
def test_text_that_looks_like_markdown_stays_text(text: str) -> None:
    shown = render.render(to_markdown(markup.escape(text)).text).html
    assert markup.unescape(shown).split() == f"<p>{text}</p>".split()


@settings(max_examples=300)
@given(st.lists(st.text("ab *_`[]()!<>&#-+|~\\.1:\n\"'é", max_size=12), min_size=1, max_size=4), st.data())
def test_words_survive_whatever_stands_around_them(texts: list[str], data: st.DataObject) -> None:
    tags = [data.draw(st.sampled_from(["b", "i", "s", "span", "u"])) for _ in texts]
    source = "".join(f"<{tag}>{markup.escape(text)}</{tag}>" for tag, text in zip(tags, texts, strict=True))
    shown = render.render(f"x {to_markdown(f'x {source}', one_line=True).text}").html
    words = "".join(markup.unescape(part.partition(">")[2]) for part in shown.split("<"))
    assert "".join(words.split()) == "".join(["xx", *"".join(texts).split()])


@pytest.mark.parametrize("piece", ["<div>", "<b>", "<p>a", "<ul><li>", "[", "<", "&", "<!--", "<table><tr><td>", "*"])
def test_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        to_markdown(piece * count)
        return time.process_time() - started

    short = max(seconds(5_000), 0.01)
    assert seconds(20_000) < 12 * short
