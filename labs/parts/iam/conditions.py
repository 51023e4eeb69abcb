"""The conditions of a statement: operators, quantifiers, and whether they hold for a request."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NamedTuple

from labs.parts.iam.patterns import (
    Context,
    Template,
    matches_arn,
    matches_template,
    read_arn,
    read_template,
    resolve,
    text_of,
)


class Quantifier(Enum):
    """How a request's key with several values is asked."""

    ANY = "ForAnyValue"
    ALL = "ForAllValues"


class Operator(NamedTuple):
    """How a value of a policy, read once, is compared with one of a request.

    ``read`` raises ValueError for a value that this operator cannot compare. ``fits`` returns None where nobody can
    say: a variable has no value, or the request's value cannot be compared.
    """

    read: Callable[[str], Any]
    fits: Callable[[Any, str, Context], bool | None]
    negated: bool = False


@dataclass(frozen=True)
class Condition:
    """One key under one operator, with the values of which one has to fit, or none where the operator is negated."""

    operator: str
    key: str
    values: tuple[Any, ...]
    quantifier: Quantifier | None = None
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Return whether the condition holds.

        A key that the request does not have fits nothing, so that only a negated operator holds (IAM user guide,
        "Condition operators"). ForAllValues holds where there are no values, ForAnyValue does not; without either of
        them a key with several values fits nothing.
        """
        found = context.get(self.key, ())
        if self.operator == NULL:
            return (not found) in self.values
        _, fits, negated = OPERATORS[self.operator]
        if not found:
            return self.if_exists or self.quantifier is Quantifier.ALL or (negated and self.quantifier is None)
        if len(found) > 1 and self.quantifier is None:
            return False
        every = all if self.quantifier is Quantifier.ALL else any
        return every(self._one_holds(fits, one, context, negated=negated) for one in found)

    def _one_holds(
        self, fits: Callable[[Any, str, Context], bool | None], found: str, context: Context, *, negated: bool
    ) -> bool:
        fitting = [fits(value, found, context) for value in self.values]
        return all(one is False for one in fitting) if negated else True in fitting


def _equals_ignoring_case(wanted: Template, found: str, context: Context) -> bool | None:
    pattern = resolve(wanted, context)
    return None if pattern is None else text_of(pattern).lower() == found.lower()


def number(text: str) -> Decimal:
    """Return a number; raise ValueError."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not found.is_finite():
        raise ValueError(text)
    return found


def moment(text: str) -> datetime:
    """Return a time that stands as ISO 8601, in UTC if it names no zone, or as seconds since 1970; raise ValueError."""
    if text.isdecimal():
        try:
            return datetime.fromtimestamp(int(text), UTC)
        except (OverflowError, OSError):
            raise ValueError(text) from None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def truth(text: str) -> bool:
    """Return true or false, in whatever case it stands; raise ValueError."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return a range of addresses, or of one address; raise ValueError."""
    return ipaddress.ip_network(text, strict=False)


def octets(text: str) -> bytes:
    """Return what a text in base64 holds; raise ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(text) from None


def _contains(found: Any, wanted: Any) -> bool:
    return found.version == wanted.version and bool(found.subnet_of(wanted))


def _reading(read: Callable[[str], Any], holds: Callable[[Any, Any], bool], *, negated: bool = False) -> Operator:
    """Return an operator whose values are read before they are compared."""

    def fits(wanted: Any, found: str, _: Context) -> bool | None:
        try:
            return holds(read(found), wanted)
        except ValueError:
            return None

    return Operator(read, fits, negated)


def _ordered(name: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    return {
        f"{name}Equals": _reading(read, operator.eq),
        f"{name}NotEquals": _reading(read, operator.eq, negated=True),
        f"{name}LessThan": _reading(read, operator.lt),
        f"{name}LessThanEquals": _reading(read, operator.le),
        f"{name}GreaterThan": _reading(read, operator.gt),
        f"{name}GreaterThanEquals": _reading(read, operator.ge),
    }


def _exact(text: str) -> Template:
    return read_template(text, wildcards=False)


NULL = "Null"
OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_exact, matches_template),
    "StringNotEquals": Operator(_exact, matches_template, negated=True),
    "StringEqualsIgnoreCase": Operator(_exact, _equals_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_exact, _equals_ignoring_case, negated=True),
    "StringLike": Operator(read_template, matches_template),
    "StringNotLike": Operator(read_template, matches_template, negated=True),
    "ArnEquals": Operator(read_arn, matches_arn),
    "ArnLike": Operator(read_arn, matches_arn),
    "ArnNotEquals": Operator(read_arn, matches_arn, negated=True),
    "ArnNotLike": Operator(read_arn, matches_arn, negated=True),
    **_ordered("Numeric", number),
    **_ordered("Date", moment),
    "Bool": _reading(truth, operator.eq),
    "BinaryEquals": _reading(octets, operator.eq),
    "IpAddress": _reading(network, _contains),
    "NotIpAddress": _reading(network, _contains, negated=True),
    NULL: _reading(truth, operator.eq),
}
