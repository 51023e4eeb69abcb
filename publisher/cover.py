"""The cover: paper ground, one round arch over a baseline, the month, and what is in the issue."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 1600, 2560
"""The size that Kindle asks for, in pixels."""
WEB_WIDTH = 640

_PAPER, _INK, _QUIET, _LINE, _ACCENT = "#fbfaf6", "#1d2125", "#565d64", "#d9d5ca", "#0a5f66"
_FONTS = Path(__file__).with_name("fonts")
_LEFT, _RIGHT = 140, WIDTH - 140
_LIST_TOP, _LIST_BOTTOM, _LEADING, _GAP = 1370, 2400, 62, 26
# The one code point that no font draws: what looks like it is the box for a missing character.
_MISSING = "\U0010ffff"


@dataclass(frozen=True)
class _Style:
    """How words are set: the weight of the face, the size in pixels, the colour."""

    weight: int
    size: int
    colour: str


_TITLE, _MONTH = _Style(600, 168, _INK), _Style(400, 92, _ACCENT)
_ARTICLE, _REST = _Style(400, 50, _INK), _Style(400, 50, _QUIET)


def draw(title: str, month: str, articles: Iterable[str]) -> Image.Image:
    """Return the cover as an RGB picture of WIDTH × HEIGHT pixels; the same words give the same pixels."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=_LINE, width=6)
    _write(pen, _LEFT - 6, 154, title, _TITLE)
    _write(pen, _LEFT, 370, month, _MONTH)
    _arch(image)
    _list(pen, list(articles))
    return image


def jpeg(image: Image.Image, width: int = WIDTH) -> bytes:
    """Return the picture as a JPEG of that many pixels in width."""
    if width != image.width:
        image = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88, subsampling=0)
    return out.getvalue()


def _arch(image: Image.Image) -> None:
    """Draw the mark: a round arch of one stroke, standing on a baseline as wide as the text."""
    width, height, stroke, fine = 620, 660, 44, 4
    left, top, round_part = (WIDTH - width) // 2, 570, width // 2
    # Pillow draws curves without smoothing, so the round part is drawn larger and made small.
    mask = Image.new("L", (width * fine, round_part * fine))
    pen = ImageDraw.Draw(mask)
    for inset, fill in ((0, 255), (stroke * fine, 0)):
        pen.ellipse((inset, inset, width * fine - 1 - inset, width * fine - 1 - inset), fill=fill)
    image.paste(_ACCENT, (left, top), mask.resize((width, round_part), Image.Resampling.LANCZOS))
    pen = ImageDraw.Draw(image)
    for leg in (left, left + width - stroke):
        pen.rectangle((leg, top + round_part, leg + stroke - 1, top + height), fill=_ACCENT)
    pen.rectangle((_LEFT, top + height, _RIGHT, top + height + 10), fill=_INK)


def _list(pen: ImageDraw.ImageDraw, titles: list[str]) -> None:
    """Set as many titles as there is room for, and say how many more there are."""
    wrapped = [list(_wrap(title, _ARTICLE)) for title in titles if _can_set(title, _ARTICLE)]
    top, shown = _LIST_TOP, 0
    for lines in wrapped:
        if top + len(lines) * _LEADING + (_LEADING if shown + 1 < len(titles) else 0) > _LIST_BOTTOM:
            break
        for line in lines:
            _write(pen, _LEFT, top, line, _ARTICLE)
            top += _LEADING
        top += _GAP
        shown += 1
    if shown < len(titles):
        _write(pen, _LEFT, top, f"and {len(titles) - shown} more", _REST)


def _wrap(text: str, style: _Style) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and _length(f"{line} {word}", style) > _RIGHT - _LEFT:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def _write(pen: ImageDraw.ImageDraw, left: float, top: int, text: str, style: _Style) -> None:
    """Write one line; fonts share a baseline, so a line may change between them."""
    for font, run in _runs(text, style):
        pen.text((left, top + style.size), run, fill=style.colour, font=font, anchor="ls")
        left += font.getlength(run)


def _length(text: str, style: _Style) -> float:
    return sum(font.getlength(run) for font, run in _runs(text, style))


def _runs(text: str, style: _Style) -> list[tuple[FreeTypeFont, str]]:
    """Cut a text into runs that one font can set: Atkinson has no Cyrillic, so Noto Sans helps out."""
    fonts = _fonts(style.weight, style.size)
    choice = [(next((font for font in fonts if _has(font, one)), fonts[0]), one) for one in text]
    return [(font, "".join(one for _, one in run)) for font, run in groupby(choice, key=lambda pair: pair[0])]


def _can_set(text: str, style: _Style) -> bool:
    return all(any(_has(font, one) for font in _fonts(style.weight, style.size)) for one in text)


@cache
def _has(font: FreeTypeFont, character: str) -> bool:
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask(_MISSING))


@cache
def _fonts(weight: int, size: int) -> tuple[FreeTypeFont, ...]:
    names = (f"atkinson-hyperlegible-next-{weight}.ttf", "noto-sans-cyrillic-400.ttf")
    # The basic layout: the other one shapes with whatever library the machine has.
    return tuple(ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC) for name in names)
