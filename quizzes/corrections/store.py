"""What the database keeps of corrections: rulings in force, the attempts they concern, and disputes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, String, cast, delete, func, insert, select, update

from content.workflow import Signature
from db import in_turns
from quizzes.corrections import replay
from quizzes.corrections.models import CorrectionRow, DisputeRow, RescoreRow
from quizzes.corrections.replay import Case, Effect, Ruling
from quizzes.models import AttemptRow, SheetRow, VersionRow
from quizzes.questions import Item, item_of


@dataclass(frozen=True)
class Correction:
    """A ruling with its entry in the audit: on which version, why, by whom and when."""

    id: int
    fingerprint: str
    question_id: str
    ruling: Ruling
    reason: str
    person_id: int | None
    made_at: datetime


@dataclass(frozen=True)
class Version:
    """A version of an item with its ruling in force, if there is one."""

    fingerprint: str
    item: Item
    ruling: Ruling | None


@dataclass(frozen=True)
class Rescore:
    """What a correction did to an attempt, and why."""

    attempt_id: int
    exam: str
    before: int
    after: int
    passed_before: bool
    passed_after: bool
    reason: str
    made_at: datetime


@dataclass(frozen=True)
class Dispute:
    """A learner's objection, and its answer, if there is one."""

    id: int
    attempt_id: int
    place: int
    person_id: int
    fingerprint: str
    question_id: str
    reason: str
    source: str
    made_at: datetime
    verdict: str
    answer: str
    answered_at: datetime | None


RULINGS = "rulings"
"""Under this name closes mark and corrections are made (db.in_turns), neither in the middle of the other."""

_DISPUTE = select(
    *(DisputeRow.id, DisputeRow.attempt_id, DisputeRow.place, DisputeRow.person_id, DisputeRow.fingerprint),
    *(DisputeRow.question_id, DisputeRow.reason, DisputeRow.source, DisputeRow.made_at, DisputeRow.verdict),
    *(DisputeRow.answer, DisputeRow.answered_at),
)
_CORRECTION = select(
    *(CorrectionRow.id, CorrectionRow.fingerprint, CorrectionRow.question_id, CorrectionRow.kind),
    *(CorrectionRow.correct, CorrectionRow.reason, CorrectionRow.person_id, CorrectionRow.made_at),
)


def corrections(connection: Connection, question_id: str | None = None) -> list[Correction]:
    """Return every correction, or those of a question, the oldest first."""
    statement = _CORRECTION.order_by(CorrectionRow.id)
    if question_id is not None:
        statement = statement.where(CorrectionRow.question_id == question_id)
    return [
        Correction(
            *(row.id, row.fingerprint, row.question_id, Ruling(row.kind, frozenset(row.correct))),
            *(row.reason, row.person_id, row.made_at),
        )
        for row in connection.execute(statement)
    ]


def rulings(connection: Connection, fingerprints: Iterable[str] | None = None) -> dict[str, Ruling]:
    """Return the ruling in force of each version that has one: the newest."""
    statement = _CORRECTION.order_by(CorrectionRow.id)
    if fingerprints is not None:
        statement = statement.where(CorrectionRow.fingerprint.in_(list(fingerprints)))
    rows = connection.execute(statement)
    return {row.fingerprint: Ruling(row.kind, frozenset(row.correct)) for row in rows}


def versions(connection: Connection, question_id: str) -> list[Version]:
    """Return every version of a question that was ever asked or loaded, each with its ruling."""
    found = select(VersionRow.fingerprint, VersionRow.question, VersionRow.key)
    own = found.where(VersionRow.question_id == question_id).order_by(VersionRow.fingerprint)
    rows = connection.execute(own).all()
    known = rulings(connection, [row.fingerprint for row in rows])
    return [Version(row.fingerprint, item_of(row.question, row.key), known.get(row.fingerprint)) for row in rows]


def cases(connection: Connection, fingerprint: str) -> list[Case]:
    """Return the closed attempts in which a version stands at a scored place."""
    dropped = {name for name, ruling in rulings(connection).items() if ruling.kind == "drop"}
    columns = (AttemptRow.id, AttemptRow.person_id, AttemptRow.exam, AttemptRow.scaled)
    statement = select(*columns, AttemptRow.form, AttemptRow.answers).where(
        AttemptRow.closed_at.is_not(None), _has(fingerprint)
    )
    found = (_case(row, fingerprint, dropped) for row in connection.execute(statement))
    return [one for one in found if one is not None]


def newest(connection: Connection) -> int:
    """Return the id of the newest correction, 0 where there is none."""
    return connection.execute(select(func.coalesce(func.max(CorrectionRow.id), 0))).scalar_one()


def apply(
    connection: Connection, version: Version, ruling: Ruling, effects: Sequence[Effect], note: tuple[str, Signature]
) -> int:
    """Keep a ruling and its reason, give the attempts their new scores, and return the correction's id.

    The sheets of attempts with the version are forgotten, so that they are written again by its new key.
    """
    reason, by = note
    row = insert(CorrectionRow).values(
        fingerprint=version.fingerprint,
        question_id=version.item.question.id,
        kind=ruling.kind,
        correct=sorted(ruling.correct),
        reason=reason,
        person_id=by.person_id,
        made_at=by.at,
    )
    correction_id = connection.execute(row.returning(CorrectionRow.id)).scalar_one()
    changed = [one for one in effects if one.after != one.before]
    for one in changed:
        connection.execute(update(AttemptRow).where(AttemptRow.id == one.attempt_id).values(scaled=one.after))
    if changed:
        connection.execute(insert(RescoreRow), [_rescore_values(correction_id, one) for one in changed])
    asked = select(AttemptRow.id).where(_has(version.fingerprint))
    connection.execute(delete(SheetRow).where(SheetRow.attempt_id.in_(asked)))
    return correction_id


def rescores(connection: Connection, person_id: int, *, unseen: bool = False) -> list[Rescore]:
    """Return what corrections did to a person's attempts, the newest first; ``unseen``, only what they do not know."""
    statement = (
        select(RescoreRow, AttemptRow.exam, CorrectionRow.reason, CorrectionRow.made_at)
        .join(CorrectionRow, CorrectionRow.id == RescoreRow.correction_id)
        .join(AttemptRow, AttemptRow.id == RescoreRow.attempt_id)
        .where(RescoreRow.person_id == person_id)
        .order_by(RescoreRow.correction_id.desc())
    )
    if unseen:
        statement = statement.where(RescoreRow.seen_at.is_(None))
    return [
        Rescore(
            *(row.attempt_id, row.exam, row.before, row.after, row.passed_before, row.passed_after),
            *(row.reason, row.made_at),
        )
        for row in connection.execute(statement)
    ]


def mark_seen(connection: Connection, person_id: int, attempt_id: int, now: datetime) -> None:
    """Remember that a person has read what corrections and answers say of an attempt."""
    for table in (RescoreRow, DisputeRow):
        own = (table.person_id == person_id, table.attempt_id == attempt_id, table.seen_at.is_(None))
        answered = [DisputeRow.answered_at.is_not(None)] if table is DisputeRow else []
        connection.execute(update(table).where(*own, *answered).values(seen_at=now))


def object_to(connection: Connection, dispute: Dispute) -> None:
    """Keep a learner's objection; one that is open at the same place gets the new words."""
    values = {"reason": dispute.reason, "source": dispute.source, "made_at": dispute.made_at}
    in_turns(connection, f"dispute {dispute.attempt_id} {dispute.place}")
    same = (DisputeRow.attempt_id == dispute.attempt_id, DisputeRow.place == dispute.place, DisputeRow.verdict == "")
    if connection.execute(update(DisputeRow).where(*same).values(**values)).rowcount == 0:
        fields = {"person_id": dispute.person_id, "attempt_id": dispute.attempt_id, "place": dispute.place}
        names = {"fingerprint": dispute.fingerprint, "question_id": dispute.question_id, "verdict": "", "answer": ""}
        connection.execute(insert(DisputeRow).values(**values, **fields, **names))


def disputes(connection: Connection, *, still_open: bool | None = None) -> list[Dispute]:
    """Return the disputes, the oldest open ones first."""
    statement = _DISPUTE.order_by(DisputeRow.verdict != "", DisputeRow.id)
    if still_open is not None:
        statement = statement.where((DisputeRow.verdict == "") if still_open else (DisputeRow.verdict != ""))
    return [_dispute(row) for row in connection.execute(statement).mappings()]


def disputes_of(connection: Connection, attempt_id: int) -> dict[int, Dispute]:
    """Return the newest dispute at each place of an attempt."""
    found = connection.execute(_DISPUTE.where(DisputeRow.attempt_id == attempt_id).order_by(DisputeRow.id)).mappings()
    return {row["place"]: _dispute(row) for row in found}


def answered_disputes(connection: Connection, person_id: int) -> list[Dispute]:
    """Return a person's disputes whose answer they have not read."""
    unseen = (DisputeRow.person_id == person_id, DisputeRow.verdict != "", DisputeRow.seen_at.is_(None))
    found = connection.execute(_DISPUTE.where(*unseen).order_by(DisputeRow.id)).mappings()
    return [_dispute(row) for row in found]


def find_dispute(connection: Connection, dispute_id: int) -> Dispute | None:
    """Return a dispute, or None."""
    row = connection.execute(_DISPUTE.where(DisputeRow.id == dispute_id)).mappings().first()
    return None if row is None else _dispute(row)


def answer(connection: Connection, dispute_id: int, verdict: str, text: str, by: Signature) -> bool:
    """Keep the answer to an open dispute; return whether it was open."""
    values = {"verdict": verdict, "answer": text, "answered_by": by.person_id, "answered_at": by.at}
    still_open = update(DisputeRow).where(DisputeRow.id == dispute_id, DisputeRow.verdict == "")
    return connection.execute(still_open.values(**values)).rowcount == 1


def ruled_items(connection: Connection, items: Iterable[Item]) -> Iterator[Item]:
    """Yield items with the keys by which they are marked now."""
    known = {one.question_id: one for one in corrections(connection)}
    in_force = rulings(connection) if known else {}
    for item in items:
        # A fingerprint costs more than the lookup, and few questions were ever corrected.
        yield replay.ruled(item, in_force.get(item.fingerprint())) if item.question.id in known else item


def _has(fingerprint: str) -> ColumnElement[bool]:
    return cast(AttemptRow.form, String).contains(fingerprint)


def _case(row: Any, fingerprint: str, dropped: Collection[str]) -> Case | None:
    places = [place for place, one in enumerate(row.form) if len(one) == 2]
    own = next((place for place in places if row.form[place][0] == fingerprint), None)
    if own is None:
        return None
    scored = sum(row.form[place][0] not in dropped for place in places)
    return Case(row.id, row.person_id, row.exam, row.scaled or 0, scored, row.answers[own])


def _rescore_values(correction_id: int, one: Effect) -> dict[str, object]:
    return {
        "correction_id": correction_id,
        "attempt_id": one.attempt_id,
        "person_id": one.person_id,
        "before": one.before,
        "after": one.after,
        "passed_before": one.passed_before,
        "passed_after": one.passed_after,
    }


def _dispute(row: RowMapping) -> Dispute:
    return Dispute(**row)
