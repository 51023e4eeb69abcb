"""A lab made by copying a folder is everywhere, with no other file changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import config
from app import create_app
from labs import registry
from web.server import prepare

SLUG = "a-sixth-lab"
TITLE = "A sixth lab of queues and quokkas"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog with one folder more: a copy of its first under a new name, its title changed."""
    copied = tmp_path_factory.mktemp("labs") / "catalog"
    shutil.copytree(registry.CATALOG, copied)
    folder = copied / SLUG.replace("-", "_")
    shutil.copytree(registry.load()[0][0].folder, folder)
    path = folder / "lab.toml"
    _title, _line_end, rest = path.read_text("utf-8").partition("\n")
    path.write_text(f'title = "{TITLE}"\n{rest}', "utf-8")
    return copied


@pytest.fixture
def site(catalog: Path, settings: config.Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application as it starts again with that catalog."""
    monkeypatch.setattr(registry, "CATALOG", catalog)
    app = create_app(settings)
    app.testing = True
    prepare(app)
    yield app
    app.extensions["database"].engine.dispose()


def test_it_is_on_the_index_in_search_in_the_interface_and_on_the_command_line(site: Flask) -> None:
    visitor = site.test_client()
    assert TITLE in visitor.get("/labs").text
    assert TITLE in visitor.get(f"/labs/{SLUG}").text
    assert f"/labs/{SLUG}" in visitor.get("/search?q=quokkas").text
    described = {one["slug"]: one for one in visitor.get("/labs.json").get_json()}
    assert described[SLUG]["title"] == TITLE
    shown = site.test_cli_runner().invoke(args=["labs", "list"])
    assert shown.exit_code == 0
    assert SLUG in shown.stdout
    shown = site.test_cli_runner().invoke(args=["labs", "list", "--json"])
    assert json.loads(shown.stdout) == list(described.values())


def test_without_the_folder_it_is_nowhere(app: Flask) -> None:
    visitor = app.test_client()
    assert TITLE not in visitor.get("/labs").text
    assert visitor.get(f"/labs/{SLUG}").status_code == 404
    assert f"/labs/{SLUG}" not in visitor.get("/search?q=quokkas").text
    assert SLUG not in {one["slug"] for one in visitor.get("/labs.json").get_json()}


PROGRAM = """
import sys
from pathlib import Path
import pytest
from labs import registry
registry.CATALOG = Path(sys.argv[1])
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", sys.argv[2], "--collect-only", "tests/test_every_lab.py"]))
"""


def test_the_tests_of_every_lab_are_made_for_it_too(catalog: Path) -> None:
    found = {}
    for folder in (catalog, registry.CATALOG):
        command = [sys.executable, "-c", PROGRAM, str(folder), SLUG]
        found[folder] = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.count(SLUG)
    # At least each test of every lab, and one for each run of the solution; without the folder, none.
    assert found[catalog] >= 12
    assert found[registry.CATALOG] == 0
