"""Drawing an exam: (blueprint, pool, seed) → the drawn form, or the report of what the pool lacks."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Collection, Iterable, Sequence
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
    pilot: int = 0
    """How many of the items are tried out, unscored and not shown as such."""
    unseen_attempts: int = 0
    """From how many of a learner's last attempts no item comes again, while others are left."""

    def quotas(self) -> dict[int, int]:
        """Return how many scored items each domain gets, by its number."""
        shares = largest_remainder([domain.weight for domain in self.domains], self.items - self.pilot)
        return {domain.number: share for domain, share in zip(self.domains, shares, strict=True)}


@dataclass(frozen=True)
class Place:
    """One place of a form: the question, and the order in which its options stand."""

    question: Question
    order: str
    scored: bool = True


@dataclass(frozen=True)
class Form:
    """A drawn exam. The same blueprint, pool and seed give the same form, whatever the keys are."""

    blueprint: Blueprint
    seed: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Shortage:
    """A domain, or the pilot places (None), for which the pool has fewer items than the blueprint asks."""

    domain: Domain | None
    wanted: int
    found: int

    def __str__(self) -> str:
        if self.domain is None:
            return f"The exam needs {self.wanted} pilot items and has {self.found}."
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


def shortages(blueprint: Blueprint, pool: Iterable[Question], pilots: Iterable[Question] = ()) -> tuple[Shortage, ...]:
    """Return what the pool is too small for; an exam opens only where there is nothing.

    Of a set of enemies one item counts, since a form holds one at most.
    """
    by_domain: dict[int, list[Question]] = {}
    for question in pool:
        by_domain.setdefault(question.domain, []).append(question)
    quotas = blueprint.quotas()
    found = {number: len({one.enemies or one.id for one in own}) for number, own in by_domain.items()}
    short = [
        Shortage(domain, quotas[domain.number], found.get(domain.number, 0))
        for domain in blueprint.domains
        if found.get(domain.number, 0) < quotas[domain.number]
    ]
    tried = sum(1 for _ in pilots)
    return (*short, *([Shortage(None, blueprint.pilot, tried)] if tried < blueprint.pilot else []))


def draw(
    blueprint: Blueprint,
    pool: Sequence[Question],
    seed: int,
    *,
    pilots: Sequence[Question] = (),
    seen: Collection[str] = (),
) -> Form:
    """Draw a form: each domain's quota, spread evenly over its tasks, then shuffled as a whole.

    Items whose ids are in ``seen`` come only where no others are left. Without them, the same blueprint, pool and
    seed give the same form. Raises ValueError where the pool is too small; ask ``shortages`` first.
    """
    missing = shortages(blueprint, pool, pilots)
    if missing:
        raise ValueError(" ".join(map(str, missing)))
    chance = random.Random(f"{blueprint.slug}:{seed}")  # noqa: S311 (reproducible on purpose, no secret)
    scored: list[Question] = []
    for number, quota in blueprint.quotas().items():
        own = _spread([question for question in pool if question.domain == number], chance)
        scored += _without_enemies(sorted(own, key=lambda question: question.id in seen), scored, quota)
    tried = _spread(list(pilots), chance)[: blueprint.pilot]
    places = [Place(question, _order(question, seed), question not in tried) for question in (*scored, *tried)]
    chance.shuffle(places)
    return Form(blueprint, seed, tuple(places))


def _without_enemies(candidates: Iterable[Question], drawn: Iterable[Question], quota: int) -> list[Question]:
    """Return the first ``quota`` candidates of which no two, and none and a drawn one, are enemies."""
    taken = {question.enemies for question in drawn if question.enemies}
    chosen: list[Question] = []
    for question in candidates:
        if len(chosen) < quota and question.enemies not in taken:
            chosen.append(question)
            taken |= {question.enemies} - {""}
    return chosen


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
    )
