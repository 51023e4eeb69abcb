"""The cover: its size and mode, the same pixels for the same words, and titles that no font here can set."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageChops

from publisher import cover


def draw(articles: Sequence[str], month: str = "January 2018") -> Image.Image:
    return cover.draw("Archway Monthly", month, articles)


def ink(image: Image.Image, top: int) -> tuple[int, int, int, int] | None:
    """Return where anything but paper is, below ``top`` and within the border."""
    area = image.crop((20, top, image.width - 20, image.height - 20))
    return ImageChops.difference(area, Image.new("RGB", area.size, "#fbfaf6")).getbbox()


def test_it_has_the_size_and_the_colours_that_kindle_asks_for() -> None:
    with Image.open(io.BytesIO(cover.jpeg(draw(["One"])))) as read:
        assert (read.size, read.mode, read.format) == ((1600, 2560), "RGB", "JPEG")
    with Image.open(io.BytesIO(cover.jpeg(draw(["One"]), 640))) as small:
        assert small.size == (640, 1024)


def test_the_same_words_give_the_same_bytes_and_others_do_not() -> None:
    assert cover.jpeg(draw(["One"])) == cover.jpeg(draw(["One"]))
    assert draw(["One"]).tobytes() != draw(["Two"]).tobytes()
    assert draw(["One"]).tobytes() != draw(["One"], "May 2018").tobytes()


def test_cyrillic_is_set_by_the_second_font_on_the_same_line() -> None:
    runs = cover._runs("AWS и цена", cover._ARTICLE)
    assert [run for _, run in runs] == ["AWS ", "и", " ", "цена"]
    assert {font.getname()[0] for font, _ in runs} == {"Atkinson Hyperlegible Next", "Noto Sans"}


def test_a_title_that_no_font_can_set_is_counted_and_not_drawn_as_boxes() -> None:
    assert draw(["One", "شهادة"]).tobytes() == draw(["One", "認定"]).tobytes()
    assert draw(["One", "شهادة"]).tobytes() != draw(["One"]).tobytes()


def test_the_list_stays_on_the_page_however_many_titles_there_are() -> None:
    box = ink(
        draw([f"A title of some length, which needs two lines on any cover, number {n}" for n in range(40)]), 1340
    )
    assert box is not None
    assert 1340 + box[3] <= 2480
    assert box[2] <= 1460


def test_the_title_stays_within_the_margins() -> None:
    assert cover._LEFT - 6 + cover._length("Archway Monthly", cover._TITLE) <= cover._RIGHT
