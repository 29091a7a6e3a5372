"""A GGUF file by itself, for a suite that compares it with a model of another kind. Pairs of files: :mod:`.judging`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dlm_sway.errors import BackendError
from dlm_sway.scoring.alone import OneModel, Seen
from dlm_sway.scoring.types import Answer

from .items import given
from .judging import CONTEXT, STEP, explained, facts_of, files_named, identity_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dlm_sway.scoring.alone import Given
    from dlm_sway.scoring.types import Item

    from .judging import Files
    from .llamacpp import LlamaCpp


class GgufAlone(OneModel):
    """A GGUF file in llama.cpp, perhaps with an adapter's file on it. See :class:`dlm_sway.scoring.alone.OneModel`."""

    @property
    def longest(self) -> int | None:
        with explained():
            return self._model.context or CONTEXT

    def tokens(self, texts: Sequence[str], *, start: bool = False) -> list[list[int]]:
        with explained():
            return [self._model.model.tokenize(text, start=start) for text in texts]

    def given(self, items: Sequence[Item]) -> list[Given]:
        with explained():
            return [given(item, self._model, self.defaults) for item in items]

    def shown(self, given: Sequence[Given], *, layout: int = 0) -> Iterator[Seen]:
        for one in given:
            self._check(one)
            with explained():
                rows = self._model.read(one.ids, one.start, max(8, self._model.model.rows - STEP * layout))
            yield Seen(tuple(float(rows[at, token]) for at, token in enumerate(one.targets)), rows)

    def said(self, given: Sequence[Given]) -> list[float]:
        return [sum(self._told(one)) for one in given]

    def answers(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[Answer]:
        found = []
        with explained():
            for prompt in prompts:
                (written,) = self._model.complete([list(prompt)], max_new_tokens)
                found.append(Answer(self._model.model.text(written.ids).strip(), tuple(written.ids), written.ended))
        return found

    def identity(self, digest: Callable[[Path], str]) -> Mapping[str, object] | None:
        return identity_of(self._files, self.defaults, digest)

    def describe(self) -> dict[str, object]:
        with explained():
            return {"backend": "gguf", "runtime": self._model.name, **facts_of(self._files)}

    def close(self) -> None:
        if "_model" in self.__dict__:
            self.__dict__.pop("_model").close()

    @cached_property
    def _files(self) -> Files:
        return files_named(self.spec, "the model")

    @cached_property
    def _model(self) -> LlamaCpp:
        return opened(*self._files)

    def _told(self, one: Given) -> Iterator[float]:
        """Log-probabilities of the targets."""
        self._check(one)
        with explained():
            rows: Any = self._model.log_probs(one.ids, one.start)
        return (float(rows[at, token]) for at, token in enumerate(one.targets))

    def _check(self, one: Given) -> None:
        """Another model's tokens may be none of this one's: llama.cpp would end the program."""
        known = self._model.model.vocabulary
        if (largest := max((*one.ids, *one.targets))) >= known:
            raise BackendError(f"token {largest} of the other model is none of {self.spec.base}, which has {known}")
