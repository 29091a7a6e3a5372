"""Servers that take a version's adapter as a folder: vLLM, and mlx_lm.server.

:mod:`.plain` makes of any adapter, or a mix of several, one that every such server reads alike; :mod:`.vllm` and
:mod:`.mlx_serve` are the targets. GGUF files are no business of this distribution.
"""
