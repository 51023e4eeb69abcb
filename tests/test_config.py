"""Settings: each is read once, and a wrong one is named with what it accepts."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from config import ConfigError, Settings, load, name_of


def test_it_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = load({"ARCHWAY_INSTANCE": str(tmp_path)})
    assert settings.port == 8000
    assert settings.database_url == f"sqlite:///{tmp_path}/archway.sqlite3"


@pytest.mark.parametrize(
    ("name", "value", "accepts"),
    [
        ("ARCHWAY_PORT", "eighty", "1 to 65535"),
        ("ARCHWAY_PORT", "0", "1 to 65535"),
        ("ARCHWAY_DATABASE_URL", "mysql://x/y", "postgresql+psycopg"),
        ("ARCHWAY_SERVER", "apache", "granian or waitress"),
        ("ARCHWAY_HTTPS", "perhaps", "on or off"),
        ("ARCHWAY_SECRET_KEY", "short", "32 characters"),
        ("ARCHWAY_THREADS", "1.5", "1 to 64"),
        ("ARCHWAY_LAB_MEMORY", "", "64 to 65536"),
        ("ARCHWAY_SMTP_URL", "mail.example.org", "smtp://user:password@"),
        ("ARCHWAY_MAIL_FROM", "Ada <ada@example.org>", "an e-mail address"),
        ("ARCHWAY_MAIL_HOURS", "7", "7-21"),
        ("ARCHWAY_MAIL_HOURS", "8-8", "7-21"),
        ("ARCHWAY_MAIL_HOURS", "24-6", "7-21"),
        ("ARCHWAY_ADDRESS", "archway.example.org", "https://archway.example.org"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(tmp_path: Path, name: str, value: str, accepts: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"ARCHWAY_INSTANCE": str(tmp_path), name: value})
    assert name in str(caught.value)
    assert accepts in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHWAY_DATABASE_URL", "mysql://archway:hunter2@host/name"),
        ("ARCHWAY_REDIS_URL", "http://:hunter2@host/0"),
        ("ARCHWAY_SMTP_URL", "mail://archway:hunter2@host"),
        ("ARCHWAY_DATABASE_URL", "postgresql+psycopg://archway:hunter2@host:port/name"),
        ("ARCHWAY_SECRET_KEY", "hunter2"),
        ("ARCHWAY_METRICS_TOKEN", "hunter2"),
    ],
)
def test_a_wrong_value_that_holds_a_secret_is_not_shown(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} cannot be used; it accepts ") as caught:
        load({"ARCHWAY_INSTANCE": str(tmp_path), name: value})
    assert "hunter2" not in str(caught.value)


def test_the_address_in_mails_is_where_the_site_listens_unless_it_is_set(tmp_path: Path) -> None:
    given = {"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PORT": "81", "ARCHWAY_HOST": "::1"}
    assert load(given).address == "http://[::1]:81"
    assert load({**given, "ARCHWAY_ADDRESS": "https://a.example.org/"}).address == "https://a.example.org"
    assert load({**given, "ARCHWAY_MAIL_HOURS": "22-6"}).mail_hours == (22, 6)


def test_a_misspelt_setting_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ARCHWAY_PROT is no setting; did you mean ARCHWAY_PORT"):
        load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PROT": "80"})


def test_the_secret_key_is_kept_between_starts_and_private(tmp_path: Path) -> None:
    first = load({"ARCHWAY_INSTANCE": str(tmp_path)})
    assert load({"ARCHWAY_INSTANCE": str(tmp_path)}).secret_key == first.secret_key
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_an_instance_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="ARCHWAY_INSTANCE"):
        load({"ARCHWAY_INSTANCE": str(tmp_path / "file" / "below")})


def test_the_operators_page_lists_every_setting() -> None:
    page = Path("docs/operators.md").read_text("utf-8")
    missing = [name_of(one.name) for one in fields(Settings) if name_of(one.name) not in page]
    assert missing == []


@pytest.mark.parametrize(("text", "months"), [("7,12", {7, 12}), ("1", {1}), ("none", set())])
def test_paused_months_are_numbers_with_commas(tmp_path: Path, text: str, months: set[int]) -> None:
    assert load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PAUSED_MONTHS": text}).paused_months == months


@pytest.mark.parametrize("text", ["13", "July", "", "7;12", "0"])
def test_what_is_no_month_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"ARCHWAY_PAUSED_MONTHS .* months from 1 to 12 with commas, or none"):
        load({"ARCHWAY_INSTANCE": str(tmp_path), "ARCHWAY_PAUSED_MONTHS": text})
