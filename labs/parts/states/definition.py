"""A definition in the Amazon States Language → a machine, or all its faults, each with its place.

Nothing is run. What came after February 2018 is no fault, but told as a notice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.parts.json_document import Document, SyntaxFaultError, Where, json_path, parse, place
from labs.parts.states import fields, grammar
from labs.parts.states.fields import Field, Remarks, TooManyFaultsError, named, read_fields
from labs.parts.states.intrinsics import Literal
from labs.parts.states.machine import (
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    State,
    Succeed,
    Task,
    Wait,
    Work,
)
from labs.parts.states.paths import ROOT, Path, shown
from labs.parts.states.payload import Json
from labs.parts.states.retries import ALL, Catcher, Retrier
from labs.parts.states.rules import read_choices

SIZE = 1_048_576
"""The service's quota of a definition, in bytes of UTF-8."""


@dataclass(frozen=True)
class Remark:
    """A fault or a notice: line and column from 1, the way to the field as a JSON path, and what to do."""

    line: int
    column: int
    path: str
    sentence: str


@dataclass(frozen=True)
class Reading:
    """What a text comes to: a machine, or None and every fault; notices in either case."""

    machine: Machine | None
    faults: tuple[Remark, ...]
    notices: tuple[Remark, ...] = ()


def read(text: str, resources: Collection[str] | None = None) -> Reading:
    """Return the machine that the text defines, or its faults, at most 100 of them.

    With ``resources`` a Task may name only these. Takes time linear in the text and refuses texts over 1 MB.
    """
    if len(text) > SIZE or len(text.encode("utf-8", "surrogatepass")) > SIZE:
        return Reading(
            None, (Remark(1, 1, "$", "The definition is greater than 1 MB, the service's quota; shorten it."),)
        )
    try:
        found = parse(text)
    except SyntaxFaultError as error:
        return Reading(None, (Remark(*place(text, error.offset), json_path(error.where), error.sentence),))
    remarks, machine = Remarks(), None
    try:
        machine = _Checker(remarks, resources).machine(found.value, (), "The definition", grammar.OUTERMOST)
    except TooManyFaultsError:
        remarks.faults.append(((), f"There are more than {fields.MOST_FAULTS} faults; correct these first."))
    faults = _placed(found, remarks.faults) + [
        Remark(
            *place(text, offset),
            json_path(where),
            f"{shown(str(where[-1]))} stands twice here; keep one.",
        )
        for where, offset in found.repeated[: fields.MOST_FAULTS]
    ]
    notices = _placed(found, remarks.notices)
    return Reading(None if faults else machine, tuple(sorted(faults, key=_order)), tuple(sorted(notices, key=_order)))


def _placed(found: Document, remarks: list[tuple[Where, str]]) -> list[Remark]:
    return [Remark(*place(found.text, found.offset(where)), json_path(where), sentence) for where, sentence in remarks]


def _order(remark: Remark) -> tuple[int, int]:
    return remark.line, remark.column


@dataclass
class _Checker:
    remarks: Remarks
    resources: Collection[str] | None
    names: dict[str, Where] = field(default_factory=dict)

    def machine(self, value: Json, where: Where, what: str, table: dict[str, Field]) -> Machine | None:
        found = read_fields(value, where, self.remarks, table, what)
        if "States" not in found:
            return None
        inside = (*where, "States")
        if not found["States"]:
            self.remarks.fault(inside, "There are no states; add at least one.")
            return None
        for name in found["States"]:
            self._name(name, (*inside, name))
        states = {name: self._state(name, state, (*inside, name)) for name, state in found["States"].items()}
        known = {name: state for name, state in states.items() if state}
        self._graph(found.get("StartAt"), found["States"], known, where)
        return Machine(found.get("StartAt", ""), known, found.get("TimeoutSeconds"))

    def _name(self, name: str, where: Where) -> None:
        if not name or len(name) > fields.LONGEST_NAME:
            self.remarks.fault(
                where, f"A state's name has 1 to {fields.LONGEST_NAME} characters; this has {len(name)}."
            )
        elif name in self.names:
            self.remarks.fault(
                where, f"Another state of this machine is named {name}; names differ across all branches."
            )
        self.names.setdefault(name, where)

    def _state(self, name: str, value: Json, where: Where) -> State | None:
        if not isinstance(value, dict):
            self.remarks.fault(where, "A state is an object; write it in braces.")
            return None
        kind = value.get("Type")
        if not isinstance(kind, str) or kind not in grammar.TYPES:
            read_fields({"Type": kind} if "Type" in value else {}, where, self.remarks, grammar.TYPE, "A state")
            return None
        if kind == "Map":
            self.remarks.since((*where, "Type"), "The type Map", "September 2019")
        found = read_fields(value, where, self.remarks, grammar.TYPES[kind], f"A {kind} state")
        self._transition(kind, value, found, where)
        work = self._works()[kind](found, value, where)
        return State(
            name,
            kind,
            work,
            next=found.get("Next"),
            input_path=_path(found.get("InputPath", ROOT)),
            parameters=found.get("Parameters") if kind != "Map" else None,
            result_selector=found.get("ResultSelector"),
            result_path=_path(found.get("ResultPath", ROOT)),
            output_path=_path(found.get("OutputPath", ROOT)),
            retry=self._retriers(found.get("Retry", []), (*where, "Retry")),
            catch=self._catchers(found.get("Catch", []), (*where, "Catch")),
        )

    def _works(self) -> Mapping[str, Callable[[dict[str, Any], dict[str, Json], Where], Work]]:
        return {
            "Task": self._task,
            "Pass": lambda found, *_: Pass(found.get("Result")),
            "Choice": self._choice,
            "Wait": self._wait,
            "Succeed": lambda *_: Succeed(),
            "Fail": self._fail,
            "Parallel": self._parallel,
            "Map": self._map,
        }

    def _transition(self, kind: str, value: dict[str, Json], found: dict[str, Any], where: Where) -> None:
        if kind in grammar.WITHOUT_NEXT:
            return
        ends = found.get("End", False)
        if ends and "Next" in value:
            self.remarks.fault((*where, "End"), "The state has both Next and End; keep one of them.")
        if not ends and "Next" not in value:
            self.remarks.fault(where, 'The state leads nowhere; add "Next": "<a state>" or "End": true.')

    def _only_one(self, value: dict[str, Json], where: Where, *names: str) -> None:
        given = [name for name in names if name in value]
        if len(given) > 1:
            self.remarks.fault((*where, given[1]), f"{given[0]} and {given[1]} exclude each other; keep one of them.")

    def _task(self, found: dict[str, Any], value: dict[str, Json], where: Where) -> Work:
        self._only_one(value, where, "TimeoutSeconds", "TimeoutSecondsPath")
        self._only_one(value, where, "HeartbeatSeconds", "HeartbeatSecondsPath")
        resource = found.get("Resource", "")
        if self.resources is not None and resource and resource not in self.resources:
            self.remarks.fault(
                (*where, "Resource"),
                f"Nothing answers to {shown(resource)}; {named(sorted(self.resources), resource)}",
            )
        timeout = found.get("TimeoutSeconds", found.get("TimeoutSecondsPath", Task("").timeout))
        heartbeat = found.get("HeartbeatSeconds", found.get("HeartbeatSecondsPath"))
        if isinstance(timeout, int | float) and isinstance(heartbeat, int) and heartbeat >= timeout:
            self.remarks.fault(
                (*where, "HeartbeatSeconds"), "HeartbeatSeconds is smaller than TimeoutSeconds; lower it."
            )
        return Task(resource, timeout, heartbeat)

    def _choice(self, found: dict[str, Any], _: dict[str, Json], where: Where) -> Work:
        rules = read_choices(found.get("Choices", []), (*where, "Choices"), self.remarks)
        return Choice(rules, found.get("Default"))

    def _wait(self, found: dict[str, Any], value: dict[str, Json], where: Where) -> Work:
        names = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
        self._only_one(value, where, *names)
        if not any(name in value for name in names):
            self.remarks.fault(
                where, "A Wait state has one of Seconds, SecondsPath, Timestamp and TimestampPath; add one."
            )
        name = next((name for name in names if name in found), "Seconds")
        return Wait(found.get(name, 0), is_instant=name.startswith("Timestamp"))

    def _fail(self, found: dict[str, Any], value: dict[str, Json], where: Where) -> Work:
        self._only_one(value, where, "Error", "ErrorPath")
        self._only_one(value, where, "Cause", "CausePath")
        error = found.get("ErrorPath") or Literal(found.get("Error", ""))
        return Fail(error, found.get("CausePath") or Literal(found.get("Cause", "")))

    def _parallel(self, found: dict[str, Any], _: dict[str, Json], where: Where) -> Work:
        inside = (*where, "Branches")
        branches = [
            self.machine(branch, (*inside, index), "A branch", grammar.MACHINE)
            for index, branch in enumerate(found.get("Branches", []))
        ]
        return Parallel(tuple(branch for branch in branches if branch))

    def _map(self, found: dict[str, Any], value: dict[str, Json], where: Where) -> Work:
        self._only_one(value, where, "ItemProcessor", "Iterator")
        self._only_one(value, where, "ItemSelector", "Parameters")
        self._only_one(value, where, "MaxConcurrency", "MaxConcurrencyPath")
        name = "ItemProcessor" if "ItemProcessor" in value else "Iterator"
        if name not in value:
            self.remarks.fault(where, "A Map state has no ItemProcessor; add the machine to run on each item.")
        processor = None
        if name in found:
            table = grammar.PROCESSOR if name == "ItemProcessor" else grammar.MACHINE
            processor = self.machine(found[name], (*where, name), f"The {name}", table)
        return Map(
            processor or Machine("", {}),
            found.get("ItemsPath", ROOT),
            found.get("ItemSelector", found.get("Parameters")),
            found.get("MaxConcurrency", found.get("MaxConcurrencyPath", 0)),
        )

    def _retriers(self, values: list[Json], where: Where) -> tuple[Retrier, ...]:
        retriers = []
        for index, value in enumerate(values):
            here = (*where, index)
            found = read_fields(value, here, self.remarks, fields.RETRIER, "A retrier")
            self._all_is_last(found, index == len(values) - 1, here)
            interval, longest = found.get("IntervalSeconds", 1), found.get("MaxDelaySeconds", math.inf)
            if longest <= interval:
                self.remarks.fault(
                    (*here, "MaxDelaySeconds"), "MaxDelaySeconds is greater than IntervalSeconds; raise it."
                )
            retriers.append(
                Retrier(
                    found.get("ErrorEquals", ()),
                    float(interval),
                    found.get("MaxAttempts", 3),
                    found.get("BackoffRate", 2.0),
                    longest,
                    full_jitter=found.get("JitterStrategy") == "FULL",
                )
            )
        return tuple(retriers)

    def _catchers(self, values: list[Json], where: Where) -> tuple[Catcher, ...]:
        catchers = []
        for index, value in enumerate(values):
            here = (*where, index)
            found = read_fields(value, here, self.remarks, fields.CATCHER, "A catcher")
            self._all_is_last(found, index == len(values) - 1, here)
            catchers.append(
                Catcher(found.get("ErrorEquals", ()), found.get("Next", ""), _path(found.get("ResultPath", ROOT)))
            )
        return tuple(catchers)

    def _all_is_last(self, found: dict[str, Any], is_last: bool, where: Where) -> None:
        if ALL in found.get("ErrorEquals", ()) and not is_last:
            self.remarks.fault(
                (*where, "ErrorEquals"), "States.ALL comes last, since what follows it is never asked; move it."
            )

    def _graph(self, start: str | None, names: Collection[str], states: dict[str, State], where: Where) -> None:
        """Note targets that do not exist; where all do, what is never reached, and a machine that cannot end."""
        inside = (*where, "States")
        before = len(self.remarks.faults)
        if start is not None and start not in names:
            self.remarks.fault((*where, "StartAt"), self._nowhere(start, names))
        for name, state in states.items():
            for way, target in _targets(state):
                if target not in names:
                    self.remarks.fault((*inside, name, *way), self._nowhere(target, names))
        if start is None or len(states) < len(names) or len(self.remarks.faults) > before:
            return
        reached = _reached(start, states)
        for name in states:
            if name not in reached:
                self.remarks.fault((*inside, name), f"Nothing leads to {shown(name)}; name it in a Next, or remove it.")
        if not any(states[name].next is None and states[name].kind != "Choice" for name in reached):
            self.remarks.fault(
                inside, 'No state ends the machine; give one "End": true, or add a Succeed or Fail state.'
            )

    def _nowhere(self, target: str, known: Collection[str]) -> str:
        if target in self.names:
            return f"{shown(target)} stands outside of these States; a branch leads only to its own states."
        return f"There is no state {shown(target)}; {named(known, target)}"


def _path(value: Path | Literal) -> Path | None:
    return None if isinstance(value, Literal) else value


def _reached(start: str, states: Mapping[str, State]) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        for _, target in _targets(states[waiting.pop()]):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def _targets(state: State) -> list[tuple[Where, str]]:
    """Return the states that a state may lead to, with the way to the field that says so."""
    found: list[tuple[Where, str | None]] = [(("Next",), state.next)]
    if isinstance(state.work, Choice):
        found += [(("Choices", index, "Next"), name) for index, (_, name) in enumerate(state.work.rules)]
        found.append((("Default",), state.work.default))
    found += [(("Catch", index, "Next"), catcher.next) for index, catcher in enumerate(state.catch)]
    return [(way, name) for way, name in found if name]
