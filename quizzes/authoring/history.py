"""Changes of the studio's items in the database: texts, remarks, decisions, and what learners get of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from content import workflow
from content.workflow import PUBLIC, Remark, Revision, Said, Signature
from quizzes import store as versions
from quizzes.authoring.models import BankRow, DraftRevisionRow, DraftRow, RemarkRow
from quizzes.authoring.store import Draft
from quizzes.formats import markdown
from quizzes.questions import Bank, Item

# Made once: nearly every page runs it, and to make it takes longer than to run it.
_STATE = select(
    func.count(),
    func.coalesce(func.max(RemarkRow.id), 0),
    select(func.coalesce(func.sum(BankRow.revision), 0)).scalar_subquery(),
).where(RemarkRow.kind.in_(PUBLIC))


@dataclass(frozen=True)
class Entry:
    """A line of the studio's lists: an item, its bank, and who wrote its text."""

    question_id: str
    bank: str
    state: str
    public: bool
    person_id: int | None
    changed_at: datetime


def author(connection: Connection, draft: Draft) -> int | None:
    """Return who wrote an item's present text."""
    return connection.execute(select(DraftRow.person_id).where(DraftRow.id == draft.id)).scalar_one()


def note_source(connection: Connection, draft: Draft, question_id: str, by: Signature) -> None:
    """Note from which question of a course an item was copied."""
    _remark(connection, draft, {"kind": "copy", "text": question_id}, by)


def edit(connection: Connection, draft: Draft, text: str, revision: int, by: Signature) -> bool:
    """Give an item a new text, which makes a draft of it; return False where it has changed since ``revision``.

    What learners get stays as it is.
    """
    values = {"text": text, "revision": revision + 1, "state": "draft", "person_id": by.person_id, "changed_at": by.at}
    if not _change(connection, draft, revision, draft.state, values):
        return False
    row = {"draft_id": draft.id, "revision": revision + 1, "text": text}
    connection.execute(insert(DraftRevisionRow).values(**row, person_id=by.person_id, written_at=by.at))
    return True


def step(connection: Connection, draft: Draft, action: str, said: Said, by: Signature) -> bool:
    """Take a step of the workflow other than a publication, with what is said; return False where the item has changed.

    Raises ValueError where the step is not possible in the item's state.
    """
    values: dict[str, Any] = {"state": workflow.after(action, draft.state)}
    if action == "retire":
        values["fingerprint"] = None
    if not _change(connection, draft, draft.revision, draft.state, values):
        return False
    _remark(connection, draft, {"kind": action, "text": said.text, "line": said.line}, by)
    return True


def publish(connection: Connection, draft: Draft, item: Item, by: Signature) -> bool:
    """Give learners the item's present text as an immutable version; return False where the item has changed.

    Raises ValueError where an item in its state cannot be published.
    """
    values = {"state": workflow.after("publish", draft.state), "fingerprint": item.fingerprint()}
    if not _change(connection, draft, draft.revision, draft.state, values):
        return False
    versions.keep_version(connection, item)
    _remark(connection, draft, {"kind": "publish", "fingerprint": item.fingerprint()}, by)
    return True


def revisions(connection: Connection, draft: Draft) -> list[Revision]:
    """Return an item's texts, the newest first."""
    row = DraftRevisionRow
    found = select(row.revision, row.text, row.person_id, row.written_at).where(row.draft_id == draft.id)
    return [Revision(*one) for one in connection.execute(found.order_by(row.revision.desc()))]


def remarks(connection: Connection, draft: Draft) -> list[Remark]:
    """Return what was said and decided of an item, in its order."""
    row = RemarkRow
    columns = (row.revision, row.kind, row.text, row.person_id, row.made_at, row.line)
    found = connection.execute(select(*columns).where(row.draft_id == draft.id).order_by(row.id))
    said = [Remark(*one) for one in found]
    return workflow.quote(said, revisions(connection, draft)) if any(one.line for one in said) else said


def entries(connection: Connection) -> list[Entry]:
    """Return every item of the studio, by bank and in the order in which they came."""
    columns = (DraftRow.question_id, BankRow.slug, DraftRow.state, DraftRow.fingerprint, DraftRow.person_id)
    found = select(*columns, DraftRow.changed_at).join(BankRow, BankRow.id == DraftRow.bank_id).order_by(DraftRow.id)
    return [
        Entry(row.question_id, row.slug, row.state, row.fingerprint is not None, row.person_id, row.changed_at)
        for row in connection.execute(found)
    ]


def state(connection: Connection) -> tuple[int, ...]:
    """Return numbers of which one changes with every publication, retirement and change of a bank, in one statement.

    Both the count and the last id are needed: of two transactions the one with the lower id may be committed last.
    """
    return tuple(map(int, connection.execute(_STATE).one()))


def published(connection: Connection) -> tuple[Bank, ...]:
    """Return the studio's banks with the items that learners get, each as the version that it is."""
    rows = connection.execute(_public_texts()).all()
    items = versions.load_versions(connection, [row.fingerprint for row in rows])
    banks: dict[str, Bank] = {}
    for row, item in zip(rows, items, strict=True):
        bank = banks.setdefault(row.slug, Bank(row.slug, row.title, row.course, row.pool, ()))
        banks[row.slug] = replace(bank, items=(*bank.items, _tagged(item, row.text)))
    return tuple(banks.values())


def _public_texts() -> Any:
    """Return the statement for what learners get: each item's bank, its version, and the text that it was made of."""
    told = and_(
        RemarkRow.draft_id == DraftRow.id,
        RemarkRow.kind == "publish",
        RemarkRow.fingerprint == DraftRow.fingerprint,
    )
    revision = select(func.max(RemarkRow.revision)).where(told).scalar_subquery()
    text = and_(DraftRevisionRow.draft_id == DraftRow.id, DraftRevisionRow.revision == revision)
    columns = (BankRow.slug, BankRow.title, BankRow.course, BankRow.pool, DraftRow.fingerprint, DraftRevisionRow.text)
    return (
        select(*columns)
        .select_from(DraftRow)
        .join(BankRow, BankRow.id == DraftRow.bank_id)
        .join(DraftRevisionRow, text)
        .order_by(BankRow.id, DraftRow.id)
    )


def _tagged(item: Item, text: str) -> Item:
    """Return an item with its tags, which are in its text and in no version."""
    question = item.question
    written, _faults = markdown.read_item(text, question.course, {question.case: question.stimulus}, Path("item"))
    return item if written is None else replace(item, question=replace(question, tags=written.question.tags))


def _change(connection: Connection, draft: Draft, revision: int, state: str, values: dict[str, Any]) -> bool:
    """Change an item that still has this text and state."""
    row = DraftRow
    same = (row.id == draft.id, row.revision == revision, row.state == state)
    return connection.execute(update(row).where(*same).values(values)).rowcount == 1


def _remark(connection: Connection, draft: Draft, said: dict[str, Any], by: Signature) -> None:
    values = {"draft_id": draft.id, "revision": draft.revision, **said}
    connection.execute(insert(RemarkRow).values(**values, person_id=by.person_id, made_at=by.at))
