"""``flask accounts``: make accounts from the command line."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from accounts import store
from accounts.credentials import CredentialError, clean_name, hash_password, normalise_email
from accounts.people import ROLES
from accounts.sessions import end_every_session
from db import database, upgrade

group = AppGroup("accounts", help="Make accounts.")


@group.command()
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="learner", show_default=True)
@click.option("--name", help="The name to show; the address's first part if not given.")
@click.password_option(help="Asked for if not given.")
def create(email: str, role: str, name: str | None, password: str) -> None:
    """Make an account for EMAIL, or give the account there is the role and sign it out everywhere."""
    try:
        address = normalise_email(email)
        new = store.Credentials(clean_name(name or address.partition("@")[0]), address, hash_password(password))
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
