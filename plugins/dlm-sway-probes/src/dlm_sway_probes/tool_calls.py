"""Calls of tools in answers: finding one, checking it against its JSON Schema, and comparing arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_FENCED = re.compile(r"```[\w-]*\s*\n(.*?)```", re.DOTALL)


class Call(NamedTuple):
    """A JSON object that an answer holds in the place of a call; nothing in it is checked."""

    name: Any
    arguments: Any


def find_call(text: str) -> Call | None:
    """The call in an answer: the whole answer, else the first fenced block, else the first object that can be read.

    An object counts when it has a ``name`` or ``arguments``. What stands around it does not matter: small models talk.
    """
    for candidate in _candidates(text):
        if isinstance(candidate, Mapping) and ("name" in candidate or "arguments" in candidate):
            return Call(candidate.get("name"), candidate.get("arguments"))
    return None


def _candidates(text: str) -> Iterator[Any]:
    for part in (text, *(match.group(1) for match in _FENCED.finditer(text))):
        try:
            yield json.loads(part)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder()
    for start in (at for at, char in enumerate(text) if char == "{"):
        try:
            yield decoder.raw_decode(text, start)[0]
        except (ValueError, RecursionError):
            continue


def faults_of_schema(schema: Mapping[str, Any]) -> str:
    """What keeps ``schema`` from being a JSON Schema; empty when nothing does."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"
    return ""


def is_valid(call: Call, schema: Mapping[str, Any]) -> bool:
    """Whether the call has a name, and arguments that fit ``schema``. Nothing that a schema refers to is fetched."""
    from jsonschema import Draft202012Validator
    from referencing import Registry

    if not isinstance(call.name, str) or not isinstance(call.arguments, Mapping):
        return False
    empty: Registry[Any] = Registry()
    return bool(Draft202012Validator(schema, registry=empty).is_valid(call.arguments))


def disagreement(one: Any, other: Any) -> float:
    """Share of the values in which two calls' arguments differ, from 0 (none) to 1 (all).

    Values are what stands at the end of each path through the objects; a list is one value. Text is compared without
    case and outer white space, numbers by value; ``true`` is no number, and an argument left out is not ``null``.
    """
    here, there = dict(_leaves(one)), dict(_leaves(other))
    paths = here.keys() | there.keys()
    if not paths:
        return 0.0
    same: int = sum(path in here and path in there and _plain(here[path]) == _plain(there[path]) for path in paths)
    return 1 - same / len(paths)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(value, Mapping) or (path and not value):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, (*path, str(key)))


def _plain(value: Any) -> Any:
    """``value`` in a form in which equal means the same."""
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value
