"""Which bases can be written, told from ``config.json`` alone, and what is particular about each.

What llama.cpp computes for an architecture is fixed in its program; a configuration that asks for anything else is
refused here, since the file would load and answer wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .rope import rope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Config = Mapping[str, Any]

_GEMMA_27B = {"gemma2": 46, "gemma3": 62}
"""Layers by which llama.cpp knows the 27B models, whose queries it scales in another way."""


@dataclass(frozen=True)
class Architecture:
    """One kind of base."""

    model: str
    """In the file."""
    pairs: bool = False
    """Rows of queries and keys are stored in pairs that turn together, and not in halves."""
    norm_offset: float = 0.0
    """Added to weights of norms, which training stores as the distance from it."""
    biases: frozenset[str] = frozenset()
    """Modules that may have one."""
    activation: str = "silu"
    rope: tuple[str, ...] = ("linear", "yarn")
    """Scalings of positions."""
    tied: bool = False
    """Whether the head is the embedding where a configuration does not say."""
    refuses: Callable[[Config], str | None] = lambda config: None
    """What else does not fit."""


def _nothing_slides(config: Config) -> str | None:
    kinds = config.get("layer_types") or ()
    if "sliding_attention" in kinds or (config.get("use_sliding_window") and config.get("sliding_window")):
        return "some of its layers look back only a window, and llama.cpp lets this architecture see everything"
    return None


def _smollm3(config: Config) -> str | None:
    layers = int(config.get("num_hidden_layers", 0))
    interval = config.get("no_rope_layer_interval", 4)
    turned = config.get("no_rope_layers") or [int((layer + 1) % interval != 0) for layer in range(layers)]
    if [bool(one) for one in turned] != [(layer + 1) % 4 != 0 for layer in range(layers)]:
        return "llama.cpp leaves positions out of every fourth layer, and this model out of others"
    return _nothing_slides(config)


def _mixtral(config: Config) -> str | None:
    return _nothing_slides(config) if config.get("sliding_window") else None


def _gemma2(config: Config) -> str | None:
    return _gemma(config, "gemma2", period=2)


def _gemma3(config: Config) -> str | None:
    if config.get("attn_logit_softcapping") or config.get("final_logit_softcapping"):
        return "it limits its logits, which llama.cpp does not for Gemma 3"
    return _gemma(config, "gemma3", period=6)


def _gemma(config: Config, model: str, period: int) -> str | None:
    layers = int(config.get("num_hidden_layers", 0))
    found = config.get("layer_types")
    if found and [kind == "full_attention" for kind in found] != [(at + 1) % period == 0 for at in range(layers)]:
        return f"llama.cpp lets every layer of number {period}, {2 * period}, ... see everything, and this model others"
    if int(config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or period) != period:
        return f"its sliding window is left out in another layer than every {period}th"
    head = int(config.get("head_dim") or 256)
    scaled = float(config.get("query_pre_attn_scalar") or 256)
    width = int(config.get("hidden_size", 0)) / int(config.get("num_attention_heads", 1))
    if scaled != (width if layers == _GEMMA_27B[model] else head):
        return f"it scales queries by {scaled:g}, and llama.cpp by the size of a head"
    if config.get("use_bidirectional_attention"):
        return "it reads in both directions"
    return None


_ATTENTION = frozenset({"q_proj", "k_proj", "v_proj"})
_LINEAR = _ATTENTION | {"o_proj", "gate_proj", "up_proj", "down_proj"}
_LLAMA_ROPE = ("linear", "yarn", "llama3")
_GEMMA = {"norm_offset": 1.0, "activation": "gelu_pytorch_tanh", "tied": True}

KNOWN: dict[str, Architecture] = {
    "llama": Architecture("llama", pairs=True, biases=_LINEAR, rope=_LLAMA_ROPE),
    "mistral": Architecture("llama", pairs=True, rope=_LLAMA_ROPE),
    "mixtral": Architecture("llama", pairs=True, refuses=_mixtral),
    "qwen2": Architecture("qwen2", biases=_ATTENTION, refuses=_nothing_slides),
    "qwen3": Architecture("qwen3", refuses=_nothing_slides),
    "olmo2": Architecture("olmo2"),
    "phi3": Architecture("phi3", rope=("longrope",)),
    "smollm3": Architecture("smollm3", pairs=True, tied=True, refuses=_smollm3),
    "gemma2": Architecture("gemma2", rope=(), refuses=_gemma2, **_GEMMA),  # type: ignore[arg-type]
    "gemma3_text": Architecture("gemma3", rope=("linear",), refuses=_gemma3, **_GEMMA),  # type: ignore[arg-type]
}
"""By ``model_type``."""


def architecture_of(config: Config) -> Architecture | None:
    """How a base with this ``config.json`` is written; ``None`` for one that is not known."""
    return KNOWN.get(str(config.get("model_type")))


def refusal(config: Config) -> str | None:
    """Why a base with this ``config.json`` cannot be exported; ``None`` when it can."""
    name = str(config.get("model_type"))
    found = architecture_of(config)
    if found is None:
        return _unknown(config, name)
    if config.get("quantization_config"):
        return "its weights are stored in fewer bits than a float has: name the base that they were made from"
    activation = config.get("hidden_activation") or config.get("hidden_act") or found.activation
    if activation != found.activation:
        return f"its activation is {activation}, and llama.cpp computes {found.activation} for {name}"
    return rope_of(config).refusal(found.rope) or found.refuses(config)


def tied(config: Config) -> bool:
    """Whether the head is the embedding."""
    given = config.get("tie_word_embeddings")
    known = architecture_of(config)
    return bool(given) if given is not None else known is not None and known.tied


def needs_converter(config: Config) -> bool:
    """Whether there are no rules for it here, but llama.cpp's own converter may have some."""
    return architecture_of(config) is None and not _more_than_text(config)


def _more_than_text(config: Config) -> bool:
    return "vision_config" in config or "audio_config" in config


def _unknown(config: Config, name: str) -> str:
    if _more_than_text(config):
        return f"{name} takes more than text"
    return (
        f"{name} is none of the architectures that are written here ({', '.join(sorted(KNOWN))}); for one that an "
        "installed llama.cpp converts, set DLM_LLAMA_CPP_ROOT to its folder"
    )
