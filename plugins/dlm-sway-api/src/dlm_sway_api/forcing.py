"""Completions of one token that is forced by a bias: how likely a given token is, where the server shows raw values."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.errors import BackendError, NotSupported

from .endpoint import Refused
from .reading import Shown, check_model, first_choice, shown
from .writing import SAFE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .endpoint import Endpoint

FORCE: Final = 100
"""Bias that makes a server choose a token; the most that OpenAI's interface allows."""
_TEXT: Final = "The 2 keys: naïve 你好"


class Forcing:
    """How one model is asked token by token. ``tokens`` tells the ids of a text."""

    def __init__(self, endpoint: Endpoint, name: str, tokens: Callable[..., list[int]]) -> None:
        self._endpoint, self._name, self._tokens = endpoint, name, tokens
        self._where = f"{endpoint.address} ({name})"

    def works(self) -> bool:
        """Whether the server shows the model's own values, whatever token is forced."""
        try:
            ids = self._tokens(_TEXT)[:4]
            one, other = (self._forced(ids, token, 5) for token in (self._safe, self._tokens("b", start=False)[0]))
        except (Refused, NotSupported):
            return False
        # A server that biases first and then reports would show the bias instead of the model.
        return (
            one is not None
            and other is not None
            and one.listed.keys() == other.listed.keys()
            and self._safe == one.chosen
        )

    def seen(self, ids: list[int], target: int | None, top: int) -> Shown:
        """What is shown after ``ids``, and how likely ``target`` is there."""
        token = self._safe if target is None else target
        found = self._forced(ids, token, top)
        if found is None and target is not None:
            # A token that ends within a character is kept back: it is looked for among the likeliest.
            other = self._forced(ids, self._safe, top)
            if other is not None and target in other.listed:
                return Shown(target, other.listed[target], other.listed)
        if found is None:
            raise BackendError(
                f"{self._where} does not show how likely token {token} is, which ends within a character and is not "
                f"among the {top} likeliest: raise defaults.top_k, or leave that item out"
            )
        if found.chosen != token:
            raise BackendError(f"{self._where} was made to choose token {token} and chose {found.chosen}")
        return found

    def look(self, top: int) -> Shown | None:
        """Any position."""
        return self._forced([self._safe], self._safe, top)

    def stops(self, token: int) -> bool:
        """Whether the model ends its answer with ``token``."""
        reply = self._completed([self._safe], token, 1)
        return bool(first_choice(reply, self._where).get("finish_reason") == "stop")

    def answer(self, ids: Sequence[int], longest: int) -> tuple[str, list[int], bool]:
        """Text and tokens of a greedy answer, and whether the model ended it."""
        body = {"prompt": list(ids), "n_predict": longest, "temperature": 0, "return_tokens": True, "seed": 0}
        reply = self._endpoint.post("/completion", {"model": self._name, **body}, own=True)
        check_model(reply, self._name, self._where)
        text, tokens = reply.get("content"), reply.get("tokens")
        if not isinstance(text, str) or not isinstance(tokens, list):
            raise BackendError(f"{self._where}: a reply without text and tokens: {str(reply)[:200]}")
        return text, tokens, reply.get("stop_type") == "eos"

    @cached_property
    def _safe(self) -> int:
        return self._tokens(SAFE, start=False)[0]

    def _forced(self, ids: list[int], token: int, top: int) -> Shown | None:
        positions = shown(first_choice(self._completed(ids, token, top), self._where), self._where)
        return positions[0] if positions else None

    def _completed(self, ids: list[int], token: int, top: int) -> dict[str, Any]:
        body = {"prompt": ids, "max_tokens": 1, "temperature": 0, "logprobs": top, "logit_bias": {str(token): FORCE}}
        reply = self._endpoint.post("/completions", {"model": self._name, **body})
        check_model(reply, self._name, self._where)
        return reply
