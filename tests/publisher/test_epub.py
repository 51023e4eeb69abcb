"""The book: the same bytes anywhere, its contents and landmarks, the quiz apart from its answers, and nasty texts."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from content.library import Library, load
from publisher import epub, issue, lint, package
from publisher.issue import Issue, IssueError
from publisher.news import KeyChange
from quizzes.corrections.replay import Ruling
from quizzes.questions import Bank
from tests.publisher.conftest import DRAWING, NASTY, RIGHT_TO_LEFT, checker_messages

HTML = "{http://www.w3.org/1999/xhtml}"
NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
TYPE = "{http://www.idpf.org/2007/ops}type"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
BUILD = """
import sys
from pathlib import Path
from content.library import load
from publisher import epub, issue
found = issue.compose(load(Path(sys.argv[1]))[0], [], [], "2018-01")
edition = epub.build(found)
print(edition.sha256, edition.manifest_sha256)
"""


def files(found: Issue) -> dict[str, bytes]:
    entries = package.entries(epub.build(found).epub)
    return {name.removeprefix("EPUB/"): content for name, content in entries.items()}


def documents(found: Issue) -> dict[str, etree._Element]:
    return {name: etree.fromstring(data) for name, data in files(found).items() if name.endswith(".xhtml")}


def text_of(element: etree._Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_the_same_issue_gives_the_same_bytes_wherever_it_is_built(january: Issue, tmp_path: Path) -> None:
    hashes = set()
    for zone, locale, mask, seed in (
        ("UTC", "C", "022", "0"),
        ("Asia/Tokyo", "C.UTF-8", "077", "1"),
        ("America/Los_Angeles", "de_DE.UTF-8", "000", "77"),
    ):
        environment = {
            **os.environ,
            "TZ": zone,
            "LC_ALL": locale,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(Path.cwd()),
        }
        # The shell sets the mask, as os.umask would change it for every test in this process.
        command = [
            "sh",
            "-c",
            f'umask {mask}; exec "$0" -c "$1" "$2"',
            sys.executable,
            BUILD,
            str(tmp_path / "content"),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        hashes.add(done.stdout)
    assert len(hashes) == 1
    assert re.fullmatch(r"[0-9a-f]{64} [0-9a-f]{64}\n", hashes.pop())


def test_the_manifest_hash_looks_at_entries_and_not_at_their_compression(january: Issue) -> None:
    edition = epub.build(january)
    entries = dict(package.entries(edition.epub))
    assert edition.manifest_sha256 == epub.manifest_hash(dict(reversed(entries.items())))
    entries["EPUB/book.css"] += b" "
    assert edition.manifest_sha256 != epub.manifest_hash(entries)


def test_the_contents_have_two_levels_and_lead_to_every_part(january: Issue) -> None:
    nav = documents(january)["nav.xhtml"]
    toc, landmarks = nav.iter(f"{HTML}nav")
    rows = [(link.get("href"), text_of(link), link.get(LANGUAGE)) for link in toc.iter(f"{HTML}a")]
    assert rows == [
        ("letter.xhtml", "To the reader", "en"),
        ("article-first.xhtml", "Technical whitepapers", "en"),
        ("article-first.xhtml", "First of all", "en"),
        ("article-rtl.xhtml", "Training and certification opportunities", "en"),
        ("article-rtl.xhtml", RIGHT_TO_LEFT, "ar"),
        ("article-nasty.xhtml", "Industry trends", "en"),
        ("article-nasty.xhtml", NASTY, "en"),
        ("article-second.xhtml", "Втора бележка", "bg"),
        ("talks.xhtml", "Talks", "en"),
        ("startups.xhtml", "Startups of February", "en"),
        ("labs.xhtml", "From the labs", "en"),
        ("quiz.xhtml", "Quiz", "en"),
        ("answers.xhtml", "Answers", "en"),
    ]
    assert {link.get(TYPE): link.get("href") for link in landmarks.iter(f"{HTML}a")} == {
        "titlepage": "title.xhtml",
        "toc": "nav.xhtml",
        "bodymatter": "letter.xhtml",
    }


def test_the_ncx_says_the_same_as_the_contents(january: Issue) -> None:
    found = files(january)
    ncx, nav = etree.fromstring(found["toc.ncx"]), etree.fromstring(found["nav.xhtml"])
    points = list(ncx.iter(f"{NCX}navPoint"))
    links = list(next(nav.iter(f"{HTML}nav")).iter(f"{HTML}a"))
    assert [text_of(point.find(f"{NCX}navLabel")) for point in points] == [text_of(link) for link in links]
    assert [point.find(f"{NCX}content").get("src") for point in points] == [link.get("href") for link in links]
    assert len({point.get("id") for point in points}) == len(points)
    metas = {meta.get("name"): meta.get("content") for meta in ncx.iter(f"{NCX}meta")}
    assert (ncx.get(LANGUAGE), metas["dtb:depth"]) == ("en", "2")
    assert metas["dtb:uid"].encode() in found["content.opf"]


def test_each_document_has_its_language_and_its_direction(january: Issue) -> None:
    found = documents(january)
    names = ("article-first", "article-second", "article-rtl")
    assert [
        (root.get("lang"), root.get(LANGUAGE), root.get("dir")) for root in (found[f"{name}.xhtml"] for name in names)
    ] == [("en", "en", "ltr"), ("bg", "bg", "ltr"), ("ar", "ar", "rtl")]


def test_headings_begin_at_one_and_never_skip_a_level(january: Issue) -> None:
    for name, root in documents(january).items():
        levels = [int(element.tag[-1]) for element in root.iter() if re.fullmatch(rf"{HTML}h[1-6]", str(element.tag))]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), name


def test_every_link_within_the_book_leads_somewhere(january: Issue) -> None:
    found = documents(january)
    targets = {name: {element.get("id") for element in root.iter()} for name, root in found.items()}
    for name, root in found.items():
        for link in root.iter(f"{HTML}a"):
            path, _, anchor = str(link.get("href")).partition("#")
            if not path.startswith("https://"):
                assert (path or name) in targets
                assert not anchor or anchor in targets[path or name], link.get("href")


def test_a_link_to_an_article_of_the_issue_leads_there_and_one_to_a_lesson_is_text(january: Issue) -> None:
    found = files(january)
    assert b'See <a href="article-second.xhtml">the second</a>.' in found["article-first.xhtml"]
    assert "Текст с урок и".encode() in found["article-second.xhtml"]


def test_keys_and_reasons_stand_in_the_answers_alone_and_both_lead_to_each_other(january: Issue) -> None:
    found = files(january)
    settles = re.compile(rb"WRONG-BECAUSE|RIGHT-BECAUSE|TODAY-")
    assert [name for name, content in found.items() if settles.search(content)] == ["answers.xhtml"]
    quiz, answers = (etree.fromstring(found[name]) for name in ("quiz.xhtml", "answers.xhtml"))
    for number in range(1, 11):
        assert quiz.xpath(f"//*[@id='question-{number}']//*[@href='answers.xhtml#answer-{number}']")
        (answer,) = answers.xpath(f"//*[@id='answer-{number}']")
        assert answer.xpath(f".//*[@href='quiz.xhtml#question-{number}']")
        assert text_of(answer[0]) == f"Answer to question {number}: B"
        options = [text_of(option) for option in answer.iter(f"{HTML}li")]
        assert options[0].startswith("✗ Option one")
        assert options[1].startswith("✓ Option two")


def test_an_issue_without_items_has_no_quiz(library: Library) -> None:
    assert not {"quiz.xhtml", "answers.xhtml", "labs.xhtml", "letter.xhtml"} & set(
        files(issue.compose(library, [], [], "2018-01"))
    )


def test_the_talks_are_tables_by_day_with_their_zone(january: Issue) -> None:
    root = documents(january)["talks.xhtml"]
    assert "All times are those of America/Los_Angeles (PST, UTC−08:00)." in text_of(root)
    assert [text_of(heading) for heading in root.iter(f"{HTML}h2")] == ["Monday 22 January", "Thursday 1 February"]
    assert [text_of(row) for row in root.iter(f"{HTML}td")][:3] == ["11:00–11:45", "Rows & columns", "Database, 200"]
    assert {cell.get("scope") for cell in root.iter(f"{HTML}th")} == {"col"}


def test_startups_of_another_month_say_so(january: Issue, library: Library) -> None:
    assert "This round is of February 2018" in text_of(documents(january)["startups.xhtml"])
    february = issue.compose(library, [], [], "2018-02")
    assert "This round is of" not in text_of(documents(february)["startups.xhtml"])


def test_nasty_titles_are_text(january: Issue) -> None:
    found = documents(january)
    assert text_of(found["article-nasty.xhtml"].find(f".//{HTML}h1")) == NASTY
    assert not any(list(root.iter(f"{HTML}script")) for root in found.values())
    assert "Try < it." in text_of(found["labs.xhtml"])


def test_a_lab_is_named_where_a_page_would_show_it(january: Issue) -> None:
    assert "You can run this: A lab, at /labs/a-lab." in text_of(documents(january)["article-nasty.xhtml"])


def test_a_drawing_is_in_the_article_with_its_alternative_and_declared(january: Issue) -> None:
    found = files(january)
    drawing = DRAWING.replace('viewBox="0 0 10 10"', 'viewBox="0 0 10 10" role="img" aria-label="A box."')
    assert drawing.encode() in found["article-first.xhtml"]
    items = etree.fromstring(found["content.opf"]).iter("{http://www.idpf.org/2007/opf}item")
    assert [item.get("href") for item in items if item.get("properties") == "svg"] == ["article-first.xhtml"]


def test_the_accessibility_metadata_says_what_is_so(january: Issue, library: Library) -> None:
    with_drawing = files(january)["content.opf"].decode()
    without = files(issue.compose(library, [], [], "2018-02"))["content.opf"].decode()
    for name in ("accessMode", "accessModeSufficient", "accessibilityFeature", "accessibilityHazard"):
        assert f'property="schema:{name}"' in without
    assert ">visual<" in with_drawing
    assert ">visual<" not in without
    assert "There are no pictures but the cover." in without
    assert "conformsTo" not in with_drawing


def test_a_picture_of_an_article_goes_into_the_book(write_note: Callable[..., None], tmp_path: Path) -> None:
    write_note("2018-05-pictures", "trend", "en", "Pictures", "![A red square.](Red%20One.png)")
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    (tmp_path / "content" / "notes" / "Red One.png").write_bytes(out.getvalue())
    found = files(issue.compose(load(tmp_path / "content")[0], [], [], "2018-05"))
    assert found["images/pictures-red-one.png"] == out.getvalue()
    assert b'src="images/pictures-red-one.png" alt="A red square."' in found["article-pictures.xhtml"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (f"![{'long ' * 30}](red.png)", r"2018-05-p\.md: the text alternative of “red.png” has 150 characters"),
        ("![A film.](film.gif)", r"2018-05-p\.md: “film.gif” is neither JPEG nor PNG"),
        ("![A square.](gone.png)", r"2018-05-p\.md: there is no picture “gone.png”"),
    ],
)
def test_a_picture_that_may_not_go_in_is_named(
    write_note: Callable[..., None], tmp_path: Path, body: str, sentence: str
) -> None:
    write_note("2018-05-p", "trend", "en", "P", body)
    with pytest.raises(IssueError, match=sentence):
        epub.build(issue.compose(load(tmp_path / "content")[0], [], [], "2018-05"))


def test_a_picture_with_transparency_is_refused_before_anything_is_written(
    write_note: Callable[..., None], tmp_path: Path
) -> None:
    write_note("2018-05-p", "trend", "en", "P", "![A square.](red.png)")
    Image.new("RGBA", (8, 8)).save(tmp_path / "content" / "notes" / "red.png")
    with pytest.raises(IssueError, match=r"red\.png has the colour mode RGBA"):
        epub.build(issue.compose(load(tmp_path / "content")[0], [], [], "2018-05"))


def test_kindle_would_find_nothing_to_refuse(january: Issue) -> None:
    assert lint.findings(package.entries(epub.build(january).kindle)) == ()


# The quick run checks the book of hostile payloads, which has as nasty titles.
@pytest.mark.full
@pytest.mark.java
def test_the_epub_checker_accepts_drawings_pictures_nasty_titles_and_every_script(
    january: Issue, write_note: Callable[..., None], tmp_path: Path, banks: tuple[Bank, ...]
) -> None:
    write_note("2018-01-pictures", "trend", "en", "Pictures", "![A red square.](Red%20One.png)\n\n```\n<a>&\n```")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "content" / "notes" / "Red One.png")
    change = KeyChange(1, banks[1].items[0], Ruling("key", frozenset("a")), "Because <so> & so.")
    found = issue.compose(load(tmp_path / "content")[0], banks, january.labs, "2018-01", changes=[change])
    assert len(found.articles) == 5
    assert checker_messages(epub.build(found).epub, tmp_path) == []


def test_months_have_different_books_of_one_series(library: Library, banks: tuple[Bank, ...]) -> None:
    first, second = (files(issue.compose(library, banks, [], month))["content.opf"] for month in ("2018-01", "2018-02"))
    identifiers = [re.findall(rb"urn:uuid:[0-9a-f-]{36}", opf) for opf in (first, second)]
    assert identifiers[0] != identifiers[1]
    assert b">2018.1<" in first
    assert b">2018.2<" in second


def test_every_reference_to_a_note_leads_there_and_back_in_articles_and_in_the_letter(
    write_note: Callable[..., None], tmp_path: Path
) -> None:
    text = "One[^a], two[^b], one again[^a].\n\n[^a]: First.\n[^b]: Second."
    write_note("2018-05-notes", "trend", "bg", "Notes", text)
    choice = issue.Choice("a test", letter=text)
    found = documents(issue.compose(load(tmp_path / "content")[0], [], [], "2018-05", choice))
    for root in (found["article-notes.xhtml"], found["letter.xhtml"]):
        notes = {note.get("id"): note for note in root.iter(f"{HTML}aside") if note.get(TYPE) == "footnote"}
        references = [link for link in root.iter(f"{HTML}a") if link.get(TYPE) == "noteref"]
        assert (len(notes), [link.text for link in references]) == (2, ["1", "2", "1"])
        for link in references:
            backs = [one.get("href") for one in notes[link.get("href")[1:]].iter(f"{HTML}a")]
            assert f"#{link.get('id')}" in backs


@pytest.mark.parametrize("broken", ["a\x0bb", "a\x1fb"])
def test_a_letter_that_is_no_xml_is_named_with_its_line(january: Issue, broken: str) -> None:
    letter = replace(january, choice=issue.Choice("a test", letter=broken))
    with pytest.raises(package.PackageError, match=r"^letter\.xhtml, line \d+: this is not well-formed"):
        epub.build(letter)


def test_a_picture_that_goes_away_while_the_book_is_written_is_named(
    write_note: Callable[..., None], tmp_path: Path
) -> None:
    write_note("2018-05-p", "trend", "en", "P", "![A square.](red.png)")
    picture = tmp_path / "content" / "notes" / "red.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    found = epub.documents(issue.compose(load(tmp_path / "content")[0], [], [], "2018-05"))
    picture.unlink()
    with pytest.raises(package.PackageError, match=r"red\.png cannot be read: No such file"):
        [one.data for one in found]
