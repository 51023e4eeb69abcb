"""Content packages as people export them, and packages that mean harm; each is made here, as zip files are large."""

from __future__ import annotations

import base64
import stat
import struct
import time
import tomllib
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from quizzes.formats import qti_package
from quizzes.formats.reading import Reading

CORPUS = Path(__file__).parents[1] / "corpus"
GIF = base64.b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")
Maker = Callable[[], bytes]


def item(name: str = "choice", identifier: str = "store-objects", version: str = "30") -> bytes:
    data = (CORPUS / f"qti{version}" / f"{name}.xml").read_bytes()
    return data.replace(b'"store-objects"', f'"{identifier}"'.encode())


def manifest(*resources: tuple[str, str], version: str = "xmlv3p0") -> bytes:
    listed = "".join(
        f'<resource identifier="r{number}" type="imsqti_{kind}_{version}" href="{href}"/>'
        for number, (kind, href) in enumerate(resources)
    )
    return f'<manifest xmlns="urn:x" identifier="m"><resources>\n{listed}</resources></manifest>'.encode()


def packed(files: dict[str, bytes], *, stored: bool = False) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def listed(files: dict[str, bytes], *items: str) -> bytes:
    return packed({"imsmanifest.xml": manifest(*(("item", name) for name in items)), **files})


def a_test(*names: str, rules: str = "") -> bytes:
    references = "".join(f'<qti-assessment-item-ref identifier="i{n}" href="{name}"/>' for n, name in enumerate(names))
    section = f'<qti-assessment-section identifier="s" title="Stores">{rules}{references}</qti-assessment-section>'
    part = f'<qti-test-part identifier="p">{section}</qti-test-part>'
    return f'<qti-assessment-test identifier="t" title="t">\n{part}</qti-assessment-test>'.encode()


def linked() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("a.xml")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def lying(size: int, said: int) -> bytes:
    """Return a package whose directory gives a member another size than it has."""
    data = packed({"imsmanifest.xml": manifest(("item", "a.xml")), "a.xml": b" " * size})
    start = data.rindex(b"PK\x01\x02")
    return data[: start + 24] + struct.pack("<I", said) + data[start + 28 :]


def renamed(old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return packed({old.decode(): item()}).replace(old, new)


def encrypted() -> bytes:
    data = bytearray(packed({"imsmanifest.xml": manifest()}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


STIMULUS = (
    b'<qti-assessment-stimulus identifier="shop" title="x">'
    b"<qti-stimulus-body><p>A shop.</p></qti-stimulus-body></qti-assessment-stimulus>"
)
SHARED = item("stimulus_not_here")
PACKAGES: dict[str, Maker] = {
    "one_item": lambda: listed({"a.xml": item()}, "a.xml"),
    "item_of_2_1": lambda: listed({"a.xml": item(version="21")}, "a.xml"),
    "item_of_2_2": lambda: listed({"a.xml": item(version="22")}, "a.xml"),
    "two_versions": lambda: listed({"a.xml": item(version="21"), "b.xml": item(identifier="b-b")}, "a.xml", "b.xml"),
    "folders": lambda: listed({"items/a/item.xml": item()}, "items/a/item.xml"),
    "escaped_name": lambda: listed({"items/an item.xml": item()}, "items/an%20item.xml"),
    "manifest_in_a_folder": lambda: packed({"x/imsmanifest.xml": manifest(("item", "a.xml")), "x/a.xml": item()}),
    "test_gives_the_order": lambda: packed(
        {
            "imsmanifest.xml": manifest(("item", "a.xml"), ("item", "b.xml"), ("test", "t/test.xml")),
            "a.xml": item(),
            "b.xml": item(identifier="b-b"),
            "t/test.xml": a_test("../b.xml", "../a.xml"),
        }
    ),
    "test_has_rules": lambda: packed(
        {
            "imsmanifest.xml": manifest(("test", "test.xml")),
            "a.xml": item(),
            "test.xml": a_test("a.xml", rules='<qti-selection select="1"/>'),
        }
    ),
    "stimulus": lambda: listed({"items/a.xml": SHARED, "stimuli/shop.xml": STIMULUS}, "items/a.xml"),
    "stimulus_missing": lambda: listed({"items/a.xml": SHARED}, "items/a.xml"),
    "picture": lambda: listed(
        {"a.xml": item("picture_not_here").replace(b"a.png", b"a.gif"), "images/a.gif": GIF}, "a.xml"
    ),
    "picture_is_none": lambda: listed({"a.xml": item("picture_not_here"), "images/a.png": b"<svg/>"}, "a.xml"),
    "no_manifest": lambda: packed({"a.xml": item(), "b.xml": item(identifier="b-b")}),
    "item_not_listed": lambda: listed({"a.xml": item(), "b.xml": item(identifier="b-b")}, "a.xml"),
    "item_missing": lambda: listed({"a.xml": item()}, "a.xml", "gone.xml"),
    "item_is_a_web_page": lambda: listed({"a.xml": b"<!DOCTYPE html><html></html>"}, "a.xml"),
    "item_is_broken": lambda: listed({"a.xml": item()[:200], "b.xml": item()}, "a.xml", "b.xml"),
    "item_is_a_test": lambda: listed({"a.xml": a_test()}, "a.xml"),
    "item_unsupported": lambda: listed({"a.xml": item("unsupported_slider"), "b.xml": item()}, "a.xml", "b.xml"),
    "identifier_twice": lambda: listed({"a.xml": item(), "b.xml": item()}, "a.xml", "b.xml"),
    "listed_twice": lambda: listed({"a.xml": item()}, "a.xml", "a.xml"),
    "address_leads_out": lambda: listed({"a.xml": item()}, "../../etc/passwd", "a.xml"),
    "manifest_is_broken": lambda: packed({"imsmanifest.xml": b"<manifest", "a.xml": item()}),
    "manifest_has_entities": lambda: packed({"imsmanifest.xml": b"<!DOCTYPE m []><manifest/>", "a.xml": item()}),
    "of_qti_1_2": lambda: packed({"imsmanifest.xml": manifest(("", "a.xml"), version="xmlv1p2"), "a.xml": b"<q/>"}),
    "nothing_in_it": lambda: packed({}),
    "no_zip": lambda: b"PK is how a zip file begins",
    "cut_off": lambda: listed({"a.xml": item()}, "a.xml")[:-30],
    "encrypted": encrypted,
    "name_leads_out": lambda: packed({"../a.xml": item()}),
    "name_is_absolute": lambda: packed({"/etc/a.xml": item()}),
    "name_has_backslashes": lambda: renamed(b"aaa/b.xml", b"..\\/b.xml"),
    "name_has_a_drive": lambda: packed({"C:a.xml": item()}),
    "name_has_control_characters": lambda: packed({"a\n.xml": item()}),
    "name_has_a_nul": lambda: renamed(b"a0b.xml", b"a\x00b.xml"),
    "name_twice": lambda: packed({"aa.xml": item(), "ab.xml": item()}).replace(b"ab.xml", b"aa.xml"),
    "link": linked,
    "too_many_files": lambda: packed({f"{number}.txt": b"" for number in range(1_001)}, stored=True),
    "grows_too_much": lambda: listed({"a.xml": b" " * 1_000_000}, "a.xml"),
    "says_too_much": lambda: lying(10, 101_000_000),
    "says_too_little": lambda: lying(1_000_000, 1_000),
}


def outcome(reading: Reading) -> dict[str, object]:
    found = [f"{one.member} {one.line} {one.severity} {one.sentence}" for one in reading.findings]
    return {"items": len(reading.items), "questions": reading.questions, "findings": found}


def test_every_package_gives_what_is_expected_of_it() -> None:
    expected = tomllib.loads((CORPUS / "packages" / "expected.toml").read_text("utf-8"))
    assert sorted(expected) == sorted(PACKAGES)
    wrong = []
    for name, make in PACKAGES.items():
        reading = qti_package.read(make())
        found, wanted = outcome(reading), expected[name]
        refused = {one.question for one in reading.findings if one.severity == "error"} - {0}
        right = [one.startswith(words) for one, words in zip(found["findings"], wanted["findings"], strict=False)]
        if (found["items"], found["questions"]) != (wanted["items"], wanted["questions"]) or not all(right):
            wrong.append(f"{name}: {found}")
        if len(found["findings"]) != len(wanted["findings"]) or len(reading.items) + len(refused) != reading.questions:
            wrong.append(f"{name}: {found}")
    assert wrong == []


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    data = listed({"a.xml": b" " * 20_000_000}, "a.xml")
    started = time.process_time()
    reading = qti_package.read(data)
    assert time.process_time() - started < 6
    assert "grows more than 100-fold" in reading.findings[0].sentence


def test_items_come_in_the_order_and_under_the_titles_of_the_test() -> None:
    reading = qti_package.read(PACKAGES["test_gives_the_order"]())
    assert [(one.member, one.category) for one in reading.items] == [("b.xml", "Stores"), ("a.xml", "Stores")]


def test_a_stimulus_becomes_the_items_case() -> None:
    (imported,) = qti_package.read(PACKAGES["stimulus"]()).items
    assert (imported.item.question.case, imported.item.question.stimulus) == ("shop", "A shop.")


def test_a_picture_of_the_package_comes_along() -> None:
    reading = qti_package.read(PACKAGES["picture"]())
    assert reading.files == {"a.gif": GIF}
    assert "![A plan](file:a.gif)" in reading.items[0].item.question.stem


def test_two_items_of_one_identifier_get_ids_of_their_own() -> None:
    reading = qti_package.read(PACKAGES["identifier_twice"]())
    assert len({one.item.question.id for one in reading.items}) == 2


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_package_with_a_changed_byte_is_read_or_refused(at: int) -> None:
    data = bytearray(PACKAGES["one_item"]())
    data[-at - 1] ^= 0xFF
    reading = qti_package.read(bytes(data))
    assert reading.items or any(one.severity == "error" for one in reading.findings)
