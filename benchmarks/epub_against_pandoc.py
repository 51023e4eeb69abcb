"""A book of 151,000 words with pictures, tables, code and footnotes: ours against pandoc's and calibre's, in turns.

All are whole processes, from the start of the program to the written file, on the same Markdown and with the same
cover. Ours reads and checks the library as ever, and parses every document strictly before it goes in. “The whole
edition” is what is published: it also draws the cover, makes Kindle's form and looks both over.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from benchmarks import long_book
from benchmarks.long_book import MONTH, ROOT, Sources
from benchmarks.promises import Promise, record

ROUNDS = 5
ENVIRONMENT = {
    **os.environ,
    "QT_QPA_PLATFORM": "offscreen",
    "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox",
    "SOURCE_DATE_EPOCH": "1514786400",
}


@dataclass
class Contestant:
    """A way to make the book, and what its runs took."""

    name: str
    command: list[str]
    book: Path
    cpu_seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Make the book once in a process of its own and note its CPU time and its largest resident size."""
        process = subprocess.Popen(self.command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self.command)
        self.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
        self.megabytes.append(usage.ru_maxrss / 1024)


def contestants(folder: Path, sources: Sources, cover: Path) -> Iterator[Contestant]:
    """Yield ours and every other that this machine has; ``PANDOC`` names pandocs beside the one in the path."""
    own = [sys.executable, "-m", "benchmarks.own_book"]
    yield Contestant(
        "Archway", [*own, str(sources.content), MONTH, str(cover), str(folder / "ours.epub")], folder / "ours.epub"
    )
    yield Contestant(
        "Archway, the whole edition", [*own, str(sources.content), MONTH, str(folder / "all.epub")], folder / "all.epub"
    )
    for number, pandoc in enumerate(filter(None, (shutil.which("pandoc"), *os.environ.get("PANDOC", "").split(":")))):
        version = subprocess.run([pandoc, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        for words, option in (("", ["--no-highlight"]), (", code coloured", [])):
            book = folder / f"pandoc-{number}-{len(option)}.epub"
            about = ["--metadata", "title=Archway", "--toc", "--epub-cover-image", str(cover)]
            where = ["--resource-path", str(sources.whole.parent), "-o", str(book), *map(str, sources.chapters)]
            yield Contestant(f"pandoc {version}{words}", [pandoc, "-f", "markdown", *option, *about, *where], book)
    if calibre := shutil.which("ebook-convert"):
        book = folder / "calibre.epub"
        options = ["--formatting-type", "markdown", "--markdown-extensions", "footnotes,tables,fenced_code"]
        command = [calibre, str(sources.whole), str(book), *options, "--cover", str(cover)]
        yield Contestant("calibre", command, book)


def prepare(folder: Path) -> tuple[Sources, Path]:
    """Write the book's sources and the cover that all are given."""
    from publisher import cover  # noqa: PLC0415 (the measured processes load this module's neighbours alone)

    picture = folder / "cover.jpg"
    picture.write_bytes(cover.jpeg(cover.draw("Archway Monthly", "January 2018", [])))
    return long_book.write(folder), picture


def main() -> None:
    """Run all in turns and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A process begins at the size of the one that starts it, so what takes much memory is done elsewhere.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            sources, picture = pool.submit(prepare, folder).result()
        found = list(contestants(folder, sources, picture))
        for _ in range(ROUNDS):
            for one in found:
                one.run()
        print(f"{sources.words} words in {len(sources.chapters)} chapters, {ROUNDS} runs of each in turns\n")
        print(table(found))
        record("epub_against_pandoc", list(promises(found)))


def promises(contestants: list[Contestant]) -> Iterator[Promise]:
    """Yield what was promised of the first contestant, and of it beside each pandoc."""
    ours = contestants[0]
    cpu, memory = min(ours.cpu_seconds), max(ours.megabytes)
    for peer in contestants:
        if peer.name.startswith("pandoc"):
            yield Promise("a book of 152,000 words", cpu, "s CPU", 1, peer.name, min(peer.cpu_seconds), 1 / 6)
            yield Promise("a book of 152,000 words", memory, "MB RSS", 64, peer.name, max(peer.megabytes), 1 / 4)


def table(contestants: list[Contestant]) -> str:
    """Return a Markdown table; ratios are against the first contestant."""
    base = contestants[0]
    rows = [
        "| | CPU s, least | median | largest RSS, MB | size, kB | CPU ratio | RSS ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in contestants:
        least, memory = min(one.cpu_seconds), max(one.megabytes)
        ratios = f"× {least / min(base.cpu_seconds):.2f} | × {memory / max(base.megabytes):.2f}"
        times = f"{least:.2f} | {statistics.median(one.cpu_seconds):.2f}"
        rows.append(f"| {one.name} | {times} | {memory:.0f} | {one.book.stat().st_size / 1000:.0f} | {ratios} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
