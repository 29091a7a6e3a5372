"""Sway's items as tokens of a GGUF file: its template, its tokenizer, its end of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.corpus.records import Message
from dlm_sway.errors import BackendError
from dlm_sway.scoring.alone import Given

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm_sway.scoring.types import Item
    from dlm_sway.spec.models import SuiteDefaults

    from .llamacpp import LlamaCpp

_MARK = "zebra"


def given(item: Item, runtime: LlamaCpp, defaults: SuiteDefaults) -> Given:
    """``item`` as ``runtime`` reads it."""
    prompt, text, plain = _prompt(item, runtime, defaults)
    if not prompt:
        raise BackendError("an empty prompt has no token to continue; write a prompt")
    if not item.reference:
        return Given(tuple(prompt), len(prompt) - 1, ())
    answer = item.reference if plain else item.reference.strip()
    joint = runtime.model.tokenize(text + answer, start=True)
    whole = joint if joint[: len(prompt)] == prompt else prompt + runtime.text_ids(answer)
    ids = whole if plain else [*whole, _end(runtime)]
    return Given(tuple(ids[:-1]), len(prompt) - 1, tuple(ids[len(prompt) :]))


def windows(ids: Sequence[int], longest: int) -> Iterator[tuple[Sequence[int], int]]:
    """``ids`` in runs of at most ``longest`` inputs, each half covered by the one before, with the place of the first
    token that is scored there; every token but the first is scored once."""
    size, scored = min(longest, len(ids) - 1), 1
    while scored < len(ids):
        begin = 0 if scored == 1 else max(0, scored - 1 - size // 2)
        end = min(len(ids), begin + size + 1)
        yield ids[begin:end], scored - begin
        scored = end


def _prompt(item: Item, runtime: LlamaCpp, defaults: SuiteDefaults) -> tuple[list[int], str, bool]:
    """Tokens and text of what comes before the answer, and whether it is text as it stands."""
    if defaults.template == "chat" and runtime.template is None:
        raise BackendError("the file holds no conversation template; use template: raw, or export with one")
    if item.plain or defaults.template == "raw" or runtime.template is None:
        texts = [text for _, text in _turns(item, defaults)] if not item.plain else [item.prompt]
        text = "\n".join(texts)
        return runtime.model.tokenize(text, start=True), text, True
    messages = [Message(role, text) for role, text in _turns(item, defaults)]  # type: ignore[arg-type]
    return runtime.prompt_ids(messages), runtime.prompt_text(messages), False


def _turns(item: Item, defaults: SuiteDefaults) -> list[tuple[str, str]]:
    system = item.system if item.system is not None else defaults.system_prompt
    return [*([("system", system)] if system is not None else []), *item.before, ("user", item.prompt)]


def _end(runtime: LlamaCpp) -> int:
    """The token that the template puts right after an answer."""
    text = runtime.prompt_text([Message("user", "hello"), Message("assistant", _MARK)], invite=False)
    after = runtime.text_ids(text[text.rindex(_MARK) + len(_MARK) :]) if _MARK in text else []
    if not after or after[0] not in runtime.stop_ids:
        raise BackendError("the file's template ends an answer with no token that stops one; use template: raw")
    return after[0]
