"""Replies, checked: what a model wrote, and the tokens that it found likeliest. No requests."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm_sway.errors import BackendError
from dlm_sway.scoring.types import Answer

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

BY_ID = "token_id:"
"""Before the number of a token, where a server tells ids in the place of texts."""
_ABOVE_ONE = 1e-3
"""A log-probability this far above 0 is rounding; further, it is none."""


class Shown(NamedTuple):
    """One position."""

    chosen: Hashable
    logprob: float
    """Of the token that was chosen, in nats."""
    listed: Mapping[Hashable, float]
    """The likeliest tokens, by id, or by their bytes where the server tells no ids."""


def check_model(reply: Mapping[str, Any], name: str, where: str) -> None:
    """Whether the model that was asked is the one that answered; a date or a version may follow its name.

    Raises:
        BackendError: another model answered.
    """
    told = reply.get("model")
    if isinstance(told, str) and told and told != name and not told.startswith((f"{name}-", f"{name}@", f"{name}:")):
        raise BackendError(f"{where} was asked for the model {name!r} and answered as {told!r}: correct `base`")


def shown(choice: Mapping[str, Any], where: str) -> list[Shown]:
    """The positions that a choice shows, in the form of chat completions.

    Raises:
        BackendError: what is there is no log-probability.
    """
    try:
        content = (choice.get("logprobs") or {}).get("content") or []
        return [_position(one, where) for one in content]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackendError(f"{where}: log-probabilities in a form that is not known: {error!r}") from error


def echoed(choice: Mapping[str, Any], where: str) -> list[Shown | None]:
    """The positions that a choice shows, in the form of completions; ``None`` where nothing is shown, as of the first
    token of a prompt, which follows nothing.

    Raises:
        BackendError: what is there is no log-probability.
    """
    told = choice.get("logprobs") or {}
    try:
        rows = zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True)
        return [None if found is None else _echoed(name, found, listed or {}, where) for name, found, listed in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackendError(f"{where}: log-probabilities in a form that is not known: {error!r}") from error


def answer(text: str, tokens: list[int], ended: bool) -> Answer:
    """What a model wrote, by a server that tells ids."""
    return Answer(text.strip(), tuple(tokens), ended)


def answer_without_ids(choice: Mapping[str, Any], where: str) -> Answer:
    """What a chat model wrote. Numbers made from their text stand for tokens; words where no tokens are told."""
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise BackendError(f"{where}: a reply without text: {str(choice)[:200]}")
    ended = choice.get("finish_reason") == "stop"
    tokens: list[Hashable] = [one.chosen for one in shown(choice, where)] or list(text.split())
    return Answer(text.strip(), tuple(one if isinstance(one, int) else _number(one) for one in tokens), ended)


def continued(choice: Mapping[str, Any], where: str) -> Answer:
    """What a model wrote after a text, by completions. Where no ids are told, numbers made from their text stand for
    tokens."""
    text = choice.get("text")
    if not isinstance(text, str):
        raise BackendError(f"{where}: a reply without text: {str(choice)[:200]}")
    tokens = [one.chosen for one in echoed(choice, where) if one is not None]
    ids = tuple(one if isinstance(one, int) else _number(one) for one in tokens)
    return Answer(text.strip(), ids, choice.get("finish_reason") == "stop")


def first_choice(reply: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The only choice of a reply."""
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise BackendError(f"{where}: a reply without choices: {str(dict(reply))[:200]}")
    return choices[0]


def _position(one: Mapping[str, Any], where: str) -> Shown:
    listed: dict[Hashable, float] = {}
    twice = set()
    for token in one.get("top_logprobs") or []:
        name = _name(token)
        twice |= {name} & listed.keys()
        listed[name] = _logprob(token["logprob"], where)
    # Two tokens of one name cannot be told apart: neither is taken as seen.
    kept = {name: found for name, found in listed.items() if name not in twice and name != b""}
    if listed and not kept:
        raise BackendError(f"{where} shows {len(listed)} tokens of one name at a position, which cannot be told apart")
    return Shown(_name(one), _logprob(one["logprob"], where), kept)


def _echoed(name: str, found: float, listed: Mapping[str, float], where: str) -> Shown:
    # A token that ends within a character has no text of its own, and others have the same.
    kept = {_by_text(one): _logprob(value, where) for one, value in listed.items() if one and "\ufffd" not in one}
    return Shown(_by_text(name), _logprob(found, where), kept)


def _by_text(name: str) -> Hashable:
    """The id that a name tells, else the text's bytes."""
    number = name.removeprefix(BY_ID)
    return int(number) if number != name and number.isdigit() else name.encode()


def _name(token: Mapping[str, Any]) -> Hashable:
    if isinstance(token.get("id"), int):
        return int(token["id"])
    return bytes(token["bytes"]) if token.get("bytes") else str(token["token"]).encode()


def _logprob(found: Any, where: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found) or found > _ABOVE_ONE:
        raise BackendError(f"{where}: {found!r} is no log-probability: the model's weights may be damaged")
    return min(0.0, float(found))


def _number(token: Hashable) -> int:
    text = token if isinstance(token, bytes) else str(token).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:6])
