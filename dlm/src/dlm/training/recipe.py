"""The numbers of a run, resolved: frontmatter and flags on top of measured defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Precision = Literal["bf16", "fp16", "fp32"]
AdapterKind = Literal["lora", "dora", "qlora"]
QUANTISATIONS: dict[AdapterKind, str] = {"qlora": "nf4"}
"""How the base's weights are held under the kinds of adapter that do not leave them as they are."""


@dataclass(frozen=True)
class Preferring:
    """How a phase learns from a better and a worse answer."""

    method: Literal["dpo", "orpo"] = "dpo"
    loss: Literal["sigmoid", "hinge", "ipo"] = "sigmoid"
    """Of DPO."""
    strength: float = 0.1
    """DPO's beta, which holds the adapter to the reference; ORPO's lambda, the weight of the odds ratio."""
    reference: Literal["base", "pre_adapter"] = "pre_adapter"
    """What DPO compares with: the untouched base, or the adapter as the phase begins."""


@dataclass(frozen=True)
class Recipe:
    """What the optimiser is told. Nothing here depends on the machine but ``precision`` and ``device``.

    Defaults come from measurements on small instruct bases: all linear layers, loss on answers, many wordings of each
    question, and a divergence term that pins the adapter to the base elsewhere.
    """

    seed: int = 42
    adapter: AdapterKind = "lora"
    """``dora`` also learns the size of every output; ``qlora`` is LoRA on a base held in 4 bits."""
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    target_modules: str | tuple[str, ...] = "all-linear"
    """``all-linear`` leaves embeddings and the output head alone."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.95)
    max_grad_norm: float = 1.0
    schedule: Literal["wsd", "cosine", "linear", "constant"] = "wsd"
    warmup_ratio: float = 0.1
    decay_ratio: float = 0.4
    """Last part of the steps, over which ``wsd`` falls linearly to zero."""
    batch_rows: int = 4
    """Rows of one optimiser step, on every machine."""
    token_budget: int = 60_000
    """Tokens trained on, counted once a row and step, prompts included."""
    max_steps: int | None = None
    sequence_len: int = 1024
    window_overlap: int = 64
    anchor_weight: float = 1.0
    evaluations: int = 8
    """How often the held-out loss is measured during the run, at equal distances."""
    precision: Precision | Literal["auto"] = "auto"
    device: str = "auto"
    preferring: Preferring | None = None
    """Of a phase with ``prefer`` records."""
    floor: float = 0.0
    """Share of the peak below which the learning rate never falls after the warm-up."""
    judged_by: Literal["answers", "text"] = "answers"
    """Which held-out rows pick the best weights: the questions, or the text that is learned as text."""
    embedded: tuple[int, ...] = ()
    """Tokens whose embeddings the adapter holds, in ascending order; the same in all phases of a run."""
    embed_warmup_steps: int = 0
    """Steps at the beginning in which those embeddings move, and nothing else; afterwards they rest."""

    @property
    def base_quantisation(self) -> str | None:
        """The quantiser of the base's weights; ``None`` for weights as they are."""
        return QUANTISATIONS.get(self.adapter)
