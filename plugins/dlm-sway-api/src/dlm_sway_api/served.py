"""One model behind an endpoint: what its server lets be seen, found out once, and how an item is asked then.

``steps``: the server turns text into tokens, takes tokens as a prompt, and shows raw log-probabilities whatever token
is forced, so that any given answer is scored token by token (llama.cpp's server). ``chat``: only what a chat reply
shows, that is the first token after a prompt.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from dlm_sway.errors import BackendError, NotSupported, TargetError

from .endpoint import Refused
from .reading import Shown, answer, answer_without_ids, check_model, first_choice, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dlm_sway.scoring.types import Answer, Item
    from dlm_sway.spec.models import SuiteDefaults

    from .endpoint import Endpoint

Way = Literal["steps", "chat"]
FORCE: Final = 100
"""Bias that makes a server choose a token; the most that OpenAI's interface allows."""
SAFE: Final = "a"
"""Its token is always shown. Servers keep back a token that ends within a character."""
KEPT: Final = 20_000
"""Positions remembered, so that what was asked is answered the same."""
ALPHABET: Final = "The 2 keys: naïve 你好\n\tx == y_z() 🙂 über-long 1234567890 <b>&amp;</b>"
"""Tokenizers that cut this alike are taken for the same."""
_MARK: Final = "zebra"
_TRIED: Final = (20, 5, 1)


class Given(NamedTuple):
    """One item as tokens. What follows each of ``ids[start:]`` is scored."""

    ids: tuple[int, ...]
    start: int
    targets: tuple[int, ...]


class Served:
    """A model by its name at an endpoint. Safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, name: str, defaults: SuiteDefaults) -> None:
        self.endpoint, self.name, self._defaults = endpoint, name, defaults
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Shown] = OrderedDict()

    @cached_property
    def way(self) -> Way:
        """How this server can be asked."""
        try:
            ids = self.tokens(ALPHABET)[:4]
            one, other = (self._forced(ids, token, 5) for token in (self._safe, self.tokens("b", start=False)[0]))
        except (Refused, NotSupported):
            return "chat"
        # A server that biases first and then reports would show the bias instead of the model.
        raw = one is not None and other is not None and one.listed.keys() == other.listed.keys()
        return "steps" if raw and one is not None and self._safe == one.chosen else "chat"

    @cached_property
    def top(self) -> int:
        """How many tokens a position the server shows, of those that the suite asks for with ``defaults.top_k``."""
        if self._defaults.top_k < 1:
            raise TargetError(f"defaults.top_k is {self._defaults.top_k}: a served model is asked for 1 token or more")
        for number in (self._defaults.top_k, *(fewer for fewer in _TRIED if fewer < self._defaults.top_k)):
            try:
                found = self._look(number)
            except Refused as error:
                if error.status not in (400, 422):
                    raise
                continue
            if found is not None and found.listed:
                return number
        raise NotSupported(
            f"{self._where} shows no log-probabilities, so nothing can be compared; probes that read answers work"
        )

    def tokens(self, text: str, *, start: bool = True) -> list[int]:
        """The ids of ``text``; with ``start``, after what the model puts before every text.

        Raises:
            NotSupported: the server does not tell.
        """
        reply = self.endpoint.post("/tokenize", {"content": text, "add_special": start, "model": self.name}, own=True)
        found = reply.get("tokens")
        if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
            raise NotSupported(f"{self._where} does not tell how it cuts a text into tokens")
        return found

    @cached_property
    def longest(self) -> int | None:
        """How many tokens a prompt may have; ``None`` when the server does not tell."""
        try:
            told = self.endpoint.get("/props").get("default_generation_settings")
        except Refused:
            return None
        found = told.get("n_ctx") if isinstance(told, dict) else None
        # One place is kept for the token that follows.
        return found - 1 if isinstance(found, int) and found > 1 else None

    def given(self, item: Item) -> Given:
        """``item`` as tokens; the end of an answer is scored too, but of an item that is text as it stands."""
        text, plain = self._prompt(item)
        prompt = self.tokens(text)
        if not prompt:
            raise BackendError("an empty prompt has no token to continue; write a prompt")
        if not item.reference:
            return Given(tuple(prompt), len(prompt) - 1, ())
        said = item.reference if plain else item.reference.strip()
        joint = self.tokens(text + said)
        whole = joint if joint[: len(prompt)] == prompt else prompt + self.tokens(said, start=False)
        ids = whole if plain else [*whole, self._end]
        return Given(tuple(ids[:-1]), len(prompt) - 1, tuple(ids[len(prompt) :]))

    def at(self, ids: Sequence[int], target: int | None, *, top: int = 0, again: bool = False) -> Shown:
        """What the model shows after ``ids``, and how likely ``target`` is there. ``again``: ask even if known."""
        return self._known((tuple(ids), target, top), again, lambda: self._seen(list(ids), target, top or self.top))

    def first(self, item: Item, *, again: bool = False) -> Shown:
        """What the model shows after an item's prompt, by a chat reply."""
        if item.plain or item.reference:
            raise NotSupported(
                f"{self._where} shows no log-probabilities of given answers, only of the first token that it writes: "
                "probes that score answers need a server that takes tokens, such as llama.cpp's, or a local model"
            )
        return self._known(item._replace(group=""), again, lambda: self._chatted(item, self.top))

    def generate(self, item: Item, longest: int) -> Answer:
        """A greedy answer."""
        if self.way == "steps":
            ids = self.tokens(self._prompt(item)[0])
            body = {"prompt": ids, "n_predict": longest, "temperature": 0, "return_tokens": True, "seed": 0}
            reply = self.endpoint.post("/completion", {"model": self.name, **body}, own=True)
            check_model(reply, self.name, self._where)
            text, tokens = reply.get("content"), reply.get("tokens")
            if not isinstance(text, str) or not isinstance(tokens, list):
                raise BackendError(f"{self._where}: a reply without text and tokens: {str(reply)[:200]}")
            ended = reply.get("stop_type") == "eos"
            return answer(text, tokens[:-1] if ended and len(tokens) and self._stops(tokens[-1]) else tokens, ended)
        if item.plain or self._defaults.template == "raw":
            raise NotSupported(f"{self._where} is only asked as a chat, and this text has no turns")
        reply = self._chat(item, max_tokens=longest, **({"logprobs": True} if self._tells else {}))
        return answer_without_ids(first_choice(reply, self._where), self._where)

    def _known(self, key: tuple[Any, ...], again: bool, ask: Callable[[], Shown]) -> Shown:
        """What was asked before is answered the same, unless it is asked ``again``, which changes no later answer."""
        with self._lock:
            if not again and key in self._kept:
                return self._kept[key]
        found = ask()
        if not again:
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    @property
    def _where(self) -> str:
        return f"{self.endpoint.address} ({self.name})"

    @cached_property
    def _safe(self) -> int:
        return self.tokens(SAFE, start=False)[0]

    @cached_property
    def _tells(self) -> bool:
        try:
            return self.top > 0
        except NotSupported:
            return False

    @cached_property
    def _end(self) -> int:
        """The token that the server's template puts right after an answer."""
        turns = [("user", "hello"), ("assistant", _MARK), ("user", "hello")]
        text = self._templated(turns)
        after = text[text.rindex(_MARK) + len(_MARK) :] if _MARK in text else ""
        ids = self.tokens(after, start=False) if after else []
        if not ids or not self._stops(ids[0]):
            raise BackendError(
                f"{self._where}: the template ends an answer with no token that stops one; use template: raw"
            )
        return ids[0]

    def _stops(self, token: int) -> bool:
        """Whether the model ends its answer with ``token``."""
        reply = self._completed([self._safe], token, 1)
        return bool(first_choice(reply, self._where).get("finish_reason") == "stop")

    def _prompt(self, item: Item) -> tuple[str, bool]:
        """The text before the answer, and whether it is text as it stands."""
        if item.plain or self._defaults.template == "raw":
            return item.prompt if item.plain else "\n".join(text for _, text in self._turns(item)), True
        return self._templated(self._turns(item)), False

    def _turns(self, item: Item) -> list[tuple[str, str]]:
        system = item.system if item.system is not None else self._defaults.system_prompt
        return [*([("system", system)] if system is not None else []), *item.before, ("user", item.prompt)]

    def _templated(self, turns: list[tuple[str, str]]) -> str:
        messages = [{"role": role, "content": text} for role, text in turns]
        found = self.endpoint.post("/apply-template", {"messages": messages, "model": self.name}, own=True)
        if not isinstance(found.get("prompt"), str):
            raise NotSupported(f"{self._where} does not tell what a prompt looks like; use template: raw")
        return str(found["prompt"])

    def _seen(self, ids: list[int], target: int | None, top: int) -> Shown:
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

    def _forced(self, ids: list[int], token: int, top: int) -> Shown | None:
        positions = shown(first_choice(self._completed(ids, token, top), self._where), self._where)
        return positions[0] if positions else None

    def _completed(self, ids: list[int], token: int, top: int) -> dict[str, Any]:
        body = {"prompt": ids, "max_tokens": 1, "temperature": 0, "logprobs": top, "logit_bias": {str(token): FORCE}}
        reply = self.endpoint.post("/completions", {"model": self.name, **body})
        check_model(reply, self.name, self._where)
        return reply

    def _look(self, top: int) -> Shown | None:
        from dlm_sway.scoring.types import Item

        return self._forced([self._safe], self._safe, top) if self.way == "steps" else self._chatted(Item("Hello"), top)

    def _chatted(self, item: Item, top: int) -> Shown:
        reply = self._chat(item, max_tokens=1, logprobs=True, top_logprobs=top)
        positions = shown(first_choice(reply, self._where), self._where)
        if not positions:
            raise NotSupported(f"{self._where} shows no log-probabilities of the first token of its answer")
        return positions[0]

    def _chat(self, item: Item, **more: Any) -> dict[str, Any]:
        messages = [{"role": role, "content": text} for role, text in self._turns(item)]
        reply = self.endpoint.post(
            "/chat/completions", {"model": self.name, "messages": messages, "temperature": 0, "seed": 0, **more}
        )
        check_model(reply, self.name, self._where)
        return reply


def windows(ids: Sequence[int], longest: int | None) -> Iterator[tuple[Sequence[int], int]]:
    """What comes before each token of ``ids`` but the first, and that token. A text that is longer than a prompt may be
    is read in windows that overlap by half."""
    size, begin = longest or len(ids), 0
    for at in range(1, len(ids)):
        if at - begin > size:
            begin = at - max(1, size // 2)
        yield ids[begin:at], ids[at]


def same_tokens(one: Served, other: Served) -> bool:
    """Whether two models cut a text of many kinds of characters alike."""
    return one.tokens(ALPHABET) == other.tokens(ALPHABET)
