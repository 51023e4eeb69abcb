"""A bank's whole text in the database: what it was begun from, and keeping what it changes, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select, update

from content.workflow import Said, Signature
from quizzes.authoring import history, store
from quizzes.authoring.models import BankRow, DraftRevisionRow, DraftRow
from quizzes.authoring.store import Draft, StudioBank
from quizzes.authoring.whole import Plan


class ChangedMeanwhileError(Exception):
    """Somebody else has changed the bank or an item of it since it was read."""


def digest(title: str, cases: str) -> str:
    """Return a short name of a bank's title and cases, which tells whether they have changed."""
    return hashlib.sha256(f"{title}\n{cases.strip()}".encode()).hexdigest()[:16]


def mark(drafts: Sequence[Draft]) -> str:
    """Return what a page must remember of a bank's items: a line each with id, revision, and state."""
    return "\n".join(f"{one.question_id} {one.revision} {one.state}" for one in drafts)


def base(connection: Connection, drafts: Sequence[Draft], marked: str) -> Mapping[str, Draft]:
    """Return the items as they were when a text was begun, out of what ``mark`` had told the page.

    What is none of the bank's items, or a revision that there is not, is left out.
    """
    seen = dict(_marks(marked))
    moved = [one for one in drafts if one.question_id in seen and seen[one.question_id][0] != one.revision]
    row = DraftRevisionRow
    found = select(row.draft_id, row.revision, row.text).where(row.draft_id.in_([one.id for one in moved]))
    texts = {(one.draft_id, one.revision): one.text for one in connection.execute(found)}
    texts |= {(one.id, one.revision): one.text for one in drafts}
    return {
        one.question_id: replace(one, revision=revision, state=state, text=texts[one.id, revision])
        for one in drafts
        for revision, state in [seen.get(one.question_id, (0, ""))]
        if (one.id, revision) in texts
    }


def elsewhere(connection: Connection, bank: StudioBank) -> list[str]:
    """Return the ids that items of the studio's other banks have."""
    return list(connection.execute(select(DraftRow.question_id).where(DraftRow.bank_id != bank.id)).scalars())


def keep(connection: Connection, bank: StudioBank, plan: Plan, by: Signature) -> None:
    """Store what a plan says: new items and new texts as drafts, and what is gone as retired.

    Raises ChangedMeanwhileError, upon which the caller's transaction must be undone; IntegrityError for a taken id.
    """
    for piece in plan.new:
        store.add_texts(connection, bank.id, [(piece.heading, piece.text)], by)
    kept = [history.edit(connection, draft, piece.text, draft.revision, by) for draft, piece in plan.changed]
    kept += [history.step(connection, draft, "retire", Said(), by) for draft in plan.gone]
    if not all(kept):
        raise ChangedMeanwhileError


def keep_bank(connection: Connection, bank: StudioBank, title: str, cases: str) -> None:
    """Give a bank another title or other cases; raise ChangedMeanwhileError where somebody else has just done so."""
    same = (BankRow.id == bank.id, BankRow.revision == bank.revision)
    values = {"title": title, "cases": cases, "revision": bank.revision + 1}
    if connection.execute(update(BankRow).where(*same).values(values)).rowcount != 1:
        raise ChangedMeanwhileError


def _marks(marked: str) -> list[tuple[str, tuple[int, str]]]:
    lines = [line.split() for line in marked.splitlines()]
    return [(line[0], (int(line[1]), line[2])) for line in lines if len(line) == 3 and line[1].isdecimal()]
