"""The settings, each declared once with its default and what it accepts; no other module reads the environment."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

ROOT = Path(__file__).resolve().parent
PREFIX = "ARCHWAY_"
KEY_FILE = "secret-key"
"""Where the secret key is kept in the instance folder."""
_FOREIGN = frozenset({"ARCHWAY_REQUIRE_ALL"})
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class ConfigError(click.UsageError):
    """A setting that cannot be used; the message names it and says what it accepts."""


def _setting(default: Any, accepts: str, about: str, convert: Callable[[str], Any], *, secret: bool = False) -> Any:
    """Declare a setting; the value of a ``secret`` one, as an address with a password, is never shown."""
    return field(default=default, metadata={"accepts": accepts, "about": about, "convert": convert, "secret": secret})


def _whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError
        return number

    return convert


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[text.lower()]


def _one_of(*choices: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return convert


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not text.strip() or (path.exists() and not path.is_dir()):
        raise ValueError
    return path if path.is_absolute() else ROOT / path


def _address(*schemes: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or parts.port == 0 or not (parts.netloc or parts.path.strip("/")):
            raise ValueError
        return text.rstrip("/")

    return convert


def _months(text: str) -> frozenset[int]:
    one = _whole(1, 12)
    return frozenset() if text == "none" else frozenset(one(part) for part in text.split(","))


def _secret(text: str) -> str:
    if len(text) < 32:
        raise ValueError
    return text


def _mailbox(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]+@[\w.-]+", text, re.ASCII):
        raise ValueError
    return text


def _contact(text: str) -> str:
    return text if text.startswith("https://") and text.isprintable() else f"mailto:{_mailbox(text)}"


def _hours(text: str) -> tuple[int, int]:
    first, last = map(int, text.split("-"))
    if first == last or not 0 <= first <= 23 or not 1 <= last <= 24:
        raise ValueError
    return first, last


@dataclass(frozen=True)
class Settings:
    """Everything an operator may set, as environment variables with the prefix ``ARCHWAY_``."""

    instance: Path = _setting(ROOT / "instance", "a folder", "where the database and the secret key live", _folder)
    database_url: str = _setting(
        "",
        "an address such as sqlite:////var/lib/archway.sqlite3 or postgresql+psycopg://user@host/name",
        "the database; a SQLite file in the instance folder if unset",
        _address("sqlite", "postgresql+psycopg"),
        secret=True,
    )
    redis_url: str = _setting(
        "",
        "an address such as redis://127.0.0.1:6379/0",
        "where processes share their rate limits and wake each other; each for itself if unset",
        _address("redis", "rediss"),
        secret=True,
    )
    secret_key: str = _setting(
        "",
        "at least 32 characters",
        "signs form tokens; made and kept in the instance folder if unset",
        _secret,
        secret=True,
    )
    host: str = _setting("127.0.0.1", "a host name or address", "where the server listens", str)
    port: int = _setting(8000, "a whole number from 1 to 65535", "the port the server listens on", _whole(1, 65535))
    server: str = _setting("granian", "granian or waitress", "the server", _one_of("granian", "waitress"))
    workers: int = _setting(1, "a whole number from 1 to 64", "how many processes the server answers in", _whole(1, 64))
    threads: int = _setting(
        4, "a whole number from 1 to 64", "how many requests each of them works on at once", _whole(1, 64)
    )
    https: bool = _setting(False, "on or off", "whether people use HTTPS: cookies are then Secure", _switch)
    proxies: int = _setting(
        0, "a whole number from 0 to 5", "how many trusted proxies stand in front and set X-Forwarded-*", _whole(0, 5)
    )
    background: bool = _setting(
        True, "on or off", "whether the server also runs labs and the monthly schedule", _switch
    )
    lab_seconds: int = _setting(
        60, "a whole number of seconds from 1 to 3600", "how long one lab run may take", _whole(1, 3600)
    )
    lab_memory: int = _setting(
        1024, "a whole number of MiB from 64 to 65536", "how much memory one lab run may take", _whole(64, 65536)
    )
    paused_months: frozenset[int] = _setting(
        frozenset({7, 12}), "months from 1 to 12 with commas, or none", "the months without an issue", _months
    )
    approval: bool = _setting(
        False, "on or off", "whether an issue waits for an editor's approval before it is public", _switch
    )
    review: str = _setting(
        "optional",
        "required or optional",
        "whether a colleague must approve an item of the studio before it is published",
        _one_of("required", "optional"),
    )
    keep_days: int = _setting(
        365,
        "a whole number of days from 1 to 3650",
        "how long guests who are gone, runs' events, reports of imports, letters and old invitations are kept",
        _whole(1, 3650),
    )
    log: str = _setting("text", "text or json", "how a line of the log is written", _one_of("text", "json"))
    metrics_token: str = _setting(
        "",
        "at least 32 characters",
        "who sends it gets /metrics and the details of /readyz; nobody does if unset",
        _secret,
        secret=True,
    )
    labs_mariadb: bool = _setting(
        True, "on or off", "whether a lab run may start a MariaDB of its own where that is installed", _switch
    )

    address: str = _setting(
        "",
        "an address such as https://archway.example.org",
        "the site's public address, for links in mails; http://, host and port if unset",
        _address("https", "http"),
    )
    security_contact: str = _setting(
        "",
        "an e-mail address or an https:// address",
        "where holes are reported, for /.well-known/security.txt; no such page if unset",
        _contact,
    )
    smtp_url: str = _setting(
        "",
        "an address such as smtp://user:password@mail.example.org:587 or smtps://mail.example.org",
        "the server that takes mails; they are written to outbox/ in the instance folder if unset",
        _address("smtp", "smtps"),
        secret=True,
    )
    mail_from: str = _setting("archway@localhost", "an e-mail address", "the sender of every mail", _mailbox)
    mail_returns: str = _setting(
        "", "an e-mail address", "the mailbox for what comes back, as name+code@domain; none if unset", _mailbox
    )
    mail_folder: Path | None = _setting(
        None, "a folder", "the Maildir in which that mailbox arrives, looked through each minute", _folder
    )
    mail_rate: int = _setting(
        120, "a whole number from 1 to 60000", "how many mails a minute the server takes", _whole(1, 60000)
    )
    mail_domain_rate: int = _setting(
        30, "a whole number from 1 to 60000", "how many mails a minute go to one domain", _whole(1, 60000)
    )
    mail_hours: tuple[int, int] = _setting(
        (0, 24), "two hours such as 7-21", "when issues are sent, in the time of the reader's country", _hours
    )


def name_of(setting: str) -> str:
    """Return the environment variable of a setting: ARCHWAY_PORT for ``port``."""
    return PREFIX + setting.upper()


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise ConfigError naming the first variable that cannot be used."""
    known = {name_of(one.name): one for one in fields(Settings)}
    values: dict[str, Any] = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in _FOREIGN:
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)}."
            raise ConfigError(f"{name} is no setting; {hint}")
        setting = known[name]
        try:
            values[setting.name] = setting.metadata["convert"](environment[name])
        except (ValueError, KeyError):
            accepts, about = setting.metadata["accepts"], setting.metadata["about"]
            wrong = "cannot be used" if setting.metadata["secret"] else f"is “{environment[name]}”"
            raise ConfigError(f"{name} {wrong}; it accepts {accepts} ({about}).") from None
    return _complete(values)


def metrics_folder() -> Path | None:
    """Return where the processes of one server count together; None in a process that counts alone."""
    found = os.environ.get(_METRICS_FOLDER)
    return Path(found) if found else None


def share_metrics_in(folder: Path) -> None:
    """Let this process and those that it starts count together in a folder; prometheus_client reads the variable."""
    os.environ[_METRICS_FOLDER] = str(folder)


def _complete(values: dict[str, Any]) -> Settings:
    """Fill in what lives in the instance folder: the database's place and the secret key."""
    instance: Path = values.get("instance", ROOT / "instance")
    try:
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"ARCHWAY_INSTANCE is “{instance}”, which cannot be made: {error.strerror}.") from None
    values.setdefault("database_url", f"sqlite:///{instance / 'archway.sqlite3'}")
    host, port = values.get("host", Settings.host), values.get("port", Settings.port)
    values.setdefault("address", f"http://{f'[{host}]' if ':' in host else host}:{port}")
    values.setdefault("secret_key", _kept_secret(instance / KEY_FILE))
    return Settings(**values)


def _kept_secret(path: Path) -> str:
    if not path.exists():
        # Written aside and linked into place: of two processes that start at once, both read the same key.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), "ascii")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text("ascii")
