"""The shop's database: its table, and the trigger that calls a function for every row; in SQLite, or in MariaDB."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter
from typing import Protocol

from labs.parts.mariadb import Client

from .message import COLUMNS, KEY, Dialect, Message
from .sales import Sale

ARN = "arn:aws:lambda:us-east-1:123456789012:function:CDCFromAuroraToKinesis"
ROWS = 500
"""Rows of one INSERT, after which somebody is told."""

Row = Mapping[str, str | None]
"""A committed row as texts, by the names of its columns."""
Told = Callable[[int], None]
"""Is told how many more rows were inserted."""


class Shop(Protocol):
    """What a shop does; ``tests/labs/test_aurora_redshift.py`` holds both kinds to it."""

    def sell(self, sales: Iterable[tuple[Sale, bool]], tell: Told) -> None:
        """Insert sales in their order; those with True are rolled back."""

    def calls(self) -> list[str | None]:
        """Return the message of every call of the function that has left the database, in order."""

    def rows(self) -> Iterator[Row]:
        """Yield the committed rows in the order of their numbers."""


def _together(sales: Iterable[tuple[Sale, bool]]) -> Iterator[tuple[bool, list[Sale]]]:
    """Yield neighbours that are committed, or rolled back, as one transaction would be."""
    for rolled_back, run in groupby(sales, key=itemgetter(1)):
        same = (sale for sale, _ in run)
        while batch := list(islice(same, ROWS)):
            yield rolled_back, batch


class SQLiteShop:
    """The table in memory, with the published procedure's text written into the trigger: SQLite has no procedures."""

    def __init__(self, message: Message, *, outbox: bool) -> None:
        self._calls: list[str | None] = []
        self._outbox = outbox
        self._numbers = 0
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.create_function("lambda_async", 2, lambda _arn, text: self._calls.append(text))
        columns = ", ".join(f"{name} TEXT" for name in COLUMNS)
        self._connection.execute(f"CREATE TABLE Sales ({KEY} INTEGER PRIMARY KEY, {columns})")
        self._connection.execute("CREATE TABLE lambda_outbox (id INTEGER PRIMARY KEY, payload TEXT)")
        made = message.expression(Dialect(lambda name: f"NEW.{name}", _literal, " || ".join))
        call = f"SELECT lambda_async('{ARN}', {made})"
        if outbox:
            call = f"INSERT INTO lambda_outbox (payload) VALUES ({made})"
        self._connection.execute(f"CREATE TRIGGER TR_Sales_CDC AFTER INSERT ON Sales FOR EACH ROW BEGIN {call}; END")

    def sell(self, sales: Iterable[tuple[Sale, bool]], tell: Told) -> None:
        """Insert sales in their order; those with True are rolled back."""
        places = ", ".join("?" * (len(COLUMNS) + 1))
        for rolled_back, batch in _together(sales):
            # Numbered here: as in MySQL, a number that was rolled back is not given again.
            first, self._numbers = self._numbers + 1, self._numbers + len(batch)
            rows = ((number, *_texts(sale)) for number, sale in enumerate(batch, first))
            self._connection.execute("BEGIN")
            self._connection.executemany(f"INSERT INTO Sales VALUES ({places})", rows)
            self._connection.execute("ROLLBACK" if rolled_back else "COMMIT")
            tell(len(batch))

    def calls(self) -> list[str | None]:
        """Return the message of every call of the function that has left the database, in order."""
        if not self._outbox:
            return self._calls
        return [payload for (payload,) in self._connection.execute("SELECT payload FROM lambda_outbox ORDER BY id")]

    def rows(self) -> Iterator[Row]:
        """Yield the committed rows in the order of their numbers."""
        names = (KEY, *COLUMNS)
        for number, *rest in self._connection.execute(f"SELECT * FROM Sales ORDER BY {KEY}"):
            yield dict(zip(names, (str(number), *rest), strict=True))


class MariaDBShop:
    """The published table, procedure and trigger, before a ``mysql.lambda_async`` that writes into a table.

    The table's engine decides what a ROLLBACK does to a call: InnoDB takes it back; Aria without transactions keeps it,
    as a call of Lambda cannot be taken back.
    """

    def __init__(self, address: str, message: Message, *, outbox: bool) -> None:
        self._client = Client(address)
        engine = "InnoDB" if outbox else "Aria TRANSACTIONAL=0"
        made = message.expression(Dialect(str, _hexadecimal, lambda parts: f"CONCAT({', '.join(parts)})"))
        self._client.execute(SHIM.replace("{engine}", engine) + TABLE + _capture(message.columns, made))

    def sell(self, sales: Iterable[tuple[Sale, bool]], tell: Told) -> None:
        """Insert sales in their order; those with True are rolled back."""
        # The message has the order's time in the session's zone.
        self._client.execute("".join(["SET time_zone = '+00:00';\n", *self._transactions(sales, tell)]))

    def calls(self) -> list[str | None]:
        """Return the message of every call of the function that has left the database, in order."""
        found = self._client.lines("SELECT HEX(CONVERT(payload USING utf8mb4)) FROM mysql.lambda_outbox ORDER BY id")
        return [_unhexed(one) for one in found]

    def rows(self) -> Iterator[Row]:
        """Yield the committed rows in the order of their numbers."""
        names = (KEY, *COLUMNS)
        values = ", ".join(f"HEX(CONVERT({name} USING utf8mb4))" for name in names)
        # A TIMESTAMP is told in the zone of whoever asks.
        for line in self._client.lines(f"SET time_zone = '+00:00'; SELECT {values} FROM Sales ORDER BY {KEY}"):
            yield dict(zip(names, map(_unhexed, line.split(b"\t")), strict=True))

    def _transactions(self, sales: Iterable[tuple[Sale, bool]], tell: Told) -> Iterator[str]:
        for rolled_back, batch in _together(sales):
            rows = ", ".join(f"({', '.join(map(_value, _texts(sale)))})" for sale in batch)
            yield f"BEGIN; INSERT INTO Sales ({', '.join(COLUMNS)}) VALUES {rows};"
            yield "ROLLBACK;\n" if rolled_back else "COMMIT;\n"
            tell(len(batch))


SHIM = """
DROP TABLE IF EXISTS mysql.lambda_outbox;
CREATE TABLE mysql.lambda_outbox (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  payload TEXT CHARACTER SET utf8mb4
) ENGINE={engine};
DELIMITER ;;
CREATE OR REPLACE PROCEDURE mysql.lambda_async (IN arn TEXT, IN payload TEXT CHARACTER SET utf8mb4)
  INSERT INTO mysql.lambda_outbox (payload) VALUES (payload)
;;
DELIMITER ;
"""
TYPES = {
    KEY: "int",
    "ItemID": "varchar(255)",
    "Category": "varchar(255)",
    "Price": "double(10,2)",
    "Quantity": "int(11)",
    "OrderDate": "timestamp",
    "DestinationState": "varchar(2)",
    "ShippingType": "varchar(255)",
    "Referral": "varchar(255)",
}
"""The parameters of the published procedure, and the number that it does not have."""
TABLE = """
DROP TABLE IF EXISTS Sales;
CREATE TABLE Sales (
  InvoiceID int NOT NULL AUTO_INCREMENT,
  ItemID int NOT NULL,
  Category varchar(255),
  Price double(10,2),
  Quantity int NOT NULL,
  OrderDate timestamp,
  DestinationState varchar(2),
  ShippingType varchar(255),
  Referral varchar(255),
  PRIMARY KEY (InvoiceID)
);
"""
CAPTURE = """
DROP PROCEDURE IF EXISTS CDC_TO_FIREHOSE;
DROP TRIGGER IF EXISTS TR_Sales_CDC;
DELIMITER ;;
CREATE PROCEDURE CDC_TO_FIREHOSE ({parameters}) LANGUAGE SQL
BEGIN
  CALL mysql.lambda_async('{arn}', {message});
END
;;
CREATE TRIGGER TR_Sales_CDC
  AFTER INSERT ON Sales
  FOR EACH ROW
BEGIN
  SELECT {values} INTO {variables};
  CALL CDC_TO_FIREHOSE({variables});
END
;;
DELIMITER ;
"""
"""With the default message, the published procedure and trigger in our own lines."""


def _capture(columns: Iterable[str], message: str) -> str:
    names = tuple(columns)
    return CAPTURE.format(
        arn=ARN,
        message=message,
        parameters=", ".join(f"IN {name} {TYPES[name]}" for name in names),
        values=", ".join(f"NEW.{name}" for name in names),
        variables=", ".join(f"@{name}" for name in names),
    )


def _texts(sale: Sale) -> tuple[str | None, ...]:
    """Return a sale's values in the order of the columns; the price as a ``double(10,2)`` writes it."""
    item, category, price, quantity, *rest = sale
    return (str(item), category, f"{price}.00", str(quantity), *rest)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _hexadecimal(text: str) -> str:
    """Return a text as a literal of MariaDB, out of which nothing can break."""
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def _value(text: str | None) -> str:
    return "NULL" if text is None else _hexadecimal(text)


def _unhexed(text: bytes) -> str | None:
    value = text.strip(b"\n")
    return None if value == b"NULL" else bytes.fromhex(value.decode()).decode()
