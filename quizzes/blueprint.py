"""Drawing an exam: (blueprint, pool, seed) → the drawn form, or the report of what the pool lacks."""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from quizzes.questions import DIFFICULTIES, TYPES, Question


@dataclass(frozen=True)
class Domain:
    """A part of an exam with its weight: of a vendor's exam in percent, of a bank's own the number of its items."""

    number: int
    title: str
    weight: int


@dataclass(frozen=True)
class Blueprint:
    """What an exam is made of: how many items of which domains, in how many minutes, and the scaled cut."""

    slug: str
    code: str
    title: str
    course: str
    items: int
    minutes: int
    cut: int
    domains: tuple[Domain, ...]
    pilot: int = 0
    """How many of the items are tried out, unscored and not shown as such."""
    unseen_attempts: int = 0
    """From how many of a learner's last attempts no item comes again, while others are left."""
    official: bool = True
    """Whether a vendor has this exam, so that its size, time and weights are the vendor's."""
    types: tuple[str, ...] = TYPES
    """The types of items that the exam has."""
    difficulty: tuple[int, ...] = ()
    """The share of easy, medium and hard items in percent, kept as nearly as each domain's items allow; or nothing."""
    offered: bool = True
    """Whether anybody can begin it; what was begun is finished and read by an exam that is offered no longer."""

    def quotas(self) -> dict[int, int]:
        """Return how many scored items each domain gets, by its number."""
        shares = largest_remainder([domain.weight for domain in self.domains], self.items - self.pilot)
        return {domain.number: share for domain, share in zip(self.domains, shares, strict=True)}

    def spread(self) -> dict[str, int]:
        """Return how many scored items of each difficulty a form has, or nothing where that is left open."""
        if not self.difficulty:
            return {}
        return dict(zip(DIFFICULTIES, largest_remainder(self.difficulty, self.items - self.pilot), strict=True))


@dataclass(frozen=True)
class Place:
    """One place of a form: the question, and the order in which its options stand."""

    question: Question
    order: str
    scored: bool


@dataclass(frozen=True)
class Form:
    """A drawn exam. The same blueprint, pool and seed give the same form, whatever the keys are."""

    blueprint: Blueprint
    seed: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Shortage:
    """A domain, a difficulty, or the pilot places (neither), for which there are fewer items than are asked for."""

    domain: Domain | None
    wanted: int
    found: int
    difficulty: str = ""

    def __str__(self) -> str:
        if self.domain is None:
            return f"The exam needs {self.wanted} {self.difficulty or 'pilot'} items and has {self.found}."
        return f"Domain {self.domain.number} ({self.domain.title}) needs {self.wanted} items and has {self.found}."


def load(folder: Path) -> tuple[Blueprint, ...]:
    """Read every ``*.toml`` of the folder, vendors' exams first; raise ValueError naming the file that is wrong."""
    return tuple(sorted(map(_read, sorted(folder.glob("*.toml"))), key=lambda one: not one.official))


def largest_remainder(weights: Sequence[int], total: int) -> list[int]:
    """Share ``total`` in proportion to ``weights`` by the largest-remainder (Hamilton) method.

    Each gets the whole part of its exact share; what is left goes, one each, to the largest remainders,
    the earlier one first where two are equal.
    """
    shares = [Fraction(weight * total, sum(weights)) for weight in weights]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: counts[index] - shares[index])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def shortages(blueprint: Blueprint, pool: Iterable[Question], pilots: Iterable[Question] = ()) -> tuple[Shortage, ...]:
    """Return what the pool is too small for; an exam opens only where there is nothing.

    Of a set of enemies one item counts, since a form holds one at most.
    """
    questions = _fitting(blueprint, pool)
    quotas = blueprint.quotas()
    counts = [Shortage(one, quotas[one.number], _count(questions, domain=one.number)) for one in blueprint.domains]
    counts.append(Shortage(None, blueprint.pilot, len(_fitting(blueprint, pilots))))
    return tuple(one for one in counts if one.found < one.wanted)


def spread_shortages(blueprint: Blueprint, pool: Iterable[Question]) -> tuple[Shortage, ...]:
    """Return the difficulties for which the pool has too few items; others take their places in the form."""
    questions = _fitting(blueprint, pool)
    counts = [
        Shortage(None, wanted, _count(questions, difficulty=difficulty), difficulty)
        for difficulty, wanted in blueprint.spread().items()
    ]
    return tuple(one for one in counts if one.found < one.wanted)


def _count(questions: Iterable[Question], **wanted: object) -> int:
    """Count the questions with these attributes, of a set of enemies one."""
    found = (one for one in questions if all(getattr(one, name) == value for name, value in wanted.items()))
    return len({one.enemies or one.id for one in found})


def draw(
    blueprint: Blueprint,
    pool: Sequence[Question],
    seed: int,
    *,
    pilots: Sequence[Question] = (),
    seen: Collection[str] = (),
) -> Form:
    """Draw a form: each domain's quota, spread evenly over its tasks, then shuffled as a whole.

    Items whose ids are in ``seen`` come only where no others are left, then the blueprint's spread of difficulty is
    kept, then tasks take turns. The items of a case stand together; a case at the end of a quota is cut short. Without
    ``seen``, the same blueprint, pool and seed give the same form. Raises ValueError where the pool is too small; ask
    ``shortages`` first.
    """
    missing = shortages(blueprint, pool, pilots)
    if missing:
        raise ValueError(" ".join(map(str, missing)))
    chance = random.Random(f"{blueprint.slug}:{seed}")  # noqa: S311 (reproducible on purpose, no secret)
    selection = _Selection(blueprint.spread(), seen)
    for number, quota in blueprint.quotas().items():
        selection.take(_mixed([one for one in _fitting(blueprint, pool) if one.domain == number], chance), quota)
    scored = list(selection.chosen)
    selection.left = {}
    selection.take(_mixed(_fitting(blueprint, pilots), chance), blueprint.pilot)
    blocks: dict[str, list[Question]] = {}
    for question in selection.chosen:
        blocks.setdefault(question.case or question.id, []).append(question)
    shuffled = list(blocks.values())
    chance.shuffle(shuffled)
    written = {question.id: place for place, question in enumerate((*pool, *pilots))}
    places = [
        Place(question, _order(question, seed), question in scored)
        for block in shuffled
        for question in sorted(block, key=lambda one: written[one.id])
    ]
    return Form(blueprint, seed, tuple(places))


def _fitting(blueprint: Blueprint, pool: Iterable[Question]) -> list[Question]:
    return [question for question in pool if question.type in blueprint.types]


def _mixed(questions: Iterable[Question], chance: random.Random) -> list[Question]:
    """Return questions in an order of chance that depends on their ids alone, not on the order in the banks."""
    mixed = sorted(questions, key=lambda question: question.id)
    chance.shuffle(mixed)
    return mixed


class _Selection:
    """What is drawn so far, and what of each difficulty is still wanted."""

    def __init__(self, spread: dict[str, int], seen: Collection[str]) -> None:
        self.left = spread
        self.seen = seen
        self.chosen: list[Question] = []
        self._drawn: set[str] = set()
        self._enemies: set[str] = set()
        self._cases: set[str] = set()

    def take(self, candidates: Sequence[Question], quota: int) -> None:
        """Choose so many of the candidates, earlier ones first where nothing else tells them apart."""
        tasks: Counter[str] = Counter()
        for _ in range(quota):
            open_ones = [one for one in candidates if one.id not in self._drawn and one.enemies not in self._enemies]
            if not open_ones:
                return
            best = min(
                open_ones,
                key=lambda one: (
                    one.case not in self._cases,
                    one.id in self.seen,
                    self.left.get(one.difficulty, 1) < 1,
                    tasks[one.task],
                    -self.left.get(one.difficulty, 0),
                ),
            )
            self.chosen.append(best)
            self._drawn.add(best.id)
            self._enemies |= {best.enemies} - {""}
            self._cases |= {best.case} - {""}
            tasks[best.task] += 1
            if best.difficulty in self.left:
                self.left[best.difficulty] -= 1


def _order(question: Question, seed: int) -> str:
    letters = [option.letter for option in question.options]
    if question.shuffles:
        random.Random(f"{seed}:{question.id}").shuffle(letters)  # noqa: S311 (the same)
    return "".join(letters)


def _read(path: Path) -> Blueprint:
    data = tomllib.loads(path.read_text("utf-8"))
    domains = tuple(Domain(one["number"], one["title"], one["weight"]) for one in data["domains"])
    types, spread = data.get("types", TYPES), data.get("difficulty", {})
    if sum(domain.weight for domain in domains) != 100:
        raise ValueError(f"{path}: the weights of the domains do not add up to 100.")
    if not set(types) <= set(TYPES):
        raise ValueError(f"{path}: “types” may name {', '.join(TYPES)}.")
    if spread and (set(spread) != set(DIFFICULTIES) or sum(spread.values()) != 100):
        raise ValueError(f"{path}: “difficulty” gives {', '.join(DIFFICULTIES)}, in percent that add up to 100.")
    return Blueprint(
        slug=path.stem,
        code=data["code"],
        title=data["title"],
        course=data["course"],
        items=data["items"],
        minutes=data["minutes"],
        cut=data["cut"],
        domains=domains,
        pilot=data.get("pilot", 0),
        unseen_attempts=data.get("unseen_attempts", 0),
        official=data.get("official", True),
        types=tuple(types),
        difficulty=tuple(spread[name] for name in DIFFICULTIES) if spread else (),
    )
