"""Completions that give a prompt back with the log-probability of each of its tokens (``echo``): one request an item.

Some such servers tell ids of tokens when they are asked to, as vLLM does; others tell texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dlm_sway.errors import BackendError

from .reading import check_model, echoed, first_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .endpoint import Endpoint
    from .reading import Shown
    from .writing import Written

BY_ID: Final = {"return_tokens_as_token_ids": True}
"""vLLM's word for: name tokens by their ids."""


class Echo:
    """How one model behind a server with ``echo`` is asked."""

    def __init__(self, endpoint: Endpoint, name: str, more: dict[str, Any]) -> None:
        self._endpoint, self._name, self._more = endpoint, name, more
        self._where = f"{endpoint.address} ({name})"

    def after(self, ids: Sequence[int], targets: Sequence[int], top: int) -> list[Shown]:
        """What is shown where each of ``targets`` follows; without any, after ``ids``."""
        asked = [*ids, *targets]
        told = self._told(asked, top)
        if len(told) != len(asked) + 1:
            raise BackendError(
                f"{self._where} was given {len(asked)} tokens and told of {len(told) - 1}: it adds or drops tokens of "
                "a prompt, so nothing that it shows can be placed"
            )
        found = _all(told[len(ids) :][: len(targets) or 1], self._where)
        for target, one in zip(targets, found, strict=False):
            if one.chosen != target:
                raise BackendError(f"{self._where} was given token {target} and answers about {one.chosen!r}")
        return found

    def within(self, written: Written, top: int) -> tuple[tuple[Any, ...], list[Shown]]:
        """The tokens that the server makes of a prompt with its answer, and what is shown where the answer's follow."""
        reply = first_choice(self._reply(written.prompt + written.reference, top), self._where)
        told, offsets = echoed(reply, self._where), _offsets(reply, self._where)
        names = tuple(None if one is None else one.chosen for one in told[:-1])
        if not written.reference:
            return names, _all(told[-1:], self._where)
        begins = [at for at, offset in enumerate(offsets[:-1]) if offset - offsets[0] == len(written.prompt)]
        if not begins:
            raise BackendError(
                f"{self._where} makes one token of the end of a prompt and the start of its answer "
                f"({written.prompt[-10:] + written.reference[:10]!r}): move the white space between them"
            )
        return names, _all(told[begins[0] : -1], self._where)

    def whole(self, text: str) -> list[Shown]:
        """What is shown at every token of a text but the first, which follows nothing."""
        told = echoed(first_choice(self._reply(text, 1), self._where), self._where)[:-1]
        return _all([one for at, one in enumerate(told) if at or one is not None], self._where)

    def answer(self, prompt: Sequence[int] | str, longest: int) -> dict[str, Any]:
        """The choice that continues a prompt."""
        return first_choice(self._ask(prompt, max_tokens=longest, logprobs=1, seed=0), self._where)

    def _told(self, ids: list[int], top: int) -> list[Shown | None]:
        return echoed(first_choice(self._reply(ids, top), self._where), self._where)

    def _reply(self, prompt: list[int] | str, top: int) -> dict[str, Any]:
        # One new token: not all servers take none, and the last position is shown by it.
        return self._ask(prompt, max_tokens=1, logprobs=top, echo=True)

    def _ask(self, prompt: Sequence[int] | str, **wanted: Any) -> dict[str, Any]:
        given = prompt if isinstance(prompt, str) else list(prompt)
        body = {"model": self._name, "prompt": given, "temperature": 0, **wanted, **self._more}
        reply = self._endpoint.post("/completions", body)
        check_model(reply, self._name, self._where)
        return reply


def find_echo(endpoint: Endpoint, name: str) -> tuple[Echo, bool] | None:
    """How to ask for a prompt's log-probabilities, and whether tokens are told by id; ``None`` where they are not
    told."""
    text = "The quick brown fox."
    for more in (BY_ID, {}):
        body = {"model": name, "prompt": text, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True, **more}
        reply = endpoint.asked("/completions", body)
        if reply is None:
            continue
        try:
            told = echoed(first_choice(reply, endpoint.address), endpoint.address)
        except BackendError:
            return None
        # A server that does not know the key shows the new token alone.
        if sum(one is not None for one in told) < 3:
            return None
        return Echo(endpoint, name, more), all(isinstance(one.chosen, int) for one in told if one is not None)
    return None


def _all(found: Sequence[Shown | None], where: str) -> list[Shown]:
    shown = [one for one in found if one is not None]
    if len(shown) != len(found) or not shown:
        raise BackendError(f"{where} shows no log-probability of a token inside a prompt")
    return shown


def _offsets(choice: dict[str, Any], where: str) -> list[int]:
    found = (choice.get("logprobs") or {}).get("text_offset")
    if not isinstance(found, list) or not all(isinstance(one, int) for one in found) or len(found) < 2:
        raise BackendError(f"{where} does not tell where its tokens begin in the text")
    return found
