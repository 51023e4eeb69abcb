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

from content.garbage import without_collecting
from quizzes.formats import aiken, build, csv_table, forge_markdown, gift, markdown, registry
from quizzes.formats.own_markdown import read
from quizzes.formats.reading import MOST_FINDINGS, Finding, Imported, Reading, shortened
from quizzes.formats.source import MAXIMUM_LINE, MAXIMUM_QUESTIONS, MAXIMUM_TEXT, decode
from quizzes.questions import Item, Key, Question
from tests.quizzes.formats.promises import PLANTED, read_as_promised, unaccounted

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


def corpus_faults(name: str, read: Callable[[str], Reading], seconds: float = 10) -> list[str]:
    """Return where a reader makes of a corpus something else than what is expected, or breaks a promise."""
    faults = []
    expected = tomllib.loads((CORPUS / name / "expected.toml").read_text("utf-8"))
    for file, wanted in expected.items():
        text, first = decode((CORPUS / name / file).read_bytes())
        reading, broken = read_as_promised(read, text, seconds)
        if reading is None or broken:
            faults.append(f"{file}: {broken}")
            continue
        found = [f"{one.line}:{one.severity}:{one.sentence}" for one in (*first, *reading.findings)]
        got = (reading.questions, [shown(one) for one in reading.items])
        if got != (wanted["questions"], wanted["items"]):
            faults.append(f"{file}: {got}")
        begun = [one.startswith(start) for one, start in zip(found, wanted["findings"], strict=False)]
        if not all(begun) or len(found) != len(wanted["findings"]):
            faults.append(f"{file}: {found}")
    return faults


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_file_of_the_corpus_gives_what_is_expected(name: str) -> None:
    faults = corpus_faults(name, READERS[name])
    assert not faults, "\n".join(faults)
    expected = tomllib.loads((CORPUS / name / "expected.toml").read_text("utf-8"))
    assert {path.name for path in (CORPUS / name).iterdir()} == {*expected, "expected.toml"}


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_reader_with_a_fault_is_found_by_its_corpus(name: str, planted: Callable[[Reading], Reading]) -> None:
    assert corpus_faults(name, lambda text: planted(READERS[name](text)), 0.05)


@pytest.mark.parametrize("name", sorted(READERS))
@settings(max_examples=60)
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
@settings(max_examples=40)
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
    """Return the processor time of a reading, the least of two, without a search for garbage, as in an import."""
    taken = []
    for _ in range(2):
        with without_collecting():
            begun = time.process_time()
            read(text)
            taken.append(time.process_time() - begun)
    return min(taken)


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
def test_four_times_the_text_takes_about_four_times_as_long(name: str, piece: str) -> None:
    def taken(size: int) -> float:
        text = (piece * (size // len(piece)))[:size]
        return seconds(READERS[name], "\n".join(text[place : place + 5000] for place in range(0, size, 5000)))

    assert taken(160_000) < 9 * taken(40_000) + 0.1


@pytest.mark.parametrize("part", ["=a\n", "~%1%a\n", "=%50%a\n", "#x", "=a -> b\n", "{}"])
def test_four_times_the_answers_take_about_four_times_as_long(part: str) -> None:
    def taken(count: int) -> float:
        return seconds(gift.read, f"Which? {{=right\n{part * count}}}")

    assert taken(60_000) < 9 * taken(15_000) + 0.1


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
    assert READERS[name](head + question * MAXIMUM_QUESTIONS).questions == MAXIMUM_QUESTIONS


@pytest.mark.parametrize(
    ("text", "place", "words", "raw"),
    [
        ("", (1, 1), "The file has no question", ""),
        ("Which?\nA. a\nB. b\n\n", (1, 1), "has no answer", "Which?\nA. a\nB. b"),
        (
            f"Which?\nA. a\nB. b\nANSWER: {'A' * 41}",
            (4, 1),
            f"“{'A' * 40}” is not one",
            f"Which?\nA. a\nB. b\nANSWER: {'A' * 41}",
        ),
        ("Which?\nA. a\nC. c\nANSWER: A", (2, 1), "not in their order", ""),
    ],
)
def test_aiken_says_what_is_wrong_where_with_the_source(
    text: str, place: tuple[int, int], words: str, raw: str
) -> None:
    (finding,) = aiken.read(text).findings
    assert ((finding.line, finding.column), finding.raw) == (place, raw)
    assert words in finding.sentence


def test_an_option_of_aiken_has_no_rationale_and_its_place() -> None:
    (one,) = aiken.read("\nWhich?\nA. a\nb. b\nANSWER: b\n").items
    assert (one.line, one.column, one.name) == (2, 1, "import-0001")
    assert (one.item.key.correct, one.item.key.rationales) == (frozenset("b"), ())


def chosen_of(stem: str, *right: bool) -> Item:
    options = [build.option(letter, correct, "", 1) for letter, correct in zip("xyz", right, strict=False)]
    built, _ = build.choice(1, 1, 1, "", stem, options)
    assert built
    return built.item


def test_aiken_writes_choices_of_one_and_says_why_others_stay_out() -> None:
    one = chosen_of("Which?", True, False)
    case = replace(one, question=replace(one.question, stimulus="An office."))
    others = [chosen_of(stem, True, False) for stem in ("Which?\nA. this", "Which?\nANSWER: this")]
    written = aiken.write([one, case, *others, chosen_of("Which?", True, True, False), short_text("x", "")])
    plain = "Which?\nA. x\nB. y\nANSWER: A\n"
    assert written.data.decode() == f"{plain}\nAn office.\n\n{plain}"
    left_out = [one for one in written.findings if one.severity == "error"]
    assert [(one.question, one.line, one.column) for one in left_out] == [(number, 1, 1) for number in (3, 4, 5, 6)]
    said = ["a line of its stem reads as"] * 2 + ["Aiken has choices of one option only"] * 2
    assert all(words in one.sentence for words, one in zip(said, left_out, strict=True))


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"::x\::y::Q{T}", "x-y: true-false a | Q | True | False"),
        ("Q{T}", "import-0001: true-false a | Q | True | False"),
        (r"Q{=a \#### b ~c####Why}", "import-0001: multiple-choice a | Q | a # | c | a: b | Why"),
        ("Q{=a#%50%x ~b}", "import-0001: multiple-choice a | Q | a | b | a: %50%x"),
        ("Q{#3:1}", "import-0001: numeric 3 ± 1 | Q"),
    ],
)
def test_gift_reads_names_escapes_and_feedback(text: str, expected: str) -> None:
    (one,) = gift.read(text).items
    key = one.item.key
    right = shown(one) if one.item.question.kind == "choice" else f"numeric {key.answer} ± {key.tolerance} | Q"
    assert f"{one.name}: {right}" == expected
    assert one.item.question.unit == ""


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("Which?{~a ~b}", [("error", 1, 1, "Which?{~a ~b}")]),
        ("Which?{~%49%a ~%50%b ~c}", []),
        ("Which?{~%48%a ~%50%b ~c}", [("loss", 1, 9, "a")]),
        ("Match{=%50%a -> b =c -> d =e -> f}", [("loss", 1, 8, "a -> b")]),
        ("Q{=a#one =b#two}", [("loss", 1, 11, "two")]),
        ("Q{=a#one =b#one}", []),
        ("Q{#=3 =%50%4}", [("loss", 1, 8, "4")]),
    ],
)
def test_gift_says_what_is_lost_at_its_place(text: str, findings: list[tuple[str, int, int, str]]) -> None:
    found = [one for one in gift.read(text).findings if one.severity != "note"]
    assert [(one.severity, one.line, one.column, one.raw) for one in found] == findings


def test_a_line_that_a_bank_would_take_for_something_else_stays_in_the_stem() -> None:
    stem = "First\n## heading\n- [x] box\n**Answer** 3"
    built, _ = build.choice(1, 1, 1, "", stem, [build.option("a", True, "", 1), build.option("b", False, "", 1)])
    assert built is not None
    again, faults = markdown.read_item(markdown.write_item(built.item), "", {}, Path("b.md"))
    assert again is not None
    assert (again.question.stem, faults) == (built.item.question.stem, ())
