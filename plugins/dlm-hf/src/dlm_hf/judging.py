"""The backend that a suite names: it knows what would be loaded, and loads it when a number has to be computed.

PyTorch takes seconds to import and a model longer. A run whose every answer is known from an earlier one needs neither,
so nothing here imports them. The work is done in :mod:`.scoring`.
"""

from __future__ import annotations

import platform
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.remembering import Identity

from .facts import declared_quantisation
from .folders import base_folder, base_side, check_pair, tokenizer_folder
from .identifying import MODEL_FILES, TOKENIZER_FILES, adapter_digests, digests
from .quantising import identity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dlm_sway.scoring.alone import OneModel
    from dlm_sway.scoring.types import AdapterInspection, Answer, Comparison, Item, TextLogprob, View
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults

    from .scoring import HfScoring

    Digest = Callable[[Path], str]

ARITHMETIC: Final = 2
"""Counts up when the same question would get another number."""
_TUNED: Final = ("adapter", "weights", "quantisation")
_LIBRARIES: Final = ("torch", "transformers", "peft", "tokenizers")


class HfJudging(Backend):
    """A Hugging Face base with a PEFT adapter, or two whole models, on one device. See :class:`dlm_sway.Backend`."""

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """See :meth:`HfScoring.compare`."""
        return self._scoring.compare(items, view, layout=layout, per_position=per_position)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """See :meth:`HfScoring.texts`."""
        return self._scoring.texts(texts, view)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """See :meth:`HfScoring.generate`."""
        return self._scoring.generate(prompts, view, max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`HfScoring.count_tokens`."""
        return self._scoring.count_tokens(texts)

    def inspect(self) -> AdapterInspection:
        """See :meth:`HfScoring.inspect`."""
        return self._scoring.inspect()

    def inspect_null(self, seed: int) -> AdapterInspection:
        """See :meth:`HfScoring.inspect_null`."""
        return self._scoring.inspect_null(seed)

    def describe(self) -> dict[str, object]:
        """See :meth:`HfScoring.describe`."""
        return self._scoring.describe()

    def identity(self, digest: Digest) -> Identity | None:
        """Digests of every file that is loaded, precision, kind of device, and versions.

        Raises:
            TargetError: a folder is not there, or the suite does not say what is compared.
        """
        check_pair(self.models)
        ft, shared = self.models.ft, self.models.differential
        first = ft if shared else base_side(self.models)
        of_base = side_identity(first, self.defaults, digest)
        of_base["tokenizer"] = digests(tokenizer_folder(ft), TOKENIZER_FILES, digest)
        if shared:
            adapter = of_base["base_adapter"]
            return Identity({**of_base, "base_adapter": None}, dict.fromkeys(_TUNED) | {"adapter": adapter})
        tuned = side_identity(ft, self.defaults, digest)
        tuned["adapter"] = tuned["base_adapter"]
        return Identity(of_base, {name: tuned[name] for name in (*_TUNED, "precision", "device")})

    @classmethod
    def alone(cls, spec: ModelSpec, defaults: SuiteDefaults) -> OneModel:
        """One model, to be compared with one of another kind."""
        from .alone import HfAlone

        return HfAlone(spec, defaults)

    def adapter_identity(self, folder: Path, digest: Digest) -> str | None:
        """The digests of an adapter's files."""
        return adapter_digests(folder, digest)

    def close(self) -> None:
        """Let go of the models, where any were loaded."""
        if "_scoring" in self.__dict__:
            self._scoring.close()

    @cached_property
    def _scoring(self) -> HfScoring:
        from .scoring import HfScoring

        return HfScoring(self.models, self.defaults)


def side_identity(spec: ModelSpec, defaults: SuiteDefaults, digest: Digest) -> dict[str, object]:
    """What decides the numbers of one model, its adapter under ``base_adapter``."""
    precision, device = _precision(spec.dtype, spec.device)
    return {
        "arithmetic": ARITHMETIC,
        "weights": digests(base_folder(spec.base), MODEL_FILES, digest),
        "base_adapter": adapter_digests(Path(spec.adapter), digest) if spec.adapter else None,
        "tokenizer": digests(tokenizer_folder(spec), TOKENIZER_FILES, digest),
        "template": defaults.template,
        "system_prompt": defaults.system_prompt,
        "quantisation": identity_of(declared_quantisation(spec.adapter)),
        "precision": precision,
        "device": device,
        "machine": platform.machine(),
        "versions": {name: version(name) for name in (*_LIBRARIES, "dlm-hf")},
    }


def _precision(dtype: str, device: str) -> tuple[str, str]:
    """Precision and kind of device that will be chosen. Where there may be an accelerator, PyTorch has to be asked."""
    if device == "auto" and _surely_cpu():
        device = "cpu"
    kind = device.partition(":")[0]
    if kind == "cpu":
        return ("fp32" if dtype == "auto" else dtype), kind
    from .model import NAMES, pick_device, pick_dtype

    found: Any = pick_device(device)
    return NAMES[pick_dtype(dtype, found, scoring=True)], str(found.type)


def _surely_cpu() -> bool:
    if platform.system() != "Linux":
        return False
    return version("torch").endswith("+cpu") or not any(
        Path(node).exists() for node in ("/dev/nvidiactl", "/dev/nvmap", "/dev/kfd", "/dev/dxg")
    )
