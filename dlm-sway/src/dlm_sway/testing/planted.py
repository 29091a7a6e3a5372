"""Models that did exactly what a probe looks for: find out what it asks, and plant that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scoring.types import Answer, Comparison, Item, TextLogprob, View
from .closed_form import ClosedForm

if TYPE_CHECKING:
    from ..probes.base import Probe, ProbeContext

Place = Callable[[ClosedForm], "ProbeContext"]
"""Makes the context that a probe runs in, on a backend."""

_NUDGE = 3.0
"""Logits by which a planted token rises: enough to become the likeliest nearly everywhere."""


class Asked(ClosedForm):
    """A model without an adapter that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[Item, None] = {}
        self.whole: dict[str, None] = {}

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """As :class:`ClosedForm`."""
        self.items.update(dict.fromkeys(items))
        return super().compare(items, view, layout=layout, per_position=per_position)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """As :class:`ClosedForm`."""
        self.whole.update(dict.fromkeys(texts))
        return super().texts(texts, view)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """As :class:`ClosedForm`."""
        self.items.update(dict.fromkeys(prompts))
        return super().generate(prompts, view, max_new_tokens=max_new_tokens)


class Harmed(ClosedForm):
    """A model in which what is ``taught`` became less likely, because something else took its place."""

    def _planted(self, *taught: Any) -> Any:
        return np.roll(super()._planted(*taught), 1, axis=1)


def learned(probe: Probe[Any], place: Place) -> ClosedForm:
    """A model in which everything that ``probe`` asks about became likelier, and nothing else changed."""
    return _planted(probe, place, ClosedForm)


def harmed(probe: Probe[Any], place: Place) -> ClosedForm:
    """A model in which everything that ``probe`` asks about became less likely, and nothing else changed."""
    return _planted(probe, place, Harmed)


def _planted(probe: Probe[Any], place: Place, kind: type[ClosedForm]) -> ClosedForm:
    asked = Asked()
    probe.run(place(asked))
    # A prompt without a reference is scored at its first token: some word there is planted.
    items = [item if item.reference else item._replace(reference="yes") for item in asked.items]
    texts = list(asked.whole)
    cells = sum(len(asked.tokens(item.reference)) for item in items) + sum(len(text.split()) for text in texts)
    return kind(taught=items, taught_texts=texts, size=_NUDGE * max(1, cells) ** 0.5)
