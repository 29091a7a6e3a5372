"""What a probe asked, as one digest: two measurements with the same digest hold the same items in the same order.

With ``most``, divergences that are intervals are answered with their upper ends instead of their lower ones.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from .types import at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..probes.base import ProbeSpec, Scoring
    from .types import AdapterInspection, Answer, Comparison, Item, TextScore, View

_ELSEWHERE = frozenset({"name", "enabled", "weight"})
"""Keys of an entry that change no number."""


class Questions:
    """Hands everything on to ``scoring``, and notes what was asked, not what was answered nor through which view."""

    def __init__(self, scoring: Scoring, kind: str, spec: ProbeSpec, *, most: bool = False) -> None:
        self._scoring = scoring
        self._most = most
        self.partial = False
        """Whether an answer was an interval: see :attr:`~dlm_sway.scoring.types.Comparison.at_most`."""
        self._digest = hashlib.sha256()
        # Limits say how numbers are judged; every other key may say how they are made.
        keys = {key: value for key, value in spec.model_dump(mode="json").items() if key not in _ELSEWHERE}
        self._note(kind, {key: value for key, value in keys.items() if not key.startswith("assert_")})

    @property
    def digest(self) -> str:
        """``sha256:...`` of everything asked so far."""
        return f"sha256:{self._digest.hexdigest()}"

    def compare(self, items: Sequence[Item], view: View, *, per_position: bool = False) -> list[Comparison]:
        """See :class:`~dlm_sway.probes.base.Scoring`, as the rest."""
        self._note("compare", items)
        found = self._scoring.compare(items, view, per_position=per_position)
        self.partial = self.partial or any(one.at_most is not None for one in found)
        return [at_most(one) for one in found] if self._most else found

    def noise(self, items: Sequence[Item]) -> list[Comparison]:
        """Base against base."""
        return self._scoring.noise(items)

    def inspect(self) -> AdapterInspection:
        """What the adapter holds."""
        return self._scoring.inspect()

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What a null adapter holds."""
        return self._scoring.inspect_null(seed)

    def texts(self, texts: Sequence[str], view: View) -> list[TextScore]:
        """Whole texts."""
        self._note("texts", texts)
        return self._scoring.texts(texts, view)

    def generate(self, prompts: Sequence[Item | str], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers."""
        self._note(f"generate {max_new_tokens}", prompts)
        return self._scoring.generate(prompts, view, max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is."""
        return self._scoring.count_tokens(texts)

    def _note(self, what: str, asked: Any) -> None:
        self._digest.update(json.dumps([what, asked], sort_keys=True, default=str).encode())
        self._digest.update(b"\n")
