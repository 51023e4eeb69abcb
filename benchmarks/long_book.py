"""A book as long as a novel and as mixed as a manual, made of our own texts: the same each time.

25 chapters with headings, lists, tables, code, footnotes, pictures and paragraphs in Bulgarian; see ``Sizes``.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from content import library
from content.pages import Page

ROOT = Path(__file__).resolve().parents[1]
MONTH = "2018-01"
SEED = 2018


@dataclass(frozen=True)
class Sizes:
    """What the book holds; footnotes are spread as evenly as they go."""

    chapters: int = 25
    words: int = 151_000
    sections: int = 6
    pictures: int = 50
    tables: int = 75
    code_blocks: int = 100
    footnotes: int = 195
    bulgarian: int = 50


@dataclass(frozen=True)
class Sources:
    """Where the book lies: for us as a library of notes, for others as a text for each chapter and one for all."""

    content: Path
    chapters: tuple[Path, ...]
    whole: Path
    words: int


def write(folder: Path, sizes: Sizes | None = None) -> Sources:
    """Write the book's Markdown and pictures into an empty folder."""
    sizes = sizes or Sizes()
    chance = random.Random(SEED)
    english, bulgarian = _paragraphs()
    notes = folder / "content" / "notes"
    plain = folder / "plain"
    notes.mkdir(parents=True)
    plain.mkdir()
    texts = [_chapter(number, sizes, chance, english, bulgarian) for number in range(1, sizes.chapters + 1)]
    for number, (title, body) in enumerate(texts, 1):
        head = (
            f"---\ntitle: {title}\nsummary: {title}\nkind: trend\nlang: en\nsources:\n  - https://example.org/\n---\n"
        )
        (notes / f"{MONTH}-chapter-{number:02}.md").write_text(f"{head}\n{body}\n", "utf-8")
        (plain / f"chapter-{number:02}.txt").write_text(f"# {title}\n\n{body}\n\n", "utf-8")
    for number in range(1, sizes.pictures + 1):
        _draw(notes / _picture_name(number), number)
        (plain / _picture_name(number)).symlink_to(notes / _picture_name(number))
    whole = plain / "whole.txt"
    whole.write_text("\n".join(f"# {title}\n\n{body}\n" for title, body in texts), "utf-8")
    chapters = tuple(sorted(plain.glob("chapter-*.txt")))
    return Sources(folder / "content", chapters, whole, len(whole.read_text("utf-8").split()))


def _paragraphs() -> tuple[list[str], list[str]]:
    """Return the paragraphs and lists of our own pages, in English and in Bulgarian, without what leads elsewhere."""
    found, _ = library.load(ROOT / "content")
    pages = [note.page for note in found.notes]
    pages += [lesson.page for course in found.courses for _, lesson in course.lessons()]
    english = [one for page in pages if page.language == "en" for one in _blocks(page)]
    return english, [one for page in pages if page.language == "bg" for one in _blocks(page)]


def _blocks(page: Page) -> list[str]:
    text = re.sub(r"\[\^[^\]]*\](: .*)?", "", re.sub(r"\]\((?!http)[^)]*\)", "]", page.body))
    blocks = text.replace("[", "").replace("](", " (").replace("]", "").split("\n\n")
    return [one.strip() for one in blocks if re.match(r"\w|- \w", one.strip()) and ":::" not in one and "|" not in one]


def _chapter(
    number: int, sizes: Sizes, chance: random.Random, english: list[str], bulgarian: list[str]
) -> tuple[str, str]:
    def share(total: int) -> int:
        return total * number // sizes.chapters - total * (number - 1) // sizes.chapters

    first = sizes.pictures * (number - 1) // sizes.chapters
    extras = [
        *(
            f"![Figure {one}: a shape before its ground.]({_picture_name(one)})"
            for one in range(first + 1, first + 1 + share(sizes.pictures))
        ),
        *(_table(chance) for _ in range(share(sizes.tables))),
        *(_code(chance) for _ in range(share(sizes.code_blocks))),
        *(chance.choice(bulgarian) for _ in range(share(sizes.bulgarian))),
    ]
    notes = [f"c{number}n{one}" for one in range(1, share(sizes.footnotes) + 1)]
    noted = [
        f"A sentence that has a note.[^{label}]\n\n[^{label}]: What the note says, in *ten* words or so."
        for label in notes
    ]
    body = [*extras, *noted]
    words = sum(len(one.split()) for one in body)
    while words < sizes.words // sizes.chapters:
        body.append(chance.choice(english))
        words += len(body[-1].split())
    chance.shuffle(body)
    for section in range(sizes.sections):
        body.insert(section * len(body) // sizes.sections, f"## Section {number}.{section + 1}")
    return f"Chapter {number}", "\n\n".join(body)


def _table(chance: random.Random) -> str:
    rows = (f"| Row {row} | {chance.randint(1, 99)} ms | `get/{row}` | {chance.random():.3f} |" for row in range(1, 6))
    return "\n".join(["| Name | Time | Call | Share |", "|---|--:|---|--:|", *rows])


def _code(chance: random.Random) -> str:
    lines = (f'    total_{line} = fetch("key-{chance.randint(1, 999)}", limit={line}) & 0xff' for line in range(1, 9))
    return "\n".join(["```python", "def handler(event, context):", *lines, "    return total_1 < 7", "```"])


def _picture_name(number: int) -> str:
    return f"figure-{number:02}.{'png' if number % 2 else 'jpg'}"


def _draw(path: Path, number: int) -> None:
    """Draw a diagram for PNG, and for JPEG something that is as hard to press as a photograph."""
    size = (1200, 800) if path.suffix == ".png" else (1600, 1000)
    picture = Image.effect_noise(size, 24).convert("RGB") if path.suffix == ".jpg" else Image.new("RGB", size, "white")
    picture = picture.filter(ImageFilter.GaussianBlur(2)) if path.suffix == ".jpg" else picture
    pen, chance = ImageDraw.Draw(picture), random.Random(number)
    for _ in range(1200 if path.suffix == ".png" else 40):
        left, top = chance.randrange(size[0]), chance.randrange(size[1])
        pen.rectangle((left, top, left + 90, top + 60), outline=(chance.randrange(255), left % 255, top % 255), width=3)
    picture.save(path, quality=75)
