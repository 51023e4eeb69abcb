"""What the tasks ask of a run's findings; each docstring is the hint a learner may open."""

from __future__ import annotations

from labs.findings import Values


def the_loader_sells_on_every_day(values: Values) -> bool:
    """Read in the log at which date the loader stopped. Which months have fewer than 30 days? Choose the other days."""
    return values["stopped_at"] == 0 and values["inserted"] >= 1000 and values["sold_on_a_31st"] >= 1


def no_sale_is_swallowed(values: Values) -> bool:
    """Leave some referrals out. CONCAT with one NULL is NULL: fill instead_of_null, as in {"Referral": "unknown"}."""
    return values["without_referral"] >= 1 and values["swallowed"] == 0 and _exact(values)


def nothing_is_injected(values: Values) -> bool:
    """Let a referral add a second price. JSON_OBJECT escapes quotation marks; the line needs its own quotes."""
    return values["with_second_price"] >= 1 and values["total_read"] == values["total_sold"] and _exact(values)


def no_ghost_is_delivered(values: Values) -> bool:
    """Roll some sales back. A call cannot be taken back, a row in an outbox table can: it is read after the commit."""
    return values["rolled_back"] >= 10 and values["ghosts"] == 0 and _exact(values)


def noon_counts_too(values: Values) -> bool:
    """Sell at any minute. A TIMESTAMP equals a DATE at midnight only; write orderdate::date in the join."""
    lost = values["joined_as_published"] * 10 < values["joined_by_day"]
    return values["inserted"] >= 1000 and lost and values["answers_seasons"] == 1


def each_sale_counts_once(values: Values) -> bool:
    """Have the delivery killed, and sell things twice. Send the InvoiceID; SELECT DISTINCT keeps each sale once."""
    met = values["killed_by_signal"] == 9 and values["repeated"] >= 1 and values["sold_twice"] >= 1
    return met and values["invoice_id_sent"] == 1 and values["answers_seasons"] == 1


def the_analyst_has_her_answer(values: Values) -> bool:
    """Keep the season Spring in WHERE, group by d_dayofweek, select the sum and the weekday, and nothing else."""
    return values["inserted"] >= 1000 and values["answers_spring_weekdays"] == 1


def december_is_cheap(values: Values) -> bool:
    """Write Parquet by month. Ask sales for sale_month = '2016-12', and no column that you do not need."""
    few = values["query_bytes"] * 80 <= values["bytes_delivered"] and values["query_objects"] == 1
    return values["inserted"] >= 20_000 and few and values["answers_december_categories"] == 1


def a_rush_is_delivered(values: Values) -> bool:
    """Sell 8,000 a second. A call for each sale meets the limit of 2,000 calls; from an outbox go batches of 500."""
    return values["peak_records"] > 4000 and values["throttled"] >= 1 and _exact(values)


def _exact(values: Values) -> bool:
    """Whether at least 500 sales were made, and the bucket has a line for each of them and no other."""
    return values["inserted"] >= 500 and values["missing"] == values["superfluous"] == 0
