"""GIFT, Aiken, tables and Markdown of forges: what is read, what is refused, and what comes back."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quizzes.formats import aiken, build, csv_table, forge_markdown, gift, markdown, registry
from quizzes.formats.own_markdown import read
from quizzes.formats.reading import MOST_FINDINGS, Finding, Imported, Reading, shortened
from quizzes.formats.source import MAXIMUM_LINE, MAXIMUM_QUESTIONS, MAXIMUM_TEXT, decode
from quizzes.questions import Item, Key, Question

CORPUS = Path(__file__).parents[1] / "corpus"
BANKS = sorted((Path(__file__).parents[3] / "quizzes" / "banks").rglob("*.md"))
FORMATS: dict[str, ModuleType] = {"gift": gift, "aiken": aiken, "csv": csv_table, "forge": forge_markdown}
READERS: dict[str, Callable[[str], Reading]] = {name: one.read for name, one in FORMATS.items()} | {"own": read}
PIECES = {
    "gift": [
        "{",
        "}",
        "=a",
        "~b",
        "#",
        "####",
        " -> ",
        "%50%",
        "\n",
        "\n\n",
        "::",
        "// x\n",
        "[html]<b>",
        "T",
        "1..5",
        "\\",
    ],
    "aiken": ["A. a\n", "B) b\n", "c.", "ANSWER: A\n", "ANSWER: AB\n", "\n", "text\n", "## x\n", "- [x] y\n"],
    "csv": ["question,", "correct", "option_a,", "\n", '"', "a,", "TRUE", "±", "numeric,", ";", "²"],
    "forge": [
        "- [x] a\n",
        "- [ ] b\n",
        "A) c\n",
        "1. d\n",
        "### e?\n",
        "<details>",
        "</details>\n",
        "Answer: B\n",
        "\n",
        "> f\n",
    ],
    "own": [
        "---\ntitle: t\ncourse: c\n---\n",
        "## a-b\n",
        "- [x] a\n",
        "- [ ] b\n",
        "\n",
        "stem\n",
        "**Kind** numeric\n",
        "  > r\n",
    ],
}


@cache
def banked() -> list[Item]:
    return [item for path in BANKS for item in markdown.read(path.read_text("utf-8"), path)[0].items]


def shown(one: Imported) -> str:
    question, key = one.item.question, one.item.key
    tolerance = f" ± {key.tolerance}" if key.tolerance else ""
    parts = [f"{question.type} {','.join(sorted(key.correct))}{tolerance}", question.stem]
    parts += [option.text for option in question.options] + [f"{letter}: {text}" for letter, text in key.rationales]
    return " | ".join([*parts, *([key.explanation] if key.explanation else [])])


def unaccounted(text: str, reading: Reading) -> str:
    """Return what is wrong with a reading of a text, whatever the text is."""
    kept = {one.number for one in reading.items}
    refused = {one.question for one in reading.findings if one.severity == "error"}
    if set(range(1, reading.questions + 1)) - kept - refused:
        return "a question is neither an item nor an error"
    if kept & refused:
        return "a question is both an item and an error"
    lines = text.count("\n") + 1
    outside = any(not 1 <= one.line <= lines or one.column < 1 for one in reading.findings)
    ids = [one.item.question.id for one in reading.items]
    return "a finding stands outside of the text" if outside else "two ids" if len(set(ids)) < len(ids) else ""


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_file_of_the_corpus_gives_what_is_expected(name: str) -> None:
    faults = []
    expected = tomllib.loads((CORPUS / name / "expected.toml").read_text("utf-8"))
    for file, wanted in expected.items():
        text, first = decode((CORPUS / name / file).read_bytes())
        reading = READERS[name](text)
        found = [f"{one.line}:{one.severity}:{one.sentence}" for one in (*first, *reading.findings)]
        got = (reading.questions, [shown(one) for one in reading.items])
        if got != (wanted["questions"], wanted["items"]) or unaccounted(text, reading):
            faults.append(f"{file}: {got} {unaccounted(text, reading)}")
        begun = [one.startswith(start) for one, start in zip(found, wanted["findings"], strict=False)]
        if not all(begun) or len(found) != len(wanted["findings"]):
            faults.append(f"{file}: {found}")
    assert not faults, "\n".join(faults)
    assert {path.name for path in (CORPUS / name).iterdir()} == {*expected, "expected.toml"}


@pytest.mark.parametrize("name", sorted(READERS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_question_is_an_item_or_has_an_error(name: str, data: st.DataObject) -> None:
    pieces = st.one_of(st.sampled_from(PIECES[name]), st.text(max_size=3))
    text = "".join(data.draw(st.lists(pieces, max_size=25)))
    text, _ = decode(text.encode("utf-8", "replace"))
    assert unaccounted(text, READERS[name](text)) == ""


def differences(name: str, items: Sequence[Item]) -> list[str]:
    """Write items and read them; return the ids of those that come back other than the findings say."""
    written = FORMATS[name].write(items)
    left = {one.question for one in written.findings if one.severity == "error"}
    said = {one.question: "" for one in written.findings}
    for one in written.findings:
        said[one.question] += one.sentence
    kept = [(number, item) for number, item in enumerate(items, 1) if number not in left]
    reading = FORMATS[name].read(written.data.decode())
    if len(reading.items) != len(kept):
        return [f"{len(reading.items)} of {len(kept)} items came back"]
    pairs = zip(kept, reading.items, strict=True)
    return [
        item.question.id
        for (number, item), back in pairs
        if as_said(item, said.get(number, "")) != as_said(back.item, said.get(number, ""))
    ]


def as_said(item: Item, said: str) -> tuple[Question, Key]:
    """Return an item without what the findings of it name."""
    question, key = item.question, item.key
    names = said.replace(",", " ").replace(".", " ").split()
    empty = {"task": "", "difficulty": "", "lesson": "", "tags": (), "unit": "", "stem": "", "id": ""}
    fields = {field: value for field, value in empty.items() if field in names}
    fields |= {"enemies": ""} if "set" in names else {}
    fields |= {"fixed": False} if "order" in names else {}
    fields |= {"case": "", "stimulus": ""} if "case" in names else {}
    keys: dict[str, object] = {"today": ""} if "today" in names else {}
    keys |= {"rationales": ()} if "rationales" in names else {}
    keys |= {"explanation": ""} if "explanation" in names else {}
    keys |= {"tolerance": ""} if "tolerance" in names else {}
    keys |= {"experiments": (), "claims": ()} if "proof" in names else {}
    return replace(question, course="", **fields), replace(key, **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_shipped_items_come_back_as_the_findings_say(name: str) -> None:
    items = banked()
    assert differences(name, items) == []
    stem = replace(items[0].question, stem="Another stem", task="")
    spoiled = replace(items[0], question=stem)
    assert as_said(spoiled, "task") != as_said(items[0], "task"), "the comparison sees a changed stem"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1, max_size=12)
LINES = st.lists(
    TEXTS | st.sampled_from(["- [x]", "A.", "{=", "->", "//", "\\n", "[html]", "%5%", ","]), min_size=1, max_size=4
)


def short_text(spelling: str, reason: str) -> Item:
    built, _ = build.short_text(1, 1, 1, "Q 1", "Stem", [spelling], reason)
    assert built
    return built.item


@st.composite
def made_items(draw: st.DrawFn) -> Item:
    """An item as an author could write it, of words that mean something to some format."""
    words = [" ".join(draw(LINES)) for _ in range(5)]
    kind = draw(st.sampled_from(["choice", "numeric", "text", "matching"]))
    rest = ("Q 1", words[0], words[4])
    options = [build.option(text, place == 0, words[4], 1) for place, text in enumerate(words[1:4])]
    if kind == "choice":
        built, _ = build.choice(1, 1, 1, rest[0], rest[1], options, rest[2])
    elif kind == "numeric":
        number = draw(st.integers(-1000, 1000))
        built, _ = build.numeric(1, 1, 1, rest[0], rest[1], str(number), "0.5", "", words[2], rest[2])
    elif kind == "text":
        built, _ = build.short_text(1, 1, 1, rest[0], rest[1], words[1:3], words[3], rest[2])
    else:
        pairs = [build.option(text, True, words[4], 1, target) for text, target in pairwise(words[1:])]
        built, _ = build.matching(1, 1, 1, rest[0], rest[1], pairs, rest[2])
    return built.item if built else banked()[0]


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=40, deadline=None)
@example(item=short_text("->", "Why"))
@example(item=short_text("to", "From -> to"))
@given(item=made_items())
def test_items_of_odd_words_come_back_as_the_findings_say(name: str, item: Item) -> None:
    assert differences(name, [item]) == []


def test_each_shipped_bank_is_read_by_the_importer_as_it_stands() -> None:
    for path in BANKS:
        reading = read(path.read_text("utf-8"))
        assert (len(reading.items), reading.findings) == (reading.questions, ())


def test_a_fault_in_our_own_markdown_keeps_out_its_item_alone() -> None:
    text = BANKS[0].read_text("utf-8").replace("- [x]", "- [ ]", 1)
    reading = read(text)
    assert len(reading.items) == reading.questions - 1
    assert reading.findings[0].question == 1


def seconds(read: Callable[[str], Reading], text: str) -> float:
    begun = time.process_time()
    read(text)
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("gift", "a { = ~ # \\ <pre> ::"),
        ("gift", "Which?{=a ~b}\n\n" * 4),
        ("aiken", "A. a\n" * 8),
        ("csv", 'question,"correct\n'),
        ("forge", "<details> **Answer: B** - [x] 1. "),
        ("forge", "A. a\n1. b\n"),
    ],
)
def test_twice_the_text_takes_about_twice_the_time(name: str, piece: str) -> None:
    def half(size: int) -> float:
        text = (piece * (size // len(piece)))[:size]
        lines = "\n".join(text[place : place + 5000] for place in range(0, size, 5000))
        return min(seconds(READERS[name], lines) for _ in range(2))

    assert half(160_000) < 3.2 * half(80_000) + 0.1


@pytest.mark.parametrize("part", ["=a\n", "~%1%a\n", "=%50%a\n", "#x", "=a -> b\n", "{}"])
def test_twice_the_answers_take_about_twice_the_time(part: str) -> None:
    def half(count: int) -> float:
        return min(seconds(gift.read, f"Which? {{=right\n{part * count}}}") for _ in range(2))

    assert half(60_000) < 3.2 * half(30_000) + 0.1


def test_of_many_findings_the_first_are_listed_and_the_worst_of_the_others() -> None:
    many = [Finding(n, 1, "note", f"{n}.", 7) for n in range(300)]
    worst = Finding(301, 1, "error", "No.", 7)
    other = Finding(400, 1, "loss", "Gone.", 8)
    found = shortened([*many, worst, other])
    assert found[:MOST_FINDINGS] == tuple(many[:MOST_FINDINGS])
    assert found[MOST_FINDINGS:] == (replace(worst, sentence="No. Not listed are 200 more findings."), other)


def test_a_question_of_thousands_of_faults_is_refused_with_a_few_findings() -> None:
    text = "Which? {" + "=%50%a\n" * 20_000 + "}"
    reading = next(one for one in registry.FORMATS if one.name == "gift").read(text.encode())
    assert reading.items == ()
    assert len(reading.findings) == MOST_FINDINGS + 1
    assert "error" in {one.severity for one in reading.findings}


def test_gift_reads_five_thousand_items_in_seconds() -> None:
    text = "".join(f"::q {n}::What is {n}?{{=a{n} #yes\n~b\n~c #no\n~d}}\n\n" for n in range(5000))
    begun = time.process_time()
    reading = gift.read(text)
    assert len(reading.items) == 5000
    assert time.process_time() - begun < 8


def test_too_long_a_text_or_line_is_refused_with_its_place() -> None:
    assert decode(b"a\n" * MAXIMUM_TEXT)[1][0].severity == "error"
    text, (finding,) = decode(b"a\n" + b"b" * (MAXIMUM_LINE + 1))
    assert (text, finding.line, finding.severity) == ("", 2, "error")


@pytest.mark.parametrize("name", ["gift", "aiken", "csv", "forge"])
def test_too_many_questions_are_refused_as_a_whole(name: str) -> None:
    one = {
        "gift": ("", "a{T}\n\n"),
        "aiken": ("", "a\nA. b\nANSWER: A\n"),
        "csv": ("question,correct\n", "a,T\n"),
        "forge": ("", "# a?\n- [x] b\n"),
    }
    head, question = one[name]
    reading = READERS[name](head + question * (MAXIMUM_QUESTIONS + 1))
    assert (reading.items, reading.findings[0].severity) == ((), "error")


def test_an_encoding_is_known_by_its_mark_or_its_bytes() -> None:
    assert decode("é".encode("utf-16"))[0] == decode("é".encode())[0] == decode("é".encode("utf-8-sig"))[0] == "é"
    text, (note,) = decode(b"a\r\nb \xe9")
    assert (text, note.line, note.column, note.severity) == ("a\nb é", 2, 3, "note")


def test_names_become_ids_of_their_own() -> None:
    assert build.slug("Опашка и стек", 1) == "opashka-i-stek"
    assert build.slug("Déjà vu", 1) == "deja-vu"
    assert build.slug("待ち行列", 7) == "import-0007"
    reading = gift.read("::a b::Q{T}\n\n::a b::Q{T}\n\n::a b 2::Q{T}\n\n::a b::Q{T}\n")
    assert len({one.item.question.id for one in reading.items}) == 4


def test_gift_keeps_categories_tags_and_places() -> None:
    text = "$CATEGORY: Queues/Limits\n\n// [id:q-1] [tag:Dead Letter]\nWhich?{=a\n ~%50%b}\n"
    reading = gift.read(text)
    (one,), (loss,) = reading.items, reading.findings
    assert (one.category, one.item.question.tags, one.line) == ("Queues/Limits", ("dead-letter",), 4)
    assert (loss.line, loss.column, loss.raw) == (5, 3, "b")


def test_a_line_that_a_bank_would_take_for_something_else_stays_in_the_stem() -> None:
    stem = "First\n## heading\n- [x] box\n**Answer** 3"
    built, _ = build.choice(1, 1, 1, "", stem, [build.option("a", True, "", 1), build.option("b", False, "", 1)])
    assert built is not None
    again, faults = markdown.read_item(markdown.write_item(built.item), "", {}, Path("b.md"))
    assert again is not None
    assert (again.question.stem, faults) == (built.item.question.stem, ())
