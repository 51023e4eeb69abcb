"""A wall around a run's process: of the machine's files it reads what programs need, and it writes in its folder alone.

Landlock, a part of Linux, does this without any privilege, for a process and all that it starts.
See https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from stat import S_ISDIR

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc", "/sys/devices/system", "/sys/fs/cgroup"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/ldap/schema"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf"),
    *("/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
    *map(str, Path("/etc").glob("java-*")),
)
"""What programs of the machine read; nothing in it belongs to the site."""

LEAST = 2
"""The first version that lets a file be moved between folders."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH, _SET_NO_NEW_PRIVILEGES = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TRUNCATED, _SCOPED = 3, 6
"""The versions that know of emptying a file, and of sockets without a file and of signals."""


@cache
def version() -> int:
    """Return the version of Landlock that the kernel offers, 0 where it offers none."""
    answer: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(0, answer)


def stands() -> bool:
    """Return whether a wall can be built on this machine."""
    return version() >= LEAST


def close(readable: Iterable[str], listed: str, writable: str) -> None:
    """Let this process, and all that it starts, read ``SYSTEM`` and ``readable``, and write below ``writable`` alone.

    Below ``listed`` it sees the names of files, which is how Python finds a package. Where the kernel knows of signals,
    it sends none to the outside. There is no way back. Raises OSError where the kernel refuses.
    """
    known = version()
    everything = (_TRUNCATE << (known >= _TRUNCATED)) - 1
    scopes = struct.pack("QQ", 0, 3) if known >= _SCOPED else b""
    rights = struct.pack("Q", everything) + scopes
    ruleset = _call(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
    for path in (*SYSTEM, *readable):
        _allow(ruleset, path, _READ)
    _allow(ruleset, "/dev/null", _READ | _WRITE_FILE)
    _allow(ruleset, listed, _READ_FOLDER)
    _allow(ruleset, writable, everything)
    if _libc().prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Allow this below ``path``; what this machine does not have needs no permission."""
    with suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_A_FILE
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    answer: int = _libc().syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
