"""Addresses of a VPC's subnets, and how many execution environments they can hold as Lambda used them until 2019.

A network interface served as many environments as three gigabytes of memory hold, and took one address:
interfaces = concurrent executions * memory in GB / 3 GB (AWS Lambda Developer Guide, May 2018).
"""

from __future__ import annotations

from math import ceil

RESERVED_ADDRESSES = 5
"""In each subnet AWS keeps the first four addresses and the last."""

SMALLEST, LARGEST = 28, 16
"""The prefix lengths that a subnet may have."""

MEBIBYTES_AN_INTERFACE = 3 * 1024


def usable(prefix: int) -> int:
    """Return how many addresses of a subnet with this prefix length, 16 to 28, can be used."""
    if not LARGEST <= prefix <= SMALLEST:
        raise ValueError(f"A subnet's prefix is /{LARGEST} to /{SMALLEST}, not /{prefix}.")
    return (1 << (32 - prefix)) - RESERVED_ADDRESSES


def interfaces_for(environments: int, memory: int) -> int:
    """Return how many network interfaces so many environments of ``memory`` MiB need."""
    return ceil(environments * memory / MEBIBYTES_AN_INTERFACE)


def environments_on(interfaces: int, memory: int) -> int:
    """Return how many environments of ``memory`` MiB so many interfaces hold: the most that need no more."""
    return interfaces * MEBIBYTES_AN_INTERFACE // memory
