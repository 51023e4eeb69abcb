"""Intrinsic functions: ``States.Format('Hello, {}', $.name)`` and its seventeen siblings.

The first four (Format, StringToJson, JsonToString, Array) came in August 2020, the others in August 2022; early in 2018
there were none.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from labs.parts import json_document
from labs.parts.states import paths
from labs.parts.states.comparisons import is_number, same
from labs.parts.states.paths import Path, shown
from labs.parts.states.payload import WORK_OF_A_CALL, WORK_OF_A_VALUE, Environment, Json

NESTING = 10
LONGEST_ARRAY = 1000
LONGEST_TEXT = 10_000
"""The service's quotas: calls within calls, ArrayRange's elements, and what Base64 and Hash take in characters."""

_CALL = re.compile(r"States\.(\w*)\s*\(\s*")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*+)'")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.])")
_WORD = re.compile(r"(true|false|null)(?!\w)")
_SEPARATOR = re.compile(r"\s*([,)])\s*")
_ESCAPED = re.compile(r"\\([\\'{}])")
_FIELD = re.compile(r"\\([\\'{}])|(\{\})")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}


class IntrinsicError(ValueError):
    """A call that cannot be read, or failed on its arguments; the sentence says what to do."""


@dataclass(frozen=True)
class Literal:
    """An argument that is written out."""

    value: Json


@dataclass(frozen=True)
class Call:
    """A call of an intrinsic function, with its arguments still to be evaluated."""

    text: str
    name: str
    arguments: tuple[Literal | Path | Call, ...]

    def read(self, data: Json, environment: Environment) -> Json:
        """Return what the function makes of its arguments.

        Raises PathError for an argument that leads nowhere, IntrinsicError where the function cannot take its value.
        """
        environment.meter.spend(WORK_OF_A_CALL)
        values = [one.value if isinstance(one, Literal) else one.read(data, environment) for one in self.arguments]
        for value in values:
            environment.meter.weigh(value)
        return FUNCTIONS[self.name].apply(values, environment)


@dataclass(frozen=True)
class Function:
    """An intrinsic function: how many arguments it takes (fewest, most), since when, and what it does."""

    fewest: int
    most: int
    since: str
    apply: Callable[[list[Json], Environment], Json]


def is_call(text: str) -> bool:
    """Whether the text is meant as a call, and not as a path."""
    return not text.lstrip().startswith("$")


def parse(text: str) -> Call:
    """Return the compiled call; raise IntrinsicError or PathError with a sentence that says what to do."""
    call, end = _call(text, len(text) - len(text.lstrip()), 1)
    if text[end:].strip():
        raise IntrinsicError(f"After the call stands {shown(text[end:].strip())}; remove it.")
    return call


def functions_of(call: Call) -> frozenset[str]:
    """Return the names of the functions that the call and the calls within it use."""
    within = (functions_of(one) for one in call.arguments if isinstance(one, Call))
    return frozenset({call.name}).union(*within)


def _call(text: str, begin: int, depth: int) -> tuple[Call, int]:
    opened = _CALL.match(text, begin)
    if not opened:
        raise IntrinsicError(
            f"{shown(text[begin:])} is neither a path nor a call; write $.name, or States.Format('{{}}', $.name)."
        )
    name = opened[1]
    if name not in FUNCTIONS:
        near = difflib.get_close_matches(name[:80], FUNCTIONS, 1)
        raise IntrinsicError(
            f"There is no function States.{shown(name)}" + (f"; did you mean States.{near[0]}?" if near else ".")
        )
    if depth > NESTING:
        raise IntrinsicError(
            f"Calls stand within calls more than {NESTING} deep; compute a part in a Pass state before."
        )
    arguments: list[Literal | Path | Call] = []
    at = opened.end()
    if text.startswith(")", at):
        at += 1
    else:
        end = ","
        while end == ",":
            argument, at = _argument(text, at, depth, keeps_escapes=name == "Format" and not arguments)
            arguments.append(argument)
            separator = _SEPARATOR.match(text, at)
            if not separator:
                raise IntrinsicError(f"In {shown(text)} an argument is followed by neither a comma nor a parenthesis.")
            end, at = separator[1], separator.end()
    _count(name, arguments)
    return Call(text[begin:at], name, tuple(arguments)), at


def _argument(text: str, at: int, depth: int, *, keeps_escapes: bool) -> tuple[Literal | Path | Call, int]:
    if text.startswith("$", at):
        return paths.parse_prefix(text, at)
    if text.startswith("States.", at):
        return _call(text, at, depth + 1)
    found = _LITERAL.match(text, at)
    if found:
        return Literal(found[1] if keeps_escapes else _ESCAPED.sub(r"\1", found[1])), found.end()
    found = _NUMBER.match(text, at)
    if found:
        return Literal(float(found[0]) if "." in found[0] else int(found[0])), found.end()
    found = _WORD.match(text, at)
    if found:
        return Literal(_WORDS[found[1]]), found.end()
    raise IntrinsicError(
        f"{shown(text[at:])} is no argument; write a path, a number, true, false, null, or a text in single quotes."
    )


def _count(name: str, arguments: list[Literal | Path | Call]) -> None:
    function = FUNCTIONS[name]
    if not function.fewest <= len(arguments) <= function.most:
        wanted = str(function.fewest) if function.fewest == function.most else f"{function.fewest} or more"
        raise IntrinsicError(f"States.{name} takes {wanted} arguments, and {len(arguments)} are given.")
    first = arguments[0] if arguments else None
    if name == "Format" and isinstance(first, Literal):
        fields = sum(1 for one in _FIELD.finditer(str(first.value)) if one[2])
        if fields != len(arguments) - 1:
            raise IntrinsicError(
                f"States.Format has {fields} places {{}} and {len(arguments) - 1} values; write as many of each."
            )


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise IntrinsicError(f"States.{name} takes a text here, and got {_kind(value)}.")
    return value


def _short_text(value: Json, name: str) -> str:
    text = _text(value, name)
    if len(text) > LONGEST_TEXT:
        raise IntrinsicError(f"States.{name} takes at most {LONGEST_TEXT} characters.")
    return text


def _array(value: Json, name: str) -> list[Json]:
    if not isinstance(value, list):
        raise IntrinsicError(f"States.{name} takes an array here, and got {_kind(value)}.")
    return value


def _integer(value: Json, name: str) -> int:
    """Return the number, rounded to the nearest whole one as the service does."""
    if not is_number(value) or not isinstance(value, int | float) or abs(value) > 2**31:
        raise IntrinsicError(f"States.{name} takes a number of at most 2147483648 here, and got {_kind(value)}.")
    return round(value)


def _kind(value: Json) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), f"the number {value}")


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _format(values: list[Json], environment: Environment) -> Json:
    template = _text(values[0], "Format")
    texts = [value if isinstance(value, str) else _json(value) for value in values[1:]]
    fields = [one for one in _FIELD.finditer(template) if one[2]]
    if len(fields) != len(texts):
        raise IntrinsicError(f"States.Format has {len(fields)} places {{}} and {len(texts)} values for them.")
    environment.meter.spend(len(template) + sum(map(len, texts)))
    rest = iter(texts)
    return _FIELD.sub(lambda one: next(rest) if one[2] else one[1], template)


def _string_to_json(values: list[Json], environment: Environment) -> Json:
    text = _text(values[0], "StringToJson")
    environment.meter.spend(WORK_OF_A_VALUE * len(text))
    try:
        return json_document.parse(text, nesting=environment.meter.limits.nesting).value
    except json_document.SyntaxFaultError as error:
        raise IntrinsicError(f"States.StringToJson got a text that is not JSON. {error.sentence}") from None


def _array_partition(values: list[Json], _: Environment) -> Json:
    array, size = _array(values[0], "ArrayPartition"), _integer(values[1], "ArrayPartition")
    if size < 1:
        raise IntrinsicError("States.ArrayPartition takes a size of 1 or more.")
    return [array[begin : begin + size] for begin in range(0, len(array), size)]


def _array_range(values: list[Json], environment: Environment) -> Json:
    first, last, step = (_integer(value, "ArrayRange") for value in values)
    if step == 0:
        raise IntrinsicError("States.ArrayRange takes a step other than 0.")
    numbers = range(first, last + (1 if step > 0 else -1), step)
    if len(numbers) > LONGEST_ARRAY:
        raise IntrinsicError(f"States.ArrayRange makes at most {LONGEST_ARRAY} elements.")
    environment.meter.spend(WORK_OF_A_VALUE * len(numbers))
    return list(numbers)


def _array_item(values: list[Json], _: Environment) -> Json:
    array, index = _array(values[0], "ArrayGetItem"), _integer(values[1], "ArrayGetItem")
    if not 0 <= index < len(array):
        raise IntrinsicError(f"States.ArrayGetItem got the index {index} of an array with {len(array)} elements.")
    return array[index]


def _array_unique(values: list[Json], environment: Environment) -> Json:
    found: dict[str, Json] = {}
    array = _array(values[0], "ArrayUnique")
    environment.meter.spend(WORK_OF_A_CALL * len(array))
    for value in array:
        found.setdefault(json.dumps(value, sort_keys=True), value)
    return list(found.values())


def _encode(values: list[Json], _: Environment) -> Json:
    return base64.b64encode(_short_text(values[0], "Base64Encode").encode("utf-8", "surrogatepass")).decode("ascii")


def _decode(values: list[Json], _: Environment) -> Json:
    try:
        return base64.b64decode(_short_text(values[0], "Base64Decode"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise IntrinsicError("States.Base64Decode got a text that is not Base64 of UTF-8.") from None


_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _hash(values: list[Json], _: Environment) -> Json:
    algorithm = values[1] if isinstance(values[1], str) else ""
    if algorithm not in _HASHES:
        raise IntrinsicError(f"States.Hash takes one of {', '.join(_HASHES)}.")
    text = _short_text(values[0] if isinstance(values[0], str) else _json(values[0]), "Hash")
    return hashlib.new(_HASHES[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _merge(values: list[Json], _: Environment) -> Json:
    one, other, deep = values
    if not isinstance(one, dict) or not isinstance(other, dict):
        raise IntrinsicError("States.JsonMerge takes two objects.")
    if deep is not False:
        raise IntrinsicError("States.JsonMerge merges the outermost fields only; write false as its third argument.")
    return {**one, **other}


def _random(values: list[Json], environment: Environment) -> Json:
    first, last = _integer(values[0], "MathRandom"), _integer(values[1], "MathRandom")
    if first >= last:
        raise IntrinsicError("States.MathRandom takes a start that is smaller than the end.")
    chance = Random(_integer(values[2], "MathRandom")) if len(values) > 2 else environment.random  # noqa: S311 (a simulation)
    return chance.randrange(first, last)


def _add(values: list[Json], _: Environment) -> Json:
    return _integer(values[0], "MathAdd") + _integer(values[1], "MathAdd")


def _split(values: list[Json], environment: Environment) -> Json:
    text, delimiters = _text(values[0], "StringSplit"), _text(values[1], "StringSplit")
    parts = re.split(f"[{re.escape(delimiters)}]", text) if delimiters else [text]
    environment.meter.spend(WORK_OF_A_VALUE * len(parts))
    return [part for part in parts if part]


def _uuid(_: list[Json], environment: Environment) -> Json:
    return str(uuid.UUID(int=environment.random.getrandbits(128), version=4))


_MANY = 1_000_000
_FIRST, _SECOND = "August 2020", "August 2022"
FUNCTIONS: Mapping[str, Function] = {
    "Format": Function(1, _MANY, _FIRST, _format),
    "StringToJson": Function(1, 1, _FIRST, _string_to_json),
    "JsonToString": Function(1, 1, _FIRST, lambda values, _: _json(values[0])),
    "Array": Function(0, _MANY, _FIRST, lambda values, _: values),
    "ArrayPartition": Function(2, 2, _SECOND, _array_partition),
    "ArrayContains": Function(
        2, 2, _SECOND, lambda values, _: any(same(one, values[1]) for one in _array(values[0], "ArrayContains"))
    ),
    "ArrayRange": Function(3, 3, _SECOND, _array_range),
    "ArrayGetItem": Function(2, 2, _SECOND, _array_item),
    "ArrayLength": Function(1, 1, _SECOND, lambda values, _: len(_array(values[0], "ArrayLength"))),
    "ArrayUnique": Function(1, 1, _SECOND, _array_unique),
    "Base64Encode": Function(1, 1, _SECOND, _encode),
    "Base64Decode": Function(1, 1, _SECOND, _decode),
    "Hash": Function(2, 2, _SECOND, _hash),
    "JsonMerge": Function(3, 3, _SECOND, _merge),
    "MathRandom": Function(2, 3, _SECOND, _random),
    "MathAdd": Function(2, 2, _SECOND, _add),
    "StringSplit": Function(2, 2, _SECOND, _split),
    "UUID": Function(0, 0, _SECOND, _uuid),
}
