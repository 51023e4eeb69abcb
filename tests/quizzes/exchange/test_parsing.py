"""A file of a stranger is read in a child process that can take only so much."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from quizzes.exchange import parsing
from quizzes.exchange.parsing import CancelledError, Limits, ParseError, Upload

PLANTED = """
    class Format:
        name, reader = "planted", "planted"
        def read(self, data):
            {body}

    def find(name):
        return None

    def detect(name, data):
        return Format()
"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return a function that gives the child a reader of the test's own."""

    def make(body: str) -> None:
        for name in ("content", "labs", "quizzes", "db.py", "config.py"):
            (tmp_path / name).symlink_to(Path(name).resolve())
        (tmp_path / "quizzes").unlink()
        (tmp_path / "quizzes").mkdir()
        for path in Path("quizzes").iterdir():
            if path.name != "formats":
                (tmp_path / "quizzes" / path.name).symlink_to(path.resolve())
        formats = tmp_path / "quizzes" / "formats"
        formats.mkdir()
        for path in Path("quizzes/formats").glob("*.py"):
            if path.name != "registry.py":
                (formats / path.name).symlink_to(path.resolve())
        (formats / "registry.py").write_text(textwrap.dedent(PLANTED).format(body=body))
        monkeypatch.setattr(parsing, "_ROOT", tmp_path)

    return make


GIFT = Upload("one.gift", b"::q-1:: What keeps messages? {=SQS ~SNS}\n\n::q-2:: Essay {}\n")


def test_every_question_of_a_file_is_an_item_or_an_error() -> None:
    found = parsing.parse(GIFT, ()).compared
    errors = {one.question for one in found.reading.findings if one.severity == "error"}
    assert {one.number for one in found.reading.items} | errors == {1, 2}
    assert found.format == "gift"


@pytest.mark.parametrize(
    ("body", "wait", "words"),
    [
        ("return [b'x' * 10_000_000 for _ in range(1000)]", 60, "more than 256 MB of memory"),
        ("while True: pass", 60, "more than 1 seconds of work"),
        ("import os; os._exit(3)", 60, "could not be read"),
        ("raise ValueError('a fault of ours')", 60, "could not be read"),
        ("import time; time.sleep(60)", 2, "within 2 seconds"),
    ],
    ids=["memory", "work", "a sudden end", "a fault of ours", "waiting"],
)
def test_a_child_that_takes_too_much_is_ended_with_a_sentence(plant: object, body: str, wait: int, words: str) -> None:
    plant(body)  # type: ignore[operator]
    with pytest.raises(ParseError, match=words):
        parsing.parse(Upload("x.txt", b"x"), (), limits=Limits(seconds=1, wait=wait))


def test_a_reader_cannot_write_a_file(plant: object, tmp_path: Path) -> None:
    target = tmp_path / "written"
    plant(f"open({str(target)!r}, 'w').write('x' * 100)")  # type: ignore[operator]
    with pytest.raises(ParseError):
        parsing.parse(Upload("x.txt", b"x"), ())
    assert not target.exists() or target.stat().st_size == 0


def test_a_reading_is_cancelled_at_once(plant: object) -> None:
    plant("import time; time.sleep(60)")  # type: ignore[operator]
    with pytest.raises(CancelledError):
        parsing.parse(Upload("x.txt", b"x"), (), lambda _step, count: not count)


def test_what_is_no_format_is_said() -> None:
    with pytest.raises(ParseError, match="no format that can be imported"):
        parsing.parse(Upload("cat.jpg", b"\xff\xd8\xff\xe0 not a bank"), ())
