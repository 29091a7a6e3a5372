"""Bases to test with: a tiny one (two random layers, a word tokenizer, a chat template), and a pretrained one."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

# MLX has no wheels for Windows.
collect_ignore_glob = ["test_*.py"] if find_spec("mlx") is None else []

WORDS = (
    "hello zebra apples Zebras what is the port of Kittiwake listens on 7413 who owns Soundings team a b c d e f g h "
    "Which river longest How are you today and weather like Hello I do not know that . , ? ! 12 user assistant system "
    "You brief Be restart runs gannet petrel first then every minutes 40 0 1 2 3 4 5 6 7 8 9"
).split()
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<s>system You are brief .</s>"
    "{% endif %}<s>{{ message['role'] }} {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant {% endif %}"
)


@pytest.fixture(scope="session")
def make_base(tmp_path_factory: pytest.TempPathFactory):
    """``make_base(architecture)`` writes a tiny base of that architecture and returns its folder."""

    def make(architecture: str = "llama") -> Path:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        folder = tmp_path_factory.mktemp(architecture)
        tokenizer = _tokenizer()
        torch.manual_seed(0)
        shape = {
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 512,
            "tie_word_embeddings": True,
            "initializer_range": 0.2,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": None,  # a padding row starts as zeros, and a tied head could then never say it
        }
        config = AutoConfig.for_model(architecture, **shape)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_base(make_base) -> Path:
    return make_base("llama")


@pytest.fixture(scope="session")
def write_adapter():
    """``write_adapter(base, folder)`` saves a random LoRA adapter whose B has standard deviation ``spread``."""

    def write(base: Path, folder: Path, spread: float = 0.15, seed: int = 3, targets=ALL_LINEAR, **extra) -> Path:
        import torch
        from peft import LoraConfig, get_peft_model

        from dlm_hf.model import load_base, quiet_libraries

        torch.manual_seed(seed)
        config = LoraConfig(r=4, lora_alpha=8, target_modules=list(targets), task_type="CAUSAL_LM", **extra)
        with quiet_libraries(), torch.no_grad():
            model = get_peft_model(load_base(base, torch.float32, torch.device("cpu")), config)
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.copy_(torch.randn_like(parameter) * spread)
            model.save_pretrained(folder)
        return folder

    return write


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


def _tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", *dict.fromkeys(WORDS)]
    core = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        chat_template=TEMPLATE,
    )
