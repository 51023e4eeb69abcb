"""``flask publisher send`` and ``bounce``: send an issue to its subscribers, and take in a mail that came back."""

from __future__ import annotations

from typing import BinaryIO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from db import database, upgrade
from publisher import cli, issue, outbox, overview, postroom, sources, store
from publisher.countries import CountriesError
from publisher.issue import MonthError
from web.clock import now


def init_app(_app: Flask) -> None:
    """Add the commands to those of the publisher."""
    cli.group.add_command(send)
    cli.group.add_command(bounce)


@click.command()
@with_appcontext
@click.argument("month", metavar="YYYY-MM")
@click.option("--dry-run", is_flag=True, help="Only say how many would get it.")
def send(month: str, dry_run: bool) -> None:
    """Send the issue of YYYY-MM to each subscriber who has not got it, and say what became of the mails."""
    try:
        issue.check_month(month)
    except MonthError as error:
        raise click.UsageError(str(error)) from None
    upgrade(database())
    with database().reading() as connection:
        found = store.find(connection, month)
        waiting = overview.waiting(connection, month)
    if found is None:
        cli.fail(f"The issue of {month} is not built yet; build it with: flask publisher build {month} --publish")
    if not sources.is_public(found):
        cli.fail(f"The issue of {month} waits for an editor's approval, as ARCHWAY_APPROVAL asks for.")
    if dry_run:
        readers = ", ".join(f"{number} by {channel}" for channel, number in sorted(waiting.items())) or "nobody"
        click.echo(f"{month} {found.sha256} would go to {readers}.")
        return
    with database().writing() as connection:
        outbox.enqueue(database(), connection, month, found.sha256, now())
    try:
        postroom.sender_of(current_app).run()
    except CountriesError as error:
        cli.fail(str(error))
    click.echo(f"{month} {cli.deliveries(month) or 'has no subscribers'}")


@click.command()
@with_appcontext
@click.argument("mail", type=click.File("rb"), default="-")
def bounce(mail: BinaryIO) -> None:
    """Take in a MAIL that came to the return address, from standard input if not given; say what it meant."""
    upgrade(database())
    if postroom.take_back(current_app, mail.read(postroom.LARGEST)):
        click.echo("Noted.")
    else:
        click.echo("This says nothing about a mail of ours; nothing was changed.")
