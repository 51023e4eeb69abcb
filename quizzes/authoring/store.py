"""What the database keeps of the studio: banks and drafts, in short Core statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from content.workflow import Signature
from quizzes.authoring.models import BankRow, DraftRevisionRow, DraftRow
from quizzes.formats import markdown
from quizzes.questions import Item


@dataclass(frozen=True)
class StudioBank:
    """A bank of the studio, without its items."""

    id: int
    slug: str
    title: str
    course: str
    pool: str
    cases: str
    revision: int
    minutes: int | None = None
    cut: int | None = None
    offered: bool = False
    """Whether learners can sit its published items as an exam of so many minutes with that cut."""


@dataclass(frozen=True)
class Draft:
    """An item of the studio as it stands: its Markdown, its state, and the version that learners get, if any."""

    id: int
    bank_id: int
    question_id: str
    text: str
    revision: int
    state: str
    fingerprint: str | None
    import_id: int | None
    changed_at: datetime


_BANK: Select[*tuple[Any, ...]] = select(
    *(BankRow.id, BankRow.slug, BankRow.title, BankRow.course, BankRow.pool, BankRow.cases, BankRow.revision),
    *(BankRow.minutes, BankRow.cut, BankRow.offered),
)
_DRAFT = select(
    *(DraftRow.id, DraftRow.bank_id, DraftRow.question_id, DraftRow.text, DraftRow.revision, DraftRow.state),
    *(DraftRow.fingerprint, DraftRow.import_id, DraftRow.changed_at),
)


def create_bank(connection: Connection, bank: StudioBank, by: Signature) -> StudioBank:
    """Store a new bank (its ``id`` and ``revision`` are given here) and return it as stored.

    Raises IntegrityError where the slug is taken.
    """
    values = {"slug": bank.slug, "title": bank.title, "course": bank.course, "pool": bank.pool, "cases": bank.cases}
    row = insert(BankRow).values(**values, revision=1, person_id=by.person_id, created_at=by.at).returning(BankRow.id)
    return replace(bank, id=connection.execute(row).scalar_one(), revision=1)


def banks(connection: Connection) -> list[StudioBank]:
    """Return every bank of the studio, by title."""
    return [StudioBank(*row) for row in connection.execute(_BANK.order_by(BankRow.title, BankRow.id))]


def find_bank(connection: Connection, slug: str) -> StudioBank | None:
    """Return the bank of that slug, or None."""
    row = connection.execute(_BANK.where(BankRow.slug == slug)).first()
    return None if row is None else StudioBank(*row)


def offer(connection: Connection, bank: StudioBank, terms: tuple[int | None, int | None], *, offered: bool) -> None:
    """Let learners sit a bank as an exam on these terms (its minutes and its cut), or no longer."""
    values = {"minutes": terms[0], "cut": terms[1], "offered": offered, "revision": BankRow.revision + 1}
    connection.execute(update(BankRow).where(BankRow.id == bank.id).values(values))


def drafts(connection: Connection, bank_id: int) -> list[Draft]:
    """Return the items of a bank in the order in which they came."""
    return [Draft(*row) for row in connection.execute(_DRAFT.where(DraftRow.bank_id == bank_id).order_by(DraftRow.id))]


def find_draft(connection: Connection, question_id: str) -> Draft | None:
    """Return the studio's item of that id, or None."""
    row = connection.execute(_DRAFT.where(DraftRow.question_id == question_id)).first()
    return None if row is None else Draft(*row)


def add_items(
    connection: Connection, bank_id: int, items: Sequence[Item], by: Signature, import_id: int | None = None
) -> list[int]:
    """Store items as drafts with their first revisions and return the drafts' ids, in the order of ``items``.

    Raises IntegrityError where an id is taken in the studio.
    """
    texts = [(item.question.id, markdown.write_item(item)) for item in items]
    return add_texts(connection, bank_id, texts, by, import_id)


def add_texts(
    connection: Connection,
    bank_id: int,
    texts: Sequence[tuple[str, str]],
    by: Signature,
    import_id: int | None = None,
) -> list[int]:
    """Store items, each as (its id, its Markdown), as ``add_items`` does."""
    if not texts:
        return []
    rows = [
        {
            "bank_id": bank_id,
            "question_id": question_id,
            "text": text,
            "revision": 1,
            "state": "draft",
            "import_id": import_id,
            "person_id": by.person_id,
            "changed_at": by.at,
        }
        for question_id, text in texts
    ]
    made = insert(DraftRow).returning(DraftRow.id, sort_by_parameter_order=True)
    ids = list(connection.execute(made, rows).scalars())
    firsts = [
        {"draft_id": one, "revision": 1, "text": text, "person_id": by.person_id, "written_at": by.at}
        for one, (_question_id, text) in zip(ids, texts, strict=True)
    ]
    connection.execute(insert(DraftRevisionRow), firsts)
    return ids


def remove_import(connection: Connection, import_id: int) -> tuple[int, list[str]]:
    """Undo an import: remove its items that nobody has changed or published since.

    Returns how many were removed, and the ids of the questions that stay.
    """
    untouched = (DraftRow.import_id == import_id, DraftRow.revision == 1, DraftRow.fingerprint.is_(None))
    # Somebody may be changing one of them at this moment.
    connection.execute(select(DraftRow.id).where(*untouched).order_by(DraftRow.id).with_for_update())
    connection.execute(
        delete(DraftRevisionRow).where(DraftRevisionRow.draft_id.in_(select(DraftRow.id).where(*untouched)))
    )
    removed = connection.execute(delete(DraftRow).where(*untouched)).rowcount
    stay = select(DraftRow.question_id).where(DraftRow.import_id == import_id).order_by(DraftRow.id)
    return removed, list(connection.execute(stay).scalars())
