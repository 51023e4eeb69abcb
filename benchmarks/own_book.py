"""Our side of the book: ``CONTENT MONTH COVER OUT`` makes the book alone, ``CONTENT MONTH OUT`` the whole edition."""

from __future__ import annotations

import sys
from pathlib import Path

from content import library
from publisher import epub, issue


def main(content: Path, month: str, out: Path, cover: Path | None = None) -> None:
    """Read the library, compose the month's issue and write its book; raise ValueError for a faulty library."""
    found, errors = library.load(content)
    if errors:
        raise ValueError(str(errors[0]))
    composed = issue.compose(found, [], [], month)
    if cover is None:
        out.write_bytes(epub.build(composed).epub)
        return
    with out.open("wb") as file:
        epub.write_to(file, composed, cover.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[-1]), Path(sys.argv[3]) if len(sys.argv) == 5 else None)
