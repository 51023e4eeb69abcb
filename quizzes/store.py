"""What the database keeps of the quiz engine: versions of items, attempts, responses; short Core transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, bindparam, func, insert, select, update

from db import Database, in_turns, upsert
from quizzes.attempts import Clock, Receipt, receive
from quizzes.blueprint import Form
from quizzes.corrections import replay
from quizzes.corrections import store as corrections
from quizzes.corrections.replay import Ruling
from quizzes.models import AttemptRow, ResponseRow, VersionRow
from quizzes.questions import Bank, Item, item_of


@dataclass(frozen=True)
class Attempt:
    """An attempt as it stands: whose it is, its form as (fingerprint, order of options), and its clock."""

    id: int
    person_id: int
    exam: str
    seed: int
    form: tuple[tuple[str, str], ...]
    clock: Clock
    scaled: int | None
    unscored: frozenset[int] = frozenset()
    """The places, counted from 1, whose items are only tried out."""


@dataclass(frozen=True)
class Response:
    """The answer at one place, counted from 1; ``revision`` grows with each change the page makes."""

    place: int
    revision: int
    answer: str
    flagged: bool
    late: bool


@dataclass(frozen=True)
class Change:
    """One change of an answer as a page sends it; ``stamp`` is when the learner made it."""

    place: int
    revision: int
    answer: str
    flagged: bool
    stamp: datetime | None


@dataclass(frozen=True)
class Owner:
    """Who sends a change: a subquery for the person, and the values it needs; asked within the same statement."""

    person: ScalarSelect[int]
    values: Mapping[str, object]


_ATTEMPT = select(
    AttemptRow.id,
    AttemptRow.person_id,
    AttemptRow.exam,
    AttemptRow.seed,
    AttemptRow.form,
    AttemptRow.started_at,
    AttemptRow.deadline,
    AttemptRow.closed_at,
    AttemptRow.scaled,
)
_RESPONSE = select(ResponseRow.place, ResponseRow.revision, ResponseRow.answer, ResponseRow.flagged, ResponseRow.late)
_STORED = _RESPONSE.where(
    ResponseRow.attempt_id == bindparam("attempt_id"), ResponseRow.place.in_(bindparam("places", expanding=True))
)


def sync_versions(database: Database, banks: Iterable[Bank]) -> int:
    """Store every item's present version that is not stored yet; return how many were new."""
    items = {item.fingerprint(): item for bank in banks for item in bank.items}
    with database.writing() as connection:
        in_turns(connection, "versions")
        known = set(connection.execute(select(VersionRow.fingerprint)).scalars())
        rows = [_version_row(name, item) for name, item in items.items() if name not in known]
        if rows:
            # Another server may be starting, or the studio publishing, at this moment.
            connection.execute(upsert(connection, VersionRow).on_conflict_do_nothing(), rows)
    return len(rows)


def keep_version(connection: Connection, item: Item) -> None:
    """Store an item's version unless it is stored."""
    row = _version_row(item.fingerprint(), item)
    connection.execute(upsert(connection, VersionRow).values(row).on_conflict_do_nothing())


def load_versions(connection: Connection, fingerprints: Sequence[str]) -> list[Item]:
    """Return the items of these versions, in this order, as they were stored."""
    rows = connection.execute(select(VersionRow).where(VersionRow.fingerprint.in_(fingerprints)))
    items = {row.fingerprint: item_of(row.question, row.key) for row in rows}
    return [items[fingerprint] for fingerprint in fingerprints]


def load_ruled(connection: Connection, fingerprints: Sequence[str]) -> tuple[list[Item], list[Ruling | None]]:
    """Return the items of these versions with the keys by which they are marked now, and the ruling of each."""
    known = corrections.rulings(connection, fingerprints)
    rulings = [known.get(fingerprint) for fingerprint in fingerprints]
    items = map(replay.ruled, load_versions(connection, fingerprints), rulings)
    return list(items), rulings


def load_items(connection: Connection, fingerprints: Sequence[str]) -> list[Item]:
    """Return the items of these versions, in this order, with the keys by which they are marked now."""
    return load_ruled(connection, fingerprints)[0]


def without_dropped(attempt: Attempt, rulings: Iterable[Ruling | None]) -> Attempt:
    """Return an attempt in which the places that were dropped since are unscored, given the ruling of each place."""
    dropped = {place for place, ruling in enumerate(rulings, 1) if ruling is not None and ruling.kind == "drop"}
    return replace(attempt, unscored=attempt.unscored | dropped)


def start(connection: Connection, person_id: int, form: Form, items: Sequence[Item], clock: Clock) -> int:
    """Store a new attempt on the drawn form and return its id; ``items`` are those of the form's places."""
    statement = (
        insert(AttemptRow)
        .values(
            person_id=person_id,
            exam=form.blueprint.slug,
            seed=form.seed,
            form=[
                [item.fingerprint(), place.order, *([] if place.scored else ["pilot"])]
                for place, item in zip(form.places, items, strict=True)
            ],
            places=len(form.places),
            started_at=clock.started_at,
            deadline=clock.deadline,
        )
        .returning(AttemptRow.id)
    )
    return connection.execute(statement).scalar_one()


def find_attempt(connection: Connection, attempt_id: int, person_id: int) -> Attempt | None:
    """Return the attempt if it is this person's; somebody else's is as absent as one that never was."""
    row = connection.execute(_ATTEMPT.where(AttemptRow.id == attempt_id, AttemptRow.person_id == person_id)).first()
    return None if row is None else _attempt(row)


def attempts_of(connection: Connection, person_id: int, exam: str | None = None) -> list[Attempt]:
    """Return a person's attempts, the newest first."""
    statement = _ATTEMPT.where(AttemptRow.person_id == person_id).order_by(AttemptRow.id.desc())
    if exam is not None:
        statement = statement.where(AttemptRow.exam == exam)
    return [_attempt(row) for row in connection.execute(statement)]


def seen_questions(connection: Connection, person_id: int, exam: str, attempts: int) -> set[str]:
    """Return the ids of the questions in a person's last so many attempts at an exam."""
    forms = connection.execute(
        select(AttemptRow.form)
        .where(AttemptRow.person_id == person_id, AttemptRow.exam == exam)
        .order_by(AttemptRow.id.desc())
        .limit(attempts)
    ).scalars()
    return questions_in(connection, forms)


def questions_in(connection: Connection, forms: Iterable[Sequence[Sequence[str]]]) -> set[str]:
    """Return the ids of the questions of some forms, each as an attempt's row has it."""
    fingerprints = {fingerprint for form in forms for fingerprint, *_ in form}
    found = select(VersionRow.question_id).where(VersionRow.fingerprint.in_(fingerprints))
    return set(connection.execute(found).scalars())


def hold(connection: Connection, attempt_id: int) -> Attempt | None:
    """Return an attempt as it is now, which nobody else changes until the transaction ends; None where it is gone."""
    row = connection.execute(_ATTEMPT.where(AttemptRow.id == attempt_id).with_for_update()).first()
    return None if row is None else _attempt(row)


def overdue_attempts(connection: Connection, deadline_before: datetime) -> list[Attempt]:
    """Return every attempt that still runs though its deadline was before that moment."""
    statement = _ATTEMPT.where(AttemptRow.closed_at.is_(None), AttemptRow.deadline < deadline_before)
    return [_attempt(row) for row in connection.execute(statement)]


def closed_attempts(connection: Connection, ids: Collection[int]) -> list[tuple[Attempt, list[str]]]:
    """Return closed attempts by their ids, each with the answers that counted at its close."""
    rows = connection.execute(_ATTEMPT.add_columns(AttemptRow.answers).where(AttemptRow.id.in_(ids)))
    return [(_attempt(row), row.answers) for row in rows]


def is_timed_attempt_running(connection: Connection, deadline_from: datetime) -> bool:
    """Return whether an attempt that has a time limit is open, and its deadline is not before that moment."""
    running = (AttemptRow.closed_at.is_(None), AttemptRow.deadline >= deadline_from)
    statement = select(AttemptRow.started_at, AttemptRow.deadline, AttemptRow.closed_at).where(*running)
    return any(not Clock(*row).unlimited for row in connection.execute(statement))


def responses(connection: Connection, attempt_id: int) -> list[Response]:
    """Return the answers of an attempt, the late ones beside those that count, in the order of places."""
    statement = _RESPONSE.where(ResponseRow.attempt_id == attempt_id).order_by(ResponseRow.place, ResponseRow.late)
    return [Response(*row) for row in connection.execute(statement)]


def save(
    database: Database, owner: Owner, attempt_id: int, changes: Sequence[Change], now: datetime
) -> tuple[Clock, list[Response]] | None:
    """Save changes of answers and return the clock and exactly what is stored at their places.

    One transaction checks that ``owner`` owns the attempt, judges each change by the clock rule and writes only what
    is newer than what is there, so a change that arrives twice, or late after a newer one, does no harm. A close waits
    for it, or it for the close. Returns None where the attempt is not the owner's.
    """

    def write(connection: Connection) -> tuple[Clock, list[Response]] | None:
        row = connection.execute(_owned_clock(owner.person), {**owner.values, "attempt_id": attempt_id}).first()
        if row is None:
            return None
        clock = Clock(row.started_at, row.deadline, row.closed_at)
        known = [change for change in changes if 1 <= change.place <= row.places]
        # In the order of places: of two devices that save the same ones neither waits for the other in a circle.
        rows = [
            _response_row(attempt_id, change, receive(clock, change.stamp, now), now)
            for change in sorted(known, key=lambda change: change.place)
        ]
        written = connection.execute(_newer_response(database), rows).rowcount if rows else 0
        if written == len(rows) and clock.in_time(now):
            # All were newer, and no late answer stands beside them: what is stored is what was sent.
            newest = {change.place: change for change in known}.values()
            return clock, [Response(one.place, one.revision, one.answer, one.flagged, late=False) for one in newest]
        places = {"attempt_id": attempt_id, "places": [change.place for change in known]}
        return clock, [Response(*one) for one in connection.execute(_STORED, places)]

    return database.together(write)


def changed_since(
    connection: Connection, owner: Owner, attempt_id: int, version: int
) -> tuple[Clock, int, list[Response]] | None:
    """Return an attempt's clock, the version of its answers, and the answers where that is not ``version``.

    The version grows with every change. Where another one comes in between, the answers are newer than the version,
    and are told again next time. Returns None where the attempt is not the owner's.
    """
    row = connection.execute(_versioned_clock(owner.person), {**owner.values, "attempt_id": attempt_id}).first()
    if row is None:
        return None
    changed = row.version != version
    return (
        Clock(row.started_at, row.deadline, row.closed_at),
        row.version,
        (responses(connection, attempt_id) if changed else []),
    )


def adopt(connection: Connection, guest_id: int, person_id: int) -> None:
    """Give a guest's attempts to an account."""
    connection.execute(update(AttemptRow).where(AttemptRow.person_id == guest_id).values(person_id=person_id))


def close(connection: Connection, attempt: Attempt, answers: Sequence[str], scaled: int, closed_at: datetime) -> bool:
    """Close an attempt once, with what was saved; return whether this call was the one that closed it."""
    result = connection.execute(
        update(AttemptRow)
        .where(AttemptRow.id == attempt.id, AttemptRow.closed_at.is_(None))
        .values(closed_at=closed_at, answers=list(answers), scaled=scaled)
    )
    return result.rowcount == 1


@cache
def _owned_clock(person: ScalarSelect[int]) -> Select[*tuple[Any, ...]]:
    """Return the statement that every save begins with; it leaves the form, which is large, where it is."""
    clock = (AttemptRow.started_at, AttemptRow.deadline, AttemptRow.closed_at, AttemptRow.places)
    own = select(*clock).where(AttemptRow.id == bindparam("attempt_id"), AttemptRow.person_id == person)
    return own.with_for_update(read=True, of=AttemptRow)


@cache
def _versioned_clock(person: ScalarSelect[int]) -> Select[*tuple[Any, ...]]:
    """Return the statement with which a page asks whether something was answered elsewhere."""
    version = (
        select(func.coalesce(func.sum(ResponseRow.revision + 1), 0))
        .where(ResponseRow.attempt_id == bindparam("attempt_id"))
        .scalar_subquery()
    )
    clock = (AttemptRow.started_at, AttemptRow.deadline, AttemptRow.closed_at, version.label("version"))
    return select(*clock).where(AttemptRow.id == bindparam("attempt_id"), AttemptRow.person_id == person)


@cache
def _newer_response(database: Database) -> Any:
    statement = database.upsert(ResponseRow)
    new = statement.excluded
    written = ("revision", "answer", "flagged", "answered_at", "received_at")
    return statement.on_conflict_do_update(
        index_elements=[ResponseRow.attempt_id, ResponseRow.place, ResponseRow.late],
        set_={name: new[name] for name in written},
        where=new.revision > ResponseRow.revision,
    ).execution_options(preserve_rowcount=True)


def _response_row(attempt_id: int, change: Change, receipt: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "attempt_id": attempt_id,
        "place": change.place,
        "late": receipt.late,
        "revision": change.revision,
        "answer": change.answer,
        "flagged": change.flagged,
        "answered_at": receipt.answered_at,
        "received_at": now,
    }


def _attempt(row: Any) -> Attempt:
    form = tuple((fingerprint, order) for fingerprint, order, *_ in row.form)
    unscored = frozenset(place for place, (_, _, *pilot) in enumerate(row.form, 1) if pilot)
    clock = Clock(row.started_at, row.deadline, row.closed_at)
    return Attempt(row.id, row.person_id, row.exam, row.seed, form, clock, row.scaled, unscored)


def _version_row(fingerprint: str, item: Item) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "question_id": item.question.id, **item.content()}
