"""Links between files of the library, in the book and on the site."""

from __future__ import annotations

from publisher import links


def test_links_out_and_within_the_page_stay_as_they_are() -> None:
    page = '<a href="https://example.org/?a=1&amp;b=2">x</a> <a href="#part">y</a>'
    assert links.rewrite(page, lambda _: None) == page


def test_a_link_that_leads_nowhere_leaves_its_words() -> None:
    assert links.rewrite('see <a href="../x"><em>this</em></a>.', lambda _: None) == "see <em>this</em>."


def test_an_address_is_escaped() -> None:
    assert links.rewrite('<a href="a&amp;b">x</a>', lambda target: f'{target}"') == '<a href="a&amp;b&quot;">x</a>'
