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

from tests.quizzes.formats.promises import unaccounted

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
        assert not unaccounted(text, read(text))

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
