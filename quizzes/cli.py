"""``flask quizzes``: check the banks, draw an exam, prove items by experiment."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from config import Settings
from content import archive, library
from content.render import Embed
from labs import experiments, registry
from labs.experiments import Evidence, Experiment, ExperimentError, Measurement
from labs.registry import Lab
from labs.runner import Limits
from quizzes import blueprint, lint, pool, proofs, statistics_cli
from quizzes.questions import Item
from web.clock import now

ROOT = Path(__file__).parent

group = AppGroup("quizzes", help="Check the banks and draw exams.")
group.add_command(statistics_cli.statistics)


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


@group.command()
@click.option("--changed", is_flag=True, help="Run only what the evidence lacks, or what has changed since.")
@click.option(
    "--banks",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT / "banks",
    help="Prove the items of the banks in this folder.",
)
@click.option(
    "--content",
    "course",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(library.__file__).parent,
    help="Measure what the lessons in this folder cite.",
)
@click.option(
    "--evidence",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=experiments.EVIDENCE,
    help="Keep the evidence in this file.",
)
def prove(changed: bool, folder: Path, course: Path, file: Path) -> None:
    """Run every experiment that an item or a lesson names, once; status 1 if one bears out something else.

    The key of an item must hold and each distractor must not. What was measured is kept as the evidence, with the day;
    where the same was found before, the file stays as it is.
    """
    labs, errors = registry.load()
    items = [item for bank in pool.load(folder)[0] for item in bank.items if item.key.experiments]
    cited, faults = _cited_in_lessons(course)
    wanted: dict[Experiment, dict[str, str]] = {}
    for experiment, name, place in [*_cited_in_items(items), *cited]:
        wanted.setdefault(experiment, {}).setdefault(name, place)
    before = Evidence(labs, experiments.load(file))
    sound = {one: found for one in wanted if (found := before.find(one)) and found.has(wanted[one])}
    due = [one for one in wanted if one not in sound or not changed]
    for number, experiment in enumerate(due, 1):
        click.echo(f"{number}/{len(due)} {experiment}", err=True)
        try:
            sound[experiment] = _measure(labs, experiment, wanted[experiment], sound.get(experiment))
        except ExperimentError as error:
            sound.pop(experiment, None)
            faults.append(f"{next(iter(wanted[experiment].values()))}: {error}")
    measured = {str(one): found for one, found in sound.items()}
    evidence = Evidence(labs, measured)
    faults += [*map(str, errors), *_against(items, evidence)]
    experiments.save(file, measured)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(items)} items, {len(wanted)} experiments, {len(due)} run, {len(faults)} faults.")
    sys.exit(1 if faults else 0)


def _cited_in_items(items: Iterable[Item]) -> Iterator[tuple[Experiment, str, str]]:
    """Yield each finding that an item names: the experiment, its name, and the item's place."""
    for item in items:
        proof = proofs.of(item.key)
        for experiment, names in proof.cited().items() if proof else ():
            for name in names:
                yield experiment, name, f"{item.path}:{item.line}:1"


def _cited_in_lessons(course: Path) -> tuple[list[tuple[Experiment, str, str]], list[str]]:
    """Return each finding that a page of the course names, as those of items, and what cannot be read."""
    cited, faults = [], []
    for page in library.load(course)[0].pages():
        for part in page.rendered.parts:
            if not isinstance(part, Embed) or part.kind != "measured":
                continue
            place = f"{page.path}:{_line_of(page.path, part.reference)}:1"
            try:
                experiment, words = experiments.parse_citation(part.reference)
                cited += [(experiment, name, place) for name in words]
            except ExperimentError as error:
                faults.append(f"{place}: {error}")
    return cited, faults


def _line_of(path: Path, reference: str) -> int:
    before, _opening, _after = path.read_text("utf-8").partition(f":::measured {reference.partition(chr(10))[0]}")
    return before.count("\n") + 1


def _measure(
    labs: tuple[Lab, ...], experiment: Experiment, names: Iterable[str], before: Measurement | None
) -> Measurement:
    """Run the experiment; where it finds what it found before, return that, with its day."""
    settings: Settings = current_app.extensions["settings"]
    limits = Limits(seconds=settings.lab_seconds, memory_mib=settings.lab_memory)
    found = experiments.measure(labs, experiment, names, limits)
    same = before is not None and (before.rests_on, before.findings) == (found.rests_on, found.findings)
    return before if before is not None and same else replace(found, measured_on=f"{now():%Y-%m-%d}")


def _against(items: Iterable[Item], evidence: Evidence) -> Iterator[str]:
    """Yield what the evidence says against items, but for those whose experiments came to no end."""
    for item in items:
        proof = proofs.of(item.key)
        if proof and all(map(evidence.find, proof.runs.values())):
            for sentence in proofs.judge(item, proof, evidence):
                yield f"{item.path}:{item.line}:1: {item.question.id}: {sentence}"
