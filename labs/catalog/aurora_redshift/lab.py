"""A sale's way from the shop's database to an analyst: inserted, captured, delivered, stored, read, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from labs.findings import Finding, Findings, Refused, Report, table
from labs.parts import texts
from labs.parts.bucket import Bucket, DirectoryBucket, objects
from labs.parts.warehouse import EVERYTHING, Result, Session, Warehouse, WarehouseError

from . import analysis, audit, calendar_days
from .delivery_process import PREFIX, DeliveryProcess, Job, Sent
from .message import COLUMNS, KEY, Message
from .message import read as read_message
from .sales import ODD_REFERRALS, Drawn, Odd, Wishes, draw
from .shop import MariaDBShop, Row, Shop, SQLiteShop

OPENING = datetime(2018, 2, 5, 9, tzinfo=UTC).timestamp()
"""When the first sale takes place, in the lab's own time."""
SHOWN_ROWS, SHOWN_COLUMNS = 50, 20
METRICS = ("inserted", "calls", "sent", "lines", "objects", "kills", "rows_read")


@dataclass(frozen=True)
class Parameters:
    """What a learner sets; ``lab.toml`` says the bounds, the units and what each is for."""

    sales: int
    days: str
    times: str
    odd: Odd
    rolled_back: int
    rate: float
    database: str
    capture: str
    message: str
    function: str
    buffer_mib: int
    buffer_seconds: int
    compression: str
    fault: str
    layout: analysis.Layout
    partitioning: analysis.Partitioning
    query: str
    dimension: str
    measure: str
    chart: str

    @property
    def outbox(self) -> bool:
        """Whether a call is written into a table of the same transaction, and read there after the commit."""
        return self.capture == "outbox table"

    @property
    def quoted(self) -> bool:
        """Whether the function writes CSV with every column of the message, and not the published line."""
        return self.function == "CSV, quoted"


class Captured(NamedTuple):
    """What left the shop: the committed rows, the messages with their seconds, and how many calls had no message."""

    rows: Sequence[Row]
    messages: Sequence[Sent]
    swallowed: int

    @property
    def calls(self) -> int:
        """The calls of the function, with a message or without."""
        return len(self.messages) + self.swallowed


@dataclass
class Told:
    """What the delivery process told: sums over its objects, and the signal that killed it."""

    objects: int = 0
    lines: int = 0
    bytes: int = 0
    throttled: int = 0
    longest_wait: float = 0.0
    failed: int = 0
    peak: int = 0
    signal: int = 0


@dataclass
class Watch:
    """Tells how far the run is, and how many sales have come to each station."""

    report: Report
    second: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(METRICS, 0))

    def at(self, second: float, share: float, **counts: int) -> None:
        """Report the counts as they stand at a second of virtual time, with this share of the work done."""
        self.second = max(self.second, second)
        self.counts |= counts
        self.report.metric(self.second, **self.counts)
        self.report.progress(share)


def run(parameters: Parameters, seed: int, report: Report) -> Findings:
    """Let the sales take their way and return what became of them at each station.

    The same parameters and seed give the same findings. Raises Refused for what cannot be used, with its place.
    """
    if parameters.layout == "as delivered" and parameters.partitioning != "none":
        raise Refused("partitioning needs files that are written anew; choose a layout, or no partitioning.")
    message = read_message(parameters.message)
    columns = message.columns if parameters.quoted else COLUMNS
    watch = Watch(report)
    drawn = drawn_of(parameters, seed)
    if drawn.stopped:
        report.log(f"The loader stopped at sale {drawn.stopped.number:,}: {drawn.stopped.date} is no date.")
    captured = capture(shop_of(parameters, message, report), drawn, parameters, watch)
    told = deliver(captured.messages, columns, parameters, watch)
    bucket = DirectoryBucket(Path("bucket"))
    arrived = audit.compare(bucket, captured.rows, message, columns, quoted=parameters.quoted)
    watch.report.progress(0.8)
    return {
        **shop_findings(parameters, drawn, captured.rows),
        **delivery_findings(captured, told, arrived, bucket, columns),
        **warehouse_findings(bucket, captured.rows, columns, parameters, watch),
    }


def drawn_of(parameters: Parameters, seed: int) -> Drawn:
    """Return the sales that the loader makes."""
    wishes = Wishes(
        parameters.sales,
        parameters.days == "every day of the year",
        parameters.times == "any minute",
        parameters.odd,
        parameters.rolled_back,
    )
    return draw(wishes, Random(seed))  # noqa: S311 (a repeatable experiment, no secret)


def shop_of(parameters: Parameters, message: Message, report: Report) -> Shop:
    """Return the shop's database; raise Refused where it is to be one that is not there."""
    if parameters.database == "MariaDB":
        return MariaDBShop(report.servers["mariadb"], message, outbox=parameters.outbox)
    return SQLiteShop(message, outbox=parameters.outbox)


def capture(shop: Shop, drawn: Drawn, parameters: Parameters, watch: Watch) -> Captured:
    """Insert the sales and return what has left the database afterwards."""
    done = 0

    def tell(inserted: int) -> None:
        nonlocal done
        done += inserted
        watch.report.progress(0.3 * done / len(drawn.sales))

    shop.sell(zip(drawn.sales, drawn.rolled_back, strict=True), tell)
    rows, calls = tuple(shop.rows()), shop.calls()
    # An outbox has no trace of what was rolled back.
    calling = [number for number, undone in enumerate(drawn.rolled_back) if not (undone and parameters.outbox)]
    messages = [
        Sent(round(number / parameters.rate, 4), text)
        for number, text in zip(calling, calls, strict=True)
        if text is not None
    ]
    captured = Captured(rows, messages, calls.count(None))
    watch.at(0.0, 0.4, inserted=len(rows), calls=captured.calls)
    return captured


def deliver(messages: Sequence[Sent], columns: Sequence[str], parameters: Parameters, watch: Watch) -> Told:
    """Have the messages carried to the bucket; kill the process at half of them, if that is the fault to meet."""
    told = Told()
    job = Job(
        messages="messages",
        done="done",
        bucket="bucket",
        columns=tuple(columns),
        quoted=parameters.quoted,
        batched=parameters.outbox,
        opening=OPENING,
        buffer_mib=parameters.buffer_mib,
        buffer_seconds=parameters.buffer_seconds,
        gzip=parameters.compression == "GZIP",
    )
    with DeliveryProcess(job, messages) as process:
        while "object" in (news := process.store()):
            told.throttled += news["throttled"]
            told.objects += 1
            told.lines += news["lines"]
            told.bytes += news["bytes"]
            told.longest_wait = max(told.longest_wait, news["waited"])
            share = 0.4 + 0.35 * news["messages"] / len(messages)
            watch.at(news["second"], share, sent=news["messages"], lines=told.lines, objects=told.objects)
            if parameters.fault == "delivery killed" and not told.signal and news["messages"] * 2 >= len(messages):
                told.signal = process.kill()
                process.restart()
                watch.at(news["second"], share, kills=1)
                watch.report.log(f"Signal {told.signal} ended the delivery; another process goes on.")
    told.throttled += news["throttled"]
    told.failed, told.peak = news["failed"], news["peak"]
    return told


def shop_findings(parameters: Parameters, drawn: Drawn, rows: Sequence[Row]) -> Findings:
    """Return what was asked of the loader, and what of it the shop has."""
    referrals = Counter(row["Referral"] for row in rows)
    twice = sum(all(one[name] == next_[name] for name in COLUMNS) for one, next_ in pairwise(rows))
    return {
        "asked": Finding(parameters.sales, "sales"),
        "inserted": Finding(len(rows), "sales"),
        "stopped_at": Finding(drawn.stopped.number if drawn.stopped else 0, "sale"),
        "sold_on_a_31st": Finding(sum(sale.date[8:10] == "31" for sale in drawn.sales), "sales"),
        "rolled_back": Finding(sum(drawn.rolled_back), "sales"),
        "without_referral": Finding(referrals[None], "sales"),
        "with_second_price": Finding(referrals[ODD_REFERRALS["second price"]], "sales"),
        "sold_twice": Finding(twice, "sales"),
        "total_sold": Finding(round(sum(map(audit.total, rows)), 2), "$"),
    }


def delivery_findings(
    captured: Captured, told: Told, arrived: audit.Arrived, bucket: Bucket, columns: Sequence[str]
) -> Findings:
    """Return what became of the calls on their way to the bucket."""
    stored = list(objects(bucket, PREFIX))
    return {
        "calls": Finding(captured.calls, "calls"),
        "ghosts": Finding(captured.calls - len(captured.rows), "calls"),
        "swallowed": Finding(captured.swallowed, "calls"),
        "failed_messages": Finding(told.failed, "messages"),
        "columns_sent": Finding(len(columns), "columns"),
        "invoice_id_sent": Finding(KEY in columns, "yes or no"),
        "throttled": Finding(told.throttled, "records"),
        "peak_records": Finding(told.peak, "records/s"),
        "longest_wait_seconds": Finding(told.longest_wait, "s of virtual time"),
        "objects": Finding(len(stored), "objects"),
        "lines": Finding(arrived.lines, "lines"),
        "bytes_delivered": Finding(told.bytes, "bytes"),
        "bytes_stored": Finding(sum(one.size for one in stored), "bytes"),
        "killed_by_signal": Finding(told.signal, "signal"),
        "repeated": Finding(arrived.lines - len(captured.messages) + told.failed, "lines"),
        "missing": Finding(arrived.missing, "sales"),
        "superfluous": Finding(arrived.superfluous, "lines"),
    }


def warehouse_findings(
    bucket: DirectoryBucket, rows: Sequence[Row], columns: Sequence[str], parameters: Parameters, watch: Watch
) -> Findings:
    """Return what the warehouse reads in the bucket, and what the learner's query and chart bring."""
    bucket.put(analysis.CALENDAR, calendar_days.as_csv())
    with Warehouse({analysis.BUCKET: bucket}, clock=lambda: OPENING) as warehouse:
        session = warehouse.session(*EVERYTHING)
        analysis.prepare(session, columns, quoted=parameters.quoted)
        if parameters.layout != "as delivered":
            analysis.lay_out(session, columns, parameters.layout, parameters.partitioning)
        reading = analysis.read(session)
        (first,) = session.run(analysis.TOP)
        drawing = analysis.chart(session, parameters.dimension, parameters.measure)
        watch.at(watch.second, 0.95, rows_read=reading.rows)
        result = asked(warehouse.session(), parameters.query)
    answer = analysis.answer(result)
    right = {name: analysis.agrees(answer, known) for name, known in audit.answers(rows).items()}
    return {
        "rows_read": Finding(reading.rows, "rows"),
        "total_read": Finding(reading.total, "$"),
        "joined_as_published": Finding(reading.joined_as_published, "rows"),
        "joined_by_day": Finding(reading.joined_by_day, "rows"),
        "query_rows": Finding(len(result.rows), "rows"),
        "query_objects": Finding(result.objects_read, "objects"),
        "query_bytes": Finding(result.bytes_read, "bytes"),
        "query_bytes_billed": Finding(result.bytes_billed, "bytes"),
        **{f"answers_{name}": Finding(one, "yes or no") for name, one in right.items()},
        "query_result": shown(result),
        "chart": table((parameters.dimension, parameters.measure), drawing, kind=parameters.chart),
        "first_rows": shown(first),
    }


def asked(session: Session, query: str) -> Result:
    """Return the result of the learner's one query; raise Refused with the place of what is wrong in it."""
    try:
        results = session.run(query)
    except WarehouseError as error:
        raise texts.refused("query", [(error.line, error.column, error.sentence)]) from None
    if len(results) != 1:
        raise texts.refused("query", [(1, 1, f"Write one query here; these are {len(results)}.")])
    return results[0]


def shown(result: Result) -> Finding:
    """Return the beginning of a result as a table."""
    rows = [[analysis.cell(one) for one in row[:SHOWN_COLUMNS]] for row in result.rows[:SHOWN_ROWS]]
    return table(result.columns[:SHOWN_COLUMNS], rows)
