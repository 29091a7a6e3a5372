"""How far two next-token distributions are apart: exact, over the whole vocabulary, in nats.

Knows tensors only. Which positions are compared, and what a mean over them is, belongs to :mod:`.scoring`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch.nn.functional import softplus

LN2 = math.log(2.0)
CPU_BLOCK = 1 << 18
"""Elements worked on at once on a CPU: what stays in its cache, which is ten times as fast as what does not."""
GPU_BLOCK = 1 << 24


class Divergences(NamedTuple):
    """One value a position, each [K] float64 on the CPU."""

    kl: torch.Tensor
    """KL(view || base)"""
    reverse_kl: torch.Tensor
    """KL(base || view)"""
    js: torch.Tensor
    tv: torch.Tensor
    agree: torch.Tensor
    """1.0 where both have the same most likely token."""
    base_logprob: torch.Tensor
    """Log-probability of the target under the base."""
    view_logprob: torch.Tensor


def divergences(base: torch.Tensor, view: torch.Tensor, targets: torch.Tensor) -> Divergences:
    """Compare logits [K, V] position by position; ``targets`` [K] are the tokens that really follow.

    Normalisation and sums are in float64: what remains is the rounding of the logits themselves, about 1e-10 nats in
    fp32. Equal logits give exactly zero. With p the view, q the base and d = log q - log p:

    * KL(p || q) = sum p (-d) and KL(q || p) = sum q d (Kullback and Leibler 1951);
    * JS = 1/2 sum p (ln 2 - s) + q (ln 2 - s + d), s = log(1 + e^d), since log(m / p) = s - ln 2 for the mixture
      m = (p + q) / 2 (Lin 1991, natural logarithm: at most ln 2);
    * TV = 1/2 sum |p - q|.
    """
    if base.device.type == "mps":  # has no float64
        base, view, targets = base.cpu(), view.cpu(), targets.cpu()
    rows = max(1, (CPU_BLOCK if base.device.type == "cpu" else GPU_BLOCK) // base.shape[-1])
    blocks = [
        _block(base[at : at + rows].double(), view[at : at + rows].double(), targets[at : at + rows])
        for at in range(0, base.shape[0], rows)
    ]
    return Divergences(*(torch.cat(column).cpu() for column in zip(*blocks, strict=True)))


def target_logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of each of ``targets`` [K] under logits [K, V]; [K] float64 on the CPU."""
    if logits.device.type == "mps":  # has no float64
        logits, targets = logits.cpu(), targets.cpu()
    rows = max(1, (CPU_BLOCK if logits.device.type == "cpu" else GPU_BLOCK) // logits.shape[-1])
    found = []
    for at in range(0, logits.shape[0], rows):
        block = logits[at : at + rows].double()
        found.append(block.gather(-1, targets[at : at + rows, None])[:, 0] - block.logsumexp(-1))
    return torch.cat(found).cpu()


def _block(base: torch.Tensor, view: torch.Tensor, targets: torch.Tensor) -> Divergences:
    agree = (base.argmax(-1) == view.argmax(-1)).double()
    log_q, log_p = base.log_softmax(-1), view.log_softmax(-1)
    q, p = log_q.exp(), log_p.exp()
    d = log_q - log_p
    below = LN2 - softplus(d, threshold=40.0)
    at = targets[:, None]
    return Divergences(
        # Rounding can leave a sum of zeros a hair below zero; no divergence is negative.
        kl=-(p * d).sum(-1).clamp(max=0.0),
        reverse_kl=(q * d).sum(-1).clamp(min=0.0),
        js=(0.5 * (p * below + q * (below + d)).sum(-1)).clamp(min=0.0),
        tv=0.5 * (p - q).abs().sum(-1),
        agree=agree,
        base_logprob=log_q.gather(-1, at)[:, 0],
        view_logprob=log_p.gather(-1, at)[:, 0],
    )
