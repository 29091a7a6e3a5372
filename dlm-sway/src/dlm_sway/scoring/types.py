"""What is scored, through which view, and what comes back. No numpy: these cross every seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class View:
    """One way to look at the model under test."""

    kind: Literal["base", "ft", "scaled", "null"]
    scale: float = 1.0
    """``scaled``: factor on the adapter's update."""
    seed: int = 0
    """``null``: which random adapter of the same norms."""

    @property
    def label(self) -> str:
        """``base``, ``ft``, ``scaled_0.50`` or ``null_7``, as traces and caches name it."""
        if self.kind == "scaled":
            return f"scaled_{self.scale:.2f}"
        return f"null_{self.seed}" if self.kind == "null" else self.kind


BASE = View("base")
FT = View("ft")


class Item(NamedTuple):
    """One thing to score: the unit of inference.

    With a ``reference`` every token of it is a scored position (teacher forcing, the end-of-answer token included for
    chat prompts); without, only the first token after the prompt is.
    """

    prompt: str
    reference: str = ""
    group: str = ""
    """Items about the same section share a group; intervals are cluster-robust over groups."""


class Comparison(NamedTuple):
    """View against base on one item, in nats, means over the item's scored positions.

    ``kl`` is KL(view || base), ``reverse_kl`` KL(base || view), both over the whole vocabulary.
    """

    positions: int
    kl: float
    reverse_kl: float
    js: float
    tv: float
    top1_agreement: float
    base_logprob: float
    """Sum over the reference's tokens of log p under the base; 0.0 without a reference."""
    view_logprob: float
    """The same under the view."""


@dataclass(frozen=True)
class ModuleUpdate:
    """One adapted module."""

    name: str
    rank: int
    update_norm: float
    """Frobenius norm of the update that is added to the weight."""
    weight_norm: float
    stable_rank: float
    """(Frobenius norm / spectral norm) squared of the update; 0.0 when the update is zero."""
    non_finite: int
    """Values that are NaN or infinite."""


@dataclass(frozen=True)
class AdapterInspection:
    """What an adapter file holds, against the base it is put on. Made without a forward pass."""

    peft_type: str
    tensors: int
    matched: int
    unexpected: tuple[str, ...]
    """Keys of the file that match no module."""
    missing: tuple[str, ...]
    """Adapter parameters of the model that the file does not hold."""
    mismatched: tuple[str, ...]
    """Keys whose shape differs."""
    modules: tuple[ModuleUpdate, ...]
    declared_base: str | None
    """``base_model_name_or_path`` of adapter_config.json."""
    declared_revision: str | None
    declared_digest: str | None
    """Digest of the base it was trained on, where the trainer wrote one."""
    base_digest: str | None
    """Digest of the base it is put on, where known."""
    extra_saved: tuple[str, ...]
    """Modules saved in full (``modules_to_save``)."""
    tokenizer_tokens: int
    embedding_rows: int
