"""The shape of a model as keys of a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .architectures import architecture_of
from .rope import llama3_factors, local_base, longrope_attention, longrope_factors, rope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gguf import GGUFWriter

    from .checkpoint import Floats
    from .rope import Rope

_EPSILON = 1e-6


@dataclass(frozen=True)
class Shape:
    """What of a configuration decides how its tensors are read."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    """Of one head."""
    turned: int
    """Dimensions of a head that positions turn."""


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Sizes, with what a configuration may leave out filled in as transformers does."""
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    default = 256 if str(config["model_type"]).startswith("gemma") else hidden // heads
    if config["model_type"] == "qwen3":
        default = 128
    head = int(config.get("head_dim") or default)
    rope = config.get("rope_parameters") or {}
    share = config.get("partial_rotary_factor") or rope.get("partial_rotary_factor") or 1.0
    kv_heads = int(config.get("num_key_value_heads") or heads)
    return Shape(int(config["num_hidden_layers"]), hidden, heads, kv_heads, head, int(float(share) * head))


def context_of(config: Mapping[str, Any]) -> int:
    """Tokens that the exported model may read: a window through which llama.cpp would see everything is the limit."""
    most = int(config.get("max_position_embeddings") or 2048)
    window = config.get("sliding_window")
    limits = config["model_type"] in ("mistral", "mixtral", "phi3") and window
    return min(most, int(window)) if limits and window else most


def describe(writer: GGUFWriter, config: Mapping[str, Any], vocabulary: int) -> None:
    """Add the keys of the architecture to ``writer``."""
    shape, rope = shape_of(config), rope_of(config)
    writer.add_block_count(shape.layers)
    writer.add_context_length(context_of(config))
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(float(config.get("rms_norm_eps", _EPSILON)))
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_dimension_count(shape.turned)
    writer.add_rope_freq_base(rope.base)
    writer.add_vocab_size(vocabulary)
    _describe_scaling(writer, rope, config)
    _describe_family(writer, config)


def _describe_scaling(writer: GGUFWriter, rope: Rope, config: Mapping[str, Any]) -> None:
    from gguf import RopeScalingType

    if rope.kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType.LINEAR if rope.kind == "linear" else RopeScalingType.YARN)
        writer.add_rope_scaling_factor(float(rope.settings["factor"]))
    if rope.kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(_trained_context(rope, config))
    if rope.kind == "longrope":
        trained = _trained_context(rope, config)
        writer.add_rope_scaling_orig_ctx_len(trained)
        most = int(config["max_position_embeddings"])
        writer.add_rope_scaling_attn_factors(longrope_attention(rope, most, trained))


def _trained_context(rope: Rope, config: Mapping[str, Any]) -> int:
    """Tokens up to which positions were learned before they were stretched."""
    given = rope.settings.get("original_max_position_embeddings") or config.get("original_max_position_embeddings")
    return int(given or config["max_position_embeddings"])


def _describe_family(writer: GGUFWriter, config: Mapping[str, Any]) -> None:
    model = config["model_type"]
    if model in ("gemma2", "gemma3_text"):
        writer.add_sliding_window(int(config.get("sliding_window") or 4096))
    if model == "gemma2":
        writer.add_attn_logit_softcapping(float(config.get("attn_logit_softcapping") or 50.0))
        writer.add_final_logit_softcapping(float(config.get("final_logit_softcapping") or 30.0))
    if model == "gemma3_text":
        writer.add_rope_freq_base_swa(local_base(config))
    if model == "mixtral":
        writer.add_expert_count(int(config.get("num_local_experts", 8)))
        writer.add_expert_used_count(int(config.get("num_experts_per_tok", 2)))


def rope_tensors(config: Mapping[str, Any]) -> dict[str, Floats]:
    """Factors of positions that the file holds as tensors, by name."""
    rope = rope_of(config)
    if rope.kind == "llama3" and architecture_of(config) is not None:
        return {"rope_freqs.weight": llama3_factors(rope, shape_of(config).turned)}
    return longrope_factors(rope) if rope.kind == "longrope" else {}
