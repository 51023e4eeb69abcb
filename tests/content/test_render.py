"""The renderer: safe XHTML, heading ids, containers and embeds."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from content import render
from content.pages import link_address
from content.render import Embed


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](javascript:alert(1))",
        '<https://example.org/"onmouseover=alert(1)>',
        ":::note <b onclick=x>\ntext\n:::",
    ],
)
def test_it_lets_no_markup_of_the_author_through(text: str) -> None:
    root = etree.fromstring(f"<div>{render.render(text).html}</div>")
    assert not root.xpath("//script | //b | //@onerror | //@onclick | //@onmouseover")
    assert not [value for value in root.xpath("//@href | //@src") if str(value).startswith(("javascript", "data"))]


def test_it_gives_headings_ids_that_stay_apart() -> None:
    found = render.render("## Why queues?\n\n## Why queues?\n\n### Ключове")
    assert [(one.level, one.anchor) for one in found.headings] == [
        (2, "why-queues"),
        (2, "why-queues-2"),
        (3, "ключове"),
    ]
    assert 'id="why-queues-2"' in found.html


def test_it_leaves_embeds_to_the_page() -> None:
    found = render.render("before\n\n:::quiz saa-check-1\n\n:::lab a-lab\n\nafter")
    assert [part for part in found.parts if isinstance(part, Embed)] == [
        Embed("quiz", "saa-check-1"),
        Embed("lab", "a-lab"),
    ]
    assert ":::" not in found.html


def test_it_renders_a_note_with_its_title() -> None:
    html = render.render(":::note Where today differs\nIt is *cheaper*.\n:::\n\nafter").html
    assert '<aside class="note">' in html
    assert '<p class="note-title">Where today differs</p>' in html
    assert html.rstrip().endswith("</aside>\n<p>after</p>")
    assert ":::" not in html


def test_a_measurement_is_an_embed_with_all_its_lines() -> None:
    found = render.render("before\n:::measured a-lab x=1 seed=2\nrejected: *Refused*\n\ntimed_out: Late\n:::\nafter")
    assert [part for part in found.parts if isinstance(part, Embed)] == [
        Embed("measured", "a-lab x=1 seed=2\nrejected: *Refused*\n\ntimed_out: Late")
    ]
    assert found.html == "<p>before</p>\n<p>after</p>\n"


def test_containers_in_code_stay_code() -> None:
    html = render.render("```\n:::quiz x\n```").html
    assert ":::quiz x" in html


def test_links_between_files_become_links_between_pages() -> None:
    root = Path("content")
    address = partial(link_address, root, root / "courses/c/1-m/1-lesson.md")
    text = "[x](../2-performant/3-caching.md#why) [y](overview.md) [z](../course.md) [t](../../../talks/2018-01.md)"
    html = render.render_tokens(render.parse(text), address=address).html
    assert re.findall('href="(.*?)"', html) == [
        "/learn/c/performant/caching#why",
        "/learn/c/m/",
        "/learn/c",
        "/talks/2018-01",
    ]


def test_table_heads_have_a_scope_and_no_inline_style() -> None:
    html = render.render("| a | b |\n|---|--:|\n| 1 | 2 |").html
    assert html.count('scope="col"') == 2
    assert "style=" not in html
    assert html.count('class="align-right"') == 2


def test_the_empty_corner_of_a_table_is_no_heading() -> None:
    html = render.render("| | b |\n|---|---|\n| 1 | 2 |").html
    assert html.count("<th ") == 1
    etree.fromstring(html)


def test_a_drawing_is_put_into_the_page_with_its_alternative(tmp_path: Path) -> None:
    (tmp_path / "d.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" width="9"><rect/></svg>')
    html = render.render("![Two boxes](d.svg)", tmp_path).html
    assert 'viewBox="0 0 1 1"' in html
    assert 'aria-label="Two boxes"' in html
    assert "width" not in html


def test_plain_text_has_the_words_only() -> None:
    assert render.plain_text("## A *b*\n\n- `c` [d](e)") == "A b c d"


def test_hostile_nesting_ends_soon() -> None:
    assert render.render("[" * 5_000).html
    assert render.render(">" * 500 + "x").html
