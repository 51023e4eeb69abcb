"""Each rule of the Kindle lint finds what it is for, and nothing in a sound book."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from publisher import lint

HEAD = "<?xml version='1.0' encoding='utf-8'?>\n"


def page(body: str) -> bytes:
    text = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>{}</body></html>'
    return (HEAD + text.format(body)).encode()


def package(*languages: str) -> bytes:
    found = "".join(f"<dc:language>{one}</dc:language>" for one in languages)
    return package_file(f'{found}{COVER}<item id="c" properties="cover-image"/>')


def package_file(body: str) -> bytes:
    spaces = 'xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"{HEAD}<package {spaces}>{body}</package>".encode()


def picture(mode: str, size: tuple[int, int] = (10, 10), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


COVER = '<meta name="cover" content="c"/>'
DEEP = '<nav epub:type="toc"><ol><li><ol><li><ol><li/></ol></li></ol></li></ol></nav>'


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.xhtml", page("").replace(b"utf-8", b"us-ascii"), "does not declare UTF-8"),
        ("a.xhtml", page("<form/>"), "has a form"),
        ("a.xhtml", page("<script/>"), "has a script"),
        ("a.xhtml", page('<img src="x.png"/>'), "x.png has 0 characters"),
        ("a.xhtml", page(f'<img src="x.png" alt="{"x" * 141}"/>'), "x.png has 141 characters"),
        ("a.xhtml", page("<table><tr><td><table/></td></tr></table>"), "a table in a table"),
        ("nav.xhtml", page(DEEP), "the contents have 3 levels"),
        ("a.xhtml", page("<svg/>" * 26), "26 drawings"),
        ("content.opf", package(), "names no language"),
        ("content.opf", package("en", "english!"), "“english!” is no language code"),
        ("a.css", b"h1 { color: var(--ink); }", "uses variables"),
        ("a.css", b":root { --ink: black; }", "uses variables"),
        ("a.css", b"h1, body { margin: 5%; }", "belongs to the reader"),
        ("a.css", b"p { font-family: serif; }", "belongs to the reader"),
        ("a.png", picture("RGBA"), "colour mode RGBA"),
        ("a.jpg", picture("CMYK", kind="JPEG"), "colour mode CMYK"),
        ("cover.jpg", picture("RGB", (600, 960), "JPEG"), "a cover needs 625"),
        ("a.xhtml", page("<p>x<span><p>y</p></span></p>"), "a p in a p"),
        ("content.opf", package_file(f"<dc:language>en</dc:language>{COVER}"), "does not name one cover"),
        ("a.css", b"h1 { margin-top: -1em; }", "negative margin"),
        ("a.css", b"h1 { position: absolute; }", "a position"),
        ("a.webp", b"RIFF", "no JPEG or PNG"),
        ("a.png", picture("L", (10_001, 1)), "no side may have above 10000"),
        ("a.png", picture("L") + bytes(5_000_000), "is the most for a picture"),
        ("a.bin", bytes(18_000_001), "18000001 bytes"),
    ],
)
def test_a_rule_finds_what_it_is_for(name: str, content: bytes, sentence: str) -> None:
    found = lint.findings({name: content})
    assert len(found) == 1
    assert sentence in found[0]


def test_a_sound_book_has_no_findings() -> None:
    sound = {
        "a.xhtml": page('<!-- fine --><img src="x.png" alt="A box."/><table><tr><th scope="col">x</th></tr></table>'),
        "a.css": b"/* body { margin: 0 } */ h1 { text-align: start; font-size: 2em; } td { padding: 0; }",
        "content.opf": package("en", "bg", "pt-BR"),
        "x.png": picture("RGB"),
        "cover.jpg": picture("RGB", (1600, 2560), "JPEG"),
    }
    assert lint.findings(sound) == ()
