"""A Hugging Face model by itself, for a suite that compares it with a model of another kind.

Nothing here imports PyTorch; :mod:`.single` does the work. Pairs of Hugging Face models: :mod:`.judging`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dlm_sway.scoring.alone import OneModel

from .judging import side_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dlm_sway.scoring.alone import Given, Seen
    from dlm_sway.scoring.types import Answer, Item

    from .single import SingleScoring


class HfAlone(OneModel):
    """A base, perhaps with an adapter on it. See :class:`dlm_sway.scoring.alone.OneModel`."""

    @property
    def longest(self) -> int | None:
        return self._scoring.longest

    def tokens(self, texts: Sequence[str], *, start: bool = False) -> list[list[int]]:
        return self._scoring.tokens(texts, start)

    def given(self, items: Sequence[Item]) -> list[Given]:
        return self._scoring.given(items)

    def shown(self, given: Sequence[Given], *, layout: int = 0) -> Iterator[Seen]:
        return self._scoring.shown(given, layout)

    def said(self, given: Sequence[Given]) -> list[float]:
        return self._scoring.said(given)

    def answers(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[Answer]:
        return self._scoring.answers(prompts, max_new_tokens)

    def identity(self, digest: Callable[[Path], str]) -> Mapping[str, object] | None:
        return side_identity(self.spec, self.defaults, digest)

    def describe(self) -> dict[str, object]:
        return self._scoring.described()

    def close(self) -> None:
        if "_scoring" in self.__dict__:
            self._scoring.close()

    @cached_property
    def _scoring(self) -> SingleScoring:
        from .single import SingleScoring

        return SingleScoring(self.spec, self.defaults)
