"""What machines ask of the site: does it live, can it serve, what did it count."""

from __future__ import annotations

import hmac
import logging

from flask import Blueprint, Response, abort, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from web import health
from web.queues import backlogs

routes = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@routes.get("/healthz")
def alive() -> Response:
    """Say that the process answers, whatever else is the matter."""
    return _fresh(jsonify(status="ok"))


@routes.get("/readyz")
def ready() -> Response:
    """Say whether requests may be sent here; who has the token is told what was looked at."""
    checks = health.look(current_app)
    for check in checks:
        if check.state == "failed":
            log.warning("Not ready: %s", check.sentence)
    is_ready = health.is_ready(checks)
    answer: dict[str, object] = {"status": "ready" if is_ready else "unready"}
    if _has_token():
        answer |= {"checks": checks, "queues": backlogs(current_app) if is_ready else {}}
    return _fresh(jsonify(answer), 200 if is_ready else 503)


@routes.get("/metrics")
def metrics() -> Response:
    """Give the counts to whoever has the token; to all others there is nothing here."""
    if not _has_token():
        abort(404)
    return _fresh(
        Response(generate_latest(current_app.extensions["metrics"].registry), content_type=CONTENT_TYPE_LATEST)
    )


def _has_token() -> bool:
    token = current_app.extensions["settings"].metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _fresh(answer: Response, code: int = 200) -> Response:
    answer.status_code = code
    answer.headers["Cache-Control"] = "no-store"
    return answer
