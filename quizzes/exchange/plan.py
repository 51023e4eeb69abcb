"""What an import would bring: (compared file) → rows, their sum, and the items to be stored; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from quizzes.exchange.wire import Compared, Likeness
from quizzes.formats.reading import Finding, Imported
from quizzes.questions import Item


@dataclass(frozen=True)
class Row:
    """A question of the file: the item that it gives, if any, what is said of it, and what it is like."""

    number: int
    imported: Imported | None
    findings: tuple[Finding, ...]
    likenesses: tuple[Likeness, ...]

    @property
    def loses(self) -> bool:
        """Whether the item comes without something that the file has."""
        return self.imported is not None and any(one.severity == "loss" for one in self.findings)

    @property
    def contradicted(self) -> bool:
        """Whether the same question stands somewhere else with another key."""
        return any(one.kind == "conflict" for one in self.likenesses)

    @property
    def repeated(self) -> bool:
        """Whether the very same item stands in a bank, or earlier in the file."""
        return any(one.kind == "same" and one.number < self.number for one in self.likenesses)

    @property
    def proposed(self) -> bool:
        """Whether it comes unless its author says otherwise: a contradiction is theirs to settle."""
        return self.imported is not None and not self.contradicted and not self.repeated


@dataclass(frozen=True)
class Sum:
    """How many questions a file has, how many can come and cannot, and of those that can, how many are special."""

    questions: int
    can: int
    cannot: int
    lose: int
    contradicted: int
    repeated: int
    proposed: int


@dataclass(frozen=True)
class Defaults:
    """What items get that come without it."""

    course: str
    task: str = ""
    difficulty: str = ""


@dataclass(frozen=True)
class Chosen:
    """The items to store, in the order of the file, and by their new ids those whose id was taken."""

    items: tuple[Item, ...]
    renamed: dict[str, str]


def rows(compared: Compared) -> list[Row]:
    """Return a row for each question of the file, in its order."""
    items = {one.number: one for one in compared.reading.items}
    findings: dict[int, list[Finding]] = {}
    for one in compared.reading.findings:
        findings.setdefault(one.question, []).append(one)
    return [
        Row(number, items.get(number), tuple(findings.get(number, ())), compared.likenesses.get(number, ()))
        for number in range(1, compared.reading.questions + 1)
    ]


def of_the_file(compared: Compared) -> list[Finding]:
    """Return what is said of the file and of none of its questions."""
    return [one for one in compared.reading.findings if one.question == 0]


def total(found: Sequence[Row]) -> Sum:
    """Return the sum of an import's rows."""
    can = [row for row in found if row.imported is not None]
    return Sum(
        questions=len(found),
        can=len(can),
        cannot=len(found) - len(can),
        lose=sum(row.loses for row in can),
        contradicted=sum(row.contradicted for row in can),
        repeated=sum(row.repeated for row in can),
        proposed=sum(row.proposed for row in can),
    )


def is_task(text: str) -> bool:
    """Return whether a text is the code of a task, such as 1.2."""
    return re.fullmatch(r"[1-9]\.[1-9]", text) is not None


def choose(found: Iterable[Row], numbers: Collection[int], defaults: Defaults, taken: Iterable[str]) -> Chosen:
    """Return the items of the rows with these numbers, with what they lack, under ids that nobody has.

    An id that is taken gets the first number from 2 on that makes it one of its own.
    """
    ids, renamed, items = set(taken), {}, []
    for row in found:
        if row.imported is None or row.number not in numbers:
            continue
        question = row.imported.item.question
        free = _free(question.id, ids)
        if free != question.id:
            renamed[free] = question.id
        ids.add(free)
        complete = replace(
            question,
            id=free,
            course=defaults.course,
            task=question.task or defaults.task,
            difficulty=question.difficulty or defaults.difficulty,
        )
        items.append(replace(row.imported.item, question=complete))
    return Chosen(tuple(items), renamed)


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
