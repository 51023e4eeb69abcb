"""What an issue knows of those before it: labs and items are printed once, wrong keys are told once, news is new."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from content.library import Library, load
from content.workflow import Signature
from publisher import epub, issue, news, package, sources, store, verdicts
from publisher.issue import Choice, Issue, IssueError
from publisher.news import KeyChange, Lab, Printed
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.questions import Bank, Item, Key, Option
from tests.publisher.conftest import bank


def ids(found: Issue) -> set[str]:
    return {item.question.id for item in found.quiz}


def turned(bank_before: Bank, item_id: str) -> Bank:
    """Return the bank with another key for one item."""
    items = tuple(
        replace(item, key=replace(item.key, correct=frozenset("a"))) if item.question.id == item_id else item
        for item in bank_before.items
    )
    return replace(bank_before, items=items)


def in_book(found: Issue, name: str) -> str:
    return package.entries(epub.build(found).epub)[f"EPUB/{name}"].decode()


def test_no_item_stands_in_two_quizzes(library: Library) -> None:
    banks = [bank("check", range(1, 31))]
    january = issue.compose(library, banks, [], "2018-01")
    february = issue.compose(library, banks, [], "2018-02", past=[january.printed])
    assert len(ids(january)) == len(ids(february)) == 10
    assert not ids(january) & ids(february)


def test_a_lab_is_printed_once_and_with_its_article(library: Library) -> None:
    embedded = Lab("a-lab", "A lab", "S.")
    of_february = Lab("b-lab", "B", "S.", "https://example.org/?a=1&b=2")
    without_article = Lab("c-lab", "C", "S.", "https://example.org/other")
    later = [note for note in library.notes if note.month == "2018-02"]
    only_february = replace(library, notes=tuple(later))
    january = issue.compose(library, [], [embedded, without_article], "2018-01")
    assert january.labs == (embedded, without_article)
    february = issue.compose(library, [], [embedded, without_article], "2018-02", past=[january.printed])
    assert february.labs == ()
    assert news.new_labs([of_february], only_february.notes, "2018-01", []) == ()
    assert news.new_labs([of_february], only_february.notes, "2018-02", []) == (of_february,)


def test_the_first_issue_has_no_news_and_the_next_tells_what_was_added(library: Library) -> None:
    course = load(Path("content"))[0].courses[0]
    banks = [replace(bank("check", range(1, 31)), course=course.slug)]
    with_course = replace(library, courses=(course,))
    january = issue.compose(with_course, banks, [], "2018-01")
    assert not january.news
    known = january.printed
    before = replace(known, lessons=known.lessons[2:], questions={"bank": 25})
    february = issue.compose(with_course, banks, [], "2018-02", past=[before])
    first_two = tuple(lesson.page.title for _, lesson in list(course.lessons())[:2])
    assert [one.titles for one in february.news.lessons] == [first_two]
    assert [(one.course, one.count) for one in february.news.questions] == [(course.page.title, 5)]
    page = in_book(february, "news.xhtml")
    assert first_two[0].replace("&", "&amp;") in page
    assert f"5 in {course.page.title.replace('&', '&amp;')}" in page


def test_an_answer_printed_wrong_is_corrected_in_the_next_issue_and_only_there(library: Library) -> None:
    before = bank("check", range(1, 41))
    january = issue.compose(library, [before], [], "2018-01")
    place, wrong = next((number, item) for number, item in enumerate(january.quiz, 1))
    after = [turned(before, wrong.question.id)]
    february = issue.compose(library, after, [], "2018-02", past=[january.printed])
    (found,) = february.corrections
    assert (found.month, found.number, found.item.question.id) == ("2018-01", place, wrong.question.id)
    number = wrong.question.id.removeprefix("c-")
    assert (found.now_right, found.now_wrong) == ((f"Option one of {number}",), (f"Option two of {number}",))
    page = in_book(february, "corrections.xhtml")
    assert f"Question {place} of January 2018" in page
    assert page.index(f"Option one of {number} This is right; we had called it wrong.") > 0
    assert news.corrections(after, [january.printed, february.printed]) == ()


def test_an_option_that_was_only_worded_anew_is_no_correction(library: Library) -> None:
    before = bank("check", range(1, 41))
    january = issue.compose(library, [before], [], "2018-01")

    def reworded(item: Item) -> Item:
        options = tuple(replace(option, text=f"{option.text}, or so") for option in item.question.options)
        return replace(item, question=replace(item.question, options=options))

    after = replace(before, items=tuple(reworded(item) for item in before.items))
    assert news.corrections([after], [january.printed]) == ()
    assert news.corrections([], [january.printed]) == ()


def test_what_was_printed_survives_its_way_through_json(library: Library) -> None:
    printed = issue.compose(library, [bank("check", range(1, 31))], [Lab("a-lab", "A", "S.")], "2018-01").printed
    assert news.printed_from(json.loads(json.dumps(printed.values()))) == printed


def test_an_editors_own_corrections_are_printed(library: Library) -> None:
    chosen = Choice("here", corrections=("In *January* we wrote 25 where 50 was meant.",))
    page = in_book(issue.compose(library, [], [], "2018-02", chosen, past=[Printed("2018-01")]), "corrections.xhtml")
    assert "In <em>January</em> we wrote 25" in page


def test_an_article_may_be_left_out(library: Library) -> None:
    found = issue.compose(library, [], [], "2018-01", issue.read_choice('leave_out = ["nasty"]', Path("f.toml")))
    assert [note.slug for note in found.articles] == ["first", "rtl", "second"]


def test_what_is_dated_in_a_paused_month_is_printed_in_the_next(library: Library) -> None:
    assert issue.months(library, {1}) == ("2018-02",)
    found = issue.compose(library, [], [], "2018-02", paused={1})
    assert {note.slug for note in found.articles} == {"first", "second", "nasty", "rtl", "later"}
    assert found.schedule is None
    with pytest.raises(
        IssueError, match="There is no issue of January 2018; its articles are printed in February 2018"
    ):
        issue.compose(library, [], [], "2018-01", paused={1})
    assert issue.issue_of("2018-12", {1, 12}) == "2019-02"


def corrected(item: Item, kind: str = "key", correct: str = "a", number: int = 1, reason: str = "So.") -> KeyChange:
    return KeyChange(number, item, Ruling(kind, frozenset(correct)), reason)  # type: ignore[arg-type]


def test_a_corrected_key_of_the_site_is_printed_by_one_issue(library: Library) -> None:
    [bank_of_exam] = [bank("exam", range(100, 104), "exam")]
    changes = [
        corrected(bank_of_exam.items[0], number=1, reason="The <guide> says so.\r\n\r\nSee page 7."),
        corrected(bank_of_exam.items[1], "accept", number=2),
        corrected(bank_of_exam.items[2], "drop", "", number=3),
    ]
    january = issue.compose(library, [bank_of_exam], [], "2018-01", changes=changes)
    page = in_book(january, "corrections.xhtml")
    assert "Which of the 100 is &lt; 3?" in page
    assert "<li>This is right: Option one of 100</li>" in page
    assert "<li>This is wrong; we had called it right: Option two of 100</li>" in page
    assert "<p>The &lt;guide&gt; says so.</p>\n<p>See page 7.</p>" in page
    assert "<li>This counts as right too: Option one of 101</li>" in page
    assert "<li>It counts in nobody's score.</li>" in page
    assert epub.build(january).sha256 == epub.build(january).sha256
    february = issue.compose(library, [bank_of_exam], [], "2018-02", past=[january.printed], changes=changes)
    assert february.key_changes == ()
    again = issue.compose(library, [bank_of_exam], [], "2018-01", changes=changes, later=[january.printed])
    assert again.key_changes == ()


def test_a_key_that_is_corrected_twice_is_told_twice(library: Library) -> None:
    item = bank("exam", range(100, 101), "exam").items[0]
    first = issue.compose(library, [], [], "2018-01", changes=[corrected(item)]).printed
    same, other = corrected(item, number=2), corrected(item, correct="ab", number=3)
    assert news.key_changes([same], [first]) == ()
    assert news.key_changes([other], [first]) == (other,)


@pytest.mark.parametrize("file_first", [True, False])
def test_a_changed_answer_of_a_quiz_is_not_told_a_second_time_as_a_corrected_key(
    library: Library, file_first: bool
) -> None:
    before = bank("check", range(1, 41))
    january = issue.compose(library, [before], [], "2018-01")
    wrong = january.quiz[0]
    after, change = turned(before, wrong.question.id), corrected(wrong)
    both = issue.compose(library, [after], [], "2018-02", past=[january.printed], changes=[change])
    assert (len(both.corrections), both.key_changes) == (1, ())
    assert issue.compose(
        library, [after], [], "2018-02", past=[january.printed], changes=[corrected(wrong, "drop")]
    ).key_changes
    first = {"banks": [after]} if file_first else {"banks": [before], "changes": [change]}
    february = issue.compose(library, labs=[], month="2018-02", past=[january.printed], **first)
    assert len(february.corrections) + len(february.key_changes) == 1
    past = [january.printed, news.printed_from(json.loads(json.dumps(february.printed.values())))]
    assert news.corrections([after], past) == ()
    assert news.key_changes([change], past) == ()


def test_what_cannot_be_printed_rightly_is_in_no_quiz(library: Library) -> None:
    items = bank("check", range(1, 13)).items
    question = replace(items[0].question, stem="What is this?\n\n![A box.](/pictures/0.png)")
    shown = replace(items[0], question=question)
    banks = [replace(bank("check", range(1, 13)), items=(shown, *items[1:]))]
    drawn = issue.compose(library, banks, [], "2018-01", changes=[corrected(items[1])])
    assert len(drawn.quiz) == 10
    assert not ids(drawn) & {"c-1", "c-2"}
    mended = [turned(banks[0], "c-2")]
    assert "c-2" in ids(issue.compose(library, mended, [], "2018-01", changes=[corrected(items[1])]))
    page = in_book(issue.compose(library, [], [], "2018-01", changes=[corrected(shown)]), "corrections.xhtml")
    assert "<em>A picture on the site: A box.</em>" in page
    assert "<img" not in page


def test_keys_of_every_kind_are_told_in_words() -> None:
    two = (Option("a", "Up *there*"), Option("b", "Down"))
    question = bank("exam", range(1, 2)).items[0].question
    kinds = {
        "ordering": (replace(question, kind="ordering", options=two), {"ab"}, {"ba"}),
        "matching": (
            replace(question, kind="matching", options=two, targets=(Option("1", "X"), Option("2", "Y"))),
            {"a1b2"},
            {"a2b1"},
        ),
        "numeric": (replace(question, kind="numeric", options=(), unit="invocations"), {"10"}, {"20"}),
        "text": (replace(question, kind="text", options=()), {"a < b"}, {"b < a"}),
    }
    told = {
        name: next(
            verdicts.sentences(KeyChange(1, Item(one, Key(frozenset(old), ())), Ruling("key", frozenset(new)), ""))
        )
        for name, (one, old, new) in kinds.items()
    }
    assert told == {
        "ordering": "This is right: Down → Up <em>there</em>",
        "matching": "This is right: Up <em>there</em> → Y; Down → X",
        "numeric": "This is right: 20 invocations",
        "text": "This is right: b &lt; a",
    }


def test_the_next_issue_that_is_built_prints_a_correction_and_the_one_after_does_not(app: Flask) -> None:
    database = app.extensions["database"]
    with app.app_context():
        item = next(item for bank in app.extensions["banks"]() if bank.pool == "exam" for item in bank.items)
        with database.writing() as connection:
            [version] = corrections.versions(connection, item.question.id)
            note = ("The guide says so.", Signature(None, app.extensions["clock"]()))
            corrections.apply(connection, version, Ruling("drop"), [], note)
        february = sources.build("2018-02")
        assert b"The guide says so." in package.entries(february.epub)["EPUB/corrections.xhtml"]
        with database.writing() as connection:
            store.save(database, connection, february, app.extensions["clock"]())
            book = store.find(connection, "2018-02")
        assert len(sources.in_print(book).key_changes) == 1
        assert sources.build("2018-02").sha256 == february.sha256
        assert sources.compose("2018-01").key_changes == ()
