"""The package: documents pass through untouched, and every known fault of ebooklib 0.20 is worked around."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
from ebooklib import epub
from lxml import etree

from publisher import package
from publisher.package import XHTML, Metadata, PackageError, Resource
from tests.publisher.conftest import DRAWING

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
METADATA = Metadata(
    identifier="urn:uuid:8efa3e48-3462-5713-b655-0009a8fee1ac",
    title="A & B",
    languages=("en", "bg"),
    creator="Archway",
    description="What it holds.",
    modified=datetime(2018, 1, 1, 6, tzinfo=UTC),
    series="Archway Monthly",
    position="2018.1",
    accessibility=(("accessMode", "textual"), ("accessibilitySummary", "All text.")),
)
COVER = Resource("cover.jpg", "image/jpeg", b"\xff\xd8")


def document(body: str, name: str = "a.xhtml") -> Resource:
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>t</title><meta charset="utf-8"/></head>'
        f'<body epub:type="bodymatter">leading{body}</body></html>'
    )
    return Resource(name, XHTML, text.encode(), linear=True)


def written(*resources: Resource) -> dict[str, bytes]:
    return dict(package.entries(package.write(METADATA, resources, COVER)))


def opf(*resources: Resource) -> etree._Element:
    return etree.fromstring(written(*resources)["EPUB/content.opf"])


@pytest.mark.parametrize(
    "body", [DRAWING, "<p><strong>a</strong><em>b</em></p>", "<pre><code>x\n  y</code></pre>", "<p>\u00a0Ж𝒳</p>"]
)
def test_a_document_passes_through_byte_for_byte(body: str) -> None:
    assert written(document(body))["EPUB/a.xhtml"] == document(body).content


def test_ebooklibs_own_document_would_break_a_drawing() -> None:
    item = epub.EpubHtml(file_name="a.xhtml", title="t", lang="en")
    item.content = f"<html><body>{DRAWING}</body></html>"
    epub.EpubBook().add_item(item)
    assert b"viewBox" not in item.get_content()


def test_a_document_that_is_not_well_formed_is_refused_with_its_name_and_line() -> None:
    with pytest.raises(PackageError, match=r"^a\.xhtml, line 2: .*not well-formed"):
        written(document("<p>a<br></p>"))


@pytest.mark.parametrize("body", ["\x0b", "<p>&nbsp;</p>", "<!-- a -- b -->", ""])
def test_what_ebooklib_would_repair_or_kindle_would_refuse_is_refused(body: str) -> None:
    bad = document(body) if body else Resource("a.xhtml", XHTML, b"", linear=True)
    with pytest.raises(PackageError, match=r"a\.xhtml"):
        written(bad)


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(PackageError, match=r"Two files of the book are called “a\.xhtml”"):
        written(document("x"), document("y"))


@pytest.mark.parametrize("body", ['<img src="https://example.org/x.png" alt="x"/>', '<iframe src="//example.org"/>'])
def test_a_document_that_fetches_is_refused(body: str) -> None:
    with pytest.raises(PackageError, match=r"a\.xhtml fetches"):
        written(document(body))


def test_the_package_has_its_language_time_and_series() -> None:
    root = opf(document("x"))
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    metas = {meta.get("property"): meta.text for meta in root.iter(f"{OPF}meta") if meta.get("property")}
    assert metas["dcterms:modified"] == "2018-01-01T06:00:00Z"
    assert (metas["belongs-to-collection"], metas["collection-type"], metas["group-position"]) == (
        *("Archway Monthly", "series"),
        "2018.1",
    )
    assert metas["schema:accessibilitySummary"] == "All text."
    assert "dcterms:conformsTo" not in metas
    assert [one.text for one in root.iter(f"{DC}language")] == ["en", "bg"]
    assert [one.text for one in root.iter(f"{DC}identifier")] == [METADATA.identifier]
    assert [one.text for one in root.iter(f"{DC}title")] == ["A & B"]


def test_the_manifest_says_what_a_document_holds() -> None:
    nav = '<nav epub:type="toc"><ol><li><a href="a.xhtml">x</a></li></ol></nav>'
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML"/>'
    root = opf(document(DRAWING), document(nav, "nav.xhtml"), document(math, "m.xhtml"), document("x", "p.xhtml"))
    properties = {item.get("href"): item.get("properties") for item in root.iter(f"{OPF}item")}
    assert properties == {
        "cover.jpg": "cover-image",
        "a.xhtml": "svg",
        "nav.xhtml": "nav",
        "m.xhtml": "mathml",
        "p.xhtml": None,
    }
    assert all(ref.get("linear") is None for ref in root.iter(f"{OPF}itemref"))


def test_footnotes_do_not_become_a_page_list() -> None:
    note = '<aside epub:type="footnote" id="n1"><p>x</p></aside>'
    nav = '<nav epub:type="toc"><ol><li><a href="a.xhtml">x</a></li></ol></nav>'
    files = written(document(note), document(nav, "nav.xhtml"))
    assert not any(b"page-list" in content for content in files.values())


def test_the_archive_has_no_trace_of_when_and_by_whom_it_was_written() -> None:
    data = package.write(METADATA, [document("x")], COVER)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        assert archive.read("mimetype") == b"application/epub+zip"
    assert (entries[0].filename, entries[0].compress_type, entries[0].extra) == ("mimetype", zipfile.ZIP_STORED, b"")
    packed = {entry.filename: entry.compress_type == zipfile.ZIP_DEFLATED for entry in entries}
    assert (packed["EPUB/a.xhtml"], packed["EPUB/cover.jpg"]) == (True, False)
    assert {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, 3)
    }


def test_ebooklib_reads_the_book_and_its_contents_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    nav = '<nav epub:type="toc"><ol><li><a href="a.xhtml">The first</a></li></ol></nav>'
    path = tmp_path_factory.mktemp("read") / "book.epub"
    path.write_bytes(package.write(METADATA, [document("x"), document(nav, "nav.xhtml")], COVER))
    book = epub.read_epub(path)
    assert book.title == "A & B"
    assert [link.title for link in book.toc] == ["The first"]
