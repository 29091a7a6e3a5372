"""Architectures that mlx-lm computes as transformers does. Needs no MLX."""

from __future__ import annotations

from typing import Final

PROVEN: Final = frozenset(
    "gemma gemma2 gemma3_text granite llama mistral olmo2 phi3 qwen2 qwen3 smollm3".split(),
)
"""The tests hold each against transformers."""
