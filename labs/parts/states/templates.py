"""Payload templates: Parameters, ResultSelector and ItemSelector, whose fields ending in ``.$`` are filled from data.

Parameters came in November 2018, ResultSelector in August 2020, ItemSelector in December 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.parts.states import intrinsics, paths
from labs.parts.states.intrinsics import Call, Literal
from labs.parts.states.paths import Path
from labs.parts.states.payload import Environment, Json


@dataclass(frozen=True)
class ObjectTemplate:
    """An object of which some fields, however deep, are filled."""

    fields: tuple[tuple[str, Template], ...]


@dataclass(frozen=True)
class ArrayTemplate:
    """An array of which some elements hold fields that are filled."""

    elements: tuple[Template, ...]


Template = Literal | Path | Call | ObjectTemplate | ArrayTemplate


def expression(text: str) -> Path | Call:
    """Return the compiled path or call; raise PathError or IntrinsicError with a sentence that says what to do."""
    return intrinsics.parse(text) if intrinsics.is_call(text) else paths.parse(text)


def fill(template: Template, data: Json, environment: Environment) -> Json:
    """Return the payload that the template makes of ``data``.

    Raises PathError where a path leads nowhere, IntrinsicError where a function cannot take what it finds.
    """
    environment.meter.spend(1)
    if isinstance(template, Literal):
        return template.value
    if isinstance(template, ObjectTemplate):
        return {name: fill(one, data, environment) for name, one in template.fields}
    if isinstance(template, ArrayTemplate):
        return [fill(one, data, environment) for one in template.elements]
    return template.read(data, environment)
