"""What a reader may ask for: addresses that cannot carry a header, channels, and the rule of each country."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from publisher import countries
from publisher.countries import OTHER, CountriesError
from publisher.subscriptions import SubscriptionError, clean_address, read_wish

FORM = {"email": "Ada@Example.org ", "channel": "link", "language": "en", "country": "DE"}
INJECTIONS = [
    "ada@example.org\r\nBcc: eve@example.org",
    "ada@example.org\nBcc: eve@example.org",
    "ada@example.org\rBcc: eve@example.org",
    "ada@example.org\r\n\r\nThe body",
    "\r\nBcc: eve@example.org",
    "ada\r\n@example.org",
    "ada@example.org\x00",
    "ada@example.org\u2028Bcc: eve@example.org",
    "ada@example.org\u0085Bcc: eve@example.org",
    "ada@example.org\x0bBcc: eve@example.org",
    "ada@example.org, eve@example.org",
    "ada,eve@example.org",
    "ada@example.org;eve@example.org",
    "<ada@example.org>",
    "Ada <ada@example.org>",
    '"ada\\r\\nBcc: eve"@example.org',
    "ada@example.org> SIZE=1\r\nRCPT TO:<eve@example.org",
    "ada%0d%0aBcc:eve@example.org",
    "@relay.example.org:ada@example.org",
    "ada!eve%example.com@example.org",
    "ada@example.org\uff0ceve@example.org",
    "=?utf-8?q?ada=0d=0aBcc?=@example.org",
]


def test_a_wish_has_one_spelling_of_the_address() -> None:
    wish = read_wish(FORM, {"en"}, {"DE"})
    assert (wish.email, wish.address, wish.domain, wish.kindle) == ("ada@example.org",) * 2 + ("example.org", "")


def test_issues_for_a_kindle_go_to_its_own_address() -> None:
    wish = read_wish({**FORM, "channel": "kindle", "kindle": "ADA_12@kindle.com"}, {"en"}, {"DE"})
    assert (wish.email, wish.address, wish.domain) == ("ada@example.org", "ada_12@kindle.com", "kindle.com")


def test_a_kindle_address_is_not_kept_for_another_channel() -> None:
    assert read_wish({**FORM, "kindle": "ada@kindle.com"}, {"en"}, {"DE"}).kindle == ""


def test_there_are_more_than_twenty_tries_to_inject_a_header() -> None:
    assert len(set(INJECTIONS)) >= 20


@pytest.mark.parametrize("address", INJECTIONS)
def test_an_address_cannot_carry_a_header_or_a_second_address(address: str) -> None:
    with pytest.raises(SubscriptionError):
        clean_address(address)
    with pytest.raises(SubscriptionError):
        read_wish({**FORM, "channel": "kindle", "kindle": address.replace("example.org", "kindle.com")}, {"en"}, {"DE"})


@pytest.mark.parametrize("address", ["a.b+c@example.co.uk", "o'neil@example.org", "a&b=c@x-1.example.org"])
def test_usual_addresses_pass(address: str) -> None:
    assert clean_address(address) == address


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("country", "XX", "Choose your country"),
        ("country", "", "Choose your country"),
        ("channel", "fax", "Choose how"),
        ("language", "de", "Choose the language"),
        ("email", "ада@пример.бг", "Latin letters"),
        ("email", f"{'a' * 250}@example.org", "Latin letters"),
    ],
)
def test_what_cannot_be_used_is_said(field: str, value: str, sentence: str) -> None:
    with pytest.raises(SubscriptionError, match=sentence):
        read_wish({**FORM, field: value}, {"en"}, {"DE"})


@pytest.mark.parametrize("address", ["", "ada@example.org", "ada@kindle.com.example.org", "ada@notkindle.com"])
def test_a_kindle_address_is_amazons(address: str) -> None:
    with pytest.raises(SubscriptionError, match="ends in kindle"):
        read_wish({**FORM, "channel": "kindle", "kindle": address}, {"en"}, {"DE"})


def test_the_countries_are_those_of_the_announcement() -> None:
    rules = countries.load()
    by_offer = {
        offer: {code for code, rule in rules.items() if rule.offer == offer} for offer in ("subscription", "single")
    }
    assert by_offer["subscription"] == {"US", "GB", "DE", "FR"}
    assert len(by_offer["single"] - {OTHER}) == 23
    assert rules[OTHER].offer == "single"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("DE = ", "cannot be read as TOML"),
        ('DE = { offer = "single" }', "what other countries get"),
        ('other = { offer = "all" }', "other needs an offer"),
        ('other = { offer = "none" }\nDEU = { offer = "none" }', "“DEU” is no country"),
        ('other = { offer = "none", zone = "Mars/Base" }', "Mars/Base"),
        ('other = { offer = "none", price = 1 }', "other needs an offer"),
    ],
)
def test_a_fault_in_the_file_of_countries_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "countries.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(CountriesError, match=re.escape(sentence)) as caught:
        countries.load(path)
    assert str(path) in str(caught.value)
