"""What an exam's scores are worth: mean and spread, reliability and the standard error of measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Real = NDArray[np.float64]
BINS = 20


@dataclass(frozen=True)
class ExamStatistics:
    """The scores of an exam as shares of its scored items, each None where it is not defined.

    ``distribution`` counts the scores in twentieths. ``dependability`` is the reliability of forms drawn by chance and
    ``error`` its standard error of measurement.
    """

    n: int
    mean: float
    median: float
    deviation: float | None
    distribution: tuple[int, ...]
    dependability: float | None
    error: float | None


@dataclass(frozen=True)
class FormStatistics:
    """Cronbach's alpha of a form (KR-20, as items are right or wrong), its error as a share, and alpha without each."""

    n: int
    items: int
    alpha: float | None
    error: float | None
    without: tuple[float | None, ...]


def exam_statistics(right: NDArray[Any], scored: NDArray[Any]) -> ExamStatistics:
    """Return the statistics of an exam by each person's number of right answers and of scored items, one or more.

    Forms drawn by chance share no matrix, so that KR-20 is not defined. Their items are nested in persons; the error
    of a person's score is Lord's binomial one (F. M. Lord, 1955, "Estimating test reliability"), and what the mean
    error leaves of the variance of scores is the index of dependability (R. L. Brennan and M. T. Kane, 1977, "An index
    of dependability for mastery tests"). On forms of one length that is KR-21. The quotas by domain make forms more
    alike than chance would, so that it is a lower bound.
    """
    share = right / scored
    spread = float(np.var(share, ddof=1)) if len(share) > 1 else 0.0
    long = scored > 1
    error = float(np.mean(share[long] * (1 - share[long]) / (scored[long] - 1))) if long.any() else None
    # A score of all belongs to the last bin.
    counts = np.bincount(np.minimum((share * BINS + 1e-9).astype(np.int64), BINS - 1), minlength=BINS)
    return ExamStatistics(
        n=len(share),
        mean=float(np.mean(share)),
        median=float(np.median(share)),
        deviation=float(np.sqrt(spread)) if len(share) > 1 else None,
        distribution=tuple(int(one) for one in counts),
        dependability=1 - error / spread if error is not None and spread > 1e-12 else None,
        error=None if error is None else float(np.sqrt(error)),
    )


def form_statistics(matrix: NDArray[Any]) -> FormStatistics:
    """Return the statistics of one form by its matrix of persons × items (L. J. Cronbach, 1951, "Coefficient alpha").

    An item that everybody answers alike counts with its variance of nought.
    """
    values = matrix.astype(np.float64)
    n, items = values.shape
    total = values.sum(axis=1)
    parts = values.var(axis=0, ddof=1) if n > 1 else np.zeros(items)
    whole = float(total.var(ddof=1)) if n > 1 else 0.0
    alpha = _alpha(items, float(parts.sum()), whole)
    return FormStatistics(
        n=n,
        items=items,
        alpha=alpha,
        error=None if alpha is None else float(np.sqrt(whole * max(0.0, 1 - alpha))) / items,
        without=tuple(
            _alpha(items - 1, float(parts.sum() - parts[one]), _variance(total - values[:, one]))
            for one in range(items)
        ),
    )


def _variance(values: _Real) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _alpha(items: int, parts: float, whole: float) -> float | None:
    return items / (items - 1) * (1 - parts / whole) if items > 1 and whole > 1e-12 else None
