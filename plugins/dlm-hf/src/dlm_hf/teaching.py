"""What a teacher says at each position, kept small: its likeliest tokens and one bucket for all the others."""

from __future__ import annotations

from typing import NamedTuple

import torch

LIKELIEST = 128
WRITTEN = 0.3
"""Weight of the cross-entropy on the written answer beside the divergence from the teacher."""
LEAST = 1e-6
"""Probability that the bucket holds at least, so that its logarithm stays finite."""


class Taught(NamedTuple):
    """The teacher at K positions."""

    tokens: torch.Tensor
    """[K, L] ids of the likeliest tokens."""
    log_probs: torch.Tensor
    """[K, L] float32, nats; over the whole vocabulary, so they sum to less than one."""


def taught(logits: torch.Tensor) -> Taught:
    """The likeliest tokens of ``logits`` [K, V] float32."""
    likeliest = logits.topk(min(LIKELIEST, logits.shape[-1]), dim=-1)
    return Taught(likeliest.indices, likeliest.values - logits.logsumexp(-1, keepdim=True))


def divergence(logits: torch.Tensor, teacher: Taught) -> torch.Tensor:
    """KL(teacher || student) in nats at each position, [K]; the student's ``logits`` are [K, V] float32.

    The tokens beyond the teacher's likeliest count as one. That never exceeds the divergence over all of them, and is
    the same where the vocabulary holds no others.
    """
    student = logits.gather(-1, teacher.tokens) - logits.logsumexp(-1, keepdim=True)
    likely = teacher.log_probs.exp()
    rest = (1 - likely.sum(-1)).clamp_min(LEAST)
    student_rest = (1 - student.exp().sum(-1)).clamp_min(LEAST)
    return (likely * (teacher.log_probs - student)).sum(-1) + rest * (rest.log() - student_rest.log())
