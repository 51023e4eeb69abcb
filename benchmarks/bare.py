"""The ceilings: the least that Flask can do for the same requests, under the same server as Archway's."""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
import threading
import time

import granian
from flask import Flask, Response, abort, jsonify, request, session
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from werkzeug.wrappers import Response as Answer

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
database = os.environ["BARE_DATABASE"]
engine = create_engine(database if "://" in database else f"sqlite:///{database}")
local = threading.local()

metadata = MetaData()
Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("deadline", BigInteger, nullable=False),
)
Table(
    "response",
    metadata,
    Column("attempt", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("revision", Integer),
    Column("answer", String),
)
START = text("INSERT INTO attempt (person, deadline) VALUES (:person, :deadline) RETURNING id")
OWN = text("SELECT deadline FROM attempt WHERE id = :attempt AND person = :person")
UPSERT = """
INSERT INTO response VALUES (:attempt, :place, :revision, :answer)
ON CONFLICT (attempt, place) DO UPDATE SET revision = excluded.revision, answer = excluded.answer
"""
UPSERT_PREBUILT = text(UPSERT)


def _be_as_durable_as_archway(engine: Engine) -> None:
    """Let SQLite use WAL, sync each commit to the disk, and take the write lock at a transaction's start."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


if engine.dialect.name == "sqlite":
    _be_as_durable_as_archway(engine)


@app.post("/attempts")
def start() -> Answer:
    """Begin an attempt of an hour; the person and the form token are in the signed session cookie."""
    session.update(person=secrets.token_hex(8), token=secrets.token_hex(16))
    with engine.begin() as connection:
        values = {"person": session["person"], "deadline": int(time.time()) + 3600}
        attempt = connection.execute(START, values).scalar_one()
    return jsonify(attempt=attempt, token=session["token"])


@app.post("/attempts/<int:attempt>/responses")
def save(attempt: int) -> Answer:
    """Store one answer with SQLAlchemy Core, after looking at the form token, the owner and the deadline."""
    if not hmac.compare_digest(request.headers.get("X-CSRF-Token", ""), session["token"]):
        abort(403)
    change = request.get_json()
    with engine.begin() as connection:
        deadline = connection.execute(OWN, {"attempt": attempt, "person": session["person"]}).scalar()
        if deadline is None or deadline < time.time():
            abort(404)
        connection.execute(UPSERT_PREBUILT, {**change, "attempt": attempt})
    return jsonify(change)


@app.post("/upsert/<int:attempt>")
def upsert(attempt: int) -> Answer:
    """Store one answer with the driver alone: no session, no check, no clock."""
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(database, isolation_level=None)
        local.connection.execute("PRAGMA synchronous=FULL")
    change = request.get_json()
    local.connection.execute(UPSERT, {**change, "attempt": attempt})
    return jsonify(change)


@app.get("/page/<int:size>")
def page(size: int) -> Response:
    """Return a page of that many bytes."""
    return Response("x" * size, mimetype="text/html")


if __name__ == "__main__":
    metadata.create_all(engine)
    engine.dispose()
    granian.Granian(
        "benchmarks.bare:app",
        address="127.0.0.1",
        port=int(os.environ["PORT"]),
        interface=granian.constants.Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        websockets=False,
        log_access=False,
        log_level=granian.log.LogLevels.warning,
    ).serve()
