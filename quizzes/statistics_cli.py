"""``flask quizzes statistics``: the statistics of an exam's items on the command line."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext
from flask_babel import force_locale

from db import database, upgrade
from quizzes import sheets, statistics_store
from quizzes.blueprint import Blueprint
from quizzes.flags import flags
from quizzes.routes import exams
from quizzes.statistics_store import Results
from quizzes.statistics_words import sentence
from web.clock import now


@click.command()
@click.argument("exam")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--rebuild", is_flag=True, help="Write the sheets of the exam's attempts anew first.")
@with_appcontext
def statistics(exam: str, as_json: bool, rebuild: bool) -> None:
    """Compute the statistics of EXAM from every closed attempt, keep them for the pages, and print them."""
    found = exams().find(exam)
    if found is None:
        raise click.UsageError(
            f"There is no exam “{exam}”; the exams are {', '.join(one.slug for one in exams().blueprints)}."
        )
    upgrade(database())
    if rebuild:
        with database().writing() as connection:
            sheets.forget(connection, exam)
    results = statistics_store.refresh(database(), exam, now())
    if as_json:
        click.echo(json.dumps(_document(found, results), indent=2))
    elif results is None:
        click.echo("Nobody has answered anything in this exam yet.")
    else:
        # A command has no reader whose language it could ask for.
        with force_locale("en"):
            _print(found, results)


def _document(exam: Blueprint, results: Results | None) -> dict[str, object]:
    if results is None:
        return {"exam": exam.slug, "attempts": 0}
    seconds = 60 * exam.minutes / exam.items
    document = statistics_store.as_document(results)
    for one, version in zip(document["versions"], results.versions, strict=True):
        one["flags"] = [vars(flag) for flag in flags(version, seconds)]
    return {"exam": exam.slug, "attempts": results.sheets, "computed_at": results.computed_at.isoformat(), **document}


def _print(exam: Blueprint, results: Results) -> None:
    whole = results.whole
    click.echo(
        f"{results.sheets} attempts, mean {100 * whole.mean:.1f} %, "
        f"dependability {_figure(whole.dependability)}, items {len(results.versions)}."
    )
    click.echo("item                     n  facility  95 %         discrimination")
    for one in sorted(results.versions, key=lambda one: (one.question_id, one.number)):
        low, high = one.item.interval
        click.echo(
            f"{one.question_id:20} {one.item.n:5}  {one.item.facility:8.2f}  {low:.2f} to {high:.2f}  "
            f"{_figure(one.item.discrimination):>6}"
        )
        for flag in flags(one, 60 * exam.minutes / exam.items):
            click.echo(f"  {sentence(flag)}")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
