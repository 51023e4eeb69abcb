"""The library while people read: a change shows soon, and a slip of an author takes nothing down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import search_views
from content.shelf import Shelf
from content.views import put_up

HEAD = "---\ntitle: {title}\nsummary: S.\ntask: '1.1'\nminutes: 5\n---\n\n"
LESSON = "courses/c/1-m/1-lesson.md"
ADDRESS = "/learn/c/m/lesson"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    module = tmp_path / "content" / "courses" / "c" / "1-m"
    module.mkdir(parents=True)
    (module.parent / "course.md").write_text("---\ntitle: C\nsummary: S.\n---\n\nText.\n")
    (module / "overview.md").write_text("---\ntitle: M\nsummary: S.\ntasks: [1.1 Do]\n---\n\nText.\n")
    (module / "1-lesson.md").write_text(HEAD.format(title="First") + "The first words.\n")
    return tmp_path / "content"


@pytest.fixture
def site(app: Flask, root: Path) -> FlaskClient:
    put_up(app, Shelf(root))
    with app.app_context():
        search_views.refresh(app)
    return app.test_client()


def _soon(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
    return True


def test_a_changed_page_is_served_within_200_ms(site: FlaskClient, root: Path) -> None:
    assert "The first words." in site.get(ADDRESS).text
    waits = []
    for number in range(5):
        (root / LESSON).write_text(HEAD.format(title="Second") + f"Words of version {number}.\n")
        start = time.monotonic()
        assert _soon(lambda words=f"Words of version {number}.": words in site.get(ADDRESS).text)
        waits.append(time.monotonic() - start)
    # The least of five is what a busy machine adds least to.
    assert min(waits) <= 0.2


def test_a_changed_drawing_is_served_too(site: FlaskClient, root: Path) -> None:
    drawing = root / "courses/c/1-m/d.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>one</text></svg>')
    (root / LESSON).write_text(HEAD.format(title="T") + "![A drawing](d.svg)\n")
    assert _soon(lambda: "<text>one</text>" in site.get(ADDRESS).text)
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>another</text></svg>')
    assert _soon(lambda: "<text>another</text>" in site.get(ADDRESS).text)


def test_a_new_lesson_appears_and_a_deleted_one_goes(site: FlaskClient, root: Path) -> None:
    other = root / "courses/c/1-m/2-other.md"
    other.write_text(HEAD.format(title="Other") + "Text.\n")
    assert _soon(lambda: site.get("/learn/c/m/other").status_code == 200)
    other.unlink()
    assert _soon(lambda: site.get("/learn/c/m/other").status_code == 404)


@pytest.mark.parametrize(
    ("name", "broken", "place"),
    [
        (LESSON, "no front matter any more", "1:1"),
        (LESSON, HEAD.format(title="T") + ":::note x\nnever closed\n", "8:1"),
        (LESSON, HEAD.format(title="T").replace("minutes: 5", "minutes: soon") + "x\n", "5:10"),
        ("courses/c/1-m/overview.md", "---\ntitle: [\n---\n", "3:1"),
        ("courses/c/course.md", "", "1:1"),
    ],
)
def test_the_last_sound_version_stays_and_the_operator_is_told(
    site: FlaskClient, root: Path, caplog: pytest.LogCaptureFixture, name: str, broken: str, place: str
) -> None:
    assert "The first words." in site.get(ADDRESS).text
    with caplog.at_level(logging.ERROR, "content.shelf"):
        (root / name).write_text(broken)
        assert _soon(lambda: site.get(ADDRESS) and any(f"{root / name}:{place}: " in line for line in caplog.messages))
    answer = site.get(ADDRESS)
    assert answer.status_code == 200
    assert "The first words." in answer.text


def test_a_file_broken_while_the_site_was_down_is_served_as_it_last_was(
    app: Flask, site: FlaskClient, root: Path
) -> None:
    (root / LESSON).write_text("nonsense")
    put_up(app, Shelf(root))
    assert "The first words." in site.get(ADDRESS).text


def test_without_the_kept_version_it_would_be_gone(app: Flask, site: FlaskClient, root: Path) -> None:
    (root / LESSON).write_text("nonsense")
    app.extensions["library"] = Shelf(root)
    assert site.get(ADDRESS).status_code == 404


def test_instructors_see_the_faults(
    app: Flask, site: FlaskClient, root: Path, promote: Callable[[str], FlaskClient]
) -> None:
    instructor = promote("ina")
    (root / LESSON).write_text("nonsense")
    assert _soon(lambda: "content/courses/c/1-m/1-lesson.md:1:1" in instructor.get("/studio/course").text)
    assert app.test_client().get("/studio/course").status_code in {302, 303}
