"""The room's blueprint, the application's library, and how a page of it is found."""

from __future__ import annotations

from flask import Blueprint, current_app

from content.library import Library
from content.pages import Page
from content.shelf import Shelf

routes = Blueprint(
    "content", __name__, template_folder="templates", static_folder="static", static_url_path="/static/content"
)


def shelf() -> Shelf:
    """Return the application's library in memory."""
    found: Shelf = current_app.extensions["library"]
    return found


def library() -> Library:
    """Return everything there is to read, as it is on disk now."""
    return shelf().current()


def find_page(address: str) -> Page | None:
    """Return the page that is shown at ``address``, or None."""
    return next((page for page in library().pages() if page.address == address), None)
