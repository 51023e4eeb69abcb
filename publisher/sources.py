"""What an issue is made of, gathered: the running application's library and banks, the labs, what editors chose.

``extensions["library"]`` has ``current()``; ``extensions["banks"]`` is a function that returns the banks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask import current_app

from config import Settings
from content.library import Library, Note
from db import Database
from labs import registry
from publisher import appendix, editing, epub, issue, store
from publisher.epub import Edition
from publisher.issue import Choice, Issue, IssueError
from publisher.news import KeyChange, Lab, Printed
from publisher.progress import Report, Stage, to_nobody
from publisher.store import Draft, Published
from quizzes import blueprint, practice, practice_store
from quizzes.corrections import store as corrections
from quizzes.questions import Item

EXAMS = Path(blueprint.__file__).with_name("exams")
CHOICES = Path(__file__).with_name("issues")


def library() -> Library:
    """Return the application's library."""
    found: Library = current_app.extensions["library"].current()
    return found


def months() -> tuple[str, ...]:
    """Return the months that have an issue, in order."""
    return issue.months(library(), _paused())


def draft(month: str) -> Draft:
    """Return what was chosen for a month in the editor, or else in its file; raise IssueError if that has a fault."""
    with _database().reading() as connection:
        kept = store.draft(connection, month)
    return kept or Draft(issue.load_choice(CHOICES, month) or Choice(f"The editor's page of {month}"), 0)


def candidates(month: str) -> tuple[Note, ...]:
    """Return the articles that an issue of ``month`` may print."""
    return editing.candidates(library(), month, _paused())


def compose(month: str, chosen: Choice | None = None) -> Issue:
    """Return a month's issue, with another choice than that of its draft if one is given.

    Raises IssueError with the file's or the month's name where there can be none.
    """
    issue.check_month(month)
    past, later = _around(month)
    return _compose(month, chosen or draft(month).choice, past, key_changes(), later)


def in_print(book: Published) -> Issue:
    """Return what is in a book that was built; of the corrected keys, those that it prints."""
    with _database().reading() as connection:
        own = store.printed(connection).get(book.month, Printed(book.month)).corrected
    past, _later = _around(book.month)
    printed = tuple(one for one in key_changes() if one.key in own)
    return _compose(book.month, book.choice or draft(book.month).choice, past, printed)


def key_changes() -> tuple[KeyChange, ...]:
    """Return the corrections of keys that are in force, the oldest first."""
    with _database().reading() as connection:
        newest = {one.fingerprint: one for one in corrections.corrections(connection)}
        names = {one.question_id for one in newest.values()}
        items = {one.fingerprint: one.item for name in names for one in corrections.versions(connection, name)}
    changes = (KeyChange(one.id, items[one.fingerprint], one.ruling, one.reason) for one in newest.values())
    return tuple(sorted(changes, key=lambda one: one.number))


def build(month: str, report: Report = to_nobody) -> Edition:
    """Make a month's book."""
    report(Stage("collecting"))
    return epub.build(compose(month), report)


@cache
def labs() -> tuple[Lab, ...]:
    """Return the labs of the catalog, read once a process."""
    return tuple(Lab(one.slug, one.title, one.summary, one.source) for one in registry.load()[0])


def own_questions(person: int, month: str) -> tuple[Item, ...]:
    """Return the questions of a person's own appendix; none where they have no weak task yet."""
    with _database().reading() as connection:
        last = practice.latest(practice_store.results(connection, person))
        withheld = practice_store.withheld(connection, person)
    banks = current_app.extensions["banks"]()
    items = [item for bank in banks if bank.pool == "exam" for item in bank.items]
    return appendix.choose(items, last, _weights(), month, withheld)


def is_public(book: Published) -> bool:
    """Return whether readers get an issue: always, or where the operator says so once an editor has approved it."""
    return book.approved or not _settings().approval


@cache
def _weights() -> Mapping[tuple[str, int], int]:
    """Return the percent that each domain of a course has in its exam; a vendor's exam rules before our own."""
    exams = reversed(blueprint.load(EXAMS))
    return {(exam.course, domain.number): domain.weight for exam in exams for domain in exam.domains}


def _compose(
    month: str,
    chosen: Choice,
    past: tuple[Printed, ...],
    changes: tuple[KeyChange, ...] = (),
    later: tuple[Printed, ...] = (),
) -> Issue:
    banks = current_app.extensions["banks"]()
    return issue.compose(
        library(), banks, labs(), month, chosen, past=past, paused=_paused(), changes=changes, later=later
    )


def _around(month: str) -> tuple[tuple[Printed, ...], tuple[Printed, ...]]:
    """Return what earlier issues printed, where one that was not built yet prints what it would now, and later ones.

    Corrected keys are printed by the next issue that is built, whichever month it is of.
    """
    with _database().reading() as connection:
        kept = store.printed(connection)
    past: tuple[Printed, ...] = ()
    for earlier in months():
        if earlier < month:
            found = kept.get(earlier) or _would_print(earlier, past)
            past = (*past, found) if found else past
    return past, tuple(one for later, one in sorted(kept.items()) if later > month)


def _would_print(month: str, past: tuple[Printed, ...]) -> Printed | None:
    try:
        return _compose(month, draft(month).choice, past).printed
    except IssueError:
        # It has a fault of its own, which is told where that issue is asked for.
        return None


def _paused() -> frozenset[int]:
    return _settings().paused_months


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def _database() -> Database:
    found: Database = current_app.extensions["database"]
    return found
