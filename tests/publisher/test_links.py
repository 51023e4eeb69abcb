"""Links between files of the library, in the book and on the site."""

from __future__ import annotations

import pytest

from publisher import links


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("2018-01-first", "/issues/2018-01/first"),
        ("../notes/2018-01-first#part", "/issues/2018-01/first#part"),
        ("../courses/c/m/l#s", "/learn/c/m/l#s"),
        ("../talks/2018-01", "/talks/2018-01"),
        ("/labs/x", "/labs/x"),
        ("box.png", None),
    ],
)
def test_a_file_has_its_address_on_the_site(target: str, address: str | None) -> None:
    assert links.web_address(target) == address


def test_links_out_and_within_the_page_stay_as_they_are() -> None:
    page = '<a href="https://example.org/?a=1&amp;b=2">x</a> <a href="#part">y</a>'
    assert links.rewrite(page, lambda _: None) == page


def test_a_link_that_leads_nowhere_leaves_its_words() -> None:
    assert links.rewrite('see <a href="../x"><em>this</em></a>.', lambda _: None) == "see <em>this</em>."


def test_an_address_is_escaped() -> None:
    assert links.rewrite('<a href="a&amp;b">x</a>', lambda target: f'{target}"') == '<a href="a&amp;b&quot;">x</a>'
