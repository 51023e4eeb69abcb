"""What learners write as SQL cannot read a file, open a connection, look around, or outlive its limits."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from labs import runner
from labs.parts.bucket import DirectoryBucket
from labs.parts.warehouse import EVERYTHING, Limits, Session, Warehouse, WarehouseError
from labs.registry import Lab

SECRET = "the marker of a file outside"

READING = {
    "replacement scan": "select * from '{file}'",
    "replacement scan, quoted name": 'select * from "{file}"',
    "replacement scan with an alias": "select a.* from '{file}' as a",
    "replacement scan in a join": "select * from t join '{file}' f on true",
    "replacement scan after a comma": "select * from t, '{file}'",
    "replacement scan as schema and table": "select * from '/etc'.'passwd'",
    "replacement scan of three parts": "select * from x.'/etc'.'passwd'",
    "read_csv": "select * from read_csv('{file}')",
    "read_csv_auto": "select * from read_csv_auto('{file}')",
    "read_text": "select * from read_text('{file}')",
    "read_blob": "select * from read_blob('{file}')",
    "read_json": "select * from read_json('{file}')",
    "read_parquet": "select * from read_parquet('{file}')",
    "parquet_scan": "select * from parquet_scan('{file}')",
    "sniff_csv": "select * from sniff_csv('{file}')",
    "glob": "select * from \"glob\"('{file}')",
    "a list of files": "select * from read_text(['{file}'])",
    "capital letters": "SELECT * FROM READ_CSV('{file}')",
    "a quoted function": "select * from \"read_csv\"('{file}')",
    "a function of a schema": "select * from main.read_csv('{file}')",
    "a function of the system's schema": "select * from system.main.read_csv('{file}')",
    "a comment between name and bracket": "select * from read_csv/**/('{file}')",
    "a comment of several lines": "select * from /* \n */ read_csv /* x */ ('{file}')",
    "a nested comment": "select * from /* /* */ t */ read_csv('{file}')",
    "a comment that ends a line": "select * from t -- \n, read_csv('{file}')",
    "read in a subquery": "select * from (select * from read_csv('{file}')) x",
    "read in a WITH": "with a as (select * from read_csv('{file}')) select * from a",
    "read in a WITH of a WITH": "with a as (with b as (select * from '{file}') select * from b) select * from a",
    "a WITH named as the file": "with a as (select * from '{file}'), \"{file}\" as (select 1) select * from a",
    "a WITH out of reach": 'select * from (with "{file}" as (select 1 x) select x from t) a, "{file}"',
    "read in a condition": "select * from t where n in (select 1 from read_csv('{file}'))",
    "read in EXISTS": "select 1 where exists (select 1 from '{file}')",
    "read as a scalar": "select (select content from read_text('{file}'))",
    "read as a scalar function": "select read_text('{file}')",
    "read in ORDER BY": "select * from t order by (select count(*) from '{file}')",
    "read in GROUP BY": "select count(*) from t group by (select count(*) from '{file}')",
    "read in LIMIT": "select * from t limit (select count(*) from '{file}')",
    "read in a CASE": "select case when true then (select max(content) from read_text('{file}')) end",
    "read in a window": "select sum(n) over (order by (select count(*) from '{file}')) from t",
    "read in a UNION": "select 1 union all select 2 from '{file}'",
    "read in VALUES": "insert into t values ((select count(*) from '{file}'))",
    "read in INSERT": "insert into t select 1 from '{file}'",
    "read in DELETE": "delete from t where n = (select count(*) from '{file}')",
    "read by DELETE USING": "delete from t using '{file}' f where true",
    "read in UPDATE": "update t set n = (select count(*) from '{file}')",
    "read by UPDATE FROM": "update t set n = 1 from '{file}' f",
    "read by UNLOAD": "unload ('select * from ''{file}''') to 's3://lab/x'",
    "read by UNLOAD of a function": "unload ('select * from read_text(''{file}'')') to 's3://lab/x'",
    "LATERAL": "select * from t, lateral (select * from read_csv('{file}')) x",
    "FROM first": "from '{file}'",
    "TABLE": "table '{file}'",
    "DESCRIBE": "describe select * from '{file}'",
    "SUMMARIZE": "summarize '{file}'",
    "EXPLAIN": "explain select * from '{file}'",
    "EXPLAIN ANALYZE": "explain analyze select * from '{file}'",
    "PIVOT": "pivot '{file}' on a",
    "CREATE TABLE AS": "create table x as select * from '{file}'",
    "CREATE VIEW": "create view x as select * from '{file}'",
    "CREATE MACRO": "create macro f() as table select * from '{file}'",
    "DEFAULT": "create table x (a varchar default (select content from read_text('{file}')))",
    "CHECK": "create table x (a int check (a > (select count(*) from '{file}')))",
    "query()": "select * from query('select * from read_csv(''{file}'')')",
    "query_table()": "select * from query_table('{file}')",
    "SQL in JSON": "select * from json_execute_serialized_sql(json_serialize_sql('select * from ''{file}'''))",
    "PREPARE": "prepare p as select * from '{file}'",
    "EXECUTE IMMEDIATE": "execute immediate 'select 1'",
    "DO": "do $$ select 1 $$",
    "dollar quotes": "select * from $${file}$$",
    "dollar quotes for a function": "select * from read_text($${file}$$)",
    "an escaped text": "select * from read_text(E'{file}')",
    "a text by Unicode escapes": "select * from read_text(U&'{file}')",
    "a text closed by a backslash": "select '\\' , * from read_text('{file}') -- '",
    "a doubled backslash": "select '\\\\', content from read_text('{file}')",
    "fullwidth letters": "select * from ｒｅａｄ＿ｃｓｖ('{file}')",
    "a fullwidth quotation mark": "select * from ＇{file}＇",
    "typographic quotation marks": "select * from ‘{file}’",
    "a space that does not break": "select\u00a0*\u00a0from\u00a0read_csv('{file}')",
    "a space without width": "select * from read\u200b_csv('{file}')",
    "letters from right to left": "select * from \u202eread_csv('{file}')",
    "a byte order mark": "\ufeffselect * from read_csv('{file}')",
    "NUL": "select 1\0; select * from read_csv('{file}')",
    "half a character": "select '\ud800' from read_csv('{file}')",
    "a second statement": "select 1; select * from read_csv('{file}')",
    "a second statement in a text": "select * from t where s = ''; select * from read_csv('{file}') --'",
    "the bucket's own scheme": "select * from read_csv('s3://lab/secret')",
    "the bucket's own scheme as a table": "select * from 's3://lab/secret'",
    "out of the bucket": "select * from 's3://lab/../../{file}'",
    "COPY of the file": "copy t from '{file}'",
    "COPY from a file's address": "copy t from 'file://{file}'",
    "COPY out of the bucket": "copy t from 's3://lab/../../{file}'",
    "COPY from the bucket of another": "copy t from 's3://other/x'",
    "COPY as DuckDB has it": "copy t from '{file}' (format csv)",
    "COPY to DuckDB's options by a delimiter": "copy t from 's3://lab/' delimiter ''', filename=''x'",
    "an external table over the file": "create external table e.x (a varchar) location '{file}'",
    "a partition over the file": "alter table e.x add partition (d='1') location '{file}'",
}
WRITING = {
    "COPY TO": "copy t to '{out}'",
    "COPY of a query": "copy (select 1) to '{out}'",
    "EXPORT DATABASE": "export database '{out}'",
    "UNLOAD to the file": "unload ('select 1') to '{out}'",
    "UNLOAD to a bucket of another": "unload ('select 1') to 's3://other/x'",
    "ATTACH": "attach '{out}' as d",
    "ATTACH of SQLite": "attach '{out}' as d (type sqlite)",
    "CREATE SCHEMA": "create schema x",
    "CREATE SECRET": "create secret (type s3, key_id 'a', secret 'b')",
    "CREATE FUNCTION": "create function f() returns int as $$ import os $$ language plpythonu",
    "logging to a file": "call enable_logging('FileSystem', storage_path='{out}')",
    "profiling to a file": "pragma profiling_output='{out}'",
    "SET the place of temporary files": "set temp_directory='{out}'",
}
CONNECTING = {
    "http as a table": "select * from 'http://127.0.0.1:{port}/x.csv'",
    "https in a function": "select * from read_csv('https://127.0.0.1:{port}/x.csv')",
    "INSTALL": "install httpfs",
    "LOAD": "load httpfs",
    "FORCE INSTALL from elsewhere": "force install httpfs from 'http://127.0.0.1:{port}'",
    "postgres_scan": "select * from postgres_scan('host=127.0.0.1 port={port}', 'public', 'x')",
    "dblink": "select * from dblink('host=127.0.0.1 port={port}', 'select 1')",
    "COPY from a host": "copy t from 'ssh://127.0.0.1:{port}/x'",
    "ATTACH of a host": "attach 'http://127.0.0.1:{port}/x.db'",
}
LOOKING = {
    "getenv": "select getenv('PATH')",
    "current_setting": "select current_setting('memory_limit')",
    "duckdb_settings": "select * from duckdb_settings()",
    "duckdb_secrets": "select * from duckdb_secrets()",
    "duckdb_tables": "select * from duckdb_tables()",
    "pg_catalog": "select * from pg_catalog.pg_tables",
    "information_schema": "select * from information_schema.tables",
    "sqlite_master": "select * from sqlite_master",
    "pragma_database_list": "select * from pragma_database_list",
    "PRAGMA": "pragma database_list",
    "SHOW": "show all tables",
    "SET": "set memory_limit='8GB'",
    "RESET": "reset memory_limit",
    "USE": "use main",
    "CHECKPOINT": "checkpoint",
    "SET VARIABLE": "set variable x = 1",
    "getvariable": "select getvariable('x')",
    "a parameter": "select $1",
    "a question mark": "select ?",
    "a variable of the program": "select * from os",
    "COLUMNS": "select columns('.*') from t",
    "a lambda": "select list_transform([1], x -> x)",
    "a list": "select [1, 2]",
    "a struct": "select {'a': 1}",
    "random numbers": "select random()",
    "the version": "select version()",
    "a function of the database": "select pg_sleep(100)",
    "nextval": "select nextval('x')",
    "a hint": "select /*+ set_var(x=1) */ * from duckdb_settings()",
}

ENDLESS = {
    "WITH RECURSIVE": "with recursive a(n) as (select 1 union all select n + 1 from a) select count(*) from a",
    "a join of a billion rows": "select count(*) from t a, t b, t c where md5(a.n || ',' || b.n || ',' || c.n) = 'x'",
    "a join sorted": "select a.n from t a, t b, t c, u d, u e, u f order by a.n + b.n, f.n",
    "a join grouped": "select a.n + b.n * c.n, count(*) from t a, t b, t c, u d, u e, u f group by 1",
    "a window over a join": "select sum(a.n) over (order by b.n, c.n, f.n) from t a, t b, t c, u d, u e, u f",
    "hashes": "select max(md5(md5(a.n::varchar || b.n || c.n))) from t a, t b, t c, u d, u e, u f",
    "a text doubled again and again": "{doubled}",
    "a text replaced by longer ones": "{replaced}",
    "all texts in one": "select len(listagg(a.n || repeated.s, ',')) from t a, t b, t c, u d, "
    "(select 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' s) repeated",
    "repeat": "select repeat('x', 1000000000)",
    "lpad": "select lpad('x', 1000000000, 'y')",
    "range": "select count(*) from range(10000000000)",
    "generate_series": "select * from generate_series(1, 10000000000)",
    "an expression that backtracks": "select max(regexp_replace({long}, '(a|aa|a*)*(a*)*b', 'x')) from t, u",
    "an expression of many repetitions": "select regexp_replace('a', '((((a{99}){99}){99}){99}){99}', '')",
    "an expression of many sets": "select s ~ '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a]x' from (select {long} s) x, t",
    "wildcards": "select count(*) from (select {long} s) x, t, u where s like '%_a%_a%_a%_a%_a%_a%_ab%c'",
    "brackets": "select {brackets}",
    "open brackets": "select {open}",
    "CASE in CASE": "select {cases}",
    "NOT NOT NOT": "select {nots}",
    "minus minus minus": "select {minuses}",
    "many terms": "select {terms}",
    "many comparisons": "select 1 from t where {comparisons}",
    "many unions": "{unions}",
    "many casts": "select {casts}",
    "many tables": "select count(*) from {tables}",
    "many columns": "select {columns} from t",
    "many values": "select 1 from t where n in ({columns})",
    "many WITHs, each twice the one before": "{withs}",
    "a text that is too long": "select '{huge}'",
    "a number that is too long": "select {digits}",
    "a name that is too long": "select {name} from t",
    "LIMIT of a billion": "select a.n from t a, t b, t c, u d, u e limit 1000000000",
}  # fmt: skip


def _chain(first: str, step: str, count: int) -> str:
    """Return a WITH of ``count`` queries, each made of the one before."""
    parts = [f"q0 as (select {first} s)"]
    parts += [f"q{number} as (select {step} s from q{number - 1})" for number in range(1, count)]
    return f"with {', '.join(parts)} select len(s) from q{count - 1}"


FILLINGS = {
    "doubled": _chain("'0123456789'", "s || s || s || s || s || s || s || s", 12),
    "replaced": _chain("'xxxxxxxxxx'", "replace(s, 'x', 'xxxxxxxxxx')", 12),
    "long": "'" + "a" * 5000 + "'",
    "brackets": "(" * 2000 + "1" + ")" * 2000,
    "open": "(" * 30000,
    "cases": "case when true then " * 500 + "1" + " end" * 500,
    "nots": "not " * 10000 + "true",
    "minuses": "- " * 20000 + "1",
    "terms": " + ".join(["1"] * 15000),
    "comparisons": " or ".join(["n = 1"] * 6000),
    "casts": "1" + "::int" * 10_000,
    "tables": ", ".join(f"t t{number}" for number in range(4000)),
    "columns": ", ".join("1" * 20_000),
    "unions": " union all ".join(["select 1"] * 3000),
    "withs": "with "
    + ", ".join(
        ["q0 as (select n from t)"]
        + [f"q{number} as (select a.n from q{number - 1} a, q{number - 1} b)" for number in range(1, 12)]
    )
    + " select count(*) from q11",
    "huge": "x" * 2_000_000,
    "digits": "9" * 60_000,
    "name": "n" * 60_000,
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "secret.csv"
    path.parent.mkdir()
    path.write_text(f"a\n{SECRET}\n")
    return path


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    bucket = DirectoryBucket(tmp_path / "run" / "bucket")
    bucket.put("rows", b"1\n")
    with Warehouse({"lab": bucket}, Limits(seconds=2)) as one:
        one.session(*EVERYTHING).run("create table t (n int, s varchar(10))")
        yield one


@pytest.fixture
def session(warehouse: Warehouse) -> Session:
    """A session that may do whatever any lab could permit."""
    return warehouse.session(*EVERYTHING)


REFUSED = {**READING, **WRITING, **CONNECTING, **LOOKING}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
def test_an_attempt_is_refused_at_once_and_tells_nothing(
    sql: str, session: Session, secret: Path, tmp_path: Path
) -> None:
    out = tmp_path / "outside" / "written"
    started = time.monotonic()
    with pytest.raises(WarehouseError) as refusal:
        session.run(sql.replace("{file}", str(secret)).replace("{out}", str(out)))
    assert time.monotonic() - started < 20
    assert SECRET not in str(refusal.value)
    assert refusal.value.line >= 1
    assert refusal.value.column >= 1
    assert [path.name for path in secret.parent.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize("setting", ["memory_limit = '8GB'", "threads = 8", "allowed_directories = ['/']"])
def test_no_setting_can_be_changed(setting: str, warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        warehouse.session()._connection.execute(f"set {setting}")
    with duckdb.connect() as plain:
        plain.execute(f"set {setting}")


def test_nobody_is_called(session: Session, warehouse: Warehouse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        for sql in CONNECTING.values():
            with pytest.raises(WarehouseError):
                session.run(sql.replace("{port}", str(port)))
            with pytest.raises((duckdb.Error, RuntimeError)):
                warehouse.session()._connection.execute(sql.replace("{port}", str(port)))
        with pytest.raises(TimeoutError):
            listener.accept()
        # Whoever does call is heard.
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()


@pytest.mark.parametrize("sql", READING.values(), ids=READING.keys())
def test_a_session_that_may_only_query_refuses_it_too(sql: str, warehouse: Warehouse, secret: Path) -> None:
    with pytest.raises(WarehouseError) as refusal:
        warehouse.session().run(sql.replace("{file}", str(secret)))
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("name", [*READING, *WRITING, *CONNECTING])
def test_the_second_wall_holds_without_the_first(name: str, warehouse: Warehouse, secret: Path, tmp_path: Path) -> None:
    out = tmp_path / "outside" / "written"
    sql = REFUSED[name].replace("{file}", str(secret)).replace("{out}", str(out))
    try:
        rows = warehouse.session()._connection.execute(sql).fetchall()
    except (duckdb.Error, RuntimeError) as error:
        rows = [str(error)]
    assert SECRET not in repr(rows)
    assert [path.name for path in secret.parent.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "name",
    ["replacement scan", "read_csv", "read_text", "read in a WITH", "read in EXISTS", "COPY of a query", "ATTACH"],
)
def test_without_the_walls_it_succeeds(name: str, secret: Path, tmp_path: Path) -> None:
    out = tmp_path / "outside" / "written"
    sql = REFUSED[name].replace("{file}", str(secret)).replace("{out}", str(out))
    with duckdb.connect() as plain:
        rows = plain.execute(sql).fetchall()
    assert out.exists() or rows


LAB = """
from pathlib import Path
from labs.parts.bucket import DirectoryBucket
from labs.parts.warehouse import EVERYTHING, Limits, Warehouse, WarehouseError

@dataclass(frozen=True)
class Parameters:
    number: int

def run(parameters, seed, report):
    with Warehouse({{"lab": DirectoryBucket(Path("bucket"))}}, Limits(seconds={seconds})) as warehouse:
        session = warehouse.session(*EVERYTHING)
        session.run("create table t (n int); create table u (n int)")
        for table in "tu":
            session.run(f"insert into {{table}} values " + ", ".join(f"({{one}})" for one in range(1000)))
        try:
            rows = session.run({sql!r})[0].rows
        except WarehouseError as error:
            raise Refused(str(error)) from None
        return {{"number": Finding(7, ""), "rows": Finding(len(rows), "rows")}}
"""
MakeLab = Callable[..., Lab]
RUN = runner.Limits(seconds=8, memory_mib=1024, file_mib=4)


def _attempt(make_lab: MakeLab, sql: str, seconds: float, limits: runner.Limits = RUN) -> runner.Outcome:
    for name, filling in FILLINGS.items():
        sql = sql.replace(f"{{{name}}}", filling)
    lab = make_lab(LAB.format(sql=sql, seconds=seconds), f"limit_{seconds}")
    return runner.execute(lab, {"number": 7}, 1, limits)


# Each takes a run with its second of limit: every fourth for a quick look, all of them with --full.
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.full] if at % 4 else []) for at, one in enumerate(ENDLESS)]
)
def test_what_would_not_end_is_ended_with_the_run_at_the_latest(name: str, make_lab: MakeLab) -> None:
    started = time.monotonic()
    outcome = _attempt(make_lab, ENDLESS[name], seconds=1)
    assert time.monotonic() - started < RUN.seconds + 20
    assert outcome.ending.reason in {"refused", "memory", "time", "done"}
    # Some turn out to be harmless, but none brings more rows than it may.
    if outcome.ending.done:
        assert outcome.findings["rows"]["value"] <= 1000


def test_without_the_limit_of_a_statement_it_goes_on(make_lab: MakeLab) -> None:
    sql = ENDLESS["a join of a billion rows"]
    outcome = _attempt(make_lab, sql, seconds=1)
    assert outcome.ending.reason == "refused"
    assert "was ended after 1 s" in outcome.ending.sentence
    assert _attempt(make_lab, sql, seconds=9999, limits=replace(RUN, seconds=4)).ending.reason == "time"
