"""The statistics of exams: computed from their sheets, kept as one document each, and read again by pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from db import Database
from quizzes import reliability, sheets, statistics, store
from quizzes.corrections import store as corrections
from quizzes.models import StatisticsRow, VersionNumberRow
from quizzes.questions import Item
from quizzes.reliability import ExamStatistics, FormStatistics
from quizzes.statistics import FULL, LETTERS, ItemStatistics, OptionStatistics

PAUSE = timedelta(hours=1)
"""How long the statistics of an exam rest before they are computed again by themselves."""
FEWEST_ON_A_FORM = 30
"""How many must have had one form for its own reliability to be told."""
MOST_ON_A_FORM = 20_000
"""How many sheets of one form are read for it; more would tell nothing new, and need a matrix of gigabytes."""


@dataclass(frozen=True)
class VersionStatistics:
    """The statistics of one version of an item, with what of the item they are to be read by.

    ``number`` grows with each new version. ``key`` has the letters of a choice that are right now, else nothing;
    ``choose`` is how many options are to be chosen.
    """

    fingerprint: str
    number: int
    question_id: str
    key: str
    choose: int
    item: ItemStatistics


@dataclass(frozen=True)
class Results:
    """The statistics of an exam, its items in no order; ``form_items`` are those of the form that most have had.

    ``newest_correction`` is the id of the last correction of a key that they know.
    """

    exam: str
    computed_at: datetime
    sheets: int
    whole: ExamStatistics
    form: FormStatistics | None
    form_items: tuple[str, ...]
    versions: tuple[VersionStatistics, ...]
    newest_correction: int = 0

    def by_question(self) -> dict[str, list[VersionStatistics]]:
        """Return the versions of each question, the newest first."""
        found: dict[str, list[VersionStatistics]] = {}
        for one in sorted(self.versions, key=lambda one: -one.number):
            found.setdefault(one.question_id, []).append(one)
        return found


def is_due(computed: datetime | None, counted: int, present: int, now: datetime, *, outdated: bool = False) -> bool:
    """Return whether statistics of ``counted`` sheets are to be computed again, ``present`` being there now.

    They rest for a while between closed attempts, but not where they are ``outdated`` by a correction of a key.
    """
    return present > 0 and (computed is None or outdated or (counted != present and now - computed >= PAUSE))


def is_outdated(connection: Connection, results: Results) -> bool:
    """Return whether a key was corrected that the results do not know of."""
    return corrections.newest(connection) > results.newest_correction


def sweep(database: Database, now: datetime) -> list[str]:
    """Compute the statistics of each exam that is due, and return which these were."""
    known = func.coalesce(StatisticsRow.document["newest_correction"].as_integer(), 0).label("known")
    with database.reading() as connection:
        rows = connection.execute(select(StatisticsRow.exam, StatisticsRow.computed_at, StatisticsRow.sheets, known))
        before = {row.exam: row for row in rows}
        present, newest = sheets.counts(connection), corrections.newest(connection)
    due = [exam for exam, count in present.items() if _is_due(before.get(exam), count, now, newest)]
    for exam in due:
        refresh(database, exam, now)
    return due


def refresh(database: Database, exam: str, now: datetime) -> Results | None:
    """Compute and keep the statistics of an exam; None where nobody has answered anything in it yet.

    The sheets that are missing are written first.
    """
    with database.reading() as connection:
        # Before the sheets: what a correction forgets in between is known to be missing.
        newest = corrections.newest(connection)
    sheets.file_missing(database)
    with database.reading() as connection:
        results = compute(connection, exam, now)
    if results is not None:
        results = replace(results, newest_correction=newest)
        with database.writing() as connection:
            _keep(database, connection, results)
    return results


def compute(connection: Connection, exam: str, now: datetime) -> Results | None:
    """Compute the statistics of an exam from all its sheets; None where there are none."""
    right, scored = sheets.scores(connection, exam)
    if not len(right):
        return None
    count = 1 + (connection.execute(select(func.max(VersionNumberRow.number))).scalar() or 0)
    at = statistics.cuts(right, scored)
    parts = (statistics.tally(batch, count, at) for batch in sheets.batches(connection, exam))
    total = next(parts)
    for part in parts:
        total += part
    named = _versions(connection, np.flatnonzero(total.group.sum(axis=1)).tolist())
    letters = [named[number]["letters"] if number in named else "" for number in range(count)]
    analysed = statistics.items(total, letters)
    form, form_items = _form(connection, exam, {number: one["fingerprint"] for number, one in named.items()})
    return Results(
        exam=exam,
        computed_at=now,
        sheets=len(right),
        whole=reliability.exam_statistics(right, scored),
        form=form,
        form_items=form_items,
        versions=tuple(
            VersionStatistics(one["fingerprint"], number, one["question_id"], one["key"], one["choose"], item)
            for number, one in named.items()
            if (item := analysed[number]) is not None
        ),
    )


def load(connection: Connection, exam: str) -> Results | None:
    """Return the newest statistics of an exam, or None where they were never computed."""
    row = connection.execute(select(StatisticsRow).where(StatisticsRow.exam == exam)).first()
    return None if row is None else _read(row.exam, row.computed_at, row.sheets, row.document)


def as_document(results: Results) -> dict[str, Any]:
    """Return results as they are kept: plain values, without the exam, the moment and the number of sheets."""
    return {
        "whole": vars(results.whole),
        "form": None if results.form is None else vars(results.form),
        "form_items": results.form_items,
        "versions": [{**vars(one), "item": _as_plain(one.item)} for one in results.versions],
        "newest_correction": results.newest_correction,
    }


def _as_plain(item: ItemStatistics) -> dict[str, Any]:
    # dataclasses.asdict copies each value deeply and took half the time of a million responses.
    return {**vars(item), "options": [vars(one) for one in item.options]}


def _is_due(before: Any, present: int, now: datetime, newest: int) -> bool:
    computed, counted, known = (None, 0, 0) if before is None else (before.computed_at, before.sheets, before.known)
    return is_due(computed, counted, present, now, outdated=known < newest)


def _read(exam: str, computed_at: datetime, count: int, document: Mapping[str, Any]) -> Results:
    whole, form = document["whole"], document["form"]
    return Results(
        exam=exam,
        computed_at=computed_at,
        sheets=count,
        whole=ExamStatistics(**{**whole, "distribution": tuple(whole["distribution"])}),
        form=None if form is None else FormStatistics(**{**form, "without": tuple(form["without"])}),
        form_items=tuple(document["form_items"]),
        versions=tuple(VersionStatistics(**{**one, "item": _item(one["item"])}) for one in document["versions"]),
        newest_correction=document.get("newest_correction", 0),
    )


def _item(item: Mapping[str, Any]) -> ItemStatistics:
    thirds = tuple((asked, right) for asked, right in item["thirds"])
    options = tuple(OptionStatistics(**{**one, "thirds": tuple(one["thirds"])}) for one in item["options"])
    return ItemStatistics(**{**item, "thirds": thirds, "options": options})


def _keep(database: Database, connection: Connection, results: Results) -> None:
    row = {
        "exam": results.exam,
        "computed_at": results.computed_at,
        "sheets": results.sheets,
        "document": as_document(results),
    }
    statement = database.upsert(StatisticsRow).values(row)
    new = {name: statement.excluded[name] for name in row}
    connection.execute(statement.on_conflict_do_update(index_elements=[StatisticsRow.exam], set_=new))


def _versions(connection: Connection, numbers: list[int]) -> dict[int, dict[str, Any]]:
    """Return of each version by its number what statistics are read by; its key is the one in force."""
    wanted = select(VersionNumberRow.number, VersionNumberRow.fingerprint).where(VersionNumberRow.number.in_(numbers))
    names = {row.number: row.fingerprint for row in connection.execute(wanted)}
    items = store.load_items(connection, list(names.values()))
    return {
        number: {
            "fingerprint": fingerprint,
            "question_id": item.question.id,
            "letters": "".join(one.letter for one in item.question.options) if _is_choice(item) else "",
            "key": "".join(sorted(set().union(item.key.correct, *item.key.also))) if _is_choice(item) else "",
            "choose": item.question.choose,
        }
        for (number, fingerprint), item in zip(names.items(), items, strict=True)
    }


def _is_choice(item: Item) -> bool:
    return item.question.kind == "choice" and all(one.letter in LETTERS for one in item.question.options)


def _form(
    connection: Connection, exam: str, fingerprints: Mapping[int, str]
) -> tuple[FormStatistics | None, tuple[str, ...]]:
    """Return the statistics of the form that most have had, and its items; None where they are too few."""
    form, count = sheets.commonest_form(connection, exam)
    if count < FEWEST_ON_A_FORM:
        return None, ()
    rows, items, had = [], None, 0
    for batch in sheets.batches(connection, exam, form):
        # A form's items are the same, but their order may differ.
        ordered = np.sort(
            batch.responses[batch.responses["scored"] != 0].reshape(len(batch.places), -1), order="version"
        )
        rows.append(ordered["credit"] == FULL)
        items, had = ordered["version"][0] if items is None else items, had + len(ordered)
        if had >= MOST_ON_A_FORM:
            break
    named = [] if items is None else [fingerprints[int(number)] for number in items]
    return reliability.form_statistics(np.concatenate(rows)), tuple(named)
