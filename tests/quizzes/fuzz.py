"""Feed a reader of text formats with arbitrary bytes: ``python tests/quizzes/fuzz.py gift -max_total_time=600``.

It needs atheris, which is no dependency of the project. What it finds becomes a file of the corpus.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["quizzes.formats"]):
    from quizzes.formats import aiken, csv_table, forge_markdown, gift
    from quizzes.formats.own_markdown import read
    from quizzes.formats.source import decode

READERS = {
    "gift": gift.read,
    "aiken": aiken.read,
    "csv": csv_table.read,
    "forge": forge_markdown.read,
    "own": read,
}


def main() -> None:
    """Run the reader that the first argument names until a property fails or the time is over."""
    read = READERS[sys.argv.pop(1)]

    def run(data: bytes) -> None:
        text, _findings = decode(data)
        reading = read(text)
        kept = {one.number for one in reading.items}
        refused = {one.question for one in reading.findings if one.severity == "error"}
        assert set(range(1, reading.questions + 1)) <= kept | refused
        assert not kept & refused
        assert all(1 <= one.line <= text.count("\n") + 1 and one.column >= 1 for one in reading.findings)

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
