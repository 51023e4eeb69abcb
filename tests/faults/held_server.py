"""A server whose event streams stay open and hold a thread each: the control of the test of many viewers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Flask, Response

import labs.views
from tests.e2e.workbench_server import fill_catalog
from web.server import main

_init_app = labs.views.init_app


def _forever() -> Iterator[str]:
    while True:
        yield ": still here\n\n"
        time.sleep(0.5)


def _held(**_run: object) -> Response:
    return Response(_forever(), content_type="text/event-stream")


def _init_held(app: Flask) -> None:
    _init_app(app)
    app.view_functions["labs.events"] = _held


# Not below: the server's worker process imports this module, but does not run it.
labs.views.init_app = _init_held

if __name__ == "__main__":
    fill_catalog()
    main()
