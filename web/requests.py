"""Each request's number and time: the number stands in its answer, on an error's page and in the log."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, request

from web.logs import REQUESTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[0-9A-Za-z-]{8,64}")
_log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Give each request a number and a time; this comes before all else that looks at requests."""
    app.before_request(_begin_forwarded if app.extensions["settings"].proxies else _begin)
    app.after_request(_end)
    # Flask's own would tell the path, ids and all.
    app.log_exception = _log_exception  # type: ignore[assignment, method-assign]
    app.wsgi_app = Guard(app.wsgi_app)  # type: ignore[assignment, method-assign] # Flask documents this way to wrap it


def number() -> str:
    """Return the number of this request: the one that a trusted proxy gave it, or its own."""
    found: str = g.request_id
    return found


def seconds() -> float:
    """Return how long this request has been worked on."""
    started: float = g.started
    return time.perf_counter() - started


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = f"{random.getrandbits(64):016x}"


def _begin_forwarded() -> None:
    _begin()
    given = request.headers.get(HEADER, "")
    if _ACCEPTED.fullmatch(given):
        g.request_id = given


def _end(answer: Response) -> Response:
    answer.headers.add(HEADER, g.request_id)
    if REQUESTS.isEnabledFor(logging.INFO):
        REQUESTS.info("request", extra={"status": answer.status_code, "milliseconds": round(seconds() * 1000, 1)})
    return answer


def _log_exception(
    error: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None],
) -> None:
    current_app.logger.error("A request met an exception.", exc_info=error)


class Guard:
    """Answers what even the pages for errors could not, and lets the log tell of it as of all else."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environment: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, or with a bare 500."""
        try:
            return self._application(environment, respond)
        except Exception:  # noqa: BLE001 (whatever it is, somebody waits for an answer)
            _log.exception("A request could not be answered.")
            respond("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"Something went wrong here; try once more.\n"]
