"""How a server tells which tokens a text is, and what a conversation looks like to its model. Each knows one server."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from dlm_sway.errors import NotSupported

from .endpoint import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .endpoint import Endpoint


class Tokens(Protocol):
    """What a server tells about texts.

    All methods raise :class:`~dlm_sway.errors.NotSupported` or :class:`~.endpoint.Refused` where it does not tell.
    """

    starts: bool
    """Whether a text that the template wrote still lacks what the model puts before every text."""

    def ids(self, text: str, *, start: bool) -> list[int]:
        """The ids of ``text``; with ``start``, after what the model puts before every text."""

    def templated(self, turns: Sequence[tuple[str, str]]) -> str:
        """A conversation up to where the assistant is to speak."""

    @property
    def longest(self) -> int | None:
        """How many tokens a prompt may have with the token after it; ``None`` when that is not told."""


class LlamaCppTokens:
    """``llama-server``: ``/tokenize`` of a content, ``/apply-template``, ``/props``."""

    starts = True

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._endpoint, self._name = endpoint, name

    def ids(self, text: str, *, start: bool) -> list[int]:
        body = {"content": text, "add_special": start, "model": self._name}
        return _ids(self._endpoint.post("/tokenize", body, own=True), self._endpoint, self._name)

    def templated(self, turns: Sequence[tuple[str, str]]) -> str:
        body = {"messages": messages(turns), "model": self._name}
        return _text(self._endpoint.post("/apply-template", body, own=True), self._endpoint, self._name)

    @cached_property
    def longest(self) -> int | None:
        try:
            told = self._endpoint.get("/props").get("default_generation_settings")
        except Refused:
            return None
        found = told.get("n_ctx") if isinstance(told, dict) else None
        return found if isinstance(found, int) and found > 1 else None


class VllmTokens:
    """vLLM: ``/tokenize`` of a prompt or of messages, ``/detokenize``."""

    starts = False

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._endpoint, self._name = endpoint, name

    def ids(self, text: str, *, start: bool) -> list[int]:
        body = {"model": self._name, "prompt": text, "add_special_tokens": start}
        return _ids(self._endpoint.post("/tokenize", body, own=True), self._endpoint, self._name)

    def templated(self, turns: Sequence[tuple[str, str]]) -> str:
        body = {"model": self._name, "messages": messages(turns), "add_generation_prompt": True}
        ids = _ids(self._endpoint.post("/tokenize", body, own=True), self._endpoint, self._name)
        told = self._endpoint.post("/detokenize", {"model": self._name, "tokens": ids}, own=True)
        return _text(told, self._endpoint, self._name)

    @cached_property
    def longest(self) -> int | None:
        told = self._endpoint.post("/tokenize", {"model": self._name, "prompt": "a"}, own=True).get("max_model_len")
        return told if isinstance(told, int) and told > 1 else None


def find_tokens(endpoint: Endpoint, name: str) -> Tokens | None:
    """What this server understands; ``None`` where it tells nothing about texts."""
    for kind in (LlamaCppTokens, VllmTokens):
        tokens = kind(endpoint, name)
        try:
            if tokens.ids("Hello there", start=False):
                return tokens
        except (Refused, NotSupported):
            continue
    return None


def messages(turns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """A conversation as servers take it."""
    return [{"role": role, "content": content} for role, content in turns]


def _ids(reply: dict[str, Any], endpoint: Endpoint, name: str) -> list[int]:
    found = reply.get("tokens")
    if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
        raise NotSupported(f"{endpoint.address} ({name}) does not tell how it cuts a text into tokens")
    return found


def _text(reply: dict[str, Any], endpoint: Endpoint, name: str) -> str:
    found = reply.get("prompt")
    if not isinstance(found, str):
        raise NotSupported(f"{endpoint.address} ({name}) does not tell what a prompt looks like; use template: raw")
    return found
