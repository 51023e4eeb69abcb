"""A day's marketing campaigns, extracted and loaded by a state machine: virtual time, real data, real faults."""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from labs.findings import Finding, Findings, Refused, Report
from labs.parts import rule, texts
from labs.parts.bucket import DirectoryBucket, NoSuchKeyError, objects
from labs.parts.items import ItemTable
from labs.parts.report_table import ReportTable
from labs.parts.source import LEAST_COLUMNS, MOST_COLUMNS, MariaDBSource, Source, SQLiteSource, columns
from labs.parts.states import definition
from labs.parts.states.execution import Conditions, Execution, Handler, Outcome, Start, Visit, execute, execute_together
from labs.parts.states.machine import Machine
from labs.parts.states.payload import EARLY_2018, Json
from labs.parts.warehouse_process import WarehouseProcess

PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
CELLS = 65_000 * MOST_COLUMNS
CELLS_OF_A_CAMPAIGN = 30_000_000
"""A campaign is one file in the source and one object; a run's files hold so much, at two bytes a cell."""
MOST_KEYS = 10
LONGEST_FUNCTION = 300.0
"""Seconds that a Lambda function could run early in 2018."""
SHORT, DELETION = 1.0, 5.0
"""Seconds of virtual time of a function that only asks a table, and of emptying the report."""
SHARE_OF_LOAD = 0.2
"""Of a key's minutes; an assumption, since the source gives only the whole."""
LOCK = 3600.0
OVERLAP = RERUN = 60.0
"""Seconds after the first start at which the second comes, and after the first end."""

SHOWN_STARTS = 4
LONG_AGO = ("MCW2016",)
"""What the report holds where the day before has no campaigns."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Parameters:
    """What a learner sets; ``lab.toml`` says the bounds, the units and what each is for."""

    machine: str
    campaigns: str
    date: str
    minutes: float
    fault: str
    records: int
    columns: int
    schedule: str
    source: str


@dataclass(frozen=True)
class Day:
    """The day of the run and the one before, each with the records of its campaigns; the table's items; the rule."""

    date: str
    campaigns: Mapping[str, int]
    before: str
    campaigns_before: Mapping[str, int]
    items: Mapping[str, tuple[str, ...]]
    starts: tuple[datetime, ...]
    """The times of the rule in the week from the day on."""
    rule: str

    @property
    def records(self) -> int:
        """The records of all campaigns."""
        return sum(self.campaigns.values())


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Run the machine on the day's campaigns and return what became of the report and of its readers.

    The same parameters and seed give the same findings. Raises Refused for a text that cannot be used, with each fault.
    """
    day = day_of(parameters)
    machine = machine_of(parameters.machine, report)
    report.log(f"{day.rule} Next: {', '.join(_shown(one) for one in day.starts[:SHOWN_STARTS])}.")
    began = time.monotonic()
    source = source_of(parameters, report)
    bucket = DirectoryBucket(Path("bucket"))
    progress = Progress(3 * day.records, report)
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    for key, records in day.campaigns.items():
        source.fill(key, records, random, progress.more)
    with (
        WarehouseProcess(Path("report.duckdb"), Path("bucket")) as process,
        closing(ItemTable(Path("table.sqlite"), day.items)) as table,
    ):
        warehouse = ReportTable(process, columns(parameters.columns), day.date)
        for key, records in day.campaigns_before.items():
            warehouse.fill(key, records, day.before)
        injected = Injected(parameters.fault, random.choice([*day.campaigns] or [""]))
        functions = Functions(parameters.minutes, day, table, source, bucket, warehouse, injected, report, progress)
        functions.observe(0.0)
        executions = executions_of(machine, functions, parameters.fault, day, seed)
        functions.finish()
        real = time.monotonic() - began
        report.log(f"{executions[-1].seconds:,.0f} s of virtual time took {real:.1f} s of real time.")
        for one in executions:
            report.log(f"An execution ended as {one.status} {one.error} {one.cause[:200]}".strip())
        return findings_of(parameters, day, functions, executions)


def source_of(parameters: Parameters, report: Report) -> Source:
    """Return the database that the campaigns are extracted from; raise Refused where it is not to be had."""
    if parameters.source == "MariaDB":
        return MariaDBSource(report.servers["mariadb"], parameters.columns)
    return SQLiteSource(Path("source"), parameters.columns)


def machine_of(text: str, report: Report) -> Machine:
    """Return the machine that the text defines; raise Refused with every fault's place."""
    reading = definition.read(text, {PREFIX + name for name in FUNCTIONS})
    for notice in reading.notices:
        report.log(f"Line {notice.line}: {notice.sentence}")
    if reading.machine is None:
        raise texts.refused("machine", [(one.line, one.column, one.sentence) for one in reading.faults])
    return reading.machine


def day_of(parameters: Parameters) -> Day:
    """Return the day's campaigns and the times of the rule; raise Refused."""
    if parameters.records * parameters.columns > CELLS:
        raise Refused(f"records × columns is more than {CELLS:,} cells, the article's size; make one of them smaller.")
    if not LEAST_COLUMNS <= parameters.columns <= MOST_COLUMNS:
        raise Refused(f"columns is {parameters.columns}; a record has {LEAST_COLUMNS} to {MOST_COLUMNS}.")
    items = _items(parameters.campaigns)
    midnight = datetime.fromisoformat(parameters.date).replace(tzinfo=UTC)
    before = f"{midnight - timedelta(days=1):%Y-%m-%d}"
    fires = rule.read("schedule", parameters.schedule)
    starts = tuple(fires.times(midnight - timedelta(seconds=1), midnight + timedelta(days=7)))
    if not starts:
        raise Refused(f"schedule: {fires} That is never in the week from {parameters.date}.")
    campaigns = _shared_out(parameters.records, items.get(parameters.date, ()))
    if max(campaigns.values(), default=0) * parameters.columns > CELLS_OF_A_CAMPAIGN:
        raise Refused(
            f"A campaign of {parameters.date} has more than {CELLS_OF_A_CAMPAIGN:,} cells, which is more than one file"
            " holds; make records or columns smaller, or share the records out among more campaigns."
        )
    return Day(
        parameters.date,
        campaigns,
        before,
        _shared_out(parameters.records, items.get(before) or LONG_AGO),
        items,
        starts,
        str(fires),
    )


def _items(text: str) -> dict[str, tuple[str, ...]]:
    found = texts.read("campaigns", text)
    items, faults = dict[str, tuple[str, ...]](), []
    for name, given in found.fields.items():
        keys = [key for key in given if isinstance(key, str) and _KEY.fullmatch(key)] if isinstance(given, list) else []
        items[name] = tuple(keys)
        if not _DATE.fullmatch(name):
            faults.append((name, "An item's name is a date such as 2018-02-13."))
        elif keys != given or len(keys) > MOST_KEYS or len({*keys}) < len(keys):
            faults.append((name, f"A date has a list of at most {MOST_KEYS} different keys, letters and digits each."))
    if faults:
        raise found.refused(faults)
    return items


def _shared_out(records: int, keys: Sequence[str]) -> dict[str, int]:
    whole, more = divmod(records, max(1, len(keys)))
    return {key: whole + (number < more) for number, key in enumerate(keys)}


class Progress:
    """Counts records as they are written, read and loaded, against how many that will be where nothing is repeated."""

    def __init__(self, expected: int, report: Report) -> None:
        self._expected = expected
        self._report = report
        self._done = 0

    def more(self, records: int) -> None:
        """Count so many records more."""
        self._done += records
        self._report.progress(min(0.99, self._done / max(1, self._expected)))


@dataclass
class Injected:
    """The fault that the run is to meet: which, at which campaign, and how often it has struck."""

    kind: str
    victim: str
    struck: int = 0

    def strikes(self, kind: str, key: str | None = None) -> bool:
        """Return whether this fault happens now, at a campaign's work, or at work on all of them."""
        once = kind != "extract always fails"
        if kind != self.kind or key not in {None, self.victim} or (once and self.struck):
            return False
        self.struck += 1
        return True


class Work(NamedTuple):
    """What a function comes to, and what it brings about at the end of its time."""

    outcome: Outcome
    effect: Callable[[float], None] | None = None


def _failed(error: str, cause: str, seconds: float = SHORT) -> Work:
    return Work(Outcome(None, seconds, error, cause))


@dataclass
class Functions:
    """The Lambda functions that a machine may call.

    The interpreter asks at a task's start what it will come to. What it does to the report is done when the clock has
    reached its end, also where the machine no longer waits for it, as a Lambda function runs on.
    """

    minutes: float
    day: Day
    table: ItemTable
    source: Source
    bucket: DirectoryBucket
    warehouse: ReportTable
    injected: Injected
    report: Report
    progress: Progress
    offset: float = 0.0
    """Virtual seconds before the execution that now runs."""
    counts: Counter[str] = field(default_factory=Counter)
    in_turn: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds of all tasks, by execution."""
    seen: list[tuple[float, int]] = field(default_factory=list)
    """The rows that a reader saw, and when."""
    _due: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def handlers(self) -> dict[str, Handler]:
        """Return the functions by the resources that name them."""
        return {PREFIX + name: partial(self._call, getattr(self, method)) for name, method in FUNCTIONS.items()}

    def _call(self, function: Callable[[Json, str, float], Work], data: Json, visit: Visit) -> Outcome:
        now = self.offset + visit.now
        self._catch_up(now)
        holder = visit.run.conditions.name
        outcome, effect = function(data, holder, now)
        if outcome.seconds > LONGEST_FUNCTION:
            cause = f"The function was stopped after {LONGEST_FUNCTION:.0f} s, the longest that one may run."
            outcome, effect = Outcome(None, LONGEST_FUNCTION, "Lambda.Unknown", cause), None
        if effect:
            heappush(self._due, (now + outcome.seconds, next(self._order), effect))
        self.counts["calls"] += 1
        self.in_turn[holder] += outcome.seconds
        self._measure(now)
        return outcome

    def _catch_up(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            at, _, effect = heappop(self._due)
            effect(at)

    def finish(self) -> None:
        """Let everything that still runs come to its end."""
        self._catch_up(math.inf)

    def observe(self, at: float) -> None:
        """Let a reader count the report's rows."""
        self.seen.append((at, self.warehouse.rows()))
        self._measure(at)

    def _measure(self, at: float) -> None:
        shown = {name: self.counts[name] for name in METRICS}
        self.report.metric(at, **shown, rows_seen=self.seen[-1][1])

    def start(self, _: Json, __: str, ___: float) -> Work:
        """As published: delete everything, read the keys, return them and their number as a text."""
        keys = self._keys()
        named = {f"key{number}": key for number, key in enumerate(keys, 1)}
        return Work(Outcome({**named, "keyT": str(len(keys))}, DELETION), self._empty)

    def execution(self, data: Json, _: str, __: float) -> Work:
        """As published: extract one campaign to the bucket, then append it to the report."""
        work = self._extracted(data)
        if work.outcome.error:
            return work
        key = str(data)
        return self._loading([_object_of(key)], "SUCCESS", 60 * self.minutes, key=key)

    def read_keys(self, _: Json, __: str, ___: float) -> Work:
        """Read the day's keys."""
        keys = self._keys()
        return Work(Outcome({"date": self.day.date, "keys": list(keys), "count": len(keys)}, SHORT))

    def export(self, data: Json, _: str, __: float) -> Work:
        """Extract one campaign to the bucket, over what was there."""
        return self._extracted(data.get("key") if isinstance(data, dict) else data)

    def load(self, data: Json, _: str, __: float) -> Work:
        """In one transaction, delete everything and load the objects that are named."""
        exports = data.get("exports") if isinstance(data, dict) else data
        named = [one.get("object") for one in exports if isinstance(one, dict)] if isinstance(exports, list) else []
        keys = [name for name in named if isinstance(name, str)]
        if not keys or keys != named:
            return _failed(
                "InvalidInput", "Load takes a list of what Export returned, or an object with it as exports."
            )
        try:
            for key in keys:
                self.bucket.head(key)
        except NoSuchKeyError as error:
            return _failed("NoSuchKey", str(error))
        seconds = 60 * self.minutes * SHARE_OF_LOAD
        return self._loading(keys, {"objects": len(keys)}, seconds, replaces=True)

    def lock(self, _: Json, holder: str, now: float) -> Work:
        """Put an item into the table on the condition that no other execution's is valid."""
        if not self.table.lock("report", holder, now, LOCK):
            self.counts["refused_by_lock"] += 1
            return _failed("LockHeld", "Another execution holds the lock.")
        return Work(Outcome({"holder": holder}, SHORT))

    def unlock(self, _: Json, holder: str, __: float) -> Work:
        """Remove the item that this execution put."""
        self.table.unlock("report", holder)
        return Work(Outcome({}, SHORT))

    def alert(self, data: Json, _: str, __: float) -> Work:
        """Tell people what went wrong."""
        self.counts["alerts"] += 1
        self.report.log(f"Alert: {json.dumps(data)[:200]}")
        return Work(Outcome({}, SHORT))

    def _keys(self) -> list[str]:
        keys = self.table.keys(self.day.date)
        self.counts["keys_read"] += len(keys)
        return keys

    def _extracted(self, key: Json) -> Work:
        if not isinstance(key, str):
            return _failed("InvalidInput", "A campaign's key is a text.")
        seconds = 60 * self.minutes * (1 - SHARE_OF_LOAD)
        if self.injected.strikes("extract fails once", key) or self.injected.strikes("extract always fails", key):
            return _failed("ConnectionLost", f"The connection to the source broke off at {key}.", seconds / 2)
        content = b"".join(self.source.extract(key, self.progress.more))
        if not content:
            return _failed("NoSuchCampaign", f"The source has no records of {key[:40]}.")
        stored = self.bucket.put(_object_of(key), content)
        records = self.day.campaigns[key]
        self.counts.update(exports=1, records_exported=records)
        return Work(Outcome({"key": key, "object": stored.key, "records": records}, seconds))

    def _loading(
        self, keys: Sequence[str], output: Json, seconds: float, *, key: str | None = None, replaces: bool = False
    ) -> Work:
        """Return a load of these objects, with the fault that it is to meet."""
        killed = lost = False
        if seconds <= LONGEST_FUNCTION:
            killed, lost = (self.injected.strikes(fault, key) for fault in ("load killed", "answer lost"))
        outcome = Outcome(output, seconds)
        if killed or lost:
            cause = "The load was done, and its answer was lost." if lost else "The warehouse was gone before COMMIT."
            outcome = Outcome(None, seconds, "Lambda.Unknown", cause)
        return Work(outcome, partial(self._load, keys, replaces=replaces, killed=killed))

    def _empty(self, at: float) -> None:
        self.warehouse.empty()
        self.counts["deletions"] += 1
        self.observe(at)

    def _load(self, keys: Sequence[str], at: float, *, replaces: bool = False, killed: bool = False) -> None:
        """Load objects in one transaction, with a reader looking in before its end."""
        self.warehouse.begin()
        if replaces:
            self.warehouse.empty()
            self.observe(at)
        rows = 0
        for key in keys:
            loaded = self.warehouse.copy(key)
            self.progress.more(loaded)
            rows += loaded
        self.observe(at)
        if killed:
            self.counts["signal"] = self.warehouse.kill()
            self.counts["killed_loads"] += 1
        else:
            self.warehouse.commit()
            self.counts.update(loads=1, rows_loaded=rows)
        self.observe(at)


METRICS = ("calls", "keys_read", "exports", "records_exported", "deletions", "loads", "rows_loaded", "killed_loads",
           "refused_by_lock", "alerts")  # fmt: skip
FUNCTIONS = {
    "Start": "start",
    "Execution": "execution",
    "ReadKeys": "read_keys",
    "Export": "export",
    "Load": "load",
    "Lock": "lock",
    "Unlock": "unlock",
    "Alert": "alert",
}
"""The functions' names, and the methods that stand for them."""


def _object_of(key: str) -> str:
    return f"exports/{key}.csv"


def executions_of(machine: Machine, functions: Functions, fault: str, day: Day, seed: int) -> tuple[Execution, ...]:
    """Run the machine as the rule starts it, and once more where the fault asks for it: beside it, or after it."""
    handlers = functions.handlers()
    start = day.starts[0].astimezone(UTC)
    first, second = (
        Conditions(seed=seed, limits=EARLY_2018, name=f"{start:%Y-%m-%d-%H}-{by}", machine="etl", start=start)
        for by in ("rule", "hand")
    )
    event: dict[str, Json] = {"time": f"{start:%Y-%m-%dT%H:%M:%SZ}", "detail-type": "Scheduled Event"}
    if fault == "runs overlap":
        starts = [Start(0.0, event, first), Start(OVERLAP, event, second)]
        return execute_together(machine, starts, handlers)
    executions = [execute(machine, event, handlers, first)]
    if fault == "load killed" and executions[0].status != "SUCCEEDED":
        functions.offset = executions[0].seconds + RERUN
        executions.append(execute(machine, event, handlers, second))
    return tuple(executions)


def findings_of(parameters: Parameters, day: Day, functions: Functions, executions: Sequence[Execution]) -> Findings:
    """Summarise what the machine did, what became of the report, and what its readers saw meanwhile."""
    counts, seen = functions.counts, functions.seen
    old, new, different = functions.warehouse.summary()
    stored = list(objects(functions.bucket))
    events = Counter(event.type for one in executions for event in one.history)
    entered = sum(count for name, count in events.items() if name.endswith("StateEntered"))
    empty = sum(later - at for (at, rows), (later, _) in pairwise(seen) if rows == 0)
    struck = functions.injected.struck
    return {
        "keys": Finding(len(day.campaigns), "campaigns"),
        "records": Finding(day.records, "records"),
        "columns": Finding(parameters.columns, "columns"),
        "cells": Finding(day.records * parameters.columns, "cells"),
        "objects": Finding(len(stored), "objects"),
        "bytes_stored": Finding(sum(one.size for one in stored), "bytes"),
        "execution_seconds": Finding(round(executions[0].seconds, 3), "s of virtual time"),
        "in_turn_seconds": Finding(round(next(iter(functions.in_turn.values()), 0), 3), "s of virtual time"),
        "executions": Finding(len(executions), "executions"),
        "succeeded": Finding(sum(one.status == "SUCCEEDED" for one in executions), "executions"),
        "failed": Finding(sum(one.status == "FAILED" for one in executions), "executions"),
        "states_entered": Finding(entered, "states"),
        "retries": Finding(events["LambdaFunctionScheduled"] - events["TaskStateEntered"], "attempts"),
        "failed_extracts": Finding(struck if parameters.fault.startswith("extract") else 0, "extracts"),
        "lasting_failure": Finding(parameters.fault == "extract always fails" and struck > 0, "yes or no"),
        "killed_loads": Finding(counts["killed_loads"], "loads"),
        "killed_by_signal": Finding(counts["signal"], "signal"),
        "lost_answers": Finding(struck if parameters.fault == "answer lost" else 0, "answers"),
        "loads": Finding(counts["loads"], "loads"),
        "alerts": Finding(counts["alerts"], "alerts"),
        "refused_by_lock": Finding(counts["refused_by_lock"], "executions"),
        "locks_left": Finding(functions.table.locks(), "locks"),
        "rows_before": Finding(seen[0][1], "rows"),
        "fewest_rows_seen": Finding(min(rows for _, rows in seen), "rows"),
        "empty_seconds": Finding(round(empty, 3), "s of virtual time"),
        "rows_loaded": Finding(counts["rows_loaded"], "rows"),
        "rows_after": Finding(seen[-1][1], "rows"),
        "old_rows_after": Finding(old, "rows"),
        "new_rows_after": Finding(new, "rows"),
        "duplicate_rows": Finding(new - different, "rows"),
        "missing_rows": Finding(day.records - different, "rows"),
        "starts_a_week": Finding(len(day.starts), "starts"),
        "next_starts": Finding([_shown(one) for one in day.starts[:SHOWN_STARTS]], "times"),
    }


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"
