"""One model behind an endpoint: what its server lets be seen, found out once, and how an item is asked then.

``echo``: a prompt comes back with the log-probability of each of its tokens, so an item is one request; the server may
tell ids of tokens (vLLM) or only texts (``echo text``). ``steps``: the server takes tokens as a prompt and shows raw
log-probabilities whatever token is forced, so that any given answer is scored token by token (llama.cpp's server).
``chat``: only what a chat reply shows, that is the first token after a prompt.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from dlm_sway.errors import NotSupported, TargetError
from dlm_sway.scoring.types import Item

from .echoing import find_echo
from .endpoint import Refused
from .forcing import Forcing
from .reading import Shown, answer, answer_without_ids, check_model, continued, first_choice, shown
from .tokens import find_tokens, messages
from .writing import Writing, as_text, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from dlm_sway.scoring.alone import Given
    from dlm_sway.scoring.types import Answer
    from dlm_sway.spec.models import SuiteDefaults

    from .echoing import Echo
    from .endpoint import Endpoint
    from .tokens import Tokens

Way = Literal["echo", "echo text", "steps", "chat"]
KEPT: Final = 20_000
"""Positions remembered, so that what was asked is answered the same."""
_TRIED: Final = (20, 5, 1)


class Looked(NamedTuple):
    """What a model shows of one item."""

    tokens: tuple[Hashable, ...]
    """What was looked at, for comparing two models; empty where a server does not tell."""
    shown: tuple[Shown, ...]
    scored: bool
    """Whether the tokens of a given answer were looked at, rather than the first one of an answer."""


class Served:
    """A model by its name at an endpoint. Safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, name: str, defaults: SuiteDefaults) -> None:
        self.endpoint, self.name, self._defaults = endpoint, name, defaults
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[Shown, ...]] = OrderedDict()

    @cached_property
    def way(self) -> Way:
        """How this server can be asked."""
        if self._echo is not None:
            return "echo" if self._echo[1] and self._told is not None else "echo text"
        return "steps" if self._told is not None and self._forcing.works() else "chat"

    @property
    def takes_ids(self) -> bool:
        """Whether the model can be asked about tokens."""
        return self.way in ("echo", "steps")

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
            f"{self.where} shows no log-probabilities, so nothing can be compared; probes that read answers work"
        )

    def tokens(self, text: str, *, start: bool = True) -> list[int]:
        """The ids of ``text``; with ``start``, after what the model puts before every text.

        Raises:
            NotSupported: the server does not tell.
        """
        if self._told is None:
            raise NotSupported(f"{self.where} does not tell how it cuts a text into tokens")
        return self._told.ids(text, start=start)

    @property
    def longest(self) -> int | None:
        """After how many tokens the next one can be scored; ``None`` when the server does not tell."""
        if self._told is None or self._told.longest is None:
            return None
        # One place is kept for the token that follows, and where that is part of the prompt one more for a new one.
        return max(1, self._told.longest - (2 if self.way == "echo" else 1))

    def given(self, item: Item) -> Given:
        """``item`` as this model's tokens."""
        return self._writing.given(item)

    def look(self, item: Item, *, again: bool = False) -> Looked:
        """What the model shows of an item. ``again``: ask even if known, which changes no later answer."""
        if self.takes_ids:
            given = self.given(item)
            key = (given.ids, given.start, given.targets)
            return Looked(key, self.after(given, again=again), bool(given.targets))
        if self.way == "chat":
            return Looked((), (self._first(item, again),), scored=False)
        echo, written = self._echoing, as_text(item, self._defaults, self.where)
        names, found = echo.within(written, self.top)
        # A token of a text that is not told has no name, and two such could be two.
        return Looked(names, tuple(found), bool(written.reference))

    def after(self, given: Given, *, top: int = 0, again: bool = False) -> tuple[Shown, ...]:
        """What the model shows at each scored position of tokens."""
        top = top or self.top
        if self.way == "echo":
            ids = given.ids[: given.start + 1]
            return self._known(
                (ids, given.targets, top), again, lambda: tuple(self._echoing.after(ids, given.targets, top))
            )
        targets: Sequence[int | None] = given.targets or (None,)
        return tuple(
            self._at(given.ids[: given.start + 1 + at], target, top, again) for at, target in enumerate(targets)
        )

    def rolled(self, text: str) -> list[Shown]:
        """What the model shows at every token of a text that follows another, by a server that takes only text."""
        return self._echoing.whole(text)

    def generate(self, item: Item, longest: int) -> Answer:
        """A greedy answer."""
        if self.takes_ids:
            return self.continued(self._writing.prompt(item), longest)
        if self.way == "echo text":
            prompt = as_text(item._replace(reference=""), self._defaults, self.where).prompt
            return continued(self._echoing.answer(prompt, longest), self.where)
        if item.plain or self._defaults.template == "raw":
            raise NotSupported(f"{self.where} is only asked as a chat, and this text has no turns")
        reply = self._chat(item, max_tokens=longest, **({"logprobs": True} if self._tells else {}))
        return answer_without_ids(first_choice(reply, self.where), self.where)

    def continued(self, ids: Sequence[int], longest: int) -> Answer:
        """A greedy answer to a prompt that is tokens."""
        if self.way == "echo":
            found = continued(self._echoing.answer(ids, longest), self.where)
            return found._replace(ids=self._without_stop(found.ids, found.ended))
        text, tokens, ended = self._forcing.answer(ids, longest)
        return answer(text, list(self._without_stop(tokens, ended)), ended)

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.endpoint.address} ({self.name})"

    @cached_property
    def _told(self) -> Tokens | None:
        return find_tokens(self.endpoint, self.name)

    @cached_property
    def _echo(self) -> tuple[Echo, bool] | None:
        return find_echo(self.endpoint, self.name)

    @property
    def _echoing(self) -> Echo:
        assert self._echo is not None  # the way says so
        return self._echo[0]

    @cached_property
    def _writing(self) -> Writing:
        assert self._told is not None  # the way says so
        return Writing(self._told, self._defaults, self.where, lambda token: self._forcing.stops(token))

    @cached_property
    def _forcing(self) -> Forcing:
        return Forcing(self.endpoint, self.name, self.tokens)

    def _at(self, ids: Sequence[int], target: int | None, top: int, again: bool) -> Shown:
        return self._known((tuple(ids), target, top), again, lambda: (self._forcing.seen(list(ids), target, top),))[0]

    def _first(self, item: Item, again: bool) -> Shown:
        """What the model shows after an item's prompt, by a chat reply."""
        if item.plain or item.reference:
            raise NotSupported(
                f"{self.where} shows no log-probabilities of given answers, only of the first token that it writes: "
                "probes that score answers need a server that takes tokens (llama.cpp's, vLLM), or a local model"
            )
        return self._known((item._replace(group=""),), again, lambda: (self._chatted(item, self.top),))[0]

    def _known(self, key: tuple[Any, ...], again: bool, ask: Callable[[], tuple[Shown, ...]]) -> tuple[Shown, ...]:
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

    @cached_property
    def _tells(self) -> bool:
        try:
            return self.top > 0
        except NotSupported:
            return False

    def _without_stop(self, tokens: Sequence[int], ended: bool) -> tuple[int, ...]:
        cut = ended and len(tokens) > 0 and self._forcing.stops(tokens[-1])
        return tuple(tokens[:-1] if cut else tokens)

    def _look(self, top: int) -> Shown | None:
        """A position, asked for with ``top`` tokens."""
        if self.way == "echo":
            return self._echoing.after(self.tokens("Hello there", start=False), (), top)[0]
        if self.way == "echo text":
            return self._echoing.within(as_text(Item("Hello there", plain=True), self._defaults, self.where), top)[1][0]
        return self._forcing.look(top) if self.way == "steps" else self._chatted(Item("Hello"), top)

    def _chatted(self, item: Item, top: int) -> Shown:
        reply = self._chat(item, max_tokens=1, logprobs=True, top_logprobs=top)
        positions = shown(first_choice(reply, self.where), self.where)
        if not positions:
            raise NotSupported(f"{self.where} shows no log-probabilities of the first token of its answer")
        return positions[0]

    def _chat(self, item: Item, **more: Any) -> dict[str, Any]:
        asked = messages(turns(item, self._defaults))
        reply = self.endpoint.post(
            "/chat/completions", {"model": self.name, "messages": asked, "temperature": 0, "seed": 0, **more}
        )
        check_model(reply, self.name, self.where)
        return reply
