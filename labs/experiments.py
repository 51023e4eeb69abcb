"""An experiment, which is a run of a lab that texts may cite, and the evidence on disk of what it found."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from labs import display, registry
from labs.code_hash import code_hash
from labs.findings import Finding
from labs.parameters import Value
from labs.registry import Lab
from labs.runner import Limits, execute

EVIDENCE = Path(__file__).parent / "evidence.json"
REFUSED = "is_refused"
"""A finding of every experiment: whether the lab refused to run with these parameters."""


class ExperimentError(ValueError):
    """An experiment that cannot be read or run; the sentence says what to change."""


@dataclass(frozen=True)
class Experiment:
    """A lab by its slug, the parameters that are not left at their defaults as texts, and the seed."""

    lab: str
    parameters: tuple[tuple[str, str], ...]
    seed: int

    def __str__(self) -> str:
        """Return the experiment as ``parse`` reads it, whatever order it was written in."""
        return shlex.join([self.lab, *(f"{name}={text}" for name, text in self.parameters), f"seed={self.seed}"])

    @property
    def address(self) -> str:
        """Where the lab's form has exactly these parameters."""
        return f"/labs/{self.lab}?{urlencode([*self.parameters, ('seed', str(self.seed))])}#parameters-title"


@dataclass(frozen=True)
class Measurement:
    """What an experiment found: only the findings that somebody cites.

    ``rests_on`` is the hash of everything that decides them: the lab's code, every parameter, and the seed.
    """

    rests_on: str
    measured_on: str
    findings: Mapping[str, Finding]

    def has(self, names: Iterable[str]) -> bool:
        """Return whether these findings are there; a run that was refused has none, and need not."""
        refused = REFUSED in self.findings and bool(self.findings[REFUSED].value)
        return refused or set(names) <= set(self.findings)


@dataclass(frozen=True)
class Citation:
    """A run as a page shows it: the lab, what is not set by default, and the figures as (words, value, unit)."""

    title: str
    address: str
    settings: str
    seed: int
    figures: tuple[tuple[str, Any, str], ...]


def parse(text: str) -> Experiment:
    """Read ``lab-slug name=value … seed=1``, quoted as in a shell; raise ExperimentError."""
    try:
        lab, *settings = shlex.split(text)
    except ValueError:
        raise ExperimentError(
            f"“{text}” is no experiment; write a lab and its parameters, as in “lambda-concurrency requests=50 seed=1”."
        ) from None
    given: dict[str, str] = {}
    for one in settings:
        name, equals, value = one.partition("=")
        if not equals or not name or name in given:
            raise ExperimentError(f"“{one}” is no parameter of its own; write each once, as name=value.")
        given[name] = value
    seed = given.pop("seed", "1")
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 9):
        raise ExperimentError(f"The seed is “{seed}”; write a whole number.")
    return Experiment(lab, tuple(sorted(given.items())), int(seed))


def parse_citation(text: str) -> tuple[Experiment, dict[str, str]]:
    """Read what stands in ``:::measured``: the experiment, then a line ``finding: words`` for each figure.

    Raises ExperimentError where a line is none, or where there is no line.
    """
    first, *lines = text.split("\n")
    cited: dict[str, str] = {}
    for line in filter(str.strip, lines):
        name, colon, words = line.partition(":")
        if not colon or not name.strip().isidentifier() or not words.strip():
            raise ExperimentError(
                f"“{line.strip()}” cites nothing; write a finding and its words, as “rejected: refusals”."
            )
        cited[name.strip()] = words.strip()
    if not cited:
        raise ExperimentError("Nothing is cited; write a line for each finding, as “rejected: refusals”.")
    return parse(first), cited


def values_of(lab: Lab, experiment: Experiment) -> dict[str, Value]:
    """Return the value of every parameter; raise ExperimentError where the lab does not take what is given."""
    values, faults = lab.read(lab.with_examples(dict(experiment.parameters)))
    if faults:
        raise ExperimentError(" ".join(map(str, faults.values())))
    return values


def rests_on(lab: Lab, values: Mapping[str, Value], seed: int) -> str:
    """Return the hash of all that decides a run's findings."""
    everything = [lab.slug, code_hash(lab.folder), dict(values), seed]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def measure(labs: tuple[Lab, ...], experiment: Experiment, names: Iterable[str], limits: Limits) -> Measurement:
    """Run the experiment and return the findings of these names; of a run that the lab refuses, that it does.

    ``measured_on`` is left empty. Raises ExperimentError where there is no such lab, parameter or finding, and where
    the run came to no end of its own.
    """
    lab = registry.find(labs, experiment.lab)
    if lab is None:
        raise ExperimentError(
            f"There is no lab “{experiment.lab}”; the labs are {', '.join(one.slug for one in labs)}."
        )
    values = values_of(lab, experiment)
    outcome = execute(lab, values, experiment.seed, limits)
    if outcome.ending.reason not in {"done", "refused"}:
        raise ExperimentError(outcome.ending.sentence)
    refused = outcome.ending.reason == "refused"
    found = {name: Finding(one["value"], one["unit"]) for name, one in outcome.findings.items()}
    found = {name: one for name, one in found.items() if isinstance(one.value, int | float)}
    found[REFUSED] = Finding(refused, "yes or no")
    for name in () if refused else names:
        if name not in found:
            raise ExperimentError(f"The run has no finding “{name}” that is a number; it has {', '.join(found)}.")
    cited = {name: found[name] for name in ({REFUSED} if refused else names)}
    return Measurement(rests_on(lab, values, experiment.seed), "", cited)


def load(path: Path) -> dict[str, Measurement]:
    """Return the measurements on file by their experiments; none where there is no file."""
    if not path.is_file():
        return {}
    return {
        experiment: Measurement(
            one["rests_on"], one["measured_on"], {name: Finding(*found) for name, found in one["findings"].items()}
        )
        for experiment, one in json.loads(path.read_text("utf-8")).items()
    }


def save(path: Path, measurements: Mapping[str, Measurement]) -> None:
    """Write measurements so that the same ones give the same bytes, and a changed finding changes its line."""
    blocks = []
    for experiment, one in sorted(measurements.items()):
        found = ",\n".join(
            f"      {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(one.findings.items())
        )
        blocks.append(
            f"  {json.dumps(experiment, ensure_ascii=False)}: {{\n"
            f'    "rests_on": {json.dumps(one.rests_on)},\n'
            f'    "measured_on": {json.dumps(one.measured_on)},\n'
            f'    "findings": {{\n{found}\n    }}\n  }}'
        )
    path.write_text("{\n" + ",\n".join(blocks) + "\n}\n" if blocks else "{}\n", "utf-8")


@dataclass(frozen=True)
class Evidence:
    """The measurements on file, and the labs that they must still be true of."""

    labs: tuple[Lab, ...]
    measurements: Mapping[str, Measurement]
    _sound: dict[Experiment, Measurement | None] = field(default_factory=dict, compare=False)

    def find(self, experiment: Experiment) -> Measurement | None:
        """Return what the experiment found, unless the lab or its parameters have changed since.

        The hashes are compared once: the labs stay as they were when they were read.
        """
        if experiment not in self._sound:
            self._sound[experiment] = self._current(experiment)
        return self._sound[experiment]

    def cite(self, experiment: Experiment, words: Mapping[str, str]) -> Citation | None:
        """Return a run as a page shows it, each finding under its words, or by its name where they are empty."""
        lab, found = registry.find(self.labs, experiment.lab), self.find(experiment)
        if lab is None or found is None or not found.has(words):
            return None
        figures = [
            (word or display.label(name), *found.findings[name])
            for name, word in words.items()
            if name in found.findings
        ]
        settings = display.changed(lab, values_of(lab, experiment))
        return Citation(lab.title, experiment.address, settings, experiment.seed, tuple(figures))

    def _current(self, experiment: Experiment) -> Measurement | None:
        lab, kept = registry.find(self.labs, experiment.lab), self.measurements.get(str(experiment))
        if lab is None or kept is None:
            return None
        try:
            values = values_of(lab, experiment)
        except ExperimentError:
            return None
        return kept if kept.rests_on == rests_on(lab, values, experiment.seed) else None
