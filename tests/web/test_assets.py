"""Static files: addresses with a hash, what browsers may keep, and the one style sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from web.assets import asset

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(site: Flask, tmp_path: Path) -> Path:
    made = tmp_path / "static"
    made.mkdir()
    (made / "run.js").write_text("first")
    site.register_blueprint(Blueprint("room", __name__, static_folder=str(made), static_url_path="/static/room"))
    return made


def _address(site: Flask, room: str, filename: str) -> str:
    with site.app_context():
        return asset(room, filename)


def test_an_address_carries_the_hash_of_the_content(site: Flask, folder: Path) -> None:
    # printf first | sha256sum
    assert _address(site, "room", "run.js") == "/static/room/run.js?v=a7937b64b8ca"


def test_a_hash_is_computed_once_unless_debugging(site: Flask, folder: Path) -> None:
    first = _address(site, "room", "run.js")
    (folder / "run.js").write_text("second")
    assert _address(site, "room", "run.js") == first
    site.debug = True
    assert _address(site, "room", "run.js") != first


@pytest.mark.parametrize("path", ["/static/room/run.js", "/static/web/site.css", "/static/web/favicon.svg"])
def test_only_an_address_with_the_right_hash_is_kept_for_good(
    site: Flask, visitor: FlaskClient, folder: Path, path: str
) -> None:
    room, filename = path.removeprefix("/static/").split("/", 1)
    assert visitor.get(_address(site, room, filename)).headers["Cache-Control"] == IMMUTABLE
    for query in ("", "?v=", "?v=000000000000", "?w=1"):
        assert visitor.get(path + query).headers.get("Cache-Control") != IMMUTABLE


def test_a_static_file_sets_no_cookie(visitor: FlaskClient) -> None:
    assert "Set-Cookie" not in visitor.get("/static/web/site.css").headers


def test_a_browser_that_has_the_style_sheet_gets_none(visitor: FlaskClient) -> None:
    tag = visitor.get("/static/web/site.css").headers["ETag"]
    assert visitor.get("/static/web/site.css", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("room", "filename"), [("room", "none.js"), ("nowhere", "run.js"), ("pages", "run.js")])
def test_a_template_that_names_no_file_fails_at_once(site: Flask, folder: Path, room: str, filename: str) -> None:
    with pytest.raises(OSError, match=r"none\.js|no static files"):
        _address(site, room, filename)


def test_every_file_that_the_style_sheet_names_is_there(visitor: FlaskClient) -> None:
    sheet = visitor.get("/static/web/site.css")
    assert sheet.mimetype == "text/css"
    addresses = re.findall(r'url\("([^"]+)"\)', sheet.text)
    assert len(addresses) == 6
    for address in addresses:
        assert visitor.get(address).headers["Cache-Control"] == IMMUTABLE


def test_a_page_names_the_style_sheet_and_the_text_font_by_hash(site: Flask, visitor: FlaskClient) -> None:
    page = visitor.get("/").text
    assert f'<link rel="stylesheet" href="{_address(site, "web", "site.css")}">' in page
    font = _address(site, "web", "fonts/atkinson-hyperlegible-next-latin.woff2")
    assert f'href="{font}" crossorigin' in page
    assert font in visitor.get("/static/web/site.css").text
