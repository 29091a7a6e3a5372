"""A backend of two models of different kinds, such as a GGUF file and the model it was made of, or a server's and a
local one: each is read by its own backend, and both are asked about the same tokens.

The fine-tuned side's template and tokenizer make the prompts. Both tokenizers must cut texts alike, which is tried
before anything is compared. There are no null, scaled or other views: those need one base with an adapter on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import BackendError, NotSupported, TargetError
from .alone import Given
from .backend import Backend
from .cutting import TEXTS, first_difference
from .remembering import Identity
from .seen import compared_by
from .types import BASE, TextLogprob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..spec.models import SuiteDefaults
    from ..suite.target import ModelPair
    from .alone import OneModel, Seen
    from .types import Answer, Comparison, Item, View

ARITHMETIC: Final = 1
"""Counts up when the same question would get another number."""
GIVES: Final = frozenset({"compare", "generate", "texts"})


class Apart(Backend):
    """Two models, each by itself. See :class:`dlm_sway.Backend`."""

    def __init__(self, models: ModelPair, defaults: SuiteDefaults, base: OneModel, tuned: OneModel) -> None:
        super().__init__(models, defaults)
        self._base, self._tuned = base, tuned
        self._differences: dict[bool, str | None] = {}

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        model = self._model(view)
        self._check_tokens()
        given = self._tuned.given(items)
        sides = self._both(given, None if view == BASE and layout == 0 else model, layout)
        return [
            compared_by(base, other, one, each=per_position) for one, (base, other) in zip(given, sides, strict=True)
        ]

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        model = self._model(view)
        self._check_tokens()
        if (told := self._difference(start=True)) is not None:
            raise NotSupported(f"the models begin a text with other tokens, so whole texts are not compared: {told}")
        whole = self._tuned.tokens(texts, start=True)
        return [self._rolled(ids, text, model) for text, ids in zip(texts, whole, strict=True)]

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        model = self._model(view)
        self._check_tokens()
        given = self._tuned.given([one._replace(reference="") for one in prompts])
        return model.answers([one.ids for one in given], max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self._tuned.tokens(texts)]

    def identity(self, digest: Callable[[Path], str]) -> Identity | None:
        """Of both sides together: the fine-tuned one makes the base's prompts too."""
        base, tuned = self._base.identity(digest), self._tuned.identity(digest)
        if base is None or tuned is None:
            return None
        kinds = [self.models.base.kind, self.models.ft.kind]
        return Identity(base={"arithmetic": ARITHMETIC, "kinds": kinds, "base": base, "tuned": tuned}, adapter={})

    def describe(self) -> dict[str, object]:
        """Both models, as their own backends describe them."""
        self._check_tokens()
        return {
            "backend": f"{self.models.base.kind} and {self.models.ft.kind}",
            "differential": False,
            "base": self._base.describe(),
            "fine_tuned": self._tuned.describe(),
            "prompts_made_by": "fine_tuned",
        }

    def close(self) -> None:
        """Free both models."""
        try:
            self._base.close()
        finally:
            self._tuned.close()

    def _model(self, view: View) -> OneModel:
        if view.kind in ("base", "ft") and not view.adapter:
            return self._base if view.kind == "base" else self._tuned
        raise NotSupported(
            f"the view {view.label} needs one base with an adapter that can be switched, and this suite compares two "
            f"models, of the kinds {self.models.base.kind} and {self.models.ft.kind}; run such probes on an adapter, "
            "with defaults.differential: true"
        )

    def _both(self, given: Sequence[Given], model: OneModel | None, layout: int) -> Iterator[tuple[Seen, Seen]]:
        """What base and ``model`` show of each item; without a model the base stands for both."""
        base = (self._finite(seen) for seen in self._base.shown(given))
        if model is None:
            return ((seen, seen) for seen in base)
        return zip(base, model.shown(given, layout=layout), strict=True)

    def _finite(self, seen: Seen) -> Seen:
        import numpy as np

        if seen.whole is not None and not np.isfinite(seen.whole.max(-1)).all():
            raise BackendError(
                f"the base {self.models.base.base} itself gives values that are not finite, so nothing can be compared "
                "with it; try dtype: fp32, or fetch the base again"
            )
        return seen

    def _difference(self, *, start: bool) -> str | None:
        if start not in self._differences:
            base, tuned = (one.tokens(TEXTS, start=start) for one in (self._base, self._tuned))
            self._differences[start] = first_difference(base, tuned)
        return self._differences[start]

    def _check_tokens(self) -> None:
        if (told := self._difference(start=False)) is not None:
            raise TargetError(
                f"{self.models.base.base} and {self.models.ft.base} cut texts into other tokens, so their predictions "
                f"cannot be compared token by token: {told}: compare models that share a tokenizer"
            )

    def _rolled(self, ids: Sequence[int], text: str, model: OneModel) -> TextLogprob:
        """Both sides read a text in the same windows, those of the one that reads less at once."""
        if len(ids) < 2:
            raise BackendError(f"{text[:40]!r} has no token that follows another, so none to score; lengthen it")
        rooms = [one.longest for one in (self._base, self._tuned) if one.longest is not None]
        runs = list(windows(ids, min(rooms, default=len(ids))))
        return TextLogprob(len(ids) - 1, sum(model.said(runs)))


def windows(ids: Sequence[int], longest: int) -> Iterator[Given]:
    """``ids`` in runs of at most ``longest`` inputs, each half covered by the one before; every id but the first is
    scored once, in the first run that holds it."""
    size, scored = min(longest, len(ids) - 1), 1
    while scored < len(ids):
        begin = 0 if scored == 1 else max(0, scored - 1 - size // 2)
        end = min(len(ids), begin + size + 1)
        yield Given(tuple(ids[begin : end - 1]), scored - 1 - begin, tuple(ids[scored:end]))
        scored = end
