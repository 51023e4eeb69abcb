"""``flask quizzes import``, ``imports``, ``undo`` and ``export``: exchange with other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import Connection

from content.workflow import Signature
from db import database, upgrade
from quizzes.authoring import slugs
from quizzes.authoring import store as authoring
from quizzes.authoring.store import StudioBank
from quizzes.exchange import known, parsing, plan, report, store
from quizzes.exchange.parsing import Parsed, ParseError, Upload
from quizzes.exchange.plan import Chosen, Defaults, Row
from quizzes.exchange.store import SettledError
from quizzes.exchange.wire import Compared
from quizzes.formats import registry
from quizzes.questions import DIFFICULTIES
from quizzes.routes import library, shipped
from web.clock import now

_READABLE = click.Choice([one.name for one in registry.readable()])
_WRITABLE = click.Choice([one.name for one in registry.writable()])


def add_to(group: AppGroup) -> None:
    """Add the commands to ``flask quizzes``."""
    for command in (import_file, imports, undo, export):
        group.add_command(command)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "name", type=_READABLE, help="The file's format, where what it holds does not tell.")
@click.option("--bank", "slug", help="The studio's bank that items go to; a new name makes a new bank.")
@click.option("--course", default="", help="The course of a new bank.")
@click.option("--task", default="", help="The task of items that have none, such as 1.2.")
@click.option("--difficulty", type=click.Choice(DIFFICULTIES), default=None, help="The difficulty of items without.")
@click.option("--dry-run", is_flag=True, help="Only say what would come.")
@click.option("--only-good", is_flag=True, help="Take what can come and leave the rest, instead of all or nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
@with_appcontext
def import_file(  # noqa: PLR0913 (one for each option)
    *,
    file: Path,
    name: str | None,
    slug: str | None,
    course: str,
    task: str,
    difficulty: str | None,
    dry_run: bool,
    only_good: bool,
    as_json: bool,
) -> None:
    """Import the questions of FILE as drafts of a bank; each finding is told with file, line and column.

    Status 1 where a question cannot come, or would come twice or with another key; without --only-good nothing is
    taken over then.
    """
    if task and not plan.is_task(task):
        raise click.UsageError(f"A task is a code such as 1.2, not “{task}”.")
    if not dry_run and not slug:
        raise click.UsageError("Name the bank with --bank, or look first with --dry-run.")
    parsed = _parsed(Upload(file.name, file.read_bytes(), name or ""))
    compared = parsed.compared
    rows = plan.rows(compared)
    total = plan.total(rows)
    if as_json:
        click.echo(json.dumps(report.as_json(file.name, compared), ensure_ascii=False, indent=2))
    else:
        _print_findings(str(file), compared, rows)
        click.echo(_sentence(total), err=False)
    complete = total.proposed == total.questions and total.questions > 0
    if not dry_run and slug and (complete or (only_good and total.proposed)):
        taken, renamed = _take(file, parsed, rows, (slug, course, Defaults("", task, difficulty or "")))
        click.echo(f"{taken} items are drafts of the bank “{slug}”.", err=as_json)
        for new, old in renamed.items():
            click.echo(f"The id “{old}” was taken; the item is “{new}”.", err=True)
    elif not dry_run:
        click.echo("Nothing was taken over; mend the file, or take the rest with --only-good.", err=True)
    sys.exit(0 if complete else 1)


@click.command()
@with_appcontext
def imports() -> None:
    """List the last imports, the newest first."""
    upgrade(database())
    with database().reading() as connection:
        past = store.newest(connection)
    for one in past:
        items = (one.outcome or {}).get("items", "–")
        click.echo(f"{one.id:5}  {one.created_at:%Y-%m-%d %H:%M}  {one.state:9}  {items:>6}  {one.name}")


@click.command()
@click.argument("number", type=int)
@with_appcontext
def undo(number: int) -> None:
    """Take back what import NUMBER brought, but for what was changed or published since."""
    upgrade(database())
    try:
        with database().writing() as connection:
            removed, stay = store.undo(connection, number, now())
    except SettledError:
        click.echo(f"There is no import {number} that could be undone; see `flask quizzes imports`.", err=True)
        sys.exit(1)
    click.echo(f"{removed} items were taken out.")
    for one in stay:
        click.echo(f"“{one}” stays: it was changed or published since.", err=True)


@click.command()
@click.argument("bank")
@click.option("--format", "name", type=_WRITABLE, required=True, help="The format to write.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; the output, if none.")
@with_appcontext
def export(bank: str, name: str, out: Path | None) -> None:
    """Write BANK, by its name (a shipped one as course/bank), and say on stderr what the format cannot carry."""
    upgrade(database())
    with database().reading() as connection:
        found = known.find(shipped().banks, connection, bank)
        names = [one for one, _title in known.named(shipped().banks, connection)]
    form = registry.find(name)
    if found is None or form is None:
        raise click.UsageError(f"There is no bank “{bank}”; the banks are {', '.join(names)}.")
    writing = form.write(found)
    for one in writing.findings:
        click.echo(f"{bank}:{one}", err=True)
    if out is None:
        click.echo(writing.data, nl=False)
    else:
        out.write_bytes(writing.data)
        click.echo(f"{out}: {len(found.items)} items, {len(writing.findings)} findings.")


def _parsed(upload: Upload) -> Parsed:
    upgrade(database())
    with database().reading() as connection:
        items = known.known(shipped().banks, connection)
    try:
        return parsing.parse(upload, items)
    except ParseError as error:
        click.echo(f"{upload.name}:1:1: {error}", err=True)
        sys.exit(1)


def _print_findings(file: str, compared: Compared, rows: Sequence[Row]) -> None:
    for one in compared.reading.findings:
        click.echo(f"{file}:{one}", err=True)
    for row in rows:
        for other in row.likenesses:
            if row.imported is not None:
                place = f"{file}:{row.imported.line}:{row.imported.column}"
                click.echo(f"{place}: {_LIKE[other.kind].format(other.place)}", err=True)


_LIKE = {
    "same": "note: The same item stands at {}.",
    "conflict": "error: The same question stands at {} with another key.",
    "stem": "note: The same stem stands at {} with other options.",
    "near": "note: Nearly the same item stands at {}.",
}


def _sentence(total: plan.Sum) -> str:
    return (
        f"{total.can} of {total.questions} questions can come; {total.cannot} cannot; {total.lose} lose something; "
        f"{total.contradicted} stand with another key too; {total.repeated} are there already."
    )


def _take(
    file: Path, parsed: Parsed, rows: Sequence[Row], target: tuple[str, str, Defaults]
) -> tuple[int, dict[str, str]]:
    """Store what is proposed and return how many items, and the renamed ids."""
    slug, course, defaults = target
    by = Signature(None, now())
    with database().writing() as connection:
        bank = authoring.find_bank(connection, slug) or _new_bank(connection, slug, course, by)
        taken = {*store.taken_ids(connection), *shipped().items}
        numbers = {row.number for row in rows if row.proposed}
        chosen: Chosen = plan.choose(rows, numbers, Defaults(bank.course, defaults.task, defaults.difficulty), taken)
        import_id = store.record(connection, file.name, parsed, by)
        store.apply(connection, import_id, bank, chosen, by)
    return len(chosen.items), chosen.renamed


def _new_bank(connection: Connection, slug: str, course: str, by: Signature) -> StudioBank:
    if slugs.of(slug) != slug:
        raise click.UsageError(f"A bank's name is lower-case words joined by hyphens, as in {slugs.of(slug)}.")
    courses = [one.slug for one in library().courses]
    if course not in courses:
        raise click.UsageError(f"A new bank needs --course, one of {', '.join(courses)}.")
    return authoring.create_bank(connection, StudioBank(0, slug, slug, course, "exam", "", 0), by)
