"""The sales that the loader makes: drawn from the seed, some of them odd, some of them rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal, NamedTuple

YEAR = 2016
STATES = (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY",
    "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND",
    "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
)  # fmt: skip
CATEGORIES = ("Garden", "Kitchen", "Office", "Household")
SHIPPING = ("Free", "3-Day", "2-Day")
REFERRALS = ("Other", "Friend/Colleague", "Repeat Customer", "Online Ad")
MINUTES = 24 * 60

Odd = Literal["none", "NULL", "quotation mark", "second price", "comma", "sold twice"]
"""What is odd about one sale in a hundred."""

ODD_REFERRALS = {"NULL": None, "quotation mark": 'a 7" screen', "second price": 'a","Price":"0'}
ODD_CATEGORY = "Garden, patio"
EVERY, FIRST_ODD = 100, 50


class Sale(NamedTuple):
    """A row of the table without its number; the price in whole dollars, the date with its time of day."""

    item: int
    category: str
    price: int
    quantity: int
    date: str
    state: str
    shipping: str
    referral: str | None


class Impossible(NamedTuple):
    """The sale at which the loader stopped, counted from 1, and the date that it drew there."""

    number: int
    date: str


class Drawn(NamedTuple):
    """The sales in their order, which of them are rolled back, and where the loader stopped, if it did."""

    sales: tuple[Sale, ...]
    rolled_back: tuple[bool, ...]
    stopped: Impossible | None


@dataclass(frozen=True)
class Wishes:
    """What a learner asks of the loader."""

    count: int
    any_day: bool
    """Whether days are counted from 1 January, instead of from 1 to 30 in every month, as published."""
    any_minute: bool
    """Whether an order has a time of day, instead of midnight, as published."""
    odd: Odd
    rolled_back_percent: int


def draw(wishes: Wishes, random: Random) -> Drawn:
    """Return the sales; a day that no month has ends them, as the ValueError of the published loader ends it."""
    count = wishes.count
    columns = [
        random.choices(choices, k=count)
        for choices in (range(1, 101), CATEGORIES, range(1, 101), range(1, 5), STATES, SHIPPING, REFERRALS)
    ]
    minutes = random.choices(range(MINUTES), k=count) if wishes.any_minute else [0] * count
    undone = [one < wishes.rolled_back_percent for one in random.choices(range(100), k=count)]
    sales: list[Sale] = []
    stopped = None
    days = _any_days(count, random) if wishes.any_day else _days_to_30(count, random)
    for day, minute, (item, category, price, quantity, *rest) in zip(
        days, minutes, zip(*columns, strict=True), strict=True
    ):
        if isinstance(day, str):
            stopped = Impossible(len(sales) + 1, day)
            break
        moment = f"{day} {minute // 60:02}:{minute % 60:02}:00"
        sale = Sale(item, category, price, quantity, moment, *rest)
        sales.append(_made_odd(sale, sales[-1:], wishes.odd) if len(sales) % EVERY == FIRST_ODD else sale)
    return Drawn(tuple(sales), tuple(undone[: len(sales)]), stopped)


def _any_days(count: int, random: Random) -> Iterator[date]:
    first = date(YEAR, 1, 1)
    days = (date(YEAR + 1, 1, 1) - first).days
    return (first + timedelta(days=one) for one in random.choices(range(days), k=count))


def _days_to_30(count: int, random: Random) -> Iterator[date | str]:
    """Yield days; in place of the first that does not exist, what it would be called."""
    months = random.choices(range(1, 13), k=count)
    days = random.choices(range(1, 31), k=count)
    for month, day in zip(months, days, strict=True):
        try:
            yield date(YEAR, month, day)
        except ValueError:
            yield f"{YEAR}-{month:02}-{day:02}"


def _made_odd(sale: Sale, before: list[Sale], odd: Odd) -> Sale:
    if odd in ODD_REFERRALS:
        return sale._replace(referral=ODD_REFERRALS[odd])
    if odd == "comma":
        return sale._replace(category=ODD_CATEGORY)
    return before[0] if odd == "sold twice" else sale
