"""Teams of virtual learners that answer in turns: one learner of each, then twenty of each at once."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.learners import QUESTIONS, Learner, Save
from benchmarks.measure import Client, Contestant

PHASES = ((1, 8), (20, 1))
"""How many learners answer at once, and how many exams each in a round: enough for the clock's ticks of 10 ms."""
MOST = PHASES[-1][0]


@dataclass(frozen=True)
class Sitting:
    """What it took a server to save the answers of some learners: CPU and wall seconds, and each answer's wait."""

    cpu: float
    seconds: float
    waits: tuple[float, ...]

    @property
    def cpu_ms(self) -> float:
        """The CPU an answer took the server, in milliseconds."""
        return self.cpu * 1000 / len(self.waits)

    def percentile(self, percent: float) -> float:
        """Return the wait in milliseconds that so many per cent of the answers did not exceed."""
        return percentile(self.waits, percent)


@dataclass
class Team:
    """A contestant, how somebody learns there, and what was measured in each phase."""

    name: str
    site: Contestant
    learner: Callable[[Client, int], Learner]
    sittings: dict[int, list[Sitting]] = field(default_factory=lambda: {learners: [] for learners, _ in PHASES})

    def __post_init__(self) -> None:
        self.learners = [self.learner(Client(self.site.port), number) for number in range(MOST)]

    def all(self, learners: int) -> Sitting:
        """Return all rounds of a phase as one."""
        every = self.sittings[learners]
        waits = tuple(wait for sitting in every for wait in sitting.waits)
        return Sitting(sum(one.cpu for one in every), sum(one.seconds for one in every), waits)

    def least_cpu_ms(self, learners: int) -> float:
        """Return the CPU an answer took, of the round that took the least."""
        return min(sitting.cpu_ms for sitting in self.sittings[learners])

    def median_p99(self, learners: int) -> float:
        """Return the median of the rounds' 99th percentiles, in milliseconds: one disturbed round does not move it."""
        return statistics.median(sitting.percentile(99) for sitting in self.sittings[learners])


def race(teams: Sequence[Team], rounds: int) -> float:
    """Let all answer in turns, after a round that warms up; return this process's own CPU an answer, in ms."""
    begun, answers = resource.getrusage(resource.RUSAGE_SELF), 0
    for number in range(rounds + 1):
        for learners, exams in PHASES:
            for team in teams:
                sitting = sit(team.site, team.learners[:learners], exams)
                answers += len(sitting.waits)
                if number:
                    team.sittings[learners].append(sitting)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    return (ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime) * 1000 / answers


def sit(site: Contestant, learners: Sequence[Learner], exams: int) -> Sitting:
    """Let each learner answer so many exams, all learners at once; what begins an exam is not measured."""
    for learner in learners:
        # Servers close a connection that rested for long, as it did in the others' turns.
        learner.client.close()
    begun = [[learner.begin() for _ in range(exams)] for learner in learners]
    with ThreadPoolExecutor(len(learners)) as threads:
        cpu, start = site.cpu_seconds(), time.perf_counter()
        waits = tuple(wait for answered in threads.map(answer_all, begun) for wait in answered)
        return Sitting(site.cpu_seconds() - cpu, time.perf_counter() - start, waits)


def percentile(waits: Sequence[float], percent: float) -> float:
    """Return the wait in milliseconds that so many per cent of the waits, in seconds, did not exceed."""
    return sorted(waits)[int((len(waits) - 1) * percent / 100)] * 1000


def answer_all(begun: Sequence[Save]) -> list[float]:
    """Answer every question of the exams begun, one after another, and return each answer's wait in seconds."""
    waits = []
    for save in begun:
        for place in range(1, QUESTIONS + 1):
            start = time.perf_counter()
            save(place)
            waits.append(time.perf_counter() - start)
    return waits
