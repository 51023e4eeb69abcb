"""A sale's way to the analyst: what the published way does to it, and that a mended one loses and doubles nothing."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from labs import child, registry
from labs.findings import Refused
from labs.parts.bucket import DirectoryBucket, objects
from labs.registry import Lab

FOLDER = registry.CATALOG / "aurora_redshift"
EVERY_DAY = {"days": "every day of the year"}
EIGHT = ["ItemID", "Category", "Price", "Quantity", "OrderDate", "DestinationState", "ShippingType", "Referral"]
Measure = Callable[..., dict[str, Any]]


class Recorder:
    """A report that keeps what it is told, and offers servers."""

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.servers = servers
        self.metrics: list[tuple[float, Mapping[str, float]]] = []
        self.logs: list[str] = []
        self.shares: list[float] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def metric(self, at: float, **values: float) -> None:
        self.metrics.append((at, values))

    def log(self, text: str) -> None:
        self.logs.append(text)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return registry.read(FOLDER)


@pytest.fixture(scope="module")
def code() -> Iterator[ModuleType]:
    yield child.load(FOLDER / "lab.py")
    for name in [name for name in sys.modules if name.partition(".")[0] in {"lab_lab", "lab_checks"}]:
        del sys.modules[name]


@pytest.fixture
def report() -> Recorder:
    return Recorder({})


@pytest.fixture
def measure(lab: Lab, code: ModuleType, report: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Return a function that runs the lab here, in a folder of its own, and returns the findings' values."""
    checks = child.load(FOLDER / "checks.py")
    folders = iter(range(100))

    def run(seed: int = 1, **texts: str) -> dict[str, Any]:
        folder = tmp_path / f"run-{next(folders)}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        values, faults = lab.read(texts)
        assert faults == {}
        findings = code.run(code.Parameters(**values), seed, report)
        found = {name: finding.value for name, finding in findings.items()}
        numbers = {name: value for name, value in found.items() if isinstance(value, int | float)}
        passed = {task.check for task in lab.tasks if getattr(checks, task.check)(numbers)}
        return {**found, "passed": passed}

    return run


def module(code: ModuleType, name: str) -> ModuleType:
    return sys.modules[f"{code.__name__}.{name}"]


def message(make: str = "CONCAT", columns: list[str] = EIGHT, **instead_of_null: str) -> str:
    return json.dumps({"make": make, "columns": columns, "instead_of_null": instead_of_null})


def test_by_default_the_published_loader_stops_at_30_february(measure: Measure, report: Recorder) -> None:
    found = measure()
    assert (found["inserted"], found["stopped_at"], found["passed"]) == (60, 61, set())
    assert "sale 61: 2016-02-30 is no date" in report.logs[0]


def test_a_lucky_draw_of_the_published_loader_solves_no_task(measure: Measure) -> None:
    found = measure(seed=1226759149)
    assert (found["inserted"], found["stopped_at"], found["passed"]) == (1000, 0, set())


def test_one_date_in_360_is_a_30_february(code: ModuleType) -> None:
    sales = module(code, "sales")
    wishes = sales.Wishes(1000, any_day=False, any_minute=False, odd="none", rolled_back_percent=0)
    stops = [sales.draw(wishes, Random(seed)).stopped for seed in range(200)]
    # With a probability of 359/360 a row, 6.2 % of the runs reach the end.
    assert 3 <= sum(one is None for one in stops) <= 25
    assert {one.date for one in stops if one} == {"2016-02-30"}


def test_every_day_is_sold_on_and_no_other(code: ModuleType) -> None:
    sales = module(code, "sales")
    wishes = sales.Wishes(20_000, any_day=True, any_minute=True, odd="none", rolled_back_percent=0)
    drawn = sales.draw(wishes, Random(1))
    assert len({one.date[:10] for one in drawn.sales}) == 366
    assert {one.date[5:10] for one in drawn.sales} >= {"02-29", "12-31"}
    assert len({*sales.STATES}) == len({one.state for one in drawn.sales}) == 50


PUBLISHED = {
    # odd → swallowed, failed, missing, superfluous, whether the total is right, of 1,000 sales of which 10 are odd
    "none": (0, 0, 0, 0, True),
    "NULL": (10, 0, 10, 0, False),
    "quotation mark": (0, 10, 10, 0, False),
    "second price": (0, 0, 10, 10, False),
    "comma": (0, 0, 10, 10, False),
    "sold twice": (0, 0, 0, 0, True),
}
STATIONS = ("swallowed", "failed_messages", "missing", "superfluous")


@pytest.mark.parametrize("odd", PUBLISHED)
def test_what_is_odd_meets_the_published_way(measure: Measure, odd: str) -> None:
    found = measure(**EVERY_DAY, odd=odd)
    assert (*(found[name] for name in STATIONS), found["total_read"] == found["total_sold"]) == PUBLISHED[odd]


@pytest.mark.parametrize("odd", PUBLISHED)
def test_what_is_odd_does_nothing_to_a_mended_way(measure: Measure, odd: str) -> None:
    capture = "outbox table" if odd == "second price" else "call in the trigger"
    template = message("JSON_OBJECT", ["InvoiceID", *EIGHT])
    found = measure(**EVERY_DAY, odd=odd, capture=capture, message=template, function="CSV, quoted")
    assert (*(found[name] for name in STATIONS), found["total_read"] == found["total_sold"]) == PUBLISHED["none"]
    assert (found["rows_read"], found["columns_sent"]) == (1000, 9)


def test_half_a_cure_is_none(measure: Measure) -> None:
    """JSON escapes the comma in a category, and the published line shifts it all the same."""
    assert measure(**EVERY_DAY, odd="comma", message=message("JSON_OBJECT"))["missing"] == 10
    assert measure(**EVERY_DAY, odd="NULL", message=message("JSON_OBJECT"))["missing"] == 10
    assert measure(**EVERY_DAY, odd="NULL", message=message(Referral="unknown"))["missing"] == 0
    assert measure(**EVERY_DAY, odd="quotation mark", function="CSV, quoted")["failed_messages"] == 10


@pytest.mark.parametrize(("capture", "ghosts"), [("call in the trigger", 56), ("outbox table", 0)])
def test_only_a_call_survives_a_rollback(measure: Measure, capture: str, ghosts: int) -> None:
    found = measure(**EVERY_DAY, rolled_back="5", capture=capture)
    assert found["rolled_back"] + found["inserted"] == 1000
    assert 30 < found["rolled_back"] < 80
    assert found["ghosts"] == (found["rolled_back"] if ghosts else 0) == found["superfluous"]
    assert found["missing"] == 0


def test_a_timestamp_equals_a_date_at_midnight_only(measure: Measure) -> None:
    midnight = measure(**EVERY_DAY)
    minutes = measure(**EVERY_DAY, sales="20000", times="any minute")
    assert midnight["joined_as_published"] == midnight["joined_by_day"] == 1000
    assert minutes["joined_by_day"] == 20_000
    # 20,000 / 1,440 = 13.9.
    assert 3 <= minutes["joined_as_published"] <= 30
    assert (midnight["answers_seasons"], minutes["answers_seasons"]) == (True, False)


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": "0.5", "buffer_seconds": "60"},
        {"rate": "2500", "buffer_seconds": "60"},
        {"rate": "9000", "capture": "outbox table", "sales": "12000"},
        {"sales": "20000", "rate": "300", "buffer_mib": "1", "compression": "none", "function": "CSV, quoted"},
        {"sales": "1"},
    ],
    ids=lambda one: " ".join(one.values()),
)
@pytest.mark.parametrize("fault", ["none", "delivery killed"])
def test_every_sale_is_delivered_whatever_the_stream_is_like(
    measure: Measure, report: Recorder, settings: dict[str, str], fault: str
) -> None:
    found = measure(**{**EVERY_DAY, **settings, "fault": fault})
    assert (found["missing"], found["superfluous"], found["ghosts"]) == (0, found["repeated"], 0)
    assert found["lines"] == found["inserted"] + found["repeated"]
    assert (found["killed_by_signal"], found["repeated"] > 0) == ((9, True) if fault != "none" else (0, False))
    assert report.shares == sorted(report.shares)
    moments = [at for at, _ in report.metrics]
    assert moments == sorted(moments)


def test_the_limits_of_the_stream_hold(measure: Measure) -> None:
    single = measure(**EVERY_DAY, sales="5000", rate="4000")
    batches = measure(**EVERY_DAY, sales="12000", rate="8000", capture="outbox table")
    assert single["peak_records"] == 2000
    assert batches["peak_records"] == 5000
    assert min(single["throttled"], batches["throttled"]) > 0
    assert measure(**EVERY_DAY, rate="20")["throttled"] == 0


def test_the_same_seed_gives_the_same_findings(measure: Measure) -> None:
    settings = {**EVERY_DAY, "fault": "delivery killed", "odd": "sold twice", "rolled_back": "10", "layout": "Parquet"}
    found = measure(4, **settings)
    assert measure(4, **settings) == found
    assert measure(5, **settings)["total_sold"] != found["total_sold"]


@pytest.mark.parametrize("layout", ["CSV", "CSV, GZIP", "Parquet"])
@pytest.mark.parametrize("partitioning", ["none", "by month", "by referral"])
def test_what_is_written_anew_holds_the_same_sales(measure: Measure, layout: str, partitioning: str) -> None:
    settings = {**EVERY_DAY, "odd": "second price", "message": message("JSON_OBJECT"), "function": "CSV, quoted"}
    query = "select sum(quantity * price), count(*), count(distinct referral) from spectrum_schema.sales"
    found = measure(**settings, layout=layout, partitioning=partitioning, query=query)
    assert found["query_result"]["rows"] == [[found["total_sold"], 1000, 5]]
    assert found["query_objects"] == {"none": 1, "by month": 12, "by referral": 5}[partitioning]


def test_partitions_and_columns_save_bytes(measure: Measure) -> None:
    december = (FOLDER / "december.sql").read_text("utf-8")
    settings = {**EVERY_DAY, "sales": "10000", "partitioning": "by month", "query": december}
    gzipped, parquet = (measure(**settings, layout=layout) for layout in ("CSV, GZIP", "Parquet"))
    whole = december.replace("sale_month = '2016-12'", "orderdate >= '2016-12-01'")
    scanned = measure(**{**settings, "query": whole}, layout="Parquet")
    assert all(one["answers_december_categories"] for one in (gzipped, parquet, scanned))
    assert parquet["bytes_delivered"] > 50 * gzipped["query_bytes"] > 50 * parquet["query_bytes"]
    assert scanned["query_bytes"] > 5 * parquet["query_bytes"]


JOIN = """select sum(quantity*price) as total_sales, date_dimension.{0}
from spectrum_schema.ecommerce_sales
join date_dimension on spectrum_schema.ecommerce_sales.orderdate = date_dimension.d_prettydate
group by date_dimension.{0}"""


def test_the_published_queries_run(measure: Measure) -> None:
    top = measure(**EVERY_DAY, query="select top 10 * from spectrum_schema.ecommerce_sales")
    assert top["query_result"] == top["first_rows"]
    assert len(top["first_rows"]["rows"]) == 10
    seasons = measure(**EVERY_DAY, query=JOIN.format("d_season"))
    weekdays = measure(**EVERY_DAY, query=JOIN.format("d_dayofweek"), dimension="weekday", chart="line")
    assert seasons["answers_seasons"]
    assert len(weekdays["query_result"]["rows"]) == 7
    chart = weekdays["chart"]
    assert (chart["kind"], chart["rows"][0][0], chart["rows"][6][0]) == ("line", "Monday", "Sunday")
    assert dict(map(reversed, weekdays["query_result"]["rows"])) == dict(chart["rows"])


@pytest.mark.parametrize("dimension", ["month", "season", "weekday", "category", "state", "shipping type", "referral"])
def test_a_chart_shows_every_sale(measure: Measure, dimension: str) -> None:
    found = measure(**EVERY_DAY, dimension=dimension, measure="Sales")
    assert sum(value for _, value in found["chart"]["rows"]) == 1000


@pytest.mark.parametrize(
    "query",
    [
        "select d_season, 1 from date_dimension group by d_season",
        JOIN.format("d_season").replace("as total_sales", ", 1"),
        "select 'Spring', 1 union all select 'Spring', 2",
        "select 1, 2",
        "select d_season, null from date_dimension group by d_season",
        "select count(*) from date_dimension where false",
        "select null, null",
        "select d_prettydate, d_prettydate from date_dimension",
    ],
)
def test_a_wrong_answer_is_none(measure: Measure, query: str) -> None:
    found = measure(**EVERY_DAY, query=query)
    assert not any(value for name, value in found.items() if name.startswith("answers_"))


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"message": '{"make": "XML", "columns": []}'}, "message, line 1, column 2: Write “CONCAT” or “JSON_OBJECT”"),
        ({"message": '{\n"make": "CONCAT"}'}, "message, line 1, column 1: A list of these belongs here"),
        ({"message": message(columns=EIGHT[:7])}, "A list of these belongs here, in any order: ItemID, Category"),
        ({"message": message(columns=[*EIGHT, "ItemID"])}, "A list of these belongs here"),
        ({"message": message(Referral="a\nb")}, "By column, a text of at most 100 letters"),
        ({"message": message(Referral="x" * 101)}, "By column, a text of at most 100 letters"),
        ({"message": message(InvoiceID="1")}, "By column, a text of at most 100 letters"),
        ({"message": message()[:-1] + ', "more": 1}'}, "A template has no “more”"),
        ({"query": "select 1 from\nnowhere"}, "query, line 2, column 1: There is no table “nowhere”"),
        ({"query": "select 1; select 2"}, "query, line 1, column 1: Write one query here; these are 2"),
        ({"query": "select * from spectrum_schema.sales"}, "There is no table “spectrum_schema.sales”"),
        ({"partitioning": "by month"}, "choose a layout, or no partitioning"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(measure: Measure, texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        measure(sales="10", **texts)


@pytest.fixture
def shops(code: ModuleType, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function that opens a shop of a kind."""

    def make(kind: str, template: str, *, outbox: bool) -> Any:
        shop, read = module(code, "shop"), module(code, "message").read(template)
        if kind == "SQLite":
            return shop.SQLiteShop(read, outbox=outbox)
        return shop.MariaDBShop(request.getfixturevalue("mariadb"), read, outbox=outbox)

    return make


HOSTILE = 'it\'s "odd" \\ %s ü'


@pytest.mark.parametrize("outbox", [False, True])
@pytest.mark.parametrize("make", ["CONCAT", "JSON_OBJECT"])
@pytest.mark.parametrize("kind", ["SQLite", "MariaDB"])
def test_both_shops_keep_one_contract(
    shops: Callable[..., Any], code: ModuleType, kind: str, make: str, outbox: bool
) -> None:
    sales = module(code, "sales")
    template = message(make, ["InvoiceID", *EIGHT], Referral=HOSTILE) if make == "JSON_OBJECT" else message(make)
    wishes = sales.Wishes(700, any_day=True, any_minute=True, odd="NULL", rolled_back_percent=10)
    drawn = sales.draw(wishes, Random(1))
    shop = shops(kind, template, outbox=outbox)
    told: list[int] = []
    shop.sell(zip(drawn.sales, drawn.rolled_back, strict=True), told.append)
    rows, calls = list(shop.rows()), shop.calls()
    paid = [sale for sale, undone in zip(drawn.sales, drawn.rolled_back, strict=True) if not undone]
    assert sum(told) == 700
    assert [(row["Price"], row["OrderDate"], row["Referral"]) for row in rows] == [
        (f"{one.price}.00", one.date, one.referral) for one in paid
    ]
    # A number that was rolled back is not given again.
    assert [int(row["InvoiceID"]) for row in rows] == [
        number for number, undone in enumerate(drawn.rolled_back, 1) if not undone
    ]
    calling = paid if outbox else drawn.sales
    assert len(calls) == len(calling)
    nulls = sum(one.referral is None for one in calling)
    assert nulls > 0
    assert calls.count(None) == (nulls if make == "CONCAT" else 0)
    for text, sale in zip(calls, calling, strict=True):
        if text is not None:
            sent = json.loads(text, parse_float=str)
            told_price, told_referral = str(sent["Price"]), sent["Referral"]
            assert (told_price, told_referral) == (f"{sale.price}.00", sale.referral or HOSTILE)
            assert sent["OrderDate"] == sale.date


def test_mariadb_gives_the_same_findings_as_sqlite(measure: Measure, report: Recorder, mariadb: str) -> None:
    report.servers = {"mariadb": mariadb}
    settings = {**EVERY_DAY, "odd": "NULL", "rolled_back": "5", "times": "any minute"}
    assert measure(**settings, database="MariaDB") == measure(**settings, database="SQLite")


def test_the_published_objects_are_there_in_mariadb(shops: Callable[..., Any], mariadb: str) -> None:
    from labs.parts.mariadb import Client  # noqa: PLC0415

    shops("MariaDB", message(), outbox=False)
    asked = Client(mariadb).lines(
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema IN ('archway', 'mysql')"
        " AND routine_name IN ('CDC_TO_FIREHOSE', 'lambda_async') ORDER BY 1;"
        " SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema = 'archway'"
    )
    assert [line.decode().split() for line in asked] == [
        ["CDC_TO_FIREHOSE"],
        ["lambda_async"],
        ["TR_Sales_CDC", "Sales"],
    ]


def _invoices(bucket: Path) -> list[str]:
    found = DirectoryBucket(bucket)
    return [
        line.partition(",")[0]
        for one in objects(found, "CDC/")
        for line in gzip.decompress(found.get(one.key)).decode().splitlines()
    ]


@pytest.fixture
def start(code: ModuleType, tmp_path: Path) -> Callable[[int], Any]:
    """Return a function that starts a delivery of so many sales, one a second, sixty an object."""
    delivery = module(code, "delivery_process")
    names = ("InvoiceID", *EIGHT)

    def make(count: int) -> Any:
        files = [str(tmp_path / name) for name in ("messages", "done", "bucket")]
        texts = (json.dumps(dict.fromkeys(names, str(number))) for number in range(count))
        sent = (delivery.Sent(number, text) for number, text in enumerate(texts))
        return delivery.DeliveryProcess(delivery.Job(*files, names, True, False, 0.0, 1, 60, True), sent)

    return make


def test_twenty_kills_at_random_moments_lose_nothing(
    start: Callable[[int], Any], tmp_path: Path, sized: Callable[..., int]
) -> None:
    random, kills = Random(7), sized(20, 200)
    messages = 1000 * kills
    with start(messages) as process:
        for _ in range(kills):
            process.store()
            moment = random.uniform(0, 0.03)
            killer = threading.Timer(moment, os.kill, (process._process.pid, signal.SIGKILL))
            killer.start()
            with contextlib.suppress(OSError):
                while "object" in process.store():
                    pass
            killer.join()
            assert process.kill() == 9
            process.restart()
        while "object" in process.store():
            pass
    stored = _invoices(tmp_path / "bucket")
    assert {*stored} == {str(number) for number in range(messages)}
    # An object is repeated at most for each kill.
    assert messages <= len(stored) <= messages + kills * 60


def test_a_successor_that_forgot_what_was_done_stores_it_twice(start: Callable[[int], Any], tmp_path: Path) -> None:
    """The control: without the file of what is done, a kill repeats all of it."""
    with start(500) as process:
        while process.store()["messages"] < 400:
            pass
        process.kill()
        (tmp_path / "done").unlink()
        process.restart()
        while "object" in process.store():
            pass
    assert len(_invoices(tmp_path / "bucket")) > 800
