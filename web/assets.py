"""Static files: addresses that carry a content hash, answers that browsers may keep, and the one style sheet."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from flask import Flask, Response, current_app, request

STYLESHEET = "site.css"
IMMUTABLE = "public, max-age=31536000, immutable"

_STATIC = Path(__file__).with_name("static")
_SHEETS = ("tokens.css", "base.css", "shell.css", "components.css", "pages.css", "print.css")
_FONT = re.compile(r'url\("\.\./(fonts/[^"]+)"\)')


def init_app(app: Flask) -> None:
    """Give templates ``asset(room, filename)``, and let browsers keep what such an address answers."""
    app.extensions["assets"] = {}
    app.jinja_env.globals["asset"] = asset
    app.after_request(_let_browsers_keep)


def asset(room: str, filename: str) -> str:
    """Return the address of a room's static file, which changes with its content; raise OSError if there is none."""
    return f"/static/{room}/{filename}?v={_digest(room, filename)}"


def stylesheet() -> str:
    """Return the style sheet of every page: the sheets in the order of their layers, fonts by hashed address."""
    sheets = "\n".join((_STATIC / "css" / name).read_text("utf-8") for name in _SHEETS)
    return _FONT.sub(lambda font: f'url("{asset("web", font[1])}")', sheets)


def _digest(room: str, filename: str) -> str:
    """Return 12 hexadecimal digits of the content's SHA-256, computed once a file; each time in debug mode."""
    known: dict[tuple[str, str], str] = current_app.extensions["assets"]
    if (room, filename) not in known or current_app.debug:
        known[room, filename] = hashlib.sha256(_content(room, filename)).hexdigest()[:12]
    return known[room, filename]


def _content(room: str, filename: str) -> bytes:
    if (room, filename) == ("web", STYLESHEET):
        return stylesheet().encode()
    blueprint = current_app.blueprints.get(room)
    if blueprint is None or blueprint.static_folder is None:
        raise FileNotFoundError(f"The room “{room}” has no static files.")
    return Path(blueprint.static_folder, filename).read_bytes()


def _let_browsers_keep(answer: Response) -> Response:
    """Mark an answer as immutable if its address carries the hash of what it is now, and not of an older file."""
    if request.path.startswith("/static/") and answer.status_code in {200, 206, 304}:
        _, _, room, filename = request.path.split("/", 3)
        if request.full_path == asset(room, filename):
            answer.headers["Cache-Control"] = IMMUTABLE
    return answer
