"""Statistics as pages show them: rows, the scatter of items, the options of one item and their curves, as geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from quizzes.flags import ENOUGH_FOR_FACILITY, RULES, Flag, flags, has_enough_for_discrimination
from quizzes.questions import Item
from quizzes.reliability import ExamStatistics
from quizzes.sittings import Exams
from quizzes.statistics_store import Results, VersionStatistics

WIDTH, HEIGHT = 480, 300
"""The field of the scatter, in its own units; words stand around it."""
CURVE_WIDTH, CURVE_HEIGHT = 300, 160
BAR = 120
LOWEST, HIGHEST = -0.4, 1.0
"""The discriminations that the scatter has room for; what is beyond stands at its edge."""
SORTS = ("flags", "question", "answers", "facility", "discrimination")


@dataclass(frozen=True)
class Row:
    """An item in the table: the version that counts, the words its stem begins with, and its bank."""

    version: VersionStatistics
    words: str
    bank: str
    flags: tuple[Flag, ...]
    current: bool

    @property
    def has_enough(self) -> bool:
        """Whether so many have answered that its facility says something."""
        return self.version.item.n >= ENOUGH_FOR_FACILITY

    @property
    def is_sure(self) -> bool:
        """Whether so many have answered that its discrimination says something."""
        return has_enough_for_discrimination(self.version)


@dataclass(frozen=True)
class Dot:
    """An item in the scatter."""

    x: float
    y: float
    row: Row


@dataclass(frozen=True)
class Bar:
    """A bar of the distribution of scores: from and to in percent, and how many."""

    x: float
    height: float
    start: int
    end: int
    count: int


@dataclass(frozen=True)
class Curve:
    """An option over the thirds: its points as SVG writes them, and where its letter stands at the end."""

    letter: str
    key: bool
    points: str
    dots: tuple[tuple[float, float], ...]
    label: float


@dataclass(frozen=True)
class OptionRow:
    """An option of an item: its text as XHTML, how many chose it, and the share of each third with a bar for it."""

    letter: str
    html: str
    key: bool
    count: int
    share: float
    thirds: tuple[tuple[int, float], ...]
    correlation: float | None


@dataclass(frozen=True)
class Change:
    """A version beside the one before it: what changed, if anything came before."""

    version: VersionStatistics
    key_changed: bool
    first: bool


def rows(results: Results, exams: Exams, seconds_an_item: float) -> list[Row]:
    """Return every item once: its present version if somebody has answered that, else the newest that was answered."""
    banks = {item.question.id: bank.title for bank in exams.banks for item in bank.items}
    made = []
    for question_id, versions in results.by_question().items():
        present = exams.present.get(question_id, "")
        version = next((one for one in versions if one.fingerprint == present), versions[0])
        found = tuple(flags(version, seconds_an_item))
        current = version.fingerprint == present
        made.append(Row(version, _words(exams.items.get(question_id)), banks.get(question_id, ""), found, current))
    return made


def ordered(found: Iterable[Row], sort: str) -> list[Row]:
    """Return rows in the order asked for; what is to be looked at comes first, and a missing value last."""
    keys: Mapping[str, Callable[[Row], tuple[float, float]]] = {
        "flags": lambda row: (_gravity(row), _or_last(row.version.item.discrimination)),
        "question": lambda _row: (0, 0),
        "answers": lambda row: (-row.version.item.n, 0),
        "facility": lambda row: (row.version.item.facility, 0),
        "discrimination": lambda row: (_or_last(row.version.item.discrimination), 0),
    }
    return sorted(found, key=lambda row: (*keys[sort](row), row.version.question_id))


def dots(found: Iterable[Row]) -> list[Dot]:
    """Return the items that have enough answers as points, facility to the right and discrimination upwards."""
    return [
        Dot(round(row.version.item.facility * WIDTH, 1), height_of(row.version.item.discrimination), row)
        for row in found
        if row.has_enough and row.version.item.discrimination is not None
    ]


def height_of(discrimination: float) -> float:
    """Return where a discrimination stands in the scatter, counted from above."""
    within = min(max(discrimination, LOWEST), HIGHEST)
    return round(HEIGHT * (HIGHEST - within) / (HIGHEST - LOWEST), 1)


def distribution(whole: ExamStatistics) -> list[Bar]:
    """Return the scores' histogram."""
    bins, top = len(whole.distribution), max(whole.distribution)
    return [
        Bar(
            round(place * WIDTH / bins, 1),
            round(CURVE_HEIGHT * count / top, 1),
            100 * place // bins,
            100 * (place + 1) // bins,
            count,
        )
        for place, count in enumerate(whole.distribution)
    ]


def option_rows(version: VersionStatistics, texts: Mapping[str, str]) -> list[OptionRow]:
    """Return the options of an item, in the order of the bank."""
    asked = [persons for persons, _ in version.item.thirds]
    return [
        OptionRow(
            letter=one.letter,
            html=texts[one.letter],
            key=one.letter in version.key,
            count=one.count,
            share=one.count / version.item.n,
            thirds=tuple((count, count / of if of else 0.0) for count, of in zip(one.thirds, asked, strict=True)),
            correlation=one.correlation,
        )
        for one in version.item.options
    ]


def curves(options: Sequence[OptionRow]) -> list[Curve]:
    """Return how the share of each option goes from the lower third to the upper one."""
    step = CURVE_WIDTH / 2
    ends = [CURVE_HEIGHT * (1 - option.thirds[-1][1]) for option in options]
    made = []
    for option, label in zip(options, _apart(ends), strict=True):
        points = tuple(
            (round(place * step, 1), round(CURVE_HEIGHT * (1 - share), 1))
            for place, (_, share) in enumerate(option.thirds)
        )
        text = " ".join(f"{x},{y}" for x, y in points)
        made.append(Curve(option.letter, option.key, text, points, label))
    return made


def changes(versions: Sequence[VersionStatistics]) -> list[Change]:
    """Return the versions of a question, the newest first, each compared with the one before."""
    before = [*versions[1:], None]
    return [
        Change(one, earlier is not None and one.key != earlier.key, earlier is None)
        for one, earlier in zip(versions, before, strict=True)
    ]


def _apart(heights: Sequence[float], words: float = 17) -> list[float]:
    """Return the heights of letters at the ends of lines, moved so far upwards that none covers another."""
    moved = list(heights)
    above = CURVE_HEIGHT + words
    for place in sorted(range(len(moved)), key=lambda one: -moved[one]):
        moved[place] = above = min(moved[place], above - words)
    return [round(one, 1) for one in moved]


def _gravity(row: Row) -> int:
    return RULES.index(row.flags[0].rule) if row.flags else len(RULES)


def _or_last(value: float | None) -> float:
    return 2.0 if value is None else value


def _words(item: Item | None, most: int = 90) -> str:
    """Return how the stem begins, as it is written but for the marks of code."""
    if item is None:
        return ""
    text = " ".join(item.question.stem.replace("`", "").split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
