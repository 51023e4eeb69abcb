"""What changed since the issues before: what is new to read and to answer, and which printed answers were wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from content.library import Library, Note
from quizzes.corrections import replay
from quizzes.corrections.replay import Ruling
from quizzes.questions import Bank, Item

_EMBEDDED_LAB = re.compile(r"^:::lab ([a-z0-9-]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Lab:
    """What an issue says of a lab; ``source`` is the article whose architecture it runs."""

    slug: str
    title: str
    summary: str
    source: str = ""


@dataclass(frozen=True)
class PrintedAnswer:
    """An item of a quiz as it was printed: which of its options, by their text, it called right."""

    number: int
    item: str
    options: Mapping[str, bool]


@dataclass(frozen=True)
class Printed:
    """What later issues must know of an earlier one: what it printed, and what there was when it was made."""

    month: str
    labs: tuple[str, ...] = ()
    quiz: tuple[PrintedAnswer, ...] = ()
    corrected: tuple[str, ...] = ()
    """The keys of the corrections that it printed, of its own quizzes and of the site's questions."""
    told: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What it called right in a correction, by the question's id."""
    lessons: tuple[str, ...] = ()
    """The addresses of all lessons that there were."""
    questions: Mapping[str, int] = field(default_factory=dict)
    """How many questions a bank had, by its slug."""

    def values(self) -> dict[str, Any]:
        """Return it as plain values, for ``printed_from``."""
        return asdict(self)


@dataclass(frozen=True)
class Correction:
    """An answer of an earlier quiz that the banks no longer hold to be right."""

    month: str
    number: int
    item: Item
    now_right: tuple[str, ...]
    now_wrong: tuple[str, ...]

    @property
    def key(self) -> str:
        """A name by which it is printed once: the place, and the version of the item that corrects it."""
        return f"{self.month} {self.number} {self.item.fingerprint()}"


@dataclass(frozen=True)
class KeyChange:
    """A key of the site's questions that was corrected: the version as it was asked, what was decided, and why."""

    number: int
    item: Item
    ruling: Ruling
    reason: str

    @property
    def key(self) -> str:
        """A name by which it is printed once."""
        return f"ruling {self.number}"

    @property
    def now(self) -> Item:
        """The item with the key by which it is marked now."""
        return replay.ruled(self.item, self.ruling)


@dataclass(frozen=True)
class NewLessons:
    """Lessons that were added to a course."""

    course: str
    language: str
    titles: tuple[str, ...]


@dataclass(frozen=True)
class NewQuestions:
    """How many questions were added to the banks of a course."""

    course: str
    count: int


@dataclass(frozen=True)
class News:
    """What was added to the site since the issue before."""

    lessons: tuple[NewLessons, ...] = ()
    questions: tuple[NewQuestions, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lessons or self.questions)


def printed(  # noqa: PLR0913 (what was printed, and what there was)
    library: Library,
    banks: Iterable[Bank],
    month: str,
    *,
    labs: Iterable[Lab],
    quiz: Iterable[Item],
    corrections: Iterable[Correction],
    changes: Iterable[KeyChange] = (),
) -> Printed:
    """Return what later issues must know of one that prints these."""
    corrections, changes = tuple(corrections), tuple(changes)
    new_keys = [one.item for one in corrections] + [one.now for one in changes if one.ruling.kind == "key"]
    return Printed(
        month,
        labs=tuple(lab.slug for lab in labs),
        quiz=tuple(
            PrintedAnswer(number, item.question.id, right_and_wrong(item)) for number, item in enumerate(quiz, 1)
        ),
        corrected=(*(one.key for one in corrections), *(one.key for one in changes)),
        told={item.question.id: right_texts(item) for item in new_keys},
        lessons=tuple(lesson.page.address for course in library.courses for _, lesson in course.lessons()),
        questions={bank.slug: len(bank.items) for bank in banks},
    )


def printed_from(values: Mapping[str, Any]) -> Printed:
    """Return what ``Printed.values`` made, also after its way through JSON."""
    quiz = tuple(PrintedAnswer(**answer) for answer in values["quiz"])
    sequences = {name: tuple(values[name]) for name in ("labs", "corrected", "lessons")}
    # An issue of an earlier release told nothing of the kind.
    told = {name: tuple(texts) for name, texts in values.get("told", {}).items()}
    return Printed(values["month"], quiz=quiz, questions=dict(values["questions"]), told=told, **sequences)


def new_labs(labs: Iterable[Lab], notes: Sequence[Note], month: str, past: Sequence[Printed]) -> tuple[Lab, ...]:
    """Return the labs that no issue has printed, and whose article, if they have one, is not of a later month."""
    known = {slug for one in past for slug in one.labs}
    return tuple(lab for lab in labs if lab.slug not in known and _first_month(lab, notes, month) <= month)


def _first_month(lab: Lab, notes: Sequence[Note], month: str) -> str:
    """Return the month of the first note that embeds a lab or retells its source, or this month if none does."""
    months = (
        note.month
        for note in notes
        if lab.slug in _EMBEDDED_LAB.findall(note.page.body) or lab.source in note.page.sources
    )
    return min(months, default=month)


def news_since(library: Library, banks: Iterable[Bank], past: Sequence[Printed]) -> News:
    """Return what the latest of the past issues did not know; nothing before there was one, as all is new then."""
    if not past:
        return News()
    known = past[-1]
    lessons = (
        NewLessons(
            course.page.title,
            course.page.language,
            tuple(lesson.page.title for _, lesson in course.lessons() if lesson.page.address not in known.lessons),
        )
        for course in library.courses
    )
    counts = Counter[str]()
    for bank in banks:
        counts[bank.course] += max(0, len(bank.items) - known.questions.get(bank.slug, 0))
    questions = (NewQuestions(course.page.title, counts[course.slug]) for course in library.courses)
    return News(tuple(one for one in lessons if one.titles), tuple(one for one in questions if one.count))


def corrections(banks: Iterable[Bank], past: Sequence[Printed]) -> tuple[Correction, ...]:
    """Return every answer of the past quizzes that was printed wrong, and whose correction was not yet printed."""
    items = {item.question.id: item for bank in banks for item in bank.items}
    done, told = _done(past), _told(past)
    found = (one for printed in past for one in _wrong_answers(printed, items))
    return tuple(
        one for one in found if one.key not in done and told.get(one.item.question.id) != right_texts(one.item)
    )


def key_changes(
    changes: Iterable[KeyChange], printed: Sequence[Printed], beside: Iterable[Correction] = ()
) -> tuple[KeyChange, ...]:
    """Return the changes that no issue has printed, but for those that say what is printed already or ``beside`` them.

    A quiz item whose printed answer changed is such a case: it is told with its place, and not a second time.
    """
    done, told = _done(printed), {**_told(printed), **{one.item.question.id: right_texts(one.item) for one in beside}}

    def is_known(change: KeyChange) -> bool:
        return change.ruling.kind == "key" and told.get(change.item.question.id) == right_texts(change.now)

    return tuple(one for one in changes if one.key not in done and not is_known(one))


def right_texts(item: Item) -> tuple[str, ...]:
    """Return what is right about an item: its right options by their text, or the answers that count."""
    if item.question.kind == "choice":
        return tuple(sorted(text for text, right in right_and_wrong(item).items() if right))
    return tuple(sorted(item.key.correct))


def _done(past: Iterable[Printed]) -> set[str]:
    return {key for one in past for key in one.corrected}


def _told(past: Iterable[Printed]) -> dict[str, tuple[str, ...]]:
    """Return what was last called right in a correction, by the question's id."""
    return {name: texts for one in past for name, texts in one.told.items()}


def _wrong_answers(printed: Printed, items: Mapping[str, Item]) -> Iterator[Correction]:
    """Compare option by option, so that an option which was only worded anew is no correction."""
    for answer in printed.quiz:
        item = items.get(answer.item)
        if item is None:
            continue
        now = right_and_wrong(item)
        changed = [text for text, right in answer.options.items() if now.get(text, right) != right]
        if changed:
            right, wrong = (tuple(text for text in changed if now[text] is is_right) for is_right in (True, False))
            yield Correction(printed.month, answer.number, item, right, wrong)


def right_and_wrong(item: Item) -> dict[str, bool]:
    """Return which options of a choice, by their text, are right."""
    return {option.text: option.letter in item.key.correct for option in item.question.options}
