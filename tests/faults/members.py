"""The processes of a site on several machines, forked at the word of a test: web, worker and scheduler.

They are what the commands start, but for the imports, which cost two seconds of CPU each time and are done here once;
a site on two cores whose processes are killed each second would else do nothing but start.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from flask.cli import FlaskGroup

import content.views
import quizzes.routes
from app import create_app
from labs import store as runs
from publisher import claims
from quizzes import store
from tests.faults import hasty_server
from web import schedule, server

LEASE = timedelta(seconds=5)
LOOKS = 5
"""Seconds between two looks of a scheduler."""


def become(role: str, port: str, log: Path) -> None:
    """Be this process of the site from now on."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if role == "web":
        sys.argv = ["app.py", "--port", port]
        server.main()
    else:
        FlaskGroup(create_app=create_app).main([role], prog_name="flask")


def serve(log: str, *mode: str) -> None:
    """Fork a process for each line ``role port`` of standard input, and answer with its id."""
    runs.LEASE = claims.LEASE = claims.PAUSE = LEASE
    schedule.SECONDS = LOOKS
    # A run that two workers died under is given up, as one that kills them; here it is not the run's fault.
    runs.MOST_STARTS = 1000
    content.views._shipped().current()
    quizzes.routes._shipped()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        role, port = line.split()
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if mode == ("hasty",):
                store.save = hasty_server._acknowledge
                threading.Thread(target=hasty_server._commit_behind, daemon=True).start()
            become(role, port, Path(log))
            os._exit(0)
        # Before anybody may want to kill it with all that it starts.
        os.setpgid(child, child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
