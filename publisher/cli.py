"""``flask publisher``: build an issue, see what is due."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from db import database, upgrade
from publisher import issue, overview, sources, store
from publisher.epub import Edition
from publisher.issue import IssueError, MonthError
from publisher.package import PackageError
from web.clock import now

group = AppGroup("publisher", help="Build the monthly issue.")


@group.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; archway-YYYY-MM.epub if not given.")
@click.option("--publish", is_flag=True, help="Also put it on the site, in place of an earlier build.")
def build(month: str, out: Path | None, publish: bool) -> None:
    """Build the issue of YYYY-MM and print its path, its size in bytes and its SHA-256."""
    upgrade(database())
    try:
        edition = sources.build(month)
    except MonthError as error:
        raise click.UsageError(str(error)) from None
    except (IssueError, PackageError) as error:
        fail(str(error))
    path = out or Path(f"archway-{month}.epub")
    try:
        _write(path, edition.epub)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}; give another place with --out.")
    if publish:
        _publish(edition, path)
    click.echo(f"{path} {len(edition.epub)} {edition.sha256}")


@group.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(as_json: bool) -> None:
    """List every month that has content: when it is due, its state, what was built and what became of its mails."""
    upgrade(database())
    with database().reading() as connection:
        runs = {run.month: run for run in store.runs(connection)}
        built = {one.month: one for one in store.published(connection)}
        mails = {one.occasion: one.counts for one in overview.tallies(connection)}
    told = []
    for month in sources.months():
        run, one = runs.get(month), built.get(month)
        state = "published" if one else run.state if run else "waiting"
        what = f"{one.size} bytes, {one.sha256}" if one else run.failure if run else ""
        told.append({"month": month, "due": f"{issue.due_at(month):%Y-%m-%d %H:%M} UTC", "state": state, "what": what})
    if as_json:
        click.echo(json.dumps([{**line, "mails": mails.get(line["month"], {})} for line in told]))
        return
    for line in told:
        click.echo(f"{line['month']}  due {line['due']}  {line['state']:9}  {line['what']}".rstrip())
        if deliveries(line["month"]):
            click.echo(f"         {deliveries(line['month'])}")


def deliveries(month: str) -> str:
    """Return what became of a month's mails, in one line; nothing where there are none."""
    with database().reading() as connection:
        found = next((one for one in overview.tallies(connection) if one.occasion == month), None)
    return ", ".join(f"{count} {state}" for state, count in found.counts.items() if count) if found else ""


def _publish(edition: Edition, path: Path) -> None:
    try:
        with database().writing() as connection:
            store.save(database(), connection, edition, now())
    except OperationalError as error:
        fail(f"The database cannot keep the issue: {error.orig}. Nothing is published; the book is in {path}.")


def _write(path: Path, data: bytes) -> None:
    """Write a file, in a new folder if need be, so that its name never stands for half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink()
        raise


def fail(sentence: str) -> NoReturn:
    """End the command with status 1 and a sentence on stderr."""
    click.echo(sentence, err=True)
    sys.exit(1)
