"""One loaded model under many disguises: any view of it can stand in the place of the adapted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dlm_sway.errors import NotSupported
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import Answer, Comparison, Item, TextLogprob, View

if TYPE_CHECKING:
    from dlm_sway.scoring.types import AdapterInspection


class Seen(Backend):
    """A backend whose adapted model is another view of the same one.

    A null adapter in its place is one of those that calibrate, so it learned nothing; the adapter at a part of its
    strength is an effect of that size. ``rank`` gives the null adapters the norm of what is tested. All disguises share
    one session, so that every null adapter is asked every question once in a whole study.
    """

    def __init__(self, session: Session, ft: View, rank: float = 1.0) -> None:
        super().__init__(session.backend.models, session.backend.defaults)
        self._session, self._ft, self._rank = session, ft, rank

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """See :meth:`Backend.compare`."""
        if layout:
            return self._session.noise(items)
        return self._session.compare(items, self._as(view), per_position=per_position)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """See :meth:`Backend.texts`."""
        found = self._session.texts(texts, self._as(view))
        return [TextLogprob(one.tokens, one.view_logprob) for one in found]

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """See :meth:`Backend.generate`."""
        return self._session.generate(prompts, self._as(view), max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`Backend.count_tokens`."""
        return self._session.count_tokens(texts)

    def inspect(self) -> AdapterInspection:
        """Of the real adapter, whose norms every disguise has."""
        return self._session.inspect()

    def inspect_null(self, seed: int) -> AdapterInspection:
        """See :meth:`Backend.inspect_null`."""
        return self._session.inspect_null(seed)

    def describe(self) -> dict[str, object]:
        """What is loaded, and the disguise."""
        return {**self._session.backend.describe(), "tested": self._ft.label}

    def _as(self, view: View) -> View:
        if view.kind == "ft":
            return self._ft
        if view.is_null:
            return replace(view, rank=view.rank * self._rank)
        if view.kind == "scaled" and self._ft.is_null:
            raise NotSupported("a null adapter in the place of the adapted model has one strength")
        return replace(view, scale=view.scale * self._ft.scale) if view.kind == "scaled" else view
