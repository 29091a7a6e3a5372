"""What a suite asks, as token ids, and the refusal of what the base cannot read. Loads no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_hf.folders import tokenizer_folder
from dlm_hf.model import load_tokenizer
from dlm_hf.render import Encoded, Renderer, RenderError
from dlm_sway.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm_sway.scoring.types import Item
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults


class Asking:
    """The renderer of a suite, with the limits of its base."""

    def __init__(self, spec: ModelSpec, defaults: SuiteDefaults, context: int | None, vocabulary: int) -> None:
        folder = tokenizer_folder(spec)
        try:
            tokenizer = load_tokenizer(folder)
            self.renderer = Renderer(tokenizer, defaults.system_prompt, defaults.template)
        except RenderError as error:
            raise BackendError(str(error)) from error
        except (OSError, ValueError, KeyError) as error:
            raise BackendError(f"{folder}: no tokenizer that transformers can load: {error}") from error
        self._plain = Renderer(tokenizer, template="raw")
        self.context, self.vocabulary = context, vocabulary

    def example(self, item: Item) -> Encoded:
        """The item, with its reference as what is scored; without one, the first token after the prompt.

        Raises:
            BackendError: nothing would be scored, or the base cannot read it.
        """
        renderer = self._speaking(item)
        if item.reference:
            example = renderer.example([*_turns(item), ("assistant", item.reference)])
        else:
            ids = renderer.prompt_ids(_turns(item))
            example = Encoded((*ids, renderer.pad_id), len(ids))  # the pad only marks the position
        if example.start >= len(example.ids):
            raise BackendError(f"the reference of {_shown(item.prompt)} adds no token to score; write an answer")
        if example.start == 0:
            raise BackendError("an empty prompt has no token after which anything could be predicted; write a prompt")
        self._check(item.prompt, example.ids, len(example.ids) - 1)
        return example

    def prompt(self, item: Item, new_tokens: int) -> list[int]:
        """The item's prompt, where the answer has room.

        Raises:
            BackendError: it is empty, or the base cannot read it.
        """
        ids = self._speaking(item).prompt_ids(_turns(item))
        if not ids:
            raise BackendError("an empty prompt has no token to continue; write a prompt")
        self._check(item.prompt, ids, len(ids) + new_tokens)
        return ids

    def windows(self, text: str) -> Iterator[Encoded]:
        """``text`` in runs that fit the context, half of each but the first covered by the one before.

        Raises:
            BackendError: it has no token to score, or one that the base does not know.
        """
        from dlm_hf.batches import windows

        ids = self.renderer.text_ids(text)
        if len(ids) < 2:
            raise BackendError(f"{_shown(text)} has no token that follows another, so none to score; lengthen it")
        self._check(text, ids, 0)
        return windows(ids, self.context)

    def _speaking(self, item: Item) -> Renderer:
        return self._plain if item.plain else self.renderer

    def _check(self, prompt: str, ids: Sequence[int], length: int) -> None:
        if self.context is not None and length > self.context:
            raise BackendError(
                f"{_shown(prompt)} takes {length} tokens with its answer, and this base reads at most {self.context}; "
                "shorten it"
            )
        if max(ids) >= self.vocabulary:
            raise BackendError(
                f"{_shown(prompt)} contains token id {max(ids)}, and the base has {self.vocabulary} embeddings: the "
                "tokenizer beside the adapter has tokens that this base does not know"
            )


def _turns(item: Item) -> list[tuple[str, str]]:
    first = [] if item.system is None else [("system", item.system)]
    return [*first, *item.before, ("user", item.prompt)]


def _shown(prompt: str) -> str:
    return repr(prompt if len(prompt) <= 60 else prompt[:57] + "...")
