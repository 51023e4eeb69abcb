"""Runs a command as a unit would be held: no capabilities, and no system call but those its SystemCallFilter names.

``python -m tests.deploy.filtered "@system-service unshare" command…``; it stands in for systemd, which only runs as
the first process of a machine.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1
"""seccomp.h: SCMP_ACT_ALLOW, and SCMP_ACT_ERRNO with EPERM, as SystemCallErrorNumber has it."""
_NO_NEW_PRIVILEGES, _DROP_FROM_BOUNDING_SET = 38, 24
"""Linux: prctl's PR_SET_NO_NEW_PRIVS and PR_CAPBSET_DROP."""


def sets() -> dict[str, list[str]]:
    """Return the sets of system calls that systemd knows, by their names; a set may name others."""
    command = ["systemd-analyze", "syscall-filter"]
    found: dict[str, list[str]] = {}
    name = ""
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if not line.startswith(" "):
            name = line.strip() if line.startswith("@") else ""
        elif name and not line.strip().startswith("#"):
            found.setdefault(name, []).append(line.strip())
    return found


def spread(name: str, known: dict[str, list[str]]) -> set[str]:
    """Return the system calls that a name stands for."""
    return set().union(*(spread(one, known) for one in known[name])) if name.startswith("@") else {name}


def hold(names: set[str]) -> None:
    """Refuse every other system call from now on, here and in all that is started."""
    library = ctypes.CDLL("libseccomp.so.2")
    system = ctypes.CDLL(None)
    for capability in range(64):
        system.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(REFUSE))
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and library.seccomp_rule_add(context, ALLOW, number, 0) != 0:
            raise OSError(f"{name} cannot be allowed")
    if library.seccomp_load(context) != 0:
        raise OSError("the filter cannot be loaded")


if __name__ == "__main__":
    known = sets()
    hold(set().union(*(spread(one, known) for one in ("@default", *sys.argv[1].split()))))
    os.execvp(sys.argv[2], sys.argv[2:])
