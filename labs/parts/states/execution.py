"""Runs a state machine over a virtual clock: the same machine, input, handlers and seed give the same execution."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any, NamedTuple

from labs.parts.states import templates
from labs.parts.states.clock import Clock, DeadlineError, Fork, Steps
from labs.parts.states.comparisons import instant, is_number
from labs.parts.states.intrinsics import Call, IntrinsicError, Literal
from labs.parts.states.machine import (
    LONGEST_WAIT,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    State,
    Task,
    Wait,
)
from labs.parts.states.paths import ROOT, Path, PathError
from labs.parts.states.payload import ExecutionEndedError, Json, Limits, Meter, StateFailedError
from labs.parts.states.retries import HEARTBEAT, RUNTIME, TASK_FAILED, TIMEOUT, catcher_for, next_attempt
from labs.parts.states.templates import Template

START = datetime(2018, 2, 12, 3, 0, tzinfo=UTC)
_EVENTS_BETWEEN_LOOKS = 64
_ARN = "arn:aws:states:us-east-1:123456789012"


class Outcome(NamedTuple):
    """What a task comes to after ``seconds`` of virtual time: its output, or an error name with a cause.

    ``heartbeat`` is the seconds between two signs of life, None for a task that gives none.
    """

    output: Json = None
    seconds: float = 0.0
    error: str | None = None
    cause: str = ""
    heartbeat: float | None = None


class Event(NamedTuple):
    """One line of the history: virtual seconds from the start, what happened, in which state, and its payload."""

    time: float
    type: str
    state: str
    detail: Json


@dataclass(frozen=True)
class Execution:
    """What became of an execution: SUCCEEDED, FAILED, TIMED_OUT or ABORTED, after ``seconds`` of virtual time."""

    status: str
    output: Json
    error: str
    cause: str
    seconds: float
    history: tuple[Event, ...]


@dataclass(frozen=True)
class Conditions:
    """What an execution runs under beside its machine: chance, limits, names, the instant of its start, and a way out.

    ``is_cancelled`` is asked before each task and every 64 events; once it says yes, the execution ends as ABORTED.
    """

    seed: int = 0
    limits: Limits = Limits()
    name: str = "execution"
    machine: str = "machine"
    start: datetime = START
    is_cancelled: Callable[[], bool] = lambda: False

    def at(self, seconds: float) -> str:
        """Return the instant so many virtual seconds after the start, as a timestamp."""
        return (self.start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(eq=False, slots=True)
class Visit:
    """One visit of a state; a handler may ask it for the state's name, the time and the context object."""

    run: _Run
    state: State
    raw: Json
    item: tuple[int, Json] | None
    entered: float
    retries: int = 0

    @property
    def now(self) -> float:
        """The virtual seconds since the execution started."""
        return self.run.clock.now

    @property
    def meter(self) -> Meter:
        """The execution's meter."""
        return self.run.meter

    @property
    def random(self) -> Random:
        """The execution's chance."""
        return self.run.random

    def context(self) -> Json:
        """Return the context object ``$$``, which came in May 2019."""
        around = self.run.conditions
        context: dict[str, Json] = {
            "Execution": {
                "Id": f"{_ARN}:execution:{around.machine}:{around.name}",
                "Input": self.run.input,
                "Name": around.name,
                "RoleArn": "arn:aws:iam::123456789012:role/states",
                "StartTime": around.at(0.0),
            },
            "State": {"EnteredTime": around.at(self.entered), "Name": self.state.name, "RetryCount": self.retries},
            "StateMachine": {"Id": f"{_ARN}:stateMachine:{around.machine}", "Name": around.machine},
        }
        if self.item is not None:
            context["Map"] = {"Item": {"Index": self.item[0], "Value": self.item[1]}}
        return context

    def steps(self) -> Generator[float | Fork, Any, tuple[Json, str | None]]:
        """Attempt the state's work until it succeeds or no retrier is left; return the output and the next state."""
        made = [0] * len(self.state.retry)
        while True:
            try:
                return (yield from self._attempt())
            except StateFailedError as failure:
                again = next_attempt(self.state.retry, made, failure, self.run.random) if made else None
                if again is None:
                    return self._caught(failure)
            made[again[0]] += 1
            self.retries += 1
            yield again[1]

    def _caught(self, failure: StateFailedError) -> tuple[Json, str]:
        catcher = catcher_for(self.state.catch, failure)
        if catcher is None:
            raise failure
        return self._placed(catcher.result_path, {"Error": failure.error, "Cause": failure.cause}), catcher.next

    def _attempt(self) -> Generator[float | Fork, Any, tuple[Json, str | None]]:
        state, work = self.state, self.state.work
        following = state.next
        data = self._selected(state.input_path, self.raw)
        if state.parameters is not None:
            data = self._filled(state.parameters, data)
        if isinstance(work, Task):
            result = yield from self._task(work, data)
        elif isinstance(work, Parallel):
            result = yield from self._parallel(work, data)
        elif isinstance(work, Map):
            result = yield from self._map(work, data)
        else:
            result = data
            if isinstance(work, Wait):
                yield self._wait(work, data)
            elif isinstance(work, Choice):
                following = self._chosen(work, data)
            elif isinstance(work, Pass):
                result = work.result.value if work.result else data
            elif isinstance(work, Fail):
                raise self._failure(work, data)
        if state.result_selector is not None:
            result = self._filled(state.result_selector, result)
        return self._selected(state.output_path, self._placed(state.result_path, result)), following

    def _selected(self, path: Path | None, data: Json) -> Json:
        """Return what the path finds; a path that leads nowhere is no failure that a state could handle."""
        if path is ROOT:
            return data
        if path is None:
            return {}
        found = self._read(path, data)
        return found if path.is_definite else self.meter.admit(found)

    def _read(self, expression: Path | Call, data: Json) -> Json:
        try:
            return expression.read(data, self)
        except PathError as error:
            raise StateFailedError(RUNTIME, str(error)) from None
        except IntrinsicError as error:
            raise StateFailedError("States.IntrinsicFailure", str(error)) from None

    def _filled(self, template: Template, data: Json) -> Json:
        try:
            return self.meter.admit(templates.fill(template, data, self))
        except PathError as error:
            raise StateFailedError("States.ParameterPathFailure", str(error)) from None
        except IntrinsicError as error:
            raise StateFailedError("States.IntrinsicFailure", str(error)) from None

    def _placed(self, path: Path | None, result: Json) -> Json:
        if path is ROOT or path is None:
            return result if path is ROOT else self.raw
        try:
            return path.write(self.raw, result)
        except PathError as error:
            raise StateFailedError("States.ResultPathMatchFailure", str(error)) from None

    def _task(self, work: Task, data: Json) -> Steps:
        record, name, kind = self.run.record, self.state.name, _kind_of(work.resource)
        timeout, heartbeat = self._seconds(work.timeout, data), math.inf
        if work.heartbeat is not None:
            heartbeat = self._seconds(work.heartbeat, data)
        record(f"{kind}Scheduled", name, data)
        record(f"{kind}Started", name, None)
        outcome = self.run.handle(work.resource, data, self)
        silence = outcome.seconds if outcome.heartbeat is None else outcome.heartbeat
        patience, error = min((timeout, TIMEOUT), (heartbeat if silence > heartbeat else math.inf, HEARTBEAT))
        if outcome.seconds > patience:
            yield patience
            record(f"{kind}TimedOut", name, {"error": error})
            raise StateFailedError(error, f"The task was not done after {patience:g} seconds.")
        yield outcome.seconds
        if outcome.error is not None:
            record(f"{kind}Failed", name, {"error": outcome.error, "cause": outcome.cause})
            raise StateFailedError(outcome.error, outcome.cause)
        record(f"{kind}Succeeded", name, self.meter.admit(outcome.output))
        return outcome.output

    def _parallel(self, work: Parallel, data: Json) -> Steps:
        threads = (self.run.states(branch, data, self.item) for branch in work.branches)
        return (yield from self._side_by_side("Parallel", Fork(threads)))

    def _map(self, work: Map, data: Json) -> Steps:
        items = self._read(work.items, data)
        if not isinstance(items, list):
            raise StateFailedError(RUNTIME, f"The path {work.items.text} of ItemsPath leads to no array.")
        most = self.run.conditions.limits.iterations
        limit = min(int(self._seconds(work.concurrency, data)) or most, most)
        threads = (self._iteration(work, data, (index, item)) for index, item in enumerate(items))
        return (yield from self._side_by_side("Map", Fork(threads, limit)))

    def _side_by_side(self, kind: str, fork: Fork) -> Steps:
        self.run.record(f"{kind}StateStarted", self.state.name, None)
        try:
            results: Json = yield fork
        except StateFailedError as failure:
            self.run.record(f"{kind}StateFailed", self.state.name, {"error": failure.error, "cause": failure.cause})
            raise StateFailedError(failure.error, failure.cause, from_branch=True) from None
        self.run.record(f"{kind}StateSucceeded", self.state.name, None)
        return self.meter.admit(results)

    def _iteration(self, work: Map, data: Json, item: tuple[int, Json]) -> Steps:
        self.run.record("MapIterationStarted", self.state.name, item[0])
        inside = Visit(self.run, self.state, self.raw, item, self.entered, self.retries)
        given = item[1] if work.selector is None else inside._filled(work.selector, data)
        try:
            result = yield from self.run.states(work.processor, given, item)
        except StateFailedError:
            self.run.record("MapIterationFailed", self.state.name, item[0])
            raise
        self.run.record("MapIterationSucceeded", self.state.name, item[0])
        return result

    def _seconds(self, amount: float | Path, data: Json) -> float:
        found = self._read(amount, data) if isinstance(amount, Path) else amount
        if isinstance(found, int | float) and is_number(found) and 0 <= found <= LONGEST_WAIT:
            return float(found)
        raise StateFailedError(RUNTIME, f"A path of the state leads to no number from 0 to {LONGEST_WAIT}.")

    def _wait(self, work: Wait, data: Json) -> float:
        if not work.is_instant:
            return self._seconds(work.amount, data)
        until = instant(self._read(work.amount, data)) if isinstance(work.amount, Path) else work.amount
        if until is None:
            raise StateFailedError(RUNTIME, "TimestampPath leads to no timestamp such as 2018-02-12T03:00:00Z.")
        return max(0.0, until - self.run.conditions.start.timestamp() - self.now)

    def _chosen(self, work: Choice, data: Json) -> str:
        try:
            for rule, target in work.rules:
                if rule.holds(data, self):
                    return target
        except PathError as error:
            raise StateFailedError(RUNTIME, str(error)) from None
        if work.default is None:
            raise StateFailedError("States.NoChoiceMatched", "No rule of the Choice holds, and it has no Default.")
        return work.default

    def _failure(self, work: Fail, data: Json) -> StateFailedError:
        error, cause = (
            one.value if isinstance(one, Literal) else self._read(one, data) for one in (work.error, work.cause)
        )
        if not isinstance(error, str) or not isinstance(cause, str):
            return StateFailedError(RUNTIME, "ErrorPath and CausePath lead to texts; here one does not.")
        return StateFailedError(error, cause)


Handler = Callable[[Json, Visit], Outcome]


def execute(
    machine: Machine, data: Json, handlers: Mapping[str, Handler], conditions: Conditions | None = None
) -> Execution:
    """Run the machine on ``data`` and return what became of it; nothing waits but the virtual clock.

    A Task's resource is looked up in ``handlers`` and called at the virtual instant at which the task starts, with its
    input, which it must leave as it is, and the visit. What a handler raises is not caught: a task's failure is an
    Outcome with an error.
    """
    run = _Run(machine, data, handlers, conditions or Conditions())
    _bring_to_an_end(run.clock, run.thread(), [run], run.deadline)
    return run.execution


class Start(NamedTuple):
    """The start of one of several executions: when, in virtual seconds, on which data, and its conditions."""

    at: float
    data: Json
    conditions: Conditions


def execute_together(
    machine: Machine, starts: Sequence[Start], handlers: Mapping[str, Handler]
) -> tuple[Execution, ...]:
    """Run the machine several times over one virtual clock, by which all of their times are told.

    A machine's TimeoutSeconds counts from the last start, and a limit that one execution reaches ends all of them.
    """
    clock = Clock()
    runs = [_Run(machine, start.data, handlers, start.conditions, clock) for start in starts]
    threads = (run.thread(start.at) for run, start in zip(runs, starts, strict=True))
    deadline = max((run.deadline + start.at for run, start in zip(runs, starts, strict=True)), default=0.0)

    def all_of_them() -> Steps:
        ended: Json = yield Fork(threads)
        return ended

    _bring_to_an_end(clock, all_of_them(), runs, deadline)
    return tuple(run.execution for run in runs)


def _bring_to_an_end(clock: Clock, steps: Steps, runs: Sequence[_Run], deadline: float) -> None:
    """Let the thread run; what has not ended by itself then is ended by what stopped the clock."""
    try:
        clock.run(steps, deadline)
    except ExecutionEndedError as error:
        ending = error.status, error.error, error.cause
    except DeadlineError:
        ending = "TIMED_OUT", TIMEOUT, f"The execution was not done after {deadline:.0f} seconds."
    else:
        return
    for run in runs:
        if run.execution is _UNFINISHED:
            run.end(*ending)


_UNFINISHED = Execution("RUNNING", None, "", "", 0.0, ())


@dataclass
class _Run:
    machine: Machine
    input: Json
    handlers: Mapping[str, Handler]
    conditions: Conditions
    clock: Clock = field(default_factory=Clock)
    history: list[Event] = field(default_factory=list)
    execution: Execution = _UNFINISHED

    def __post_init__(self) -> None:
        self.meter = Meter(self.conditions.limits)

    @cached_property
    def random(self) -> Random:
        return Random(self.conditions.seed)  # noqa: S311 (chance for a simulation)

    @property
    def deadline(self) -> float:
        """The virtual seconds that the execution may take."""
        return min(self.conditions.limits.seconds, self.machine.timeout or math.inf)

    def thread(self, at: float = 0.0) -> Steps:
        """Return the thread of the whole execution, which leaves what became of it in ``execution``."""
        if at:
            yield at
        try:
            self.record("ExecutionStarted", "", self.meter.admit(self.input))
            output = yield from self.states(self.machine, self.input, None)
        except StateFailedError as error:
            self.end("FAILED", error.error, error.cause)
        else:
            self._append("ExecutionSucceeded", "", output)
            self.execution = Execution("SUCCEEDED", output, "", "", self.clock.now, tuple(self.history))
        return None

    def end(self, status: str, error: str, cause: str) -> None:
        """End the execution before its time."""
        names = {"FAILED": "ExecutionFailed", "TIMED_OUT": "ExecutionTimedOut", "ABORTED": "ExecutionAborted"}
        self._append(names[status], "", {"error": error, "cause": cause})
        self.execution = Execution(status, None, error, cause, self.clock.now, tuple(self.history))

    def _append(self, type_: str, state: str, detail: Json) -> None:
        self.history.append(Event(self.clock.now, type_, state, detail))

    def record(self, type_: str, state: str, detail: Json) -> None:
        """Add a line to the history; raise ExecutionEndedError when it is full or somebody cancels."""
        events, most = len(self.history), self.conditions.limits.events
        if events >= most - 1:
            cause = f"The execution reached the maximum number of history events ({most})."
            raise ExecutionEndedError("FAILED", RUNTIME, cause)
        if events % _EVENTS_BETWEEN_LOOKS == 0:
            self._look()
        self.history.append(Event(self.clock.now, type_, state, detail))

    def handle(self, resource: str, data: Json, visit: Visit) -> Outcome:
        """Return what the resource's handler says; nobody's resource fails the task."""
        self._look()
        handler = self.handlers.get(resource)
        if handler is None:
            return Outcome(error=TASK_FAILED, cause=f"Nothing answers to {resource}.")
        outcome = handler(data, visit)
        if not outcome.seconds >= 0:
            raise ValueError(f"{resource} took {outcome.seconds} seconds")
        return outcome

    def _look(self) -> None:
        if self.conditions.is_cancelled():
            raise ExecutionEndedError("ABORTED", "", "The execution was stopped by request.")

    def states(self, machine: Machine, data: Json, item: tuple[int, Json] | None) -> Steps:
        """Return the thread of one machine, branch or iteration: state after state, to the output of the last."""
        name: str | None = machine.start_at
        while name is not None:
            state = machine.states[name]
            self.record(f"{state.kind}StateEntered", name, data)
            output, name = yield from Visit(self, state, data, item, self.clock.now).steps()
            data = self.meter.admit(output)
            self.record(f"{state.kind}StateExited", state.name, data)
        return data


def _kind_of(resource: str) -> str:
    if ":lambda:" in resource:
        return "LambdaFunction"
    return "Activity" if ":activity:" in resource else "Task"
