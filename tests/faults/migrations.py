"""A process that upgrades databases in children of its own, which end or stop at a statement that it is told.

Each line of its input is a JSON list: an address, a fault (``none``, ``kill`` or ``stop``), the number of the
statement at which that happens, and what is switched off (``transaction``, ``lock``, ``turns``). It answers with the
child's process number; ``wait`` and a number are answered with how that child ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from alembic import command  # noqa: F401 (before the children are made, so that they need not)
from sqlalchemy import create_engine, event

import db

POINTS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def _upgrade(address: str, fault: str, at: int, without: str) -> None:
    if without == "turns":
        db._TURNS = 1
    db._PRAGMAS = (*db._PRAGMAS, "PRAGMA busy_timeout=100")
    database = db.Database(address)
    engine = create_engine(address, isolation_level="AUTOCOMMIT") if without == "transaction" else database.engine
    count = 0

    def reached(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == at and fault in POINTS:
            os.kill(os.getpid(), POINTS[fault])

    def unlocked(_c: Any, _k: Any, statement: str, parameters: Any, _x: Any, _m: Any) -> tuple[str, Any]:
        return ("SELECT 1", None) if without == "lock" and "advisory" in statement else (statement, parameters)

    event.listen(engine, "before_cursor_execute", unlocked, retval=True)
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, moment, reached)
    if without == "transaction":
        with engine.connect() as connection:
            db.migrate(connection)
    else:
        db.upgrade(database)
    reached()
    sys.stderr.write(f"points {count}\n")


def _child(order: list[Any]) -> None:
    try:
        _upgrade(*order)
    except Exception as error:  # noqa: BLE001 (the test reads what it was)
        sys.stderr.write(f"{error!r:.300}\n")
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Do what each line of the input says."""
    for line in sys.stdin:
        order = json.loads(line)
        if order[0] == "wait":
            answer = os.waitstatus_to_exitcode(os.waitpid(order[1], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _child(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
