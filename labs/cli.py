"""``flask labs``: list the catalog, run a lab, verify every solution; and ``flask worker``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from config import Settings
from labs import display, jobs, registry
from labs.registry import Lab, PublishedTable, SolvedRun
from labs.runner import Event, Limits, Outcome, execute
from web import schedule

LIVE_SECONDS = 3600

group = AppGroup("labs", help="List, run and verify the labs.")


@group.command("list")
def list_labs() -> None:
    """List the labs of the catalog; status 1 if a folder cannot be used."""
    labs, errors = registry.load()
    for lab in labs:
        click.echo(f"{lab.slug:24} {lab.minutes:3} min  {len(lab.tasks)} tasks  {lab.title}")
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
    """Run the lab SLUG: progress on stderr, findings on stdout; status 1 if it comes to none."""
    lab = _lab(slug)
    if live and not lab.live:
        raise click.UsageError(f"{slug} has no live mode; leave out --live.")
    values, faults = lab.read(_pairs(settings))
    if faults:
        raise click.UsageError(" ".join(faults.values()))
    # Whoever waits at the terminal blocks no queue and may interrupt.
    limits = replace(_limits(), seconds=LIVE_SECONDS) if live else _limits()
    outcome = execute(lab, values, seed, limits, _tell, live=live)
    if not outcome.ending.done:
        click.echo(outcome.ending.sentence, err=True)
        sys.exit(1)
    if as_json:
        document = {
            "lab": slug,
            "parameters": values,
            "seed": seed,
            "findings": outcome.findings,
            "checks": outcome.checks,
        }
        click.echo(json.dumps(document, indent=2))
    else:
        _print_findings(lab, outcome)


@group.command()
def verify() -> None:
    """Run every lab's solution, ask its checks, and show what was measured beside what was published."""
    labs, errors = registry.load()
    failures = [str(error) for error in errors]
    for lab in labs:
        solution = lab.solution()
        solved = {run.check for run in solution}
        failures += [
            f"{lab.slug}: no run of the solution is for {one.check}." for one in lab.tasks if one.check not in solved
        ]
        for run in solution:
            failures += _verify_run(lab, run)
    for failure in failures:
        click.echo(failure, err=True)
    sys.exit(1 if failures else 0)


@click.command()
@with_appcontext
def worker() -> None:
    """Work on the queue of lab runs until interrupted, as a process of its own."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's way to the application itself)
    schedule.tend(app)
    one = jobs.worker_of(app)

    def end(_number: int, _frame: FrameType | None) -> None:
        one.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    one.work()


def _lab(slug: str) -> Lab:
    labs, errors = registry.load()
    found = registry.find(labs, slug)
    if found is None:
        for error in errors:
            click.echo(str(error), err=True)
        raise click.UsageError(f"There is no lab “{slug}”; the labs are {', '.join(one.slug for one in labs)}.")
    return found


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set is “{setting}”; write it as NAME=VALUE.")
        pairs[name.strip()] = text
    return pairs


def _limits() -> Limits:
    settings: Settings = current_app.extensions["settings"]
    return Limits(seconds=settings.lab_seconds, memory_mib=settings.lab_memory)


def _tell(event: Event) -> None:
    if event["kind"] == "progress":
        click.echo(f"{event['share']:4.0%}", err=True)
    elif event["kind"] == "log":
        click.echo(event["text"], err=True)


def _print_findings(lab: Lab, outcome: Outcome) -> None:
    for row in display.rows(outcome.findings, ()):
        click.echo(f"{row.name:24} {row.measured:>12} {row.unit}")
    for task in lab.tasks:
        click.echo(f"{'✓' if outcome.checks[task.check] else '○'} {task.title}")


def _verify_run(lab: Lab, run: SolvedRun) -> list[str]:
    """Run one solution, print it, and return what is wrong with it."""
    values, faults = lab.read(run.parameters)
    if faults:
        return [f"{lab.slug}, solution for {run.check}: {fault}" for fault in faults.values()]
    outcome = execute(lab, values, run.seed, _limits())
    passed = outcome.ending.done and outcome.checks.get(run.check, False)
    click.echo(f"{lab.slug}  {run.check}  {'✓ passes' if passed else '✗ fails'}")
    for table in lab.published:
        if table.name == run.published:
            _print_beside(outcome.findings, table)
    reason = outcome.ending.sentence or "its check is not met."
    return [] if passed else [f"{lab.slug}, solution for {run.check}: {reason}"]


def _print_beside(findings: Mapping[str, Mapping[str, object]], table: PublishedTable) -> None:
    click.echo(f"  {'':24} {'measured':>12} {'published':>12} {'difference':>12}")
    for row in display.rows(findings, (table,)):
        compared = row.compared[0]
        if compared.published != display.NONE:
            click.echo(
                f"  {row.name:24} {row.measured:>12} {compared.published:>12} {compared.difference:>12}  {row.unit}"
            )
