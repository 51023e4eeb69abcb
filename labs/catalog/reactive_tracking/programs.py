"""An advertiser's program, what Redis keeps of it, and the event that a tap on it becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELDS = (
    ("programid", "TYPE_STRING"),
    ("checksum", "TYPE_STRING"),
    ("customer_id", "TYPE_INT32"),
    ("user_agent", "TYPE_STRING"),
    ("program_name", "TYPE_STRING"),
    ("customer_name", "TYPE_STRING"),
    ("is_valid", "TYPE_BOOL"),
    ("message_id", "TYPE_STRING"),
)
"""The fields of the reference's message TrackingEvent, numbered from 1."""

INVALID = 0.05
"""The share of the programs that are over."""


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="tracking.proto", syntax="proto3")
    message = file.message_type.add(name="TrackingEvent")
    for number, (name, kind) in enumerate(FIELDS, 1):
        field = descriptor_pb2.FieldDescriptorProto
        message.field.add(name=name, number=number, type=getattr(field, kind), label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("TrackingEvent"))


TrackingEvent = _message_class()


class Program(NamedTuple):
    """A program as the service keeps it.

    ``query`` is what its links carry, the checksum; ``event`` what all its events have in common, in protobuf.
    """

    program_id: str
    query: bytes
    is_valid: bool
    version: int
    event: bytes


def program_of(fields: Mapping[str, str]) -> Program:
    """Return the program that Redis, or an announcement, has as texts."""
    common = TrackingEvent(
        programid=fields["program_id"],
        checksum=fields["checksum"],
        customer_id=int(fields["customer_id"]),
        program_name=fields["program_name"],
        customer_name=fields["customer_name"],
        is_valid=fields["is_valid"] == "1",
    )
    return Program(
        common.programid,
        f"c={common.checksum}".encode(),
        common.is_valid,
        int(fields["version"]),
        common.SerializeToString(),
    )


def event_of(program: Program, user_agent: str, message_id: str) -> bytes:
    """Return the event of one tap.

    Protobuf lets a message be written in pieces, one after the other: the program's lies ready and is never changed.
    """
    tap: bytes = TrackingEvent(user_agent=user_agent, message_id=message_id).SerializeToString()
    return program.event + tap


def drawn(seed: int, count: int) -> list[dict[str, str]]:
    """Return programs in their first version, as texts."""
    random = Random(seed)  # noqa: S311 (a repeatable experiment, no secret)
    made = []
    for number in range(count):
        program_id, customer = str(100_000 + number), random.randrange(1, 1000)
        made.append(
            {
                "program_id": program_id,
                "checksum": checksum(program_id, customer),
                "customer_id": str(customer),
                "program_name": f"Campaign {number}",
                "customer_name": f"Customer {customer}",
                "is_valid": "0" if random.random() < INVALID else "1",
                "version": "1",
            }
        )
    return made


def checksum(program_id: str, customer_id: int) -> str:
    """Return what ties a program to its customer, so that a link cannot name another's."""
    return hashlib.sha256(f"{program_id}/{customer_id}".encode()).hexdigest()[:8]
