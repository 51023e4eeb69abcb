"""What readers get in which country, and in which time zone it is: ``countries.toml``, which operators may edit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FILE = Path(__file__).with_name("countries.toml")
OTHER = "ZZ"
"""Stands for every country that the file does not list; CLDR's code for an unknown region."""
_OFFERS = ("subscription", "single", "none")


class CountriesError(ValueError):
    """A file of countries that cannot be used; the sentence names the file and the entry."""


@dataclass(frozen=True)
class Country:
    """A country's rule: ``offer`` is ``subscription``, ``single`` (issues to download) or ``none``."""

    code: str
    offer: str
    zone: ZoneInfo


@cache
def load(path: Path = FILE) -> Mapping[str, Country]:
    """Read the rules by code, with that of all other countries under OTHER; raise CountriesError."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CountriesError(f"{path}: This cannot be read as TOML: {error}.") from None
    if "other" not in table:
        raise CountriesError(f'{path}: Say what other countries get: other = {{ offer = "single" }}.')
    entries = [_country(path, name, entry) for name, entry in table.items()]
    return {one.code: one for one in entries}


def _country(path: Path, name: str, entry: Any) -> Country:
    if name != "other" and not re.fullmatch("[A-Z]{2}", name):
        raise CountriesError(f"{path}: “{name}” is no country; use its two capital letters, as in GB.")
    if not isinstance(entry, dict) or entry.get("offer") not in _OFFERS or set(entry) - {"offer", "zone"}:
        raise CountriesError(f"{path}: {name} needs an offer ({', '.join(_OFFERS)}), and may have a zone.")
    try:
        zone = ZoneInfo(entry.get("zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise CountriesError(f"{path}: {name} has the zone “{entry['zone']}”; write one as in Europe/Paris.") from None
    return Country(OTHER if name == "other" else name, entry["offer"], zone)
