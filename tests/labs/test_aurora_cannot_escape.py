"""The doors of the Aurora lab: its query, the template of its messages, and the texts that name partitions."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs import child, registry, runner
from labs.findings import Refused
from labs.parts.bucket import DirectoryBucket, objects
from labs.parts.warehouse import EVERYTHING, Session, Warehouse

FOLDER = registry.CATALOG / "aurora_redshift"
EIGHT = ["ItemID", "Category", "Price", "Quantity", "OrderDate", "DestinationState", "ShippingType", "Referral"]
MARKER = "the marker of a file outside"
SALE = b"7,Garden,5.00,1,2016-03-01 00:00:00,WA,Free,Other\n"


@pytest.fixture(scope="module")
def code() -> Iterator[ModuleType]:
    yield child.load(FOLDER / "lab.py")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab_lab"]:
        del sys.modules[name]


def module(code: ModuleType, name: str) -> ModuleType:
    return sys.modules[f"{code.__name__}.{name}"]


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    found = DirectoryBucket(tmp_path / "bucket")
    found.put("CDC/1", SALE)
    return found


@pytest.fixture
def warehouse(code: ModuleType, bucket: DirectoryBucket) -> Iterator[Warehouse]:
    """A warehouse as the lab prepares it, with partitions by month."""
    analysis = module(code, "analysis")
    bucket.put(analysis.CALENDAR, module(code, "calendar_days").as_csv())
    with Warehouse({analysis.BUCKET: bucket}) as made:
        session = made.session(*EVERYTHING)
        analysis.prepare(session, EIGHT, quoted=False)
        analysis.lay_out(session, EIGHT, "Parquet", "by month")
        yield made


QUERIES = {
    "the messages' file": "select * from read_text('{folder}/messages')",
    "the messages' file as a table": "select * from '{folder}/messages'",
    "what is done": "select * from read_json('{folder}/done')",
    "an object's file": "select * from read_blob('{folder}/bucket/*')",
    "an object as a table": "select * from 's3://shop/CDC/1'",
    "an object in a function": "select * from read_csv('s3://shop/CDC/1')",
    "a file in a WITH": "with s as (select * from '{folder}/messages') select * from s",
    "a file in a condition": "select 1 where 'x' in (select content from read_text('{folder}/messages'))",
    "the table that the job dropped": "select * from sales_to_write",
    "the view behind the external table": 'select * from "spectrum_schema.ecommerce_sales"',
    "the catalog of tables": "select * from information_schema.tables",
    "DuckDB's views": "select * from duckdb_views()",
    "the settings": "select current_setting('allowed_directories')",
    "DROP": "drop table date_dimension",
    "DELETE": "delete from date_dimension",
    "INSERT": "insert into date_dimension select * from date_dimension",
    "UPDATE": "update date_dimension set d_season = 'Spring'",
    "TRUNCATE": "truncate date_dimension",
    "CREATE TABLE": "create table mine (a int)",
    "COPY": "copy date_dimension from 's3://shop/2016dates' iam_role 'x' delimiter ','",
    "COPY TO": "copy (select 1) to '{folder}/out'",
    "UNLOAD": "unload ('select 1') to 's3://shop/CDC/2' iam_role 'x'",
    "another external table": "create external table spectrum_schema.mine (a varchar) location 's3://shop/'",
    "another partition": "alter table spectrum_schema.sales add partition (sale_month='2017-01') location 's3://shop/CDC/'",
    "another schema": "create external schema mine from data catalog database 'x' iam_role 'x'",
    "a transaction": "begin; delete from date_dimension; commit",
    "a second statement": "select 1; drop table date_dimension",
    "a second statement in a comment's place": "select 1 /* ; */ ; -- \n drop table date_dimension",
    "ATTACH": "attach '{folder}/bucket' as b",
    "INSTALL": "install httpfs",
    "WITH RECURSIVE": "with recursive a(n) as (select 1 union all select n + 1 from a) select count(*) from a",
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_the_tables_and_nothing_else(
    name: str, code: ModuleType, warehouse: Warehouse, bucket: DirectoryBucket, tmp_path: Path
) -> None:
    for file in ("messages", "done"):
        (tmp_path / file).write_text(json.dumps({"a": MARKER}))
    keys = [one.key for one in objects(bucket)]
    with pytest.raises(Refused, match="query, line") as refused:
        code.asked(warehouse.session(), QUERIES[name].replace("{folder}", str(tmp_path)))
    assert MARKER not in str(refused.value)
    assert [one.key for one in objects(bucket)] == keys
    assert not (tmp_path / "out").exists()
    counted = warehouse.session().run(
        "select count(*), count(distinct d_season) from date_dimension;"
        " select count(*) from spectrum_schema.ecommerce_sales; select count(*) from spectrum_schema.sales"
    )
    assert [one.rows for one in counted] == [((366, 4),), ((1,),), ((1,),)]


def test_without_the_walls_a_query_reads_the_file(tmp_path: Path) -> None:
    import duckdb  # noqa: PLC0415 (the control alone needs it)

    (tmp_path / "messages").write_text(MARKER)
    with duckdb.connect() as plain:
        found = plain.execute(QUERIES["the messages' file"].replace("{folder}", str(tmp_path))).fetchall()
    assert MARKER in repr(found)


TEXTS = {
    "an end of the literal": "'); DROP TABLE Sales; --",
    "a call": "' || lambda_async('x', 'y') || '",
    "a doubled quote": "''",
    "a backslash and a quote": "\\'",
    "a backslash at the end": "x\\",
    "a subquery": "' || (SELECT sql FROM sqlite_master) || '",
    "a function": "' || load_extension('/tmp/x') || '",
    "an end of the trigger": "'; END; DROP TRIGGER TR_Sales_CDC; --",
    "a delimiter": ";; DROP PROCEDURE CDC_TO_FIREHOSE ;;",
    "another delimiter": "DELIMITER ;;",
    "a command of the client": "\\! touch /tmp/x",
    "a parameter": ":1 ?1 $a @b",
    "a place of a format": "{message} {0} %s %(a)s",
    "an end of a hexadecimal literal": "X'00'",
    "the end of the JSON": '"}',
    "a JSON of its own": '","Price":"0',
    "a comment": "/* x */ -- y # z",
    "a byte order mark's neighbour": "ufeff \u00e9 \u4e2d",
    "four bytes a letter": "\U0001f6d2" * 100,
    "a quotation mark": '"',
    "a comma": "a, b",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["SQLite", "MariaDB"])
def test_a_text_of_the_template_stays_a_text(kind: str, code: ModuleType, request: pytest.FixtureRequest) -> None:
    sales, shop, template = (module(code, name) for name in ("sales", "shop", "message"))
    sale = sales.Sale(1, "Garden", 5, 2, "2016-03-01 00:00:00", "WA", "Free", None)
    for text in TEXTS.values():
        message = template.read(
            json.dumps({"make": "JSON_OBJECT", "columns": EIGHT, "instead_of_null": {"Referral": text}})
        )
        if kind == "SQLite":
            made = shop.SQLiteShop(message, outbox=True)
        else:
            made = shop.MariaDBShop(request.getfixturevalue("mariadb"), message, outbox=True)
        made.sell([(sale, False), (sale, True), (sale, False)], lambda _: None)
        assert [row["InvoiceID"] for row in made.rows()] == ["1", "3"]
        first, second = map(json.loads, made.calls())
        assert first == second
        assert first["Referral"] == text


def test_without_quoting_such_a_text_is_sql() -> None:
    """The control: the first of the texts, put into a statement as it is."""
    with sqlite3.connect(":memory:") as connection:
        connection.executescript("CREATE TABLE Sales (a); CREATE TABLE t (a)")
        connection.executescript(f"INSERT INTO t VALUES ('{TEXTS['an end of the literal']}')")
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


@pytest.mark.parametrize(
    "fields",
    [
        {"instead_of_null": {"Referral": "\0"}},
        {"instead_of_null": {"Referral": "a\r\nb"}},
        {"instead_of_null": {"Referral": "\ud800"}},
        {"instead_of_null": {"Referral": "\u202e"}},
        {"instead_of_null": {"Referral": ["x"]}},
        {"instead_of_null": {"Referral'); DROP TABLE Sales; --": "x"}},
        {"instead_of_null": [["Referral", "x"]]},
        {"columns": [*EIGHT[:7], "Referral); DROP TABLE Sales; --"]},
        {"columns": [*EIGHT, "(SELECT sql FROM sqlite_master)"]},
        {"columns": [*EIGHT[:7], ["Referral"]]},
        {"columns": dict.fromkeys(EIGHT)},
        {"make": "load_extension"},
        {"make": ["CONCAT"]},
        {"make": "CONCAT('a',"},
    ],
    ids=str,
)
def test_a_template_of_anything_else_is_refused(fields: dict[str, Any], code: ModuleType) -> None:
    template = {"make": "CONCAT", "columns": EIGHT, **fields}
    with pytest.raises(Refused, match="message, line 1"):
        module(code, "message").read(json.dumps(template))


PARTITIONS = {
    **TEXTS,
    "the way up": "../../../../etc",
    "the way up, encoded": "%2e%2e/%2e%2e",
    "a folder": "a/b=c/d",
    "a wildcard": "*",
    "brackets": "[a-z]?",
    "another bucket": "s3://other/",
    "the end of a location": "x') location 's3://other/",
    "a statement": "x'; drop table date_dimension; --",
    "a statement in a quoted query": "x''; drop table date_dimension; --",
    "a hidden file": ".x",
    "a file that is not read": "_x~",
    "the partition of no value": "__HIVE_DEFAULT_PARTITION__",
    "a space": " x ",
    "nothing": "",
}


def test_a_text_that_names_a_partition_names_it_and_nothing_else(code: ModuleType, tmp_path: Path) -> None:
    analysis, delivery = module(code, "analysis"), module(code, "delivery_process")
    bucket = DirectoryBucket(tmp_path / "bucket")
    columns = dict(zip(EIGHT, SALE.decode().strip().split(","), strict=True))
    for place, text in enumerate(PARTITIONS.values()):
        line = delivery.line({**columns, "Referral": text}, EIGHT, quoted=True)
        bucket.put(f"CDC/{place}", line.encode())
    bucket.put(analysis.CALENDAR, module(code, "calendar_days").as_csv())
    with Warehouse({analysis.BUCKET: bucket}) as warehouse:
        session = warehouse.session(*EVERYTHING)
        analysis.prepare(session, EIGHT, quoted=True)
        analysis.lay_out(session, EIGHT, "CSV", "by referral")
        found = _rows(session, "select referral from spectrum_schema.sales")
        assert found == {(text,) for text in PARTITIONS.values()}
        for text in PARTITIONS.values():
            asked = f"select referral from spectrum_schema.sales where sale_referral = {analysis.text(text)}"
            assert _rows(session, asked) >= ({(text,)} if text else set())
        assert len(_rows(session, "select d_datekey from date_dimension")) == 366
    written = [one.key for one in objects(bucket, "sales/")]
    assert written == sorted(f"sales/{number}/0000_part_00" for number in range(len(PARTITIONS)))
    assert [path.name for path in tmp_path.iterdir()] == ["bucket"]


def _rows(session: Session, query: str) -> set[tuple[Any, ...]]:
    return {*session.run(query)[0].rows}


ENDLESS = {
    "a join of everything": "select count(*) from date_dimension a, date_dimension b, date_dimension, date_dimension d",
    "a text of a gigabyte": "select repeat('x', 1000000000)",
    "an expression that backtracks": "select max(regexp_replace(d_season || '"
    + "a" * 2000
    + "', '(a|aa|a*)*(a*)*b', 'x')) from date_dimension",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_query_that_would_not_end_is_ended(name: str) -> None:
    lab = registry.read(FOLDER)
    values, faults = lab.read({"sales": "10", "query": ENDLESS[name]})
    assert faults == {}
    outcome = runner.execute(lab, values, 1, runner.Limits(seconds=20))
    assert outcome.ending.reason in {"refused", "memory", "done"}
    if outcome.ending.done:
        assert outcome.findings["query_rows"]["value"] <= 1


def test_a_result_is_cut_and_its_texts_are_texts(code: ModuleType, warehouse: Warehouse) -> None:
    result = code.asked(warehouse.session(), "select '<script>alert(1)</script>', d_datekey from date_dimension")
    shown: Callable[..., Any] = code.shown
    rows = shown(result).value["rows"]
    assert len(rows) == 50
    assert rows[0][0] == "<script>alert(1)</script>"
    wide = shown(code.asked(warehouse.session(), f"select {', '.join(['1'] * 500)}"))
    assert len(wide.value["columns"]) == len(wide.value["rows"][0]) == 20
    strange = "select 'NaN'::float8, 'infinity'::float8, null, '2016-01-01'::date, 2.5, repeated from"
    doubled = "(select max(a.d_season || a.d_season || a.d_season) || listagg(b.d_season) as repeated"
    found = code.asked(warehouse.session(), f"{strange} {doubled} from date_dimension a, date_dimension b) as x")
    *cells, long = shown(found).value["rows"][0]
    assert cells == ["nan", "inf", None, "2016-01-01", 2.5]
    assert len(long) == 200
