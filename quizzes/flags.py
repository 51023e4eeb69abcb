"""What is worth looking at in an item: rules over its statistics, each with its threshold and where that comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from quizzes.statistics import OptionStatistics, wilson
from quizzes.statistics_store import VersionStatistics

ENOUGH_FOR_FACILITY = 30
"""Persons from which a facility is judged: its 95 % interval is then at most 0.34 wide (Wilson)."""
ENOUGH_FOR_DISCRIMINATION = 100
"""Persons from which a correlation is judged: the standard error of one of nought is then 0.1, half of WEAK."""
EASY = 0.95
"""Nearly everybody: such an item tells next to nothing, whatever it is (L. Crocker and J. Algina, 1986, ch. 14)."""
WEAK = 0.2
"""Below this an item is poor or to be improved (R. L. Ebel and D. A. Frisbie, 1991, "Essentials of Educational
Measurement"): the authors' scale for the index of upper and lower 27 %, here for the correlation as well."""
IDLE = 0.05
"""A distractor that fewer choose does no work (T. M. Haladyna and S. M. Downing, 1993, "How many options is enough for
a multiple-choice test item?")."""
OMITTED = 0.1
"""A tenth left out is a threshold of ours: guessing costs nothing, so that few leave out what they have understood."""
SLOW = 2.0
"""Times an item's even share of the exam's time; a threshold of ours as well."""
RULES = ("rival", "negative", "hard", "weak", "nobody", "idle", "omitted", "easy", "slow")
"""What the rules are called, the gravest first."""


@dataclass(frozen=True)
class Flag:
    """Something to look at: which rule it is, and the letters that it is about."""

    rule: str
    letters: str = ""


def flags(version: VersionStatistics, seconds_an_item: float) -> list[Flag]:
    """Return what is to be looked at, the gravest first; nothing where too few have answered to say."""
    if version.item.n < ENOUGH_FOR_FACILITY:
        return []
    found = [*_of_discrimination(version), *_of_facility(version), *_of_options(version)]
    found += _of_time(version, seconds_an_item)
    return sorted(found, key=lambda flag: RULES.index(flag.rule))


def chance(options: int, choose: int) -> float:
    """Return the share that blind guessing gets right: one way out of all to choose so many of the options."""
    return 1 / math.comb(options, choose) if options else 0.0


def has_enough_for_discrimination(version: VersionStatistics) -> bool:
    """Return whether so many have answered that a correlation means something."""
    return version.item.n >= ENOUGH_FOR_DISCRIMINATION


def _of_discrimination(version: VersionStatistics) -> Iterator[Flag]:
    found = version.item.discrimination
    if not has_enough_for_discrimination(version) or found is None:
        return
    rivals = "".join(one.letter for one in _distractors(version) if _rivals_the_key(version, one))
    if rivals:
        yield Flag("rival", rivals)
    if found < 0:
        yield Flag("negative")
    elif found < WEAK and version.item.facility < EASY:
        yield Flag("weak")


def _of_facility(version: VersionStatistics) -> Iterator[Flag]:
    item = version.item
    if item.facility >= EASY:
        yield Flag("easy")
    elif item.interval[0] <= chance(len(item.options), version.choose):
        yield Flag("hard")


def _of_options(version: VersionStatistics) -> Iterator[Flag]:
    item = version.item
    nobody = "".join(one.letter for one in _distractors(version) if one.count == 0)
    if nobody:
        yield Flag("nobody", nobody)
    # Of those who were asked, at most so few choose it even at the upper end of the interval.
    idle = [one for one in _distractors(version) if one.count and wilson(one.count, item.n)[1] < IDLE]
    if idle:
        yield Flag("idle", "".join(one.letter for one in idle))
    if item.omitted / item.n >= OMITTED:
        yield Flag("omitted")


def _of_time(version: VersionStatistics, seconds_an_item: float) -> Iterator[Flag]:
    if version.item.seconds is not None and version.item.seconds >= SLOW * seconds_an_item:
        yield Flag("slow")


def _distractors(version: VersionStatistics) -> list[OptionStatistics]:
    return [one for one in version.item.options if one.letter not in version.key]


def _rivals_the_key(version: VersionStatistics, option: OptionStatistics) -> bool:
    """Return whether the strong choose a distractor more than a right option, and more than the weak choose it."""
    right = [one for one in version.item.options if one.letter in version.key]
    fewest = min((one.thirds[2] for one in right), default=0)
    return option.thirds[2] > fewest and option.correlation is not None and option.correlation > 0
