"""The backend of a suite that asks no model anything, such as one that only reads what training left behind."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import NotSupported
from ..scoring.backend import Backend
from ..scoring.types import Comparison, Item, View


class NoModel(Backend):
    """Loads nothing; says so when asked."""

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """Always refused: the entry that asks has not said that it needs a model."""
        raise NotSupported("no model was loaded: this probe's registration says that it needs none")

    def describe(self) -> dict[str, object]:
        """That there is none."""
        return {"backend": "none"}
