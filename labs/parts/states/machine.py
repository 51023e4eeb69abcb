"""State machines as frozen values: what a checked definition comes to.

Early in 2018 the language had seven types of states; Map came in September 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs.parts.states.choices import Rule
from labs.parts.states.intrinsics import Call, Literal
from labs.parts.states.paths import ROOT, Path
from labs.parts.states.retries import Catcher, Retrier
from labs.parts.states.templates import Template

LONGEST_WAIT = 99_999_999
"""The specification's bound of every number of seconds."""


@dataclass(frozen=True)
class Pass:
    """Hands its input on, or a result that is written out."""

    result: Literal | None = None


@dataclass(frozen=True)
class Task:
    """Work that somebody else does, within seconds that are written out or found in the input."""

    resource: str
    timeout: float | Path = float(LONGEST_WAIT)
    heartbeat: float | Path | None = None


@dataclass(frozen=True)
class Choice:
    """Leads where the first rule that holds says, else to the default."""

    rules: tuple[tuple[Rule, str], ...]
    default: str | None = None


@dataclass(frozen=True)
class Wait:
    """Waits for seconds, or until an instant (seconds since 1970)."""

    amount: float | Path
    is_instant: bool = False


@dataclass(frozen=True)
class Succeed:
    """Ends the machine, or the branch, well."""


@dataclass(frozen=True)
class Fail:
    """Ends the machine, or the branch, with an error."""

    error: Literal | Path | Call
    cause: Literal | Path | Call


@dataclass(frozen=True)
class Parallel:
    """Runs its branches side by side on the same input."""

    branches: tuple[Machine, ...]


@dataclass(frozen=True)
class Map:
    """Runs one machine on each item of an array; ``concurrency`` 0 is as many at once as the service allows."""

    processor: Machine
    items: Path = ROOT
    selector: Template | None = None
    concurrency: float | Path = 0


Work = Pass | Task | Choice | Wait | Succeed | Fail | Parallel | Map


@dataclass(frozen=True)
class State:
    """A state: its work, what it takes of its input, what it leaves of its result, and where it leads.

    A path of None is JSON's null: of input and output nothing stays but an empty object, of the result nothing at all.
    """

    name: str
    kind: str
    work: Work
    next: str | None = None
    input_path: Path | None = ROOT
    parameters: Template | None = None
    result_selector: Template | None = None
    result_path: Path | None = ROOT
    output_path: Path | None = ROOT
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True)
class Machine:
    """States by name, where to start, and how many seconds the whole may take."""

    start_at: str
    states: Mapping[str, State]
    timeout: float | None = None
