"""``flask accounts``: make accounts, open or close the way into them, export and delete them, from the command line."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import AppGroup

from accounts import personal, recovery, store
from accounts.credentials import CredentialError, clean_name, hash_password, normalise_email
from accounts.people import ROLES
from accounts.personal import Subject
from accounts.sessions import end_every_session
from db import database, upgrade
from web.lifecycle import lifecycle

group = AppGroup("accounts", help="Make accounts, open or close the way into them, export and delete them.")


@group.command()
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="learner", show_default=True)
@click.option("--name", help="The name to show; the address's first part if not given.")
@click.password_option(help="Asked for if not given.")
def create(email: str, role: str, name: str | None, password: str) -> None:
    """Make an account for EMAIL, or give the account there is the role and sign it out everywhere."""
    try:
        address = normalise_email(email)
        shown = clean_name(name or address.partition("@")[0])
        new = store.Credentials(shown, address, hash_password(password, shown, address))
    except CredentialError as error:
        raise click.UsageError(str(error)) from None
    upgrade(database())
    with database().writing() as connection:
        found = store.find_by_email(connection, address)
        if found is None:
            store.create(connection, new, role, current_app.extensions["clock"]())
        else:
            store.set_role(connection, found.id, role)
            end_every_session(connection, found.id)
    click.echo(f"{address} is {role}.")


@group.command("new-password")
@click.argument("email")
def new_password(email: str) -> None:
    """Print a link with which the owner of EMAIL's account sets a new password within a day."""
    found, settings = _account(email), current_app.extensions["settings"]
    token = recovery.make_token(settings.secret_key, found.id, found.password_hash, current_app.extensions["clock"]())
    click.echo(f"{settings.address}/new-password/{token}")


@group.command("sign-out")
@click.argument("email")
@click.option("--lock", is_flag=True, help="Take the password too; a link of new-password opens the account again.")
def sign_out(email: str, *, lock: bool) -> None:
    """End every session of EMAIL's account."""
    found = _account(email)
    with database().writing() as connection:
        end_every_session(connection, found.id)
        if lock:
            store.set_password(connection, found.id, None)
    click.echo(f"{found.email} is signed out everywhere{' and locked' if lock else ''}.")


def _account(email: str) -> store.Account:
    try:
        address = normalise_email(email)
    except CredentialError as error:
        raise click.UsageError(str(error)) from None
    upgrade(database())
    with database().reading() as connection:
        found = store.find_by_email(connection, address)
        account = store.find(connection, found.id) if found else None
    if account is None:
        raise click.ClickException(f"There is no account with the address {address}.")
    return account


@group.command()
@click.argument("email")
def export(email: str) -> None:
    """Print all that is kept of who has the account EMAIL, as JSON."""
    found = _account(email)
    with database().reading() as connection:
        kept = personal.export(connection, Subject(found.id, found.email), lifecycle(current_app).claims)
    click.echo(json.dumps(kept, ensure_ascii=False, indent=1))


@group.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def delete(email: str, *, yes: bool) -> None:
    """Delete the account EMAIL and all that is theirs; what they wrote for others stays without their name."""
    found, claims = _account(email), lifecycle(current_app).claims
    if not yes:
        click.confirm(f"Delete {found.email} and all that is theirs, for good?", abort=True)
    subject = Subject(found.id, found.email)
    with database().writing() as connection:
        goes, stays = personal.counts(connection, subject, claims)
        try:
            personal.forget(connection, subject, claims)
        except personal.LastAdminError as error:
            raise click.ClickException(str(error)) from None
    for name, count in sorted(goes.items()):
        click.echo(f"{name}: {count} deleted")
    for name, count in sorted(stays.items()):
        click.echo(f"{name}: {count} left without a name")
