"""Item analysis: responses → facility, discrimination and what each option did, for any number of responses.

Forms differ, so nothing here needs a full matrix. The score beside which an item is judged is the share of the *other*
scored items of the same form that were right, and persons are put into groups by the share of their form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESPONSE = np.dtype([("version", "<u4"), ("chosen", "<u2"), ("seconds", "<u2"), ("credit", "u1"), ("scored", "u1")])
"""One answer in ten bytes: the number of the item's version; a bit for each letter chosen (bit 0 alone, for an answer
that is no choice; 0, where nothing was answered); the seconds it took, 0 where that is not known; the credit, FULL
where it is right; and whether the item counts."""
FULL = 255
LETTERS = "abcdefghijklmnop"
GROUPS = 5
LOWER, MIDDLE, UPPER = slice(0, 2), slice(2, 3), slice(3, 5)
"""The thirds of the persons among the GROUPS."""
_GRID = 1000
_LONGEST = 900
_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """The responses of some sheets, one sheet after the other, and how many places each has."""

    responses: NDArray[Any]
    places: _Whole


@dataclass(frozen=True)
class Cuts:
    """The shares of a form that part persons: at most, for the lower groups; at least, for the upper ones."""

    lower_27: float
    lower_third: float
    upper_third: float
    upper_27: float


@dataclass(frozen=True)
class Tally:
    """Sums by version, or by version and group, from which every statistic follows; tallies of parts add up.

    ``credit`` is what partly right answers earned. ``rest`` is the share of the other scored items that were right.
    ``chosen`` and ``chosen_rest`` begin with the option. ``grid`` counts the rests in thousandths and ``seconds`` the
    seconds up to a quarter of an hour, by version.
    """

    right: _Whole
    group: _Whole
    group_right: _Whole
    omitted: _Whole
    credit: _Real
    rest: _Real
    rest_squared: _Real
    rest_right: _Real
    chosen: _Whole
    chosen_rest: _Real
    grid: _Whole
    seconds: _Whole

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True)
class OptionStatistics:
    """How many chose an option, in all and in each third of the persons, and how that goes with their rest score."""

    letter: str
    count: int
    thirds: tuple[int, int, int]
    correlation: float | None


@dataclass(frozen=True)
class ItemStatistics:
    """What the answers say of one version of an item; a statistic that is not defined is None.

    ``discrimination`` is the corrected item–total correlation, ``upper_lower`` the index of the upper and lower 27 %,
    ``efficiency`` the covariance with the rest score as a share of what it could be at this facility; ``thirds`` are
    (persons, right) from the lowest; ``seconds`` is the median.
    """

    n: int
    right: int
    omitted: int
    credit: float
    discrimination: float | None
    upper_lower: float | None
    efficiency: float | None
    seconds: int | None
    thirds: tuple[tuple[int, int], ...]
    options: tuple[OptionStatistics, ...]

    @property
    def facility(self) -> float:
        """The share that is right, of those who were asked."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The facility's 95 % interval."""
        return wilson(self.right, self.n)


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (E. B. Wilson, 1927, "Probable inference"); n is 1 or more."""
    z = 1.959964
    share = right / n
    middle, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounded, so that the ends of nought and all are nought and one to the last bit.
    low, high = (round(end / (1 + z * z / n), 12) for end in (middle - spread, middle + spread))
    return max(0.0, low), min(1.0, high)


def scores(batch: Batch) -> tuple[_Whole, _Whole]:
    """Return for each sheet how many scored items were right, and how many there are."""
    starts = np.cumsum(batch.places) - batch.places
    scored = batch.responses["scored"] != 0
    right = scored & (batch.responses["credit"] == FULL)
    return _sums(right, starts, batch.places), _sums(scored, starts, batch.places)


def cuts(right: _Whole, scored: _Whole) -> Cuts:
    """Return where the groups part, given the scores of all persons, one or more.

    The upper and lower 27 % are T. L. Kelley's (1939, "The selection of upper and lower groups"). Who ties with the
    last of a group belongs to it, so that the order of persons is nothing; where all tie, all are in the middle.
    """
    ranked = np.sort(_shares(right, scored))
    many = [max(1, math.ceil(len(ranked) * share - 1e-9)) for share in (0.27, 1 / 3)]
    return Cuts(*(float(ranked[place]) for place in (many[0] - 1, many[1] - 1, -many[1], -many[0])))


def tally(batch: Batch, versions: int, at: Cuts) -> Tally:
    """Sum up a batch in which every version's number is below ``versions``, each group being parted by ``at``."""
    responses = batch.responses
    version = responses["version"].astype(np.int64)
    right, chosen = responses["credit"] == FULL, np.ascontiguousarray(responses["chosen"])
    sheet_right, sheet_scored = scores(batch)
    # Few rests are possible on a sheet: without a wrong answer, without a right one, and beside what does not count.
    kind = np.where(responses["scored"] != 0, right, 2)
    kind += np.repeat(np.arange(len(batch.places)) * 3, batch.places)
    possible = _rests(sheet_right, sheet_scored)
    rest, thousandths = possible[kind], np.rint(possible * _GRID).astype(np.int64)[kind]
    grouped = version * GROUPS + np.repeat(_groups(_shares(sheet_right, sheet_scored), at), batch.places)
    was_right, left_out = np.flatnonzero(right), np.flatnonzero(chosen == 0)
    partly = np.flatnonzero((responses["credit"] > 0) & ~right)

    counted, summed = _choices(chosen, grouped, version, rest, versions)
    timed = np.flatnonzero(responses["seconds"])
    seconds = np.minimum(responses["seconds"][timed], _LONGEST)
    return Tally(
        right=np.bincount(version[was_right], minlength=versions),
        group=np.bincount(grouped, minlength=versions * GROUPS).reshape(versions, GROUPS),
        group_right=np.bincount(grouped[was_right], minlength=versions * GROUPS).reshape(versions, GROUPS),
        omitted=np.bincount(version[left_out], minlength=versions),
        credit=_weigh(version[partly], responses["credit"][partly] / FULL, versions),
        rest=_weigh(version, rest, versions),
        rest_squared=_weigh(version, rest * rest, versions),
        rest_right=_weigh(version[was_right], rest[was_right], versions),
        chosen=counted,
        chosen_rest=summed,
        grid=_table(version, thousandths, versions, _GRID + 1),
        seconds=_table(version[timed], seconds, versions, _LONGEST + 1),
    )


def items(sums: Tally, letters: Sequence[str]) -> list[ItemStatistics | None]:
    """Return the statistics of each version, None for one that nobody was asked; ``letters`` are those of its options.

    The efficiency is the discriminative efficiency of Moodle's quiz report: the covariance with the rest score, of the
    greatest that it can be with as many right answers.
    """
    n = sums.group.sum(axis=1)
    discrimination = _correlations(n, sums.right, sums.rest_right, sums)
    upper_lower = _share_by(sums, -1) - _share_by(sums, 0)
    efficiency = _efficiency(n, sums)
    distractors = [_correlations(n, sums.chosen[one].sum(axis=1), sums.chosen_rest[one], sums) for one in range(16)]
    medians = _medians(sums.seconds)
    thirds = [(sums.group[:, part].sum(axis=1), sums.group_right[:, part].sum(axis=1)) for part in _THIRDS]
    return [
        ItemStatistics(
            n=int(n[one]),
            right=int(sums.right[one]),
            omitted=int(sums.omitted[one]),
            credit=float((sums.right[one] + sums.credit[one]) / n[one]),
            discrimination=_defined(discrimination[one]),
            upper_lower=_defined(upper_lower[one]),
            efficiency=_defined(efficiency[one]),
            seconds=int(medians[one]) or None,
            thirds=tuple((int(asked[one]), int(right[one])) for asked, right in thirds),
            options=tuple(_option(sums, one, letter, distractors) for letter in letters[one]),
        )
        if n[one]
        else None
        for one in range(len(n))
    ]


_THIRDS = (LOWER, MIDDLE, UPPER)


def _option(sums: Tally, version: int, letter: str, distractors: Sequence[_Real]) -> OptionStatistics:
    place = LETTERS.index(letter)
    groups = sums.chosen[place, version]
    lower, middle, upper = (int(groups[part].sum()) for part in _THIRDS)
    return OptionStatistics(letter, int(groups.sum()), (lower, middle, upper), _defined(distractors[place][version]))


def _rests(right: _Whole, scored: _Whole) -> _Real:
    """Return for each sheet the share of its other items: beside a wrong one, a right one, and one that is unscored."""
    return np.stack([_shares(right, scored - 1), _shares(right - 1, scored - 1), _shares(right, scored)], 1).ravel()


def _choices(
    chosen: NDArray[Any], grouped: _Whole, version: _Whole, rest: _Real, versions: int
) -> tuple[_Whole, _Real]:
    """Return by option, and then by version and group, how many chose it; and by version, the sum of their rests."""
    counted = np.zeros((len(LETTERS), versions, GROUPS), np.int64)
    summed = np.zeros((len(LETTERS), versions))
    used = int(np.bitwise_or.reduce(chosen, initial=0))
    for place in range(len(LETTERS)):
        if used >> place & 1:
            who = np.flatnonzero(chosen & np.uint16(1 << place))
            counted[place] = np.bincount(grouped[who], minlength=versions * GROUPS).reshape(versions, GROUPS)
            summed[place] = _weigh(version[who], rest[who], versions)
    return counted, summed


def _groups(shares: _Real, at: Cuts) -> _Whole:
    lower = (shares > at.lower_27).astype(np.int64) + (shares > at.lower_third)
    return lower + (shares >= at.upper_third) + (shares >= at.upper_27)


def _correlations(n: _Whole, count: _Whole, together: _Real, sums: Tally) -> _Real:
    """Return Pearson's correlation of a yes or no with the rest score: for ``count`` yeses, of the rests ``together``.

    Of two values that is the point-biserial correlation, and as the rest leaves the item out, the corrected one.
    """
    spread = np.sqrt(np.maximum(0.0, n * sums.rest_squared - sums.rest**2)) * np.sqrt(
        (count * (n - count)).astype(float)
    )
    # What is left of a spread of nought after rounding is far below one step of a rest score.
    spread = np.where(spread > n * 1e-6, spread, np.nan)
    found: _Real = np.clip((n * together - count * sums.rest) / spread, -1, 1)
    return found


def _efficiency(n: _Whole, sums: Tally) -> _Real:
    grid = np.arange(_GRID, -1, -1) / _GRID
    counts = sums.grid[:, ::-1]
    before = np.cumsum(counts, axis=1) - counts
    best = (np.clip(sums.right[:, None] - before, 0, counts) * grid).sum(axis=1)
    mean = np.divide(sums.right, n, out=np.zeros(len(n)), where=n > 0)
    most = best - mean * (counts * grid).sum(axis=1)
    most = np.where(most > 1e-6, most, np.nan)
    found: _Real = np.clip((sums.rest_right - mean * sums.rest) / most, -1, 1)
    return found


def _share_by(sums: Tally, group: int) -> _Real:
    asked = sums.group[:, group]
    share: _Real = np.divide(sums.group_right[:, group], asked, out=np.full(len(asked), np.nan), where=asked > 0)
    return share


def _medians(counts: _Whole) -> _Whole:
    """Return the (lower) median second of each row; 0 where no time is known."""
    total = counts.sum(axis=1)
    found: _Whole = np.argmax(np.cumsum(counts, axis=1) >= np.maximum(1, (total[:, None] + 1) // 2), axis=1)
    return np.where(total > 0, found, 0)


def _weigh(version: _Whole, values: _Real, versions: int) -> _Real:
    return np.bincount(version, values, versions).astype(np.float64, copy=False)


def _table(version: _Whole, column: NDArray[Any], versions: int, width: int) -> _Whole:
    return np.bincount(version * width + column, minlength=versions * width).reshape(versions, width)


def _shares(right: NDArray[Any], of: NDArray[Any]) -> _Real:
    share: _Real = np.divide(right, of, out=np.zeros(len(right)), where=of > 0)
    return share


def _sums(values: NDArray[Any], starts: _Whole, places: _Whole) -> _Whole:
    """Return the sum of each stretch; reduceat alone would take the next value for a stretch without places."""
    if not len(values):
        return np.zeros(len(places), np.int64)
    running = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    found: _Whole = running[starts + places] - running[starts]
    return found


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
