"""The sway face: scores a base and an adapter. Describes only; :mod:`.judging` and :mod:`.scoring` do the work."""

from __future__ import annotations

from dlm_sway.entries import BackendEntry
from dlm_sway.hookspecs import hookimpl


@hookimpl
def dlm_sway_backends() -> list[BackendEntry]:
    """The backend a suite names with ``kind: hf``."""
    return [
        BackendEntry(
            name="hf",
            target="dlm_hf.judging:HfJudging",
            summary="A Hugging Face base with a PEFT adapter, or two whole models, scored with PyTorch.",
            gives=frozenset({"compare", "generate", "inspect", "null", "scale", "texts"}),
            requires=("torch", "transformers", "peft"),
            alone=True,
        )
    ]
