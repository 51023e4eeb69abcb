"""What Kindle's converter is known to refuse or to spoil, looked for in a finished book.

The rules are those of Amazon's publishing guidelines and of reports by people whose books were refused. The
conversion itself runs nowhere but there, so this is a likelihood and no proof.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

from lxml import etree

MAXIMUM_BYTES = 18_000_000
"""What a mail relay with a limit of 25 MB carries, as base64 makes it larger by 1.37."""
MAXIMUM_PICTURE_BYTES = 5_000_000
MAXIMUM_DRAWINGS = 25
MAXIMUM_SIDE = 10_000
LONGEST_ALTERNATIVE = 140
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_BODY_RULES = ("font", "margin", "line-height", "color", "background")
_HTML = "{http://www.w3.org/1999/xhtml}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_REFUSED = frozenset(f"{_HTML}{name}" for name in ("script", "form", "iframe", "frame", "audio", "video"))
_OPF = "{http://www.idpf.org/2007/opf}"
_UNNESTED = frozenset({f"{_HTML}table", f"{_HTML}p"})
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"


def findings(entries: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return one sentence for each thing that Kindle may refuse in the files of a book, given by name."""
    return tuple(_findings(entries))


def _findings(entries: Mapping[str, bytes]) -> Iterator[str]:
    drawings = 0
    for name, content in entries.items():
        if name.endswith((".xhtml", ".opf", ".ncx")):
            yield from _xml(name, content)
            drawings += content.count(b"<svg")
        elif name.endswith(".css"):
            yield from _style(name, content.decode("utf-8"))
        elif name.endswith((".jpg", ".jpeg", ".png")):
            yield from _picture(name, content)
        elif name.endswith((".tif", ".tiff", ".webp", ".avif", ".bmp", ".gif")):
            yield f"{name} is no JPEG or PNG, which alone are shown everywhere."
    if drawings > MAXIMUM_DRAWINGS:
        yield f"The book has {drawings} drawings in SVG; above {MAXIMUM_DRAWINGS} its typesetting is switched off."
    size = sum(len(content) for content in entries.values())
    if size > MAXIMUM_BYTES:
        yield f"The book has {size} bytes; {MAXIMUM_BYTES} is what a mail relay carries."


def _xml(name: str, content: bytes) -> Iterator[str]:
    if not re.match(rb"<\?xml [^>]*encoding=['\"]utf-8['\"]", content, re.IGNORECASE):
        yield f"{name} does not declare UTF-8."
    root = etree.fromstring(content)
    if name.endswith(".opf"):
        yield from _languages(name, root)
        yield from _cover(name, root)
    for element in root.iter(etree.Element):
        yield from _element(name, element)


def _languages(name: str, root: etree._Element) -> Iterator[str]:
    languages = [element.text or "" for element in root.iter(f"{_DC}language")]
    if not languages:
        yield f"{name} names no language."
    yield from (f"{name}: “{one}” is no language code." for one in languages if not _LANGUAGE.fullmatch(one))


def _cover(name: str, root: etree._Element) -> Iterator[str]:
    covers = [one.get("id") for one in root.iter(f"{_OPF}item") if "cover-image" in one.get("properties", "").split()]
    named = [one.get("content") for one in root.iter(f"{_OPF}meta") if one.get("name") == "cover"]
    if len(covers) != 1 or named != covers:
        yield f"{name} does not name one cover, as “cover-image” in the manifest and as “cover” in the metadata."


def _element(name: str, element: etree._Element) -> Iterator[str]:
    if element.tag in _REFUSED:
        yield f"{name} has a {etree.QName(element).localname}, which Kindle refuses."
    elif element.tag == f"{_HTML}img":
        alternative = element.get("alt", "")
        if not alternative.strip() or len(alternative) > LONGEST_ALTERNATIVE:
            yield f"{name}: the text alternative of {element.get('src')} has {len(alternative)} characters."
    elif element.tag in _UNNESTED and any(True for _ in element.iterancestors(str(element.tag))):
        kind = etree.QName(element).localname
        yield f"{name} has a {kind} in a {kind}."
    elif element.tag == f"{_HTML}nav" and element.get(_EPUB_TYPE) == "toc" and _depth(element) > 2:
        yield f"{name}: the contents have {_depth(element)} levels; Kindle shows two."


def _depth(element: etree._Element) -> int:
    lists = element.iter(f"{_HTML}ol")
    return max((1 + sum(1 for _ in one.iterancestors(f"{_HTML}ol")) for one in lists), default=0)


def _style(name: str, text: str) -> Iterator[str]:
    if "var(" in text or re.search(r"[{;\s]--[a-z]", text):
        yield f"{name} uses variables, which the converter does not know."
    for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)):
        body = {one.strip() for one in selectors.split(",")} & {"body", "html", "p", "*"}
        properties = [rule.partition(":")[0].strip() for rule in rules.split(";")]
        if re.search(r"margin[a-z-]*:[^;]*-\d", rules) or "position" in properties:
            yield f"{name} has a negative margin or a position, which the converter refuses."
        if body and any(one.startswith(_BODY_RULES) for one in properties):
            yield f"{name} sets the face, margin or colour of the body text, which belongs to the reader."


def _picture(name: str, content: bytes) -> Iterator[str]:
    from PIL import Image  # noqa: PLC0415 (a book that is not looked over need not wait for it)

    if len(content) > MAXIMUM_PICTURE_BYTES:
        yield f"{name} has {len(content)} bytes; {MAXIMUM_PICTURE_BYTES} is the most for a picture."
    with Image.open(io.BytesIO(content)) as picture:
        if picture.mode not in {"RGB", "L"}:
            yield f"{name} has the colour mode {picture.mode}; it must be RGB without transparency."
        if "cover" in name and (picture.width < 625 or picture.height < 1000):
            yield f"{name} has {picture.width} × {picture.height} pixels; a cover needs 625 × 1000."
        if max(picture.size) > MAXIMUM_SIDE:
            yield f"{name} has {picture.width} × {picture.height} pixels; no side may have above {MAXIMUM_SIDE}."
