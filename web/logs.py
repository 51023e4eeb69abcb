"""The log: lines of text or JSON that tell what happened and where, and nothing of whom it happened to.

A line has no address, no cookie, nothing of a form, no path with ids in it, and no message of an exception, which may
quote any of them. Of an exception it has the kind, the places in the code, and what systems say by a number or a name.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sqlite3
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, g, has_request_context, request
from flask.logging import default_handler
from sqlalchemy.exc import DBAPIError, OperationalError

from config import Settings
from web import security

OURS = frozenset({"accounts", "app", "archway", "content", "db", "labs", "publisher", "quizzes", "web"})
"""The loggers whose words are this project's; of all others a line has the words without what was put into them."""
REQUESTS = logging.getLogger("web.requests")
"""Where each request becomes a line, in JSON."""
FIGURES = ("status", "milliseconds")
"""What a record may have beside its words."""

_MAILBOX = re.compile(r"[^\s<>\"'“”,;:()\[\]]+@[^\s<>\"'“”,;:()\[\]]+")
_ADDRESS = re.compile(r"(?<!\S)(?:https?:/)?/\S*|\b\d{1,3}(?:\.\d{1,3}){3}\b")

_log = logging.getLogger(__name__)


def begin(app: Flask, kind: str) -> None:
    """Write this process's log to stderr as the settings say; ``kind`` is web, worker or scheduler.

    An exception that nothing catches, in any thread, becomes a line as others do.
    """
    settings: Settings = app.extensions["settings"]
    handler = logging.StreamHandler()
    handler.setFormatter((JsonLines if settings.log == "json" else TextLines)(kind))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    app.logger.removeHandler(default_handler)
    REQUESTS.setLevel(logging.INFO if settings.log == "json" else logging.WARNING)
    security.LOG.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = lambda one: _log_uncaught(one.exc_type, one.exc_value, one.exc_traceback)
    threading.excepthook = lambda one: _log_uncaught(one.exc_type, one.exc_value, one.exc_traceback)


class TextLines(logging.Formatter):
    """A line for people: the time, how grave it is, who says it, the words, and the request it belongs to."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the places of an exception below it."""
        known = facts(record, self._kind)
        told = " ".join(f"{name}={known[name]}" for name in ("request", "method", "route") if name in known)
        # Nobody may write a line of their own by what a message quotes.
        message = known["message"].replace("\n", " ")
        line = f"{known['time']} {record.levelname} {record.name} ({self._kind}): {message}"
        return "\n".join(part for part in (f"{line} [{told}]" if told else line, known.get("error", "")) if part)


class JsonLines(logging.Formatter):
    """A line for programs: one JSON object."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(facts(record, self._kind), ensure_ascii=False)


def facts(record: logging.LogRecord, kind: str) -> dict[str, Any]:
    """Return what a line may say of a record, in the order in which it is said."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    known = {"time": moment, "level": record.levelname, "logger": record.name, "process": kind, "pid": record.process}
    known["message"] = _words(record)
    if has_request_context():
        rule = request.url_rule
        known |= {"request": g.get("request_id", ""), "method": request.method, "route": rule.rule if rule else "none"}
    known |= {name: vars(record)[name] for name in FIGURES if name in vars(record)}
    if record.exc_info and record.exc_info[1]:
        known["error"] = describe(record.exc_info[1])
    return known


def describe(error: BaseException) -> str:
    """Return where an exception was raised, of what kind it is, and the same of its causes; never its message."""
    return "\nwhich led to: ".join(
        f"{''.join(traceback.format_tb(one.__traceback__))}{kind_of(one)}" for one in reversed(_chain(error))
    )


def _words(record: logging.LogRecord) -> str:
    if record.name == "py.warnings":
        # The place and the kind; what follows is a message as an exception's.
        return ": ".join(record.getMessage().split(": ", 2)[:2])
    if record.name.partition(".")[0] in OURS:
        return _MAILBOX.sub("[address]", record.getMessage())
    return _ADDRESS.sub("[address]", _MAILBOX.sub("[address]", str(record.msg)))


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception and what it followed from, the first cause last."""
    chain: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in chain:
        chain.append(found)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return chain


def kind_of(error: BaseException) -> str:
    """Return the kind of an exception, and what is known of it that no person wrote."""
    known = [f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")]
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        known.append(os.strerror(error.errno))
    if isinstance(error, sqlite3.Error):
        known.append(getattr(error, "sqlite_errorname", ""))
    if isinstance(error, DBAPIError):
        known.append(getattr(error.orig, "sqlstate", None) or "")
        if isinstance(error, OperationalError):
            # What hinders a database is told in its own words, in which no value of a statement stands.
            known.append(str(error.orig).partition("\n")[0])
        known.append(error.statement or "")
    return ": ".join(filter(None, known))


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    _log.critical("Nothing caught an exception.", exc_info=(kind, error or kind(), trace))
