"""Footnotes on a page: numbered as they are met, at the end, with a way back for every reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from content import faults, render

TEXT = """
One[^late] and two[^early], and one again[^late].

## Part

[^early]: The second *note*.
[^late]: The first.

    With code:

    ```
    [^x]: no note
    ```

End[^code].

[^code]:
    ```
    only code
    ```
"""


def shown(text: str) -> etree._Element:
    return etree.fromstring(f"<div>{render.render(text).html}</div>")


def test_every_reference_leads_to_its_note_and_the_note_back_to_every_reference() -> None:
    page = shown(TEXT)
    references = page.xpath("//a[@role='doc-noteref']")
    assert [one.text for one in references] == ["1", "2", "1", "3"]
    for one in references:
        (note,) = page.xpath(f"//aside[@role='doc-footnote'][@id='{one.get('href')[1:]}']")
        assert note.xpath(f".//a[@role='doc-backlink'][@href='#{one.get('id')}']")
    assert len(page.xpath("//a[@role='doc-backlink']")) == len(references)


def test_notes_stand_at_the_end_in_the_order_of_their_references() -> None:
    notes = shown(TEXT).xpath("div[@class='footnotes'][not(following-sibling::*)]/aside")
    words = [" ".join("".join(note.itertext()).split()).replace("\ufe0e", "") for note in notes]
    assert words[0].startswith("1. The first. With code:")
    assert words[0].endswith("↩ 1 ↩ 1.2")
    assert words[1:] == ["2. The second note. ↩ 2", "3. only code ↩ 3"]


def test_two_pages_in_one_document_share_no_anchor() -> None:
    first, second = (
        {one.get("id") for one in shown(text).xpath("//*[@id]")} for text in ("a[^1]\n\n[^1]: x", "b[^1]\n\n[^1]: x")
    )
    assert len(first) == len(second) == 2
    assert not first & second


def test_the_words_of_a_note_are_found_with_the_page() -> None:
    assert "The second note." in " ".join(one.text for one in render.sections(render.parse(TEXT)))


def test_a_note_lets_no_markup_of_the_author_through() -> None:
    page = shown("a[^<b>]\n\n[^<b>]: <script>x</script> [l](javascript:x)")
    assert not page.xpath("//script | //b | //a[starts-with(@href, 'javascript:')]")


@pytest.mark.parametrize("text", [TEXT, "No notes at all.", "    [^a]: code"])
def test_sound_footnotes_have_no_fault(text: str, tmp_path: Path) -> None:
    assert list(faults.find(text, tmp_path, 1, render.parse(text))) == []
