"""Drawing an exam: (blueprint, pool, seed) → the drawn form, or the report of what the pool lacks."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from quizzes.questions import Question


@dataclass(frozen=True)
class Domain:
    """A part of an exam with its weight in percent."""

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

    def quotas(self) -> dict[int, int]:
        """Return how many items each domain gets, by its number."""
        shares = largest_remainder([domain.weight for domain in self.domains], self.items)
        return {domain.number: share for domain, share in zip(self.domains, shares, strict=True)}


@dataclass(frozen=True)
class Place:
    """One place of a form: the question, and the order in which its options stand."""

    question: Question
    order: str


@dataclass(frozen=True)
class Form:
    """A drawn exam. The same blueprint, pool and seed give the same form, whatever the keys are."""

    blueprint: Blueprint
    seed: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Shortage:
    """A domain for which the pool has fewer items than the blueprint asks."""

    domain: Domain
    wanted: int
    found: int

    def __str__(self) -> str:
        return f"Domain {self.domain.number} ({self.domain.title}) needs {self.wanted} items and has {self.found}."


def load(folder: Path) -> tuple[Blueprint, ...]:
    """Read every ``*.toml`` of the folder; raise ValueError naming the file whose weights do not add up to 100."""
    return tuple(_read(path) for path in sorted(folder.glob("*.toml")))


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


def shortages(blueprint: Blueprint, pool: Iterable[Question]) -> tuple[Shortage, ...]:
    """Return the domains for which the pool is too small; an exam opens only where there are none."""
    counts: dict[int, int] = {}
    for question in pool:
        counts[question.domain] = counts.get(question.domain, 0) + 1
    quotas = blueprint.quotas()
    return tuple(
        Shortage(domain, quotas[domain.number], counts.get(domain.number, 0))
        for domain in blueprint.domains
        if counts.get(domain.number, 0) < quotas[domain.number]
    )


def draw(blueprint: Blueprint, pool: Sequence[Question], seed: int) -> Form:
    """Draw a form: each domain's quota, spread evenly over its tasks, then shuffled as a whole.

    Raises ValueError where the pool is too small; ask ``shortages`` first.
    """
    missing = shortages(blueprint, pool)
    if missing:
        raise ValueError(" ".join(map(str, missing)))
    chance = random.Random(f"{blueprint.slug}:{seed}")  # noqa: S311 (reproducible on purpose, no secret)
    drawn: list[Question] = []
    for number, quota in blueprint.quotas().items():
        drawn += _spread([question for question in pool if question.domain == number], chance)[:quota]
    chance.shuffle(drawn)
    return Form(blueprint, seed, tuple(Place(question, _order(question, seed)) for question in drawn))


def _spread(questions: list[Question], chance: random.Random) -> list[Question]:
    """Order questions so that every prefix takes from each task as evenly as can be."""
    by_task: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda question: question.id):
        by_task.setdefault(question.task, []).append(question)
    piles = list(by_task.values())
    for pile in piles:
        chance.shuffle(pile)
    chance.shuffle(piles)
    return [question for layer in zip_longest(*piles) for question in layer if question is not None]


def _order(question: Question, seed: int) -> str:
    letters = [option.letter for option in question.options]
    random.Random(f"{seed}:{question.id}").shuffle(letters)  # noqa: S311 (the same)
    return "".join(letters)


def _read(path: Path) -> Blueprint:
    data = tomllib.loads(path.read_text("utf-8"))
    domains = tuple(Domain(one["number"], one["title"], one["weight"]) for one in data["domains"])
    if sum(domain.weight for domain in domains) != 100:
        raise ValueError(f"{path}: the weights of the domains do not add up to 100.")
    return Blueprint(
        path.stem, data["code"], data["title"], data["course"], data["items"], data["minutes"], data["cut"], domains
    )
