"""What is done with the delivered files: the published statements, a job that writes them anew, queries, charts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from labs.parts.warehouse import Result, Session

from .calendar_days import MONTHS, SEASONS, WEEKDAYS
from .message import KEY

BUCKET, DELIVERED, CALENDAR, LAID_OUT = "shop", "CDC/", "2016dates", "sales/"
ROLE = "arn:aws:iam::123456789012:role/RedshiftSpectrumRole"

Layout = Literal["as delivered", "CSV", "CSV, GZIP", "Parquet"]
Partitioning = Literal["none", "by month", "by referral"]

TYPES = {
    KEY: "int",
    "ItemID": "int",
    "Category": "varchar",
    "Price": "double precision",
    "Quantity": "int",
    "OrderDate": "timestamp",
    "DestinationState": "varchar",
    "ShippingType": "varchar",
    "Referral": "varchar",
}
"""The columns as the published external table has them, and the number that it does not have."""

SCHEMA = f"""
create external schema if not exists spectrum_schema
from data catalog
database 'spectrum_db'
region 'us-east-1'
iam_role '{ROLE}'
create external database if not exists
"""
AS_TEXT = """row format delimited fields terminated by ',' lines terminated by '\\n'"""
AS_CSV = """row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"""
DIMENSION = """
create table date_dimension (
  d_datekey integer not null sortkey,
  d_dayofmonth integer not null,
  d_monthnum integer not null,
  d_dayofweek varchar(10) not null,
  d_prettydate date not null,
  d_quarter integer not null,
  d_half integer not null,
  d_year integer not null,
  d_season varchar(10) not null,
  d_fiscalyear integer not null)
diststyle all
"""
COPY = f"""
copy date_dimension from 's3://{BUCKET}/{CALENDAR}'
iam_role '{ROLE}'
delimiter ',' dateformat 'auto'
"""
TOP = "select top 10 * from spectrum_schema.ecommerce_sales"
JOINED = """
select count(*) from spectrum_schema.ecommerce_sales
join date_dimension on spectrum_schema.ecommerce_sales.orderdate{} = date_dimension.d_prettydate
"""
READ = "select count(*), sum(price * quantity) from spectrum_schema.ecommerce_sales"

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What Hive calls the partition of the rows that have no value."""
PARTITIONS = {
    "by month": ("sale_month", f"coalesce(to_char(orderdate, 'YYYY-MM'), '{NO_VALUE}')"),
    "by referral": ("sale_referral", f"coalesce(referral, '{NO_VALUE}')"),
}
"""The column of each partitioning, and what it is made of."""

DIMENSIONS = {
    "season": "d_season",
    "weekday": "d_dayofweek",
    "month": "d_monthnum",
    "category": "category",
    "state": "destinationstate",
    "shipping type": "shippingtype",
    "referral": "referral",
}
MEASURES = {"Total Sales $": "sum(price * quantity)", "Quantity": "sum(quantity)", "Sales": "count(*)"}
"""The calculated field, and what QuickSight would offer by itself."""

ORDERS = {"season": SEASONS, "weekday": WEEKDAYS, "month": MONTHS}

LONGEST_CELL = 200
"""Characters of a text that are shown."""


class Reading(NamedTuple):
    """What the warehouse finds in the delivered files: rows, their total, and how many of them two joins keep."""

    rows: int
    total: float
    joined_as_published: int
    joined_by_day: int


def prepare(session: Session, columns: Sequence[str], *, quoted: bool) -> None:
    """Carry out the published statements up to the two tables; the columns are those of the delivered lines."""
    session.run(SCHEMA)
    session.run(external_table("ecommerce_sales", columns, AS_CSV if quoted else AS_TEXT, DELIVERED))
    session.run(DIMENSION)
    session.run(COPY)


def external_table(name: str, columns: Iterable[str], form: str, prefix: str, partition: str = "") -> str:
    """Return the statement for a table over the objects under a prefix, partitioned by a text or not."""
    listed = ", ".join(f"{one} {TYPES[one]}" for one in columns)
    by = f"partitioned by ({partition} varchar) " if partition else ""
    location = f"location 's3://{BUCKET}/{prefix}'"
    return f"create external table if not exists spectrum_schema.{name} ({listed}) {by}{form} {location}"


def lay_out(session: Session, columns: Sequence[str], layout: Layout, partitioning: Partitioning) -> None:
    """Write what was delivered once more, as ``spectrum_schema.sales``: in another format, in a folder a partition."""
    by, value = PARTITIONS.get(partitioning, ("", ""))
    names = ", ".join(columns)
    listed = ", ".join(f"{one} {TYPES[one].replace('varchar', 'varchar(max)')}" for one in columns)
    session.run(f"create table sales_to_write ({listed})")
    session.run(f"insert into sales_to_write ({names}) select {names} from spectrum_schema.ecommerce_sales")
    form = "stored as parquet" if layout == "Parquet" else AS_CSV
    session.run(external_table("sales", columns, form, LAID_OUT, by))
    values = [one for (one,) in session.run(f"select distinct {value} from sales_to_write")[0].rows] if by else [""]
    option = {"CSV": "csv", "CSV, GZIP": "csv gzip", "Parquet": "format as parquet"}[layout]
    for number, one in enumerate(values):
        # By number: what may be a learner's text never becomes a key.
        folder = f"{LAID_OUT}{number}/"
        query = f"select {names} from sales_to_write" + (f" where {value} = {text(one)}" if by else "")
        session.run(f"unload ({text(query)}) to 's3://{BUCKET}/{folder}' iam_role '{ROLE}' {option}")
        if by:
            session.run(
                f"alter table spectrum_schema.sales add partition ({by}={text(one)}) location 's3://{BUCKET}/{folder}'"
            )
    session.run("drop table sales_to_write")


def text(one: str) -> str:
    """Return a text as a literal of Redshift, in which a backslash stands before the next character."""
    return "'" + one.replace("\\", "\\\\").replace("'", "''") + "'"


def read(session: Session) -> Reading:
    """Return what the warehouse finds in the delivered files."""
    ((rows, total),) = session.run(READ)[0].rows
    kept = [session.run(JOINED.format(cast))[0].rows[0][0] for cast in ("", "::date")]
    return Reading(rows, round(total or 0.0, 2), *kept)


def chart(session: Session, dimension: str, measure: str) -> list[tuple[str, float]]:
    """Return a measure by a dimension of the sales as they were delivered, as a chart shows it."""
    column = DIMENSIONS[dimension]
    dated = " join date_dimension on orderdate::date = d_prettydate" if column.startswith("d_") else ""
    query = f"select {column}, {MEASURES[measure]} from spectrum_schema.ecommerce_sales{dated} group by {column}"
    found = [(_called(one, dimension), float(value or 0)) for one, value in session.run(query)[0].rows]
    known = ORDERS.get(dimension, ())
    return sorted(found, key=lambda one: (known.index(one[0]) if one[0] in known else len(known), -one[1], one[0]))


def answer(result: Result) -> dict[str, float]:
    """Return a result whose rows have a text and a number each as the numbers by the texts; nothing for any other."""
    found = {}
    for row in result.rows:
        texts = [one for one in row if isinstance(one, str)]
        numbers = [float(one) for one in row if isinstance(one, int | float | Decimal)]
        if len(row) != 2 or len(texts) != 1 or len(numbers) != 1 or texts[0] in found:
            return {}
        found[texts[0]] = numbers[0]
    return found


def agrees(found: Mapping[str, float], known: Mapping[str, float]) -> bool:
    """Whether all numbers are right to the cent, for the same texts and at least one."""
    return bool(known) and found.keys() == known.keys() and all(abs(found[one] - known[one]) < 0.005 for one in known)


def cell(value: Any) -> Any:
    """Return a value of a result as JSON has it, a text cut to its beginning."""
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return round(float(value), 4)
    return value if value is None or isinstance(value, int) else str(value)[:LONGEST_CELL]


def _called(value: Any, dimension: str) -> str:
    if dimension == "month":
        return MONTHS[int(value) - 1]
    return str(value or "(empty)")
