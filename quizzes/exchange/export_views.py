"""Pages of exports: choose a bank and a format, read what the format cannot carry, and have the file."""

from __future__ import annotations

from flask import Response, abort, render_template, request
from flask_babel import gettext as _

from accounts.sessions import require_role
from db import database
from quizzes.exchange import known
from quizzes.formats import registry
from quizzes.formats.registry import Format
from quizzes.questions import Bank
from quizzes.routes import routes, shipped

SHOWN = 200
"""So many findings the page lists; the file's own report is complete on the command line."""


@routes.get("/studio/export")
def export() -> str:
    """Offer every bank in every format, and say of a choice what would be lost."""
    require_role("instructor")
    with database().reading() as connection:
        banks = known.named(shipped().banks, connection)
    name, chosen = request.args.get("bank", ""), registry.find(request.args.get("format", ""))
    bank = _bank(name) if name else None
    writing = chosen.write(bank) if bank is not None and chosen in registry.writable() and chosen else None
    return render_template(
        "quizzes/export.html",
        banks=banks,
        formats=registry.writable(),
        name=name,
        chosen=chosen,
        bank=bank,
        writing=writing,
        most=SHOWN,
    )


@routes.get("/studio/export/<name>/<path:bank>")
def exported(name: str, bank: str) -> Response:
    """Give a bank as a file in another program's format."""
    require_role("instructor")
    form, found = _format(name), _bank(bank)
    if found is None:
        abort(404, _("There is no such bank; the list shows those that there are."))
    answer = Response(form.write(found).data, mimetype=form.media_type)
    file = f"{bank.replace('/', '-')}{form.extensions[0]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


def _format(name: str) -> Format:
    found = registry.find(name)
    if found is None or not found.writer:
        abort(404, _("Banks are not written in this format; the list shows those that there are."))
    return found


def _bank(name: str) -> Bank | None:
    with database().reading() as connection:
        return known.find(shipped().banks, connection, name)
