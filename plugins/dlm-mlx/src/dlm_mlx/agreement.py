"""Whether mlx-lm computes the model that a base's files describe: what transformers computes, on which adapters are
trained. Known for the architectures named here, which the tests hold against transformers; found out for any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np

from .architectures import PROVEN
from .errors import Unusable

if TYPE_CHECKING:
    from pathlib import Path

WINDOWED: Final = frozenset({"gemma3_text"})
"""Architectures whose sliding window mlx-lm follows. Others see everything, as transformers does up to the window."""
TOLERANCE: Final = {"fp32": 1e-4, "bf16": 0.1, "fp16": 0.1}
"""Mean KL divergence in nats; another model is off by far more."""
TRIED: Final = 24
"""Tokens that are compared."""


def readable(config: dict[str, Any]) -> int | None:
    """How many tokens the model reads as it was trained to, where its configuration says so."""
    text = {**config, **(config.get("text_config") or {})}
    context: int | None = text.get("max_position_embeddings")
    window: int | None = text.get("sliding_window")
    if text.get("model_type") in WINDOWED or text.get("use_sliding_window") is False or not window:
        return context
    return window if context is None else min(context, window)


def require_agreement(folder: Path, config: dict[str, Any], model: Any, precision: str, *, quantised: bool) -> None:
    """Refuse a model that says something else in MLX than in transformers. Of an architecture that is not known to be
    the same, the base is loaded there too, once a run.

    Raises:
        Unusable: the two differ, or transformers cannot load it, so nobody can say.
    """
    kind = str(config.get("model_type"))
    if kind in PROVEN:
        return
    if quantised:
        raise Unusable(
            f"{folder}: nobody has held mlx-lm's model of the architecture {kind} against transformers, and of weights "
            "that MLX has quantised it cannot be done: give the unquantised base"
        )
    ids = [1 + 7 * at % 89 for at in range(TRIED)]
    divergence = _divergence(_in_transformers(folder, ids), _logprobs(model, ids))
    if not divergence <= TOLERANCE[precision]:
        raise Unusable(
            f"{folder}: mlx-lm's model of the architecture {kind} is not the one that the adapter was trained on: its "
            f"predictions are {divergence:.2g} nats from those of transformers"
        )


def _in_transformers(folder: Path, ids: list[int]) -> np.ndarray[Any, Any]:
    import torch

    from dlm_hf.model import load_base

    try:
        model: Any = load_base(folder, torch.float32, torch.device("cpu"))
    except Exception as error:  # whatever the library raises for a model that it does not know
        raise Unusable(f"{folder}: transformers cannot load this base, so nothing says that MLX's is right") from error
    with torch.no_grad():
        found: np.ndarray[Any, Any] = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1).numpy()
    return found


def _logprobs(model: Any, ids: list[int]) -> np.ndarray[Any, Any]:
    logits = np.array(model(mx.array([ids]))[0].astype(mx.float32)).astype(np.float64)
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def _divergence(here: np.ndarray[Any, Any], there: np.ndarray[Any, Any]) -> float:
    if here.shape != there.shape:
        return float("inf")
    return float((np.exp(here) * (here - there)).sum(-1).mean())
