"""The real servers that a run may have of its own: which this machine offers, and their start when a lab asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labs.findings import Refused
from labs.parts import mariadb


@dataclass(frozen=True)
class Server:
    """A kind of server: the setting that allows it, the package to install, and how it is looked for and started."""

    title: str
    setting: str
    package: str
    is_installed: Callable[[], bool]
    start: Callable[[Path], str]


SERVERS = {
    "mariadb": Server("MariaDB", "ARCHWAY_LABS_MARIADB", "mariadb-server", mariadb.is_installed, mariadb.start),
}
"""By the name under which a lab asks for one."""


def ready(allowed: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the names of the servers that are installed and that the operator has allowed."""
    return tuple(name for name, server in SERVERS.items() if allowed[name] and server.is_installed())


def named_by(setting: str) -> str:
    """Return the name of the server that a setting allows; raise KeyError where none has that setting."""
    return {server.setting: name for name, server in SERVERS.items()}[setting]


class Servers(Mapping[str, str]):
    """The addresses of a run's own servers by name; one starts, in the run's folder, when first asked for.

    Asking for one that is not among ``names``, those that may start, raises Refused.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._addresses: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            server = SERVERS[name]
            raise Refused(
                f"{server.title} cannot be started here; choose what stands for it by default. The operator can"
                f" have it ready: install {server.package} and set {server.setting}=on."
            )
        if name not in self._addresses:
            self._addresses[name] = SERVERS[name].start(Path(name))
        return self._addresses[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
