"""``flask quizzes``: check the banks, draw an exam."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from content import archive
from quizzes import blueprint, lint, pool

ROOT = Path(__file__).parent

group = AppGroup("quizzes", help="Check the banks and draw exams.")


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=ROOT / "banks")
def check(folder: Path) -> None:
    """List every fault of every bank in FOLDER with file, line and column; status 1 if there is one."""
    banks, findings = pool.load(folder)
    copied = [
        fault
        for path in sorted(folder.glob("*/*.md"))
        for fault in archive.faults(path, path.read_text("utf-8", "replace"))
    ]
    everything = sorted({*findings, *copied, *lint.find(banks)}, key=lambda one: (str(one.path), one.line, one.column))
    for finding in everything:
        click.echo(str(finding), err=True)
    count = sum(len(bank.items) for bank in banks)
    click.echo(f"{count} items in {len(banks)} banks, {len(everything)} faults.")
    sys.exit(1 if everything else 0)


@group.command()
@click.argument("exam")
@click.option("--seed", type=int, required=True, help="The same seed draws the same form.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--banks",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT / "banks",
    help="Draw from the banks in this folder.",
)
def draw(exam: str, seed: int, as_json: bool, folder: Path) -> None:
    """Draw EXAM by its blueprint, or report what the banks lack."""
    blueprints = {one.slug: one for one in blueprint.load(ROOT / "exams")}
    if exam not in blueprints:
        raise click.UsageError(f"There is no exam “{exam}”; the exams are {', '.join(blueprints)}.")
    banks, course = pool.load(folder)[0], blueprints[exam].course
    questions, pilots = pool.questions(banks, course), pool.questions(banks, course, "pilot")
    short = blueprint.shortages(blueprints[exam], questions, pilots)
    if short:
        for one in short:
            click.echo(str(one), err=True)
        sys.exit(1)
    for one in blueprint.spread_shortages(blueprints[exam], questions):
        click.echo(f"{one} Others take their places.", err=True)
    form = blueprint.draw(blueprints[exam], questions, seed, pilots=pilots)
    rows = [
        {
            "id": place.question.id,
            "domain": place.question.domain,
            "task": place.question.task,
            "difficulty": place.question.difficulty,
            "type": place.question.type,
            "options": list(place.order),
        }
        for place in form.places
    ]
    if as_json:
        click.echo(json.dumps({"exam": exam, "seed": seed, "items": rows}, indent=2))
    else:
        for number, row in enumerate(rows, 1):
            click.echo(f"{number:3}  {row['id']:12} task {row['task']}  {row['difficulty']}")
