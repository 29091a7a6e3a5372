"""Items as text and as tokens of a served model: the server's template, its tokenizer, its end of an answer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from dlm_sway.errors import BackendError, NotSupported
from dlm_sway.scoring.alone import Given

if TYPE_CHECKING:
    from collections.abc import Callable

    from dlm_sway.scoring.types import Item
    from dlm_sway.spec.models import SuiteDefaults

    from .tokens import Tokens

SAFE: Final = "a"
"""Its token is always shown. Servers keep back a token that ends within a character."""
_MARK: Final = "zebra"


class Written(NamedTuple):
    """One item as text."""

    prompt: str
    reference: str


class Writing:
    """How one served model reads items. ``stops`` says whether the model ends its answer with a token."""

    def __init__(self, tokens: Tokens, defaults: SuiteDefaults, where: str, stops: Callable[[int], bool]) -> None:
        self.tokens, self._defaults, self._where, self._stops = tokens, defaults, where, stops

    def prompt(self, item: Item) -> list[int]:
        """The tokens before the answer."""
        text, plain = self._prompt(item)
        return self._whole(text, plain)

    def given(self, item: Item) -> Given:
        """``item`` as tokens; the end of an answer is scored too, but of an item that is text as it stands."""
        text, plain = self._prompt(item)
        prompt = self._whole(text, plain)
        if not prompt:
            raise BackendError("an empty prompt has no token to continue; write a prompt")
        if not item.reference:
            return Given(tuple(prompt), len(prompt) - 1, ())
        said = item.reference if plain else item.reference.strip()
        joint = self._whole(text + said, plain)
        alike = joint[: len(prompt)] == prompt
        whole = joint if alike else prompt + self.tokens.ids(said, start=False)
        ids = whole if plain else [*whole, self._end]
        return Given(tuple(ids[:-1]), len(prompt) - 1, tuple(ids[len(prompt) :]))

    @cached_property
    def safe(self) -> int:
        """A token that is a character by itself."""
        return self.tokens.ids(SAFE, start=False)[0]

    def _whole(self, text: str, plain: bool) -> list[int]:
        return self.tokens.ids(text, start=plain or self.tokens.starts)

    def _prompt(self, item: Item) -> tuple[str, bool]:
        """The text before the answer, and whether it is text as it stands."""
        if item.plain or self._defaults.template == "raw":
            return raw(item, self._defaults), True
        return self.tokens.templated(turns(item, self._defaults)), False

    @cached_property
    def _end(self) -> int:
        """The token that the server's template puts right after an answer."""
        text = self.tokens.templated([("user", "hello"), ("assistant", _MARK), ("user", "hello")])
        after = text[text.rindex(_MARK) + len(_MARK) :] if _MARK in text else ""
        ids = self.tokens.ids(after, start=False) if after else []
        if not ids or not self._stops(ids[0]):
            raise BackendError(
                f"{self._where}: the template ends an answer with no token that stops one; use template: raw"
            )
        return ids[0]


def as_text(item: Item, defaults: SuiteDefaults, where: str) -> Written:
    """An item for a server that only takes text, so of which the template is not known."""
    if not item.plain and defaults.template != "raw":
        raise NotSupported(f"{where} does not tell what a prompt looks like; use template: raw")
    text = raw(item, defaults)
    if not text:
        raise BackendError("an empty prompt has no token to continue; write a prompt")
    return Written(text, item.reference)


def raw(item: Item, defaults: SuiteDefaults) -> str:
    """A prompt without a template."""
    return item.prompt if item.plain else "\n".join(text for _, text in turns(item, defaults))


def turns(item: Item, defaults: SuiteDefaults) -> list[tuple[str, str]]:
    """The conversation that ends with the item's prompt."""
    system = item.system if item.system is not None else defaults.system_prompt
    return [*([("system", system)] if system is not None else []), *item.before, ("user", item.prompt)]
