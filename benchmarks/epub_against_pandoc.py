"""An issue of 150,000 words: our build against pandoc's, on the same Markdown, in turns.

Both are whole processes, from start to the written file. Ours also reads and checks the library, draws the cover
and looks over the finished book; pandoc is given that cover.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from content import library
from publisher import cover, epub, issue

ROOT = Path(__file__).resolve().parents[1]
MONTH = "2018-01"
WORDS = 150_000
ROUNDS = 5


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
        process = subprocess.Popen(self.command, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self.command)
        self.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
        self.megabytes.append(usage.ru_maxrss / 1024)


def write_sources(folder: Path) -> tuple[list[Path], int]:
    """Write the notes and lessons of the course as articles of one month, again and again, up to WORDS.

    Return one Markdown file an article for pandoc (the same texts, each under its title), and the words there are.
    """
    found, _ = library.load(ROOT / "content")
    pages = [note.page for note in found.notes]
    pages += [lesson.page for course in found.courses for _, lesson in course.lessons()]
    notes, plain = folder / "content" / "notes", folder / "plain"
    notes.mkdir(parents=True)
    plain.mkdir()
    words, files = 0, list[Path]()
    for number, page in enumerate(cycle(pages)):
        if words >= WORDS:
            return files, words
        # Links between files and drawings would lead nowhere here, for either of the two.
        body = re.sub(r"^(!\[|:::).*$", "", re.sub(r"\]\((?!http)[^)]*\)", "]", page.body), flags=re.MULTILINE)
        about = f"title: {page.title!r}\nsummary: {page.title!r}\nkind: trend\nlang: {page.language}\nsources:"
        head = "\n  - ".join(("---\n" + about, *page.sources)) + "\n---\n"
        (notes / f"{MONTH}-article-{number}.md").write_text(f"{head}\n{body}", "utf-8")
        files.append(plain / f"{number:04}.md")
        files[-1].write_text(f"# {page.title}\n\n{body}\n\n", "utf-8")
        words += len(body.split())
    raise ValueError("the course has no page")


def build(folder: Path, out: Path) -> None:
    """Make our book; this is what the measured process runs."""
    found, errors = library.load(folder / "content")
    if errors:
        raise ValueError(str(errors[0]))
    out.write_bytes(epub.build(issue.compose(found, [], [], MONTH)).epub)


def main() -> None:
    """Run both in turns and print the table."""
    if shutil.which("pandoc") is None:
        sys.exit("pandoc is not on this machine; install it to compare.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, words = write_sources(folder)
        (folder / "cover.jpg").write_bytes(cover.jpeg(cover.draw("Archway Monthly", "January 2018", [])))
        ours, theirs = folder / "ours.epub", folder / "pandoc.epub"
        options = ["--metadata", "title=Archway", "--toc", "--epub-cover-image", str(folder / "cover.jpg")]
        contestants = [
            Contestant("Archway", [sys.executable, "-m", __spec__.name, str(folder), str(ours)], ours),
            Contestant("pandoc", ["pandoc", "-f", "markdown", *options, "-o", str(theirs), *map(str, files)], theirs),
        ]
        for _ in range(ROUNDS):
            for one in contestants:
                one.run()
        version = subprocess.run(["pandoc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        print(f"{words} words in {len(files)} articles, {ROUNDS} runs of each in turns, pandoc {version}\n")
        print(table(contestants))


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
    if len(sys.argv) == 3:
        build(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
