"""The ceilings: the least that Flask can do for the same request, under the same server."""

from __future__ import annotations

import os
import sqlite3
import threading

import granian
from flask import Flask, Response, request

app = Flask(__name__)
local = threading.local()


def database() -> sqlite3.Connection:
    """Return this thread's connection, as durable as Archway's: WAL, and each commit synced to the disk."""
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["BARE_DATABASE"], isolation_level=None)
        local.connection.execute("PRAGMA journal_mode=WAL")
        local.connection.execute("PRAGMA synchronous=FULL")
        local.connection.execute(
            "CREATE TABLE IF NOT EXISTS response (attempt, place, answer, PRIMARY KEY (attempt, place))"
        )
    connection: sqlite3.Connection = local.connection
    return connection


@app.post("/upsert")
def upsert() -> str:
    """Store one answer: no session, no check, no clock."""
    data = request.get_json()
    database().execute(
        "INSERT INTO response VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET answer = excluded.answer",
        (data["attempt"], data["place"], data["answer"]),
    )
    return "stored"


@app.get("/page/<int:size>")
def page(size: int) -> Response:
    """Return a page of that many bytes."""
    return Response("x" * size, mimetype="text/html")


if __name__ == "__main__":
    granian.Granian(
        "benchmarks.bare:app",
        address="127.0.0.1",
        port=int(os.environ["PORT"]),
        interface=granian.constants.Interfaces.WSGI,
        blocking_threads=4,
        log_access=False,
        log_level=granian.log.LogLevels.warning,
    ).serve()
