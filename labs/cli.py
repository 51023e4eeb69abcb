"""``flask labs``: list the catalog, run a lab, verify every solution."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import click
from flask import current_app
from flask.cli import AppGroup

from config import Settings
from labs import display, documents, jobs, registry
from labs.registry import Lab, Part, PublishedTable, SolvedRun
from labs.runner import Event, Outcome, execute
from labs.servers import SERVERS

CLEAR = "\r\x1b[K"
"""Goes to the beginning of a terminal's line and empties it."""

BAR = 40
"""Columns of the progress bar."""

LIVE_SECONDS = 3600

group = AppGroup("labs", help="List, run and verify the labs.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, as /labs.json answers it.")
def list_labs(as_json: bool) -> None:
    """List the labs of the catalog; status 1 if a folder cannot be used."""
    labs, errors = registry.load()
    ready = jobs.servers_of(_settings())
    if as_json:
        click.echo(json.dumps([documents.describe(lab, ready) for lab in labs], indent=2))
    else:
        for lab in labs:
            click.echo(f"{lab.slug:24} {lab.minutes:3} min  {len(lab.tasks)} tasks  {lab.title}")
            for part in lab.parts:
                if part.server:
                    click.echo(f"  {part.name}: {_readiness(part, ready)}")
    for error in errors:
        click.echo(str(error), err=True)
    sys.exit(1 if errors else 0)


@group.command("run")
@click.argument("slug")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a parameter; may be repeated.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same run.")
@click.option("--live", is_flag=True, help="Run in real time with real servers, for an hour at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def run_lab(slug: str, settings: tuple[str, ...], seed: int, live: bool, as_json: bool) -> None:
    """Run the lab SLUG: progress on stderr, findings on stdout; status 1 if it comes to none.

    A parameter that is a text may be read from a file: NAME=@FILE.
    """
    lab = _lab(slug)
    if live and not lab.live:
        raise click.UsageError(f"{slug} has no live mode; leave out --live.")
    values, faults = lab.read(_texts(lab, settings))
    if faults:
        raise click.UsageError(" ".join(map(str, faults.values())))
    limits = jobs.limits_of(_settings())
    if live:
        # Whoever waits at the terminal blocks no queue and may interrupt.
        limits = replace(limits, seconds=LIVE_SECONDS)
    with _Progress() as progress:
        outcome = execute(lab, values, seed, limits, progress.tell, live=live)
    if not outcome.ending.done:
        click.echo(outcome.ending.sentence, err=True)
        sys.exit(1)
    if as_json:
        result = documents.Result(lab, values, seed, outcome.findings, outcome.checks)
        click.echo(json.dumps(documents.document(result), indent=2))
    else:
        _print_findings(lab, outcome)


@group.command()
def verify() -> None:
    """Run every lab's solution, ask its checks, and show what was measured beside what was published."""
    labs, errors = registry.load()
    failures = [str(error) for error in errors]
    for lab in labs:
        solution = lab.solution()
        solved = {check for run in solution for check in run.checks}
        failures += [
            f"{lab.slug}: no run of the solution is for {one.check}." for one in lab.tasks if one.check not in solved
        ]
        for run in solution:
            failures += _verify_run(lab, run)
    for failure in failures:
        click.echo(failure, err=True)
    sys.exit(1 if failures else 0)


def _lab(slug: str) -> Lab:
    labs, errors = registry.load()
    found = registry.find(labs, slug)
    if found is None:
        for error in errors:
            click.echo(str(error), err=True)
        raise click.UsageError(f"There is no lab “{slug}”; the labs are {', '.join(one.slug for one in labs)}.")
    return found


def _texts(lab: Lab, settings: tuple[str, ...]) -> dict[str, str]:
    """Return the text that is given for each parameter, from a file where it names one."""
    from_files = {one.name for one in lab.parameters if one.is_text}
    texts = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set is “{setting}”; write it as NAME=VALUE.")
        name = name.strip()
        texts[name] = _content(name, text[1:]) if name in from_files and text.startswith("@") else text
    return texts


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{name} is to be read from “{file}”, which cannot be: {error}.") from None


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _readiness(part: Part, ready: Collection[str]) -> str:
    server = SERVERS[part.server]
    missing = f"{server.title} is not ready; install {server.package} and set {server.setting}=on"
    return f"{server.title} is ready" if part.server in ready else missing


class _Progress:
    """How far a run is, on stderr: one bar that grows on a terminal, a line for each step anywhere else."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._bar:
            click.echo(err=True)

    def tell(self, event: Event) -> None:
        """Show a run's event, if it says something of its progress."""
        if event["kind"] == "progress":
            self._show(event["share"])
        elif event["kind"] == "log":
            click.echo(f"{CLEAR}{event['text']}" if self._bar else event["text"], err=True)
            click.echo(self._bar, nl=False, err=True)
        elif event["kind"] == "fault":
            click.echo("{parameter}, line {line}, column {column}: {sentence}".format(**event), err=True)

    def _show(self, share: float) -> None:
        if not self._terminal:
            click.echo(f"{share:4.0%}", err=True)
            return
        done = round(share * BAR)
        self._bar = f"{CLEAR}{'█' * done}{'░' * (BAR - done)} {share:4.0%}"
        click.echo(self._bar, nl=False, err=True)


def _print_findings(lab: Lab, outcome: Outcome) -> None:
    for row in display.rows(outcome.findings, ()):
        click.echo(f"{row.name:24} {row.measured:>12} {row.unit}")
    for name, matrix in display.matrices_of(outcome.findings).items():
        for place, answer in matrix.named():
            click.echo(f"{name}: {place}: {matrix.word(answer)}. {answer.why}".rstrip(" "))
    for task in lab.tasks:
        click.echo(f"{'✓' if outcome.checks[task.check] else '○'} {task.title}")


def _verify_run(lab: Lab, run: SolvedRun) -> list[str]:
    """Run one solution, print it, and return what is wrong with it."""
    values, faults = lab.read(run.parameters)
    if faults:
        return [f"{lab.slug}, solution for {run.check}: {fault}" for fault in faults.values()]
    outcome = execute(lab, values, run.seed, jobs.limits_of(_settings()))
    failed = [check for check in run.checks if not (outcome.ending.done and outcome.checks.get(check, False))]
    for check in run.checks:
        click.echo(f"{lab.slug}  {check}  {'✗ fails' if check in failed else '✓ passes'}")
    for table in lab.published:
        if table.name == run.published:
            _print_beside(outcome.findings, table)
    reason = outcome.ending.sentence or "its check is not met."
    return [f"{lab.slug}, solution for {check}: {reason}" for check in failed]


def _print_beside(findings: Mapping[str, Mapping[str, object]], table: PublishedTable) -> None:
    click.echo(f"  {'':24} {'measured':>12} {'published':>12} {'difference':>12}")
    for row in display.rows(findings, (table,)):
        compared = row.compared[0]
        if compared.published != display.NONE:
            click.echo(
                f"  {row.name:24} {row.measured:>12} {compared.published:>12} {compared.difference:>12}  {row.unit}"
            )
