"""Tiny random bases of every architecture, with tokenizers that cut and merge as real ones do."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
ROWS = 384
"""Of the embedding; fewer are tokens."""
SIZES: dict[str, Any] = {
    "vocab_size": ROWS,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "initializer_range": 0.2,
}
BASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"tie_word_embeddings": True}),
    "llama-biases": ("Llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 32}),
    "llama-3": (
        "Llama",
        {
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 10_000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            }
        },
    ),
    "llama-linear": ("Llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0}}),
    "mistral": ("Mistral", {"sliding_window": None, "head_dim": 16}),
    "mixtral": ("Mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen2-yarn": (
        "Qwen2",
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 10_000.0,
                "factor": 4.0,
                "original_max_position_embeddings": 32,
            }
        },
    ),
    "qwen3": ("Qwen3", {"head_dim": 32, "tie_word_embeddings": True}),
    "olmo2": ("Olmo2", {}),
    "smollm3": ("SmolLM3", {"num_hidden_layers": 5}),
    "phi3": ("Phi3", {"partial_rotary_factor": 0.5, "tie_word_embeddings": True}),
    "phi3-long": (
        "Phi3",
        {
            "original_max_position_embeddings": 32,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10_000.0,
                "long_factor": [1.0 + i for i in range(8)],
                "short_factor": [1.0 + i / 8 for i in range(8)],
                "original_max_position_embeddings": 32,
            },
        },
    ),
    "gemma2": ("Gemma2", {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16}),
    "gemma3": (
        "Gemma3Text",
        {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16, "num_hidden_layers": 7},
    ),
    "gemma3-linear": (
        "Gemma3Text",
        {
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": 16,
            "num_hidden_layers": 7,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "rope_theta": 50_000.0, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 5_000.0},
            },
        },
    ),
}
"""By a name, transformers' prefix and what differs from :data:`SIZES`."""
WORDS = "the rollback of payments is done by Ines on Friday at 17:30, version 2.41 isn't naïve 你好 über   x\n\n\ty"


@pytest.fixture
def make_base(tmp_path: Path):
    """Saves the tiny base of a name, with a byte-level tokenizer; the folder."""

    def make(name: str = "llama", **changed: Any) -> Path:
        folder = tmp_path / f"base-{name}"
        save_tokenizer(folder)
        model_of(name, **changed).save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def make_adapter(tmp_path: Path):
    """Saves a random adapter for a tiny base; its folder."""

    def make(base: Path, name: str = "adapter", **settings: Any) -> Path:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        torch.manual_seed(7)
        wanted = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "init_lora_weights": False, **settings}
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(task_type="CAUSAL_LM", **wanted))
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "magnitude" in key or "token_adapter" in key:
                    parameter.mul_(1 + 0.3 * torch.rand_like(parameter))
        model.save_pretrained(tmp_path / name)
        return tmp_path / name

    return make


def model_of(name: str, **changed: Any) -> Any:
    import torch
    import transformers

    prefix, settings = BASES[name]
    torch.manual_seed(3)
    config = getattr(transformers, f"{prefix}Config")(**{**SIZES, **settings, **changed})
    model = getattr(transformers, f"{prefix.removesuffix('Text')}ForCausalLM")(config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "norm" in key or key.endswith("bias"):
                parameter.add_(0.2 * torch.rand_like(parameter))
    return model


def save_tokenizer(folder: Path, pre_tokenizer: Any = None) -> None:
    """A BPE tokenizer over bytes, which cuts as GPT-2 does unless it is said."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ROWS - 20,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([WORDS] * 3, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    wrapped.chat_template = TEMPLATE
    wrapped.save_pretrained(folder)


@pytest.fixture(scope="session")
def real_base(tmp_path_factory):
    """The smallest pretrained base, from ``$DLM_HOME`` if it lies there."""
    from dlm.bases.cache import ensure
    from dlm.bases.resolve import resolve
    from dlm.errors import BaseModelError
    from dlm_hf.backend import HfBackend

    home = Path(os.environ.get("DLM_HOME") or tmp_path_factory.mktemp("home"))
    try:
        return ensure(resolve("smollm2-135m"), home, HfBackend(), print)
    except BaseModelError as error:
        pytest.skip(f"the base cannot be fetched here: {error}")


@pytest.fixture
def some_ids() -> list[int]:
    """Tokens of a text that is longer than any sliding window of the tiny bases."""
    return random.Random("ids").choices(range(5, 350), k=48)


@pytest.fixture
def expected():
    """The function :func:`expected_logits`."""
    return expected_logits


@pytest.fixture
def served():
    """The function :func:`served_logits`."""
    return served_logits


@pytest.fixture(params=BASES)
def base_name(request: pytest.FixtureRequest) -> str:
    """Each of :data:`BASES`."""
    return str(request.param)


def expected_logits(folder: Path, ids: list[int], adapter: Path | None = None) -> Any:
    """What transformers computes, ``[len(ids), vocabulary]``."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits[0].float().numpy()


def served_logits(path: Path, ids: list[int], adapter: Path | None = None) -> Any:
    """What llama.cpp computes, with nothing rounded."""
    import llama_cpp
    import numpy as np

    settings: dict[str, Any] = {"n_ctx": 96, "n_threads": 1, "logits_all": True, "flash_attn": False, "verbose": False}
    settings |= {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}
    settings |= {"lora_path": str(adapter) if adapter else None}
    with closing(llama_cpp.Llama(str(path), **settings)) as model:
        model.eval(ids)
        return np.array(model.scores[: len(ids)])
