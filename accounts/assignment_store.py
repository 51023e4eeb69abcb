"""What the database keeps of assignments: what a cohort is to do, by when, and who has longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from accounts.cohort_models import AssignmentRow, CohortRow, ExtensionRow, MemberRow
from accounts.cohorts import Assignment, Cohort, Terms
from db import Database

_ASSIGNMENT = select(
    AssignmentRow.id,
    AssignmentRow.cohort_id,
    AssignmentRow.kind,
    AssignmentRow.key,
    AssignmentRow.title,
    AssignmentRow.note,
    AssignmentRow.opens_at,
    AssignmentRow.due_at,
    AssignmentRow.closes,
    AssignmentRow.counts,
    AssignmentRow.fixed_time,
).order_by(AssignmentRow.due_at.is_(None), AssignmentRow.due_at, AssignmentRow.id)


@dataclass(frozen=True)
class What:
    """What is assigned: its room's kind and key, and its title as of now."""

    kind: str
    key: str
    title: str


def assign(connection: Connection, cohort_id: int, what: What, terms: Terms, now: datetime) -> int:
    """Assign something to a cohort and return the assignment's id."""
    row = {"cohort_id": cohort_id, **asdict(what), **asdict(terms), "created_at": now}
    return connection.execute(insert(AssignmentRow).values(row).returning(AssignmentRow.id)).scalar_one()


def change(connection: Connection, assignment_id: int, terms: Terms) -> None:
    """Give an assignment other terms."""
    connection.execute(update(AssignmentRow).where(AssignmentRow.id == assignment_id).values(asdict(terms)))


def withdraw(connection: Connection, assignment_id: int) -> None:
    """Take an assignment back; what people did stays theirs."""
    connection.execute(delete(AssignmentRow).where(AssignmentRow.id == assignment_id))


def find(connection: Connection, cohort_id: int, assignment_id: int) -> Assignment | None:
    """Return an assignment of this cohort, or None."""
    statement = _ASSIGNMENT.where(AssignmentRow.id == assignment_id, AssignmentRow.cohort_id == cohort_id)
    row = connection.execute(statement).first()
    return None if row is None else _assignment(row)


def of_cohort(connection: Connection, cohort_id: int) -> list[Assignment]:
    """Return what a cohort is to do: by due date, then what has none, each in the order in which it was assigned."""
    statement = _ASSIGNMENT.where(AssignmentRow.cohort_id == cohort_id)
    return [_assignment(row) for row in connection.execute(statement)]


def of_learner(connection: Connection, person_id: int) -> dict[Cohort, list[Assignment]]:
    """Return the cohorts in which a person learns, but for archived ones, and what is assigned in each."""
    cohorts = connection.execute(
        select(CohortRow.id, CohortRow.title, CohortRow.zone, CohortRow.archived_at)
        .join(MemberRow, MemberRow.cohort_id == CohortRow.id)
        .where(MemberRow.person_id == person_id, MemberRow.teaches.is_(False), CohortRow.archived_at.is_(None))
        .order_by(CohortRow.id)
    ).all()
    found = {row.id: Cohort(*row) for row in cohorts}
    tasks: dict[Cohort, list[Assignment]] = {cohort: [] for cohort in found.values()}
    if found:
        for row in connection.execute(_ASSIGNMENT.where(AssignmentRow.cohort_id.in_(found))):
            tasks[found[row.cohort_id]].append(_assignment(row))
    return tasks


def extensions(connection: Connection, assignments: Iterable[Assignment]) -> dict[tuple[int, int], datetime]:
    """Return the later due dates by assignment and person."""
    numbers = [one.id for one in assignments]
    statement = select(ExtensionRow.assignment_id, ExtensionRow.person_id, ExtensionRow.due_at)
    rows = connection.execute(statement.where(ExtensionRow.assignment_id.in_(numbers)))
    return {(row.assignment_id, row.person_id): row.due_at for row in rows}


def extend(
    database: Database, connection: Connection, assignment_id: int, person_id: int, due_at: datetime | None
) -> None:
    """Give a person a later due date, or with None take it back."""
    if due_at is None:
        own = (ExtensionRow.assignment_id == assignment_id, ExtensionRow.person_id == person_id)
        connection.execute(delete(ExtensionRow).where(*own))
        return
    row = {"assignment_id": assignment_id, "person_id": person_id, "due_at": due_at}
    statement = database.upsert(ExtensionRow).values(row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["assignment_id", "person_id"], set_={"due_at": due_at})
    )


def _assignment(row: Any) -> Assignment:
    terms = Terms(row.note, row.opens_at, row.due_at, row.closes, row.counts, row.fixed_time)
    return Assignment(row.id, row.cohort_id, row.kind, row.key, row.title, terms)
