"""Words in the tokens of a base's tokenizer, each after a space as it stands in running text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.training.vocabulary import Vocabulary, counted, general, measured

from .render import many_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .render import Renderer


def vocabulary(texts: Iterable[str], renderer: Renderer) -> Vocabulary:
    """How the tokenizer of ``renderer`` splits the words of ``texts``, beside those of general text."""
    words, elsewhere = counted(texts), general()
    distinct = sorted({*words, *elsewhere})
    ids = many_ids(renderer.tokenizer, [f" {word}" for word in distinct], add_special_tokens=False)
    return measured(words, elsewhere, dict(zip(distinct, ids, strict=True)), renderer.tokenizer.unk_token_id)
