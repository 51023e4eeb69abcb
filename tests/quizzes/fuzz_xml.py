"""Throw mutated files at the readers of XML formats: ``python fuzz_xml.py READER SECONDS SEEDS…`` (needs atheris).

READER is moodle_xml, qti, qti_package or html. A fault ends the run and leaves its file as ``crash-…`` in the folder.
A package is mutated before it is packed, since no zip file survives a change: its seeds are ``unpacked`` at the start.
"""

from __future__ import annotations

import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["quizzes.formats"]):
    from quizzes.formats import html, moodle_xml, qti, qti_package

from tests.quizzes.formats.promises import unaccounted

SLOW = 5.0
"""So many seconds of CPU one file may take; the readers run under a limit of ten."""
BETWEEN = b"\x1e"
"""What stands between the names and contents of a package's files; XML cannot have it."""


def unpacked(package: bytes) -> bytes:
    """Return the names and contents of a package's files, one after the other."""
    with zipfile.ZipFile(BytesIO(package)) as archive:
        return BETWEEN.join(part for name in archive.namelist() for part in (name.encode(), archive.read(name)))


def packed(data: bytes) -> bytes:
    """Return the package of such names and contents, each name once; zipfile writes none that is empty."""
    parts, package = data.split(BETWEEN), BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in dict(zip(parts[::2], parts[1::2], strict=False)).items():
            if not name.startswith(b"\0") and name:
                archive.writestr(name.decode("utf-8", "replace"), content)
    return package.getvalue()


def fuzz(reader: str, data: bytes) -> None:
    """Run one reader over one file and hold it to what it promises."""
    started = time.process_time()
    if reader == "html":
        text = data.decode("utf-8", "replace")
        html.to_markdown(text)
        html.to_markdown(text, one_line=True)
    else:
        given = packed(data) if reader == "qti_package" else data
        reading = {"moodle_xml": moodle_xml, "qti": qti, "qti_package": qti_package}[reader].read(given)
        assert not unaccounted(data, reading)
        assert all(name and "/" not in name for name in reading.files)
    taken = time.process_time() - started
    assert taken < SLOW, taken


if __name__ == "__main__":
    name, seconds, *folders = sys.argv[1:]
    for seed in (one for folder in folders for one in Path(folder).iterdir() if zipfile.is_zipfile(one)):
        seed.write_bytes(unpacked(seed.read_bytes()))
    options = [f"-max_total_time={seconds}", "-max_len=20000", "-rss_limit_mb=1024", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, *folders], lambda data: fuzz(name, data))
    atheris.Fuzz()
