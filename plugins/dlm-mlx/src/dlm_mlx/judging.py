"""The backend that a suite names: it knows what would be loaded, and loads it when a number has to be computed.

A run whose every answer is known from an earlier one loads nothing. The work is done in :mod:`.scoring`.
"""

from __future__ import annotations

import platform
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dlm_hf.folders import base_folder, tokenizer_folder
from dlm_hf.identifying import MODEL_FILES, TOKENIZER_FILES, adapter_digests, digests
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.remembering import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dlm_sway.scoring.types import AdapterInspection, Answer, Comparison, Item, TextLogprob, View

    from .scoring import MlxScoring

    Digest = Callable[[Path], str]

ARITHMETIC: Final = 1
"""Counts up when the same question would get another number."""
_LIBRARIES: Final = ("mlx", "mlx-lm", "transformers", "tokenizers", "torch", "dlm-mlx")


class MlxJudging(Backend):
    """A base with a PEFT adapter, in MLX. See :class:`dlm_sway.Backend`."""

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """See :meth:`MlxScoring.compare`."""
        return self._scoring.compare(items, view, layout=layout, per_position=per_position)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """See :meth:`MlxScoring.texts`."""
        return self._scoring.texts(texts, view)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """See :meth:`MlxScoring.generate`."""
        return self._scoring.generate(prompts, view, max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`MlxScoring.count_tokens`."""
        return self._scoring.count_tokens(texts)

    def inspect(self) -> AdapterInspection:
        """See :meth:`MlxScoring.inspect`."""
        return self._scoring.inspect()

    def inspect_null(self, seed: int) -> AdapterInspection:
        """See :meth:`MlxScoring.inspect_null`."""
        return self._scoring.inspect_null(seed)

    def describe(self) -> dict[str, object]:
        """See :meth:`MlxScoring.describe`."""
        return self._scoring.describe()

    def identity(self, digest: Digest) -> Identity | None:
        """Digests of every file that is loaded, precision, machine, and versions.

        Raises:
            TargetError: a folder is not there, or the suite does not say what is compared.
        """
        from .loading import device, pick_precision

        spec = self.models.ft
        if spec.adapter is None or not self.models.differential:
            return None  # nothing will be scored: loading says why
        return Identity(
            base={
                "backend": "mlx",
                "arithmetic": ARITHMETIC,
                "weights": digests(base_folder(spec.base), MODEL_FILES, digest),
                "tokenizer": digests(tokenizer_folder(spec), TOKENIZER_FILES, digest),
                "template": self.defaults.template,
                "system_prompt": self.defaults.system_prompt,
                "precision": pick_precision(spec.dtype, scoring=True),
                "device": device(),
                "machine": platform.machine(),
                "versions": {name: version(name) for name in _LIBRARIES},
            },
            adapter={"adapter": self.adapter_identity(Path(spec.adapter), digest)},
        )

    def adapter_identity(self, folder: Path, digest: Digest) -> str | None:
        """The digests of an adapter's files."""
        return adapter_digests(folder, digest)

    def close(self) -> None:
        """Let go of the model, where one was loaded."""
        if "_scoring" in self.__dict__:
            self._scoring.close()

    @cached_property
    def _scoring(self) -> MlxScoring:
        from .scoring import MlxScoring

        return MlxScoring(self.models, self.defaults)
