"""What a benchmark measured, kept as JSON in ``benchmarks/results``, and the promises it is held against."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
_PACKAGES = ("flask", "sqlalchemy", "granian", "psycopg")


@dataclass(frozen=True)
class Promise:
    """A figure, the most that it may be, the ceiling's or peer's beside it, and the most that their ratio may be.

    ``at_least`` turns the first bound: the figure may not be less. Without a bound nothing is promised, only told.
    """

    what: str
    figure: float
    unit: str
    bound: float | None = None
    against: str = ""
    other: float | None = None
    ratio_bound: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of the other one, or None where it stands alone."""
        return None if self.other is None else self.figure / self.other

    @property
    def met(self) -> bool | None:
        """Whether every bound is kept, or None where there is none."""
        kept = []
        if self.bound is not None:
            kept.append(self.figure >= self.bound if self.at_least else self.figure <= self.bound)
        if self.ratio_bound is not None and self.ratio is not None:
            kept.append(self.ratio <= self.ratio_bound)
        return all(kept) if kept else None


@dataclass(frozen=True)
class Result:
    """What one run of a benchmark found, and where: ``load`` is how many processes wanted a core at its end."""

    name: str
    measured_at: datetime
    load: float | None
    machine: str
    versions: Mapping[str, str]
    promises: Sequence[Promise]
    figures: Mapping[str, Any]


def record(name: str, promises: Sequence[Promise], **figures: Any) -> None:
    """Keep what a benchmark measured, in place of its last result."""
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    versions |= {package: metadata.version(package) for package in _PACKAGES}
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 1),
        "machine": f"{os.cpu_count()} cores, {_processor()}",
        "versions": versions,
        "promises": [asdict(one) for one in promises],
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def find_result(name: str) -> Result | None:
    """Return the last result of a benchmark, or None where it never ran."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    document = json.loads(path.read_text("utf-8"))
    return Result(
        name,
        datetime.fromisoformat(document["measured_at"]),
        document["load"],
        document["machine"],
        document["versions"],
        [Promise(**one) for one in document["promises"]],
        document["figures"],
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
