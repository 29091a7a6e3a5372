"""What a base makes of a text, for the gate that chooses between adapters: as :mod:`dlm_hf.gating` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
import torch

from dlm.errors import UsageProblem
from dlm_hf.gating import LONGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm_hf.render import Renderer

    from .loading import Loaded


def readings(loaded: Loaded, renderer: Renderer, texts: Sequence[str]) -> torch.Tensor:
    """The mean of the last hidden states of each text, [N, D] float32.

    Raises:
        UsageProblem: mlx-lm's model of this architecture does not show them.
    """
    inner = _without_head(loaded.model)
    return torch.stack([_mean(inner, renderer.text_ids(text)[:LONGEST] or [renderer.pad_id]) for text in texts])


def _mean(inner: Any, ids: Sequence[int]) -> torch.Tensor:
    hidden = inner(mx.array([list(ids)]))[0].astype(mx.float32)
    return torch.from_numpy(np.array(hidden.mean(axis=0)))


def _without_head(model: Any) -> Any:
    for holder in (model, getattr(model, "language_model", None)):
        inner = getattr(holder, "model", None)
        if inner is not None and hasattr(inner, "embed_tokens"):
            return inner
    raise UsageProblem("mlx-lm shows no hidden states of this base, so no gate can be asked: give --backend hf")
