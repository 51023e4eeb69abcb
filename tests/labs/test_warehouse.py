"""The warehouse's contract: what Redshift and Spectrum are told is understood, and what they bill is counted."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from labs.parts.bucket import DirectoryBucket, objects
from labs.parts.warehouse import (
    EVERYTHING,
    Change,
    CreateTable,
    Limits,
    Session,
    Warehouse,
    WarehouseError,
)

NOW = datetime(2018, 1, 15, 3, 0, tzinfo=UTC).timestamp()
SALES = b"""1001,Music,9.99,2,2016-03-01 00:00:00,IL,Ground,Search
1002,Books,5.50,1,2016-07-01 00:00:00,WA,Ground,Email
1003,Books,5.50,4,2016-07-01 12:30:00,OR,Ground,Email
"""
DATES = b"1,1,3,Tue,2016-03-01,1,1,2016,Winter,2016\n2,1,7,Fri,2016-07-01,3,2,2016,Summer,2016\n"
SCHEMA = """
create external schema if not exists spectrum_schema
from data catalog
database 'spectrum_db'
region 'us-east-1'
IAM_ROLE 'arn:aws:iam::XXXXXXXXXXXX:role/RedshiftSpectrumRole'
create external database if not exists;
"""
SALES_TABLE = """
 CREATE EXTERNAL TABLE IF NOT EXISTS spectrum_schema.ecommerce_sales(
  ItemID int,
  Category varchar,
  Price DOUBLE PRECISION,
  Quantity int,
  OrderDate TIMESTAMP,
  DestinationState varchar,
  ShippingType varchar,
  Referral varchar)
ROW FORMAT DELIMITED
      FIELDS TERMINATED BY ','
LINES TERMINATED BY '\\n'
LOCATION 's3://lab/CDC/'
"""
DATES_TABLE = """
CREATE TABLE date_dimension (
  d_datekey           integer       not null sortkey,
  d_dayofmonth        integer       not null,
  d_monthnum          integer       not null,
  d_dayofweek                varchar(10)   not null,
  d_prettydate        date       not null,
  d_quarter           integer       not null,
  d_half              integer       not null,
  d_year              integer       not null,
  d_season            varchar(10)   not null,
  d_fiscalyear        integer       not null)
diststyle all;
copy date_dimension from 's3://lab/2016dates'
iam_role 'arn:aws:iam::XXXXXXXXXXXX:role/redshiftspectrum'
DELIMITER ','
dateformat 'auto';
"""


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    return DirectoryBucket(tmp_path / "bucket", lambda: NOW)


@pytest.fixture
def warehouse(bucket: DirectoryBucket) -> Iterator[Warehouse]:
    with Warehouse({"lab": bucket}, clock=lambda: NOW) as one:
        yield one


@pytest.fixture
def session(warehouse: Warehouse) -> Session:
    return warehouse.session(*EVERYTHING)


def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return list(session.run(sql)[-1].rows)


def fault(session: Session, sql: str) -> str:
    with pytest.raises(WarehouseError) as refusal:
        session.run(sql)
    return str(refusal.value)


def test_the_posts_statements_run_as_they_were_published(session: Session, bucket: DirectoryBucket) -> None:
    bucket.put("CDC/2018/01/05/10/AuroraChangesToS3-1-2018-01-05-10-15-30-x.gz", gzip.compress(SALES))
    bucket.put("2016dates", DATES)
    session.run(SCHEMA + SALES_TABLE)
    session.run(DATES_TABLE)
    assert len(rows(session, "select top 10 * from spectrum_schema.ecommerce_sales")) == 3
    join = """
        select sum(quantity*price) as total_sales, date_dimension.d_season
        from spectrum_schema.ecommerce_sales
        join date_dimension on spectrum_schema.ecommerce_sales.orderdate{} = date_dimension.d_prettydate
        group by date_dimension.d_season order by 2"""
    # A timestamp equals a date at midnight only, so the order of half past twelve is lost.
    assert rows(session, join.format("")) == [(5.5, "Summer"), (19.98, "Winter")]
    assert rows(session, join.format("::date")) == [(27.5, "Summer"), (19.98, "Winter")]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("7 / 2.0", 3.5),
        ("mod(7, 2)", 1),
        ("nvl(null, 2)", 2),
        ("nvl2(null, 1, 2)", 2),
        ("decode(2, 1, 'a', 2, 'b')", "b"),
        ("greatest(1, 3, 2)", 3),
        ("round(2.345, 2)", Decimal("2.35")),
        ("trunc(2.7)", 2),
        ("power(2, 10)", 1024),
        ("len('abc')", 3),
        ("charindex('b', 'abc')", 2),
        ("position('c' in 'abc')", 3),
        ("substring('abcdef', 2, 3)", "bcd"),
        ("left('abc', 2) || right('abc', 1)", "abc"),
        ("trim('  a ')", "a"),
        ("split_part('a,b,c', ',', 2)", "b"),
        ("replace('abc', 'b', 'x')", "axc"),
        ("regexp_replace('a1b22', '[0-9]+', '#')", "a#b22"),
        ("regexp_substr('order 42', '[0-9]+')", "42"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("json_extract_path_text('{\"a\": {\"b\": \"c\"}}', 'a', 'b')", "c"),
        ("getdate()", datetime(2018, 1, 15, 3, 0)),  # noqa: DTZ001
        ("current_date", date(2018, 1, 15)),
        ("dateadd(month, 1, '2018-01-31'::timestamp)", datetime(2018, 2, 28)),  # noqa: DTZ001
        ("datediff(day, '2018-01-01'::date, '2018-03-01'::date)", 59),
        ("date_trunc('month', '2018-01-15 10:00:00'::timestamp)::date", date(2018, 1, 1)),
        ("extract(year from '2018-01-15'::date)", 2018),
        ("date_part(dow, '2018-01-15'::date)", 1),
        ("last_day('2018-02-10'::date)", date(2018, 2, 28)),
        ("to_char('2018-01-05 09:08:07'::timestamp, 'YYYY/MM/DD/HH24')", "2018/01/05/09"),
        ("to_date('05.01.2018', 'DD.MM.YYYY')", date(2018, 1, 5)),
        ("cast('12.5' as decimal(10, 2))", Decimal("12.50")),
        ("convert(int, '12')", 12),
        ("'abcdef'::varchar(3)", "abc"),
        ("'abcdef'::varchar(4)::char(2)", "ab"),
        ("'abcdef'::varchar(max)", "abcdef"),
        ("'it''s' || chr(10)", "it's\n"),
        ("case when 1 = 1 then 'x' end", "x"),
        ("'abc' like 'a%'", True),
        ("'abc' ~ '^a.c$'", True),
        ("'a' in ('a', 'b') and 2 between 1 and 3", True),
    ],
)
def test_a_function_of_redshift_gives_what_redshift_gives(expression: str, value: object, session: Session) -> None:
    assert rows(session, f"select {expression}") == [(value,)]


def test_aggregates_and_windows(session: Session) -> None:
    session.run("create table t (n int, s varchar(5)); insert into t values (1, 'a'), (2, 'b'), (3, 'b'), (null, 'c')")
    assert rows(session, "select count(*), count(n), sum(n), median(n), count(distinct s) from t") == [(4, 3, 6, 2, 3)]
    assert rows(session, "select listagg(s, '-') within group (order by n) from t where n > 0") == [("a-b-b",)]
    assert rows(session, "select percentile_cont(0.5) within group (order by n) from t") == [(2.0,)]
    assert rows(
        session, "select n, row_number() over (partition by s order by n desc) from t where s = 'b' order by 1"
    ) == [
        (2, 2),
        (3, 1),
    ]
    assert rows(session, "select n, lag(n, 1) over (order by n) from t order by n") == [
        (1, None),
        (2, 1),
        (3, 2),
        (None, 3),
    ]
    # Redshift sorts NULL as the greatest value.
    assert rows(session, "select n from t order by n desc") == [(None,), (3,), (2,), (1,)]


def test_a_column_of_a_result_is_called_as_redshift_calls_it(session: Session) -> None:
    assert session.run("select count(*), 1 + 1, 2 as Two")[0].columns == ("count", "?column?", "two")


def test_names_are_folded_to_lower_case(session: Session) -> None:
    session.run("create table Sales (ItemID int); insert into SALES values (1)")
    assert rows(session, 'select "ITEMID" from public.sales') == [(1,)]


def test_a_design_is_kept_and_keys_are_not_enforced(session: Session, warehouse: Warehouse) -> None:
    session.run(
        "create table sales (id bigint primary key encode zstd, state char(2) distkey, at timestamp, primary key (id))"
        " compound sortkey (at, id)"
    )
    design = warehouse.designs["sales"]
    assert (design.distribution, design.distribution_key, design.sort_keys) == ("key", "state", ("at", "id"))
    session.run("insert into sales values (1, 'WA', '2018-01-01'), (1, 'WA', '2018-01-01')")
    assert rows(session, "select count(*) from sales") == [(2,)]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select *\nfrom nowhere", "line 2, column 6: There is no table “nowhere”."),
        ("select n,\n  nope from t", 'line 2, column 3: Referenced column "nope" not found in FROM clause.'),
        ("select n\nfrom t\nwhere", "line 3, column 1: This cannot be read near “where”."),
        ("select 1;\n\nselect frobnicate(1)", "line 3, column 8: The function FROBNICATE is not offered here."),
        ("select 'open", "line 1, column 13: The text ends inside a quotation or a comment."),
        ("select 1 / 0", "line 1, column 1: Division by zero in expression (1 // 0)."),
        ("insert into t values ('x', 'y')", "line 1, column 13: Could not convert string 'x' to INT32"),
        ("insert into t (s) values ('abcdef')", "line 1, column 13: A text is longer than the 5 bytes"),
        ("insert into t (s) values ('żółw')", "line 1, column 13: A text is longer than the 5 bytes"),
        ("create table x (a int, b moneyy)", "line 1, column 26: A type is expected here"),
        ("create table x (a int) sortkey (b)", "line 1, column 35: The table has no column “b”"),
        ("copy t from 's3://lab/x' escape", "line 1, column 26: This option of COPY is not offered here."),
        ("copy t from 's3://lab/x'", "line 1, column 1: No object's key begins with “x”."),
        ("unload ('select *\nfrom nope') to 's3://lab/x'", "line 1, column 1: In the quoted query, line 2, column 6:"),
        ("commit", "line 1, column 1: There is no transaction."),
        ("begin; create external schema a from data catalog database 'x' iam_role 'y'", "SCHEMA cannot run inside a"),
        ("drop table nope", "line 1, column 1: Table with name nope does not exist."),
    ],
)  # fmt: skip
def test_a_fault_tells_line_column_and_a_sentence(sql: str, told: str, session: Session) -> None:
    session.run("create table t (n int, s varchar(5))")
    assert told in fault(session, sql)


def test_nothing_is_carried_out_where_a_later_statement_cannot_be_read(session: Session) -> None:
    session.run("create table t (n int)")
    fault(session, "insert into t values (1); selec 1")
    assert rows(session, "select count(*) from t") == [(0,)]


def test_a_session_runs_only_what_it_permits(warehouse: Warehouse) -> None:
    told = fault(warehouse.session(), "create table t (n int)")
    assert told == "line 1, column 1: CREATE TABLE is not permitted in this session."
    warehouse.session(CreateTable).run("create table t (n int)")
    assert "INSERT is not permitted" in fault(warehouse.session(CreateTable), "insert into t values (1)")
    warehouse.session(Change).run("insert into t values (1)")
    assert rows(warehouse.session(), "select * from t") == [(1,)]


def test_no_more_rows_are_returned_than_may_be(bucket: DirectoryBucket) -> None:
    with Warehouse({"lab": bucket}, Limits(rows=3)) as small:
        session = small.session(*EVERYTHING)
        session.run("create table t (n int); insert into t values (1), (2), (3), (4)")
        found = session.run("select n from t order by n desc")[0]
        assert (found.rows, found.truncated) == (((4,), (3,), (2,)), True)
        found = session.run("select n from t order by n limit 3")[0]
        assert (len(found.rows), found.truncated) == (3, False)


def test_a_reader_sees_an_empty_table_between_deleting_and_loading_unless_both_are_one_transaction(
    warehouse: Warehouse, bucket: DirectoryBucket
) -> None:
    writer, reader = warehouse.session(*EVERYTHING), warehouse.session()
    bucket.put("extract/part", b"1\n2\n")
    writer.run("create table t (n int); copy t from 's3://lab/extract/'")
    writer.run("delete from t")
    assert rows(reader, "select count(*) from t") == [(0,)]
    writer.run("copy t from 's3://lab/extract/'")
    writer.run("begin; delete from t")
    assert rows(reader, "select count(*) from t") == [(2,)]
    writer.run("copy t from 's3://lab/extract/'; commit")
    assert rows(reader, "select count(*) from t") == [(2,)]


def test_truncate_commits_the_transaction_it_stands_in(warehouse: Warehouse) -> None:
    writer, reader = warehouse.session(*EVERYTHING), warehouse.session()
    writer.run("create table t (n int); insert into t values (1); begin; truncate t")
    assert rows(reader, "select count(*) from t") == [(0,)]
    assert "no transaction" in fault(writer, "rollback")


def test_a_commit_that_fails_ends_the_transaction(warehouse: Warehouse) -> None:
    one, other = warehouse.session(*EVERYTHING), warehouse.session(*EVERYTHING)
    one.run("create table t (n int); insert into t values (1)")
    one.run("begin; update t set n = 2")
    told = fault(other, "begin; update t set n = 3")
    assert "onflict" in told
    one.run("commit")
    other.run("rollback; update t set n = 3")
    assert rows(one, "select n from t") == [(3,)]


def test_what_is_rolled_back_was_never_there(session: Session) -> None:
    session.run("begin; create table t (n int); insert into t values (1); rollback")
    assert "no table “t”" in fault(session, "select * from t")


def test_copy_reads_every_object_with_the_prefix(session: Session, bucket: DirectoryBucket) -> None:
    session.run("create table t (n int, s varchar(20), at date)")
    bucket.put("load/a.gz", gzip.compress(b'n,s,at\n1,"a, b",05/01/2018\n'))
    bucket.put("load/b.gz", gzip.compress(b"n,s,at\n,,\n"))
    bucket.put("loaded", b"not for this COPY")
    load = "copy t from 's3://lab/load/' iam_role 'x' csv gzip ignoreheader 1 dateformat 'DD/MM/YYYY'"
    result = session.run(load)[0]
    assert (result.changed, result.objects_read) == (2, 2)
    # An empty field of a text column is an empty text, of any other column NULL.
    assert rows(session, "select * from t order by n") == [(1, "a, b", date(2018, 1, 5)), (None, "", None)]
    session.run(f"truncate t; {load} emptyasnull")
    assert rows(session, "select s from t order by n") == [("a, b",), (None,)]


def test_copy_loads_all_or_nothing_and_names_the_line(session: Session, bucket: DirectoryBucket) -> None:
    session.run("create table t (n int, s varchar(3))")
    bucket.put("load/1", b"1|a\n2|b\n")
    bucket.put("load/2", b"3|c\nfour|d\n")
    told = fault(session, "copy t from 's3://lab/load/'")
    assert told == "line 1, column 1: Line 2 of s3://lab/load/2: “four” is no INTEGER for the column “n”."
    bucket.put("load/2", b"2.5|c\n")
    assert "“2.5” is no INTEGER" in fault(session, "copy t from 's3://lab/load/'")
    bucket.put("load/2", b"3|c|more\n")
    assert "Line 1 of s3://lab/load/2" in fault(session, "copy t from 's3://lab/load/'")
    assert rows(session, "select count(*) from t") == [(0,)]
    bucket.put("load/2", b"3|\\N\n|\n\\N|x\n")
    assert session.run("copy t from 's3://lab/load/'")[0].changed == 5
    assert rows(session, "select * from t where n = 3 or n is null order by s") == [(None, ""), (None, "x"), (3, None)]


def test_columns_may_be_called_as_the_warehouses_own(session: Session, bucket: DirectoryBucket) -> None:
    session.run('create table file (line int, "fields" int, date date)')
    bucket.put("load", b"7|8|2018-01-05\n")
    session.run("copy file from 's3://lab/load'")
    assert rows(session, "select line, fields, date, file.line from file") == [(7, 8, date(2018, 1, 5), 7)]
    told = fault(session, 'create table "spectrum_schema.ecommerce_sales" (n int)')
    assert "A name of letters, digits and underscores" in told


def test_what_is_unloaded_can_be_loaded(session: Session, bucket: DirectoryBucket) -> None:
    session.run("create table t (n int, s varchar(9)); insert into t values (1, 'a|b'), (2, null)")
    for number, options in enumerate(("csv gzip", "csv header parallel off", "format as parquet")):
        query = "select * from t where s is null or s <> ''x''"
        session.run(f"unload ('{query}') to 's3://lab/out{number}/' iam_role 'x' {options}")
    assert [one.key for one in objects(bucket, "out")] == [
        "out0/0000_part_00.gz",
        "out1/000",
        "out2/0000_part_00.parquet",
    ]
    session.run("create table back (n int, s varchar(9))")
    session.run("copy back from 's3://lab/out0/' csv gzip emptyasnull")
    session.run("copy back from 's3://lab/out1/' csv ignoreheader 1 emptyasnull")
    session.run("copy back from 's3://lab/out2/' format parquet")
    assert rows(session, "select n, s, count(*) from back group by 1, 2 order by 1") == [(1, "a|b", 3), (2, None, 3)]


def test_unload_overwrites_only_where_it_is_told_to(session: Session, bucket: DirectoryBucket) -> None:
    unload = "unload ('select 1') to 's3://lab/out/' iam_role 'x'"
    session.run(unload)
    first = bucket.get("out/0000_part_00")
    assert "ALLOWOVERWRITE" in fault(session, unload)
    session.run(f"{unload} allowoverwrite")
    assert bucket.get("out/0000_part_00") == first == b"1\n"


def test_a_text_file_is_split_as_hive_splits_it(session: Session, bucket: DirectoryBucket) -> None:
    bucket.put("CDC/1", b'1,"a, b",2.5,1,2018-01-01 00:00:00,WA,x,y\n2,short\nx,\\N,,\n')
    session.run(SCHEMA + SALES_TABLE)
    found = rows(session, "select itemid, category, price, quantity from spectrum_schema.ecommerce_sales")
    # A comma inside quotation marks shifts the columns; what does not fit is NULL, what is missing too.
    assert found == [(1, '"a', None, None), (2, "short", None, None), (None, None, None, None)]


def test_opencsv_minds_the_quotes(session: Session, bucket: DirectoryBucket) -> None:
    bucket.put("csv/1", b'id,name\n1,"a, ""b"""\n2,short,and,more\n')
    session.run(
        SCHEMA + "create external table spectrum_schema.c (id int, name varchar(20))"
        " row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
        " with serdeproperties ('separatorChar' = ',', 'quoteChar' = '\"')"
        " location 's3://lab/csv/' table properties ('skip.header.line.count'='1')"
    )
    assert rows(session, "select * from spectrum_schema.c order by id")[0] == (1, 'a, "b"')


def test_an_external_table_has_what_its_folder_has_now(session: Session, bucket: DirectoryBucket) -> None:
    session.run(SCHEMA + SALES_TABLE)
    count = "select count(*) from spectrum_schema.ecommerce_sales"
    assert rows(session, count) == [(0,)]
    bucket.put("CDC/a", SALES)
    bucket.put("CDC/_manifest", SALES)
    bucket.put("CDC/.hidden", SALES)
    bucket.put("CDC/empty", b"")
    bucket.put("CDCelsewhere", SALES)
    assert rows(session, count) == [(3,)]
    bucket.delete("CDC/a")
    assert rows(session, count) == [(0,)]
    assert "read-only" in fault(session, "delete from spectrum_schema.ecommerce_sales")


PARTITIONED = """
create external table spectrum_schema.sales (id int, amount int, filler varchar)
partitioned by (month date)
row format delimited fields terminated by ','
{stored} location 's3://lab/{folder}/'
"""


@pytest.fixture
def partitioned(session: Session, bucket: DirectoryBucket) -> Session:
    """A table of twelve months: as text, as gzip and as Parquet."""
    session.run("create table month (id int, amount int, filler varchar(99))")
    lines = [f"{number},{number % 7},{md5(str(number).encode()).hexdigest()}" for number in range(5000)]
    bucket.put("source", "\n".join(lines).encode())
    session.run("copy month from 's3://lab/source' delimiter ','")
    session.run("unload ('select * from month') to 's3://lab/month/' format parquet")
    parquet = bucket.get("month/0000_part_00.parquet")
    text = bucket.get("source")
    session.run(SCHEMA)
    for folder, content, ending in (("text", text, ""), ("gz", gzip.compress(text), ".gz"), ("parquet", parquet, "")):
        stored = "stored as parquet" if folder == "parquet" else "stored as textfile"
        sql = PARTITIONED.format(stored=stored, folder=folder).replace(".sales", f".{folder}")
        for month in range(1, 13):
            day = f"2018-{month:02}-01"
            bucket.put(f"{folder}/month={day}/part{ending}", content)
            place = f"s3://lab/{folder}/month={day}/"
            sql += f"; alter table spectrum_schema.{folder} add partition (month='{day}') location '{place}'"
        session.run(sql)
    return session


@pytest.mark.parametrize("folder", ["text", "gz"])
def test_only_the_partitions_that_a_query_asks_for_are_read(
    folder: str, partitioned: Session, bucket: DirectoryBucket
) -> None:
    size = bucket.head(f"{folder}/month=2018-03-01/part{'.gz' if folder == 'gz' else ''}").size
    ask = f"select sum(amount), count(*) from spectrum_schema.{folder}"
    one = partitioned.run(f"{ask} where month = '2018-03-01'")[0]
    assert (one.objects_read, one.bytes_read) == (1, size)
    # Read again, it is billed again.
    assert partitioned.run(f"{ask} where month = '2018-03-01'")[0].bytes_read == size
    some = partitioned.run(f"{ask} where extract(month from month) between 2 and 4 and amount > 0")[0]
    assert (some.objects_read, some.bytes_read) == (3, 3 * size)
    every = partitioned.run(ask)[0]
    assert (every.objects_read, every.bytes_read, every.rows[0][1]) == (12, 12 * size, 60_000)
    # A condition on another column prunes nothing.
    assert partitioned.run(f"{ask} where id = 1")[0].objects_read == 12


def test_of_parquet_too_only_the_partitions_that_a_query_asks_for_are_opened(partitioned: Session) -> None:
    ask = "select sum(amount), count(*) from spectrum_schema.parquet"
    one = partitioned.run(f"{ask} where month = '2018-03-01'")[0]
    every = partitioned.run(ask)[0]
    assert (one.objects_read, one.rows[0][1], every.objects_read, every.rows[0][1]) == (1, 5000, 12, 60_000)
    assert every.bytes_read == 12 * one.bytes_read


def test_compression_and_columns_save_what_is_scanned(partitioned: Session) -> None:
    scanned = {
        folder: partitioned.run(f"select sum(amount) from spectrum_schema.{folder}")[0]
        for folder in ("text", "gz", "parquet")
    }
    assert {one.rows for one in scanned.values()} == {scanned["text"].rows}
    assert scanned["text"].bytes_read > 1.5 * scanned["gz"].bytes_read > 3 * scanned["parquet"].bytes_read
    assert scanned["text"].bytes_billed == 10 << 20


def test_a_partition_that_was_not_added_is_not_there(session: Session, bucket: DirectoryBucket) -> None:
    bucket.put("text/month=2018-01-01/part", b"1,2,x\n")
    session.run(SCHEMA + PARTITIONED.format(stored="", folder="text"))
    assert rows(session, "select count(*) from spectrum_schema.sales") == [(0,)]
    place = "s3://lab/text/month=2018-01-01/"
    add = f"alter table spectrum_schema.sales add {{}} partition (month='2018-01-01') location '{place}'"
    session.run(add.format(""))
    assert rows(session, "select * from spectrum_schema.sales") == [(1, 2, "x", date(2018, 1, 1))]
    assert "exists already" in fault(session, add.format(""))
    session.run(add.format("if not exists"))
    assert "partitioned by month" in fault(session, add.format("").replace("month='", "day='"))
