"""Write a two-layer random base, a random adapter for it and a suite: the smallest thing the real backend can score.

``python tools/tiny_model.py FOLDER``, then ``sway run FOLDER/sway.yaml``. Needs the libraries of dlm-hf.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

WORDS = ["hello", "good", "morning", "what", "is", "new", "user", "assistant", "system", "?", ".", "!"]
TEMPLATE = (
    "{% for m in messages %}<s> {{ m['role'] }} {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<s> assistant {% endif %}"
)
SUITE = """\
version: 1
models:
  base: {kind: hf, base: "BASE"}
  ft: {kind: hf, base: "BASE", adapter: "ADAPTER"}
suite:
  - {name: random adapters, kind: null_adapter, runs: 19}
  - {name: sound, kind: integrity}
  - {name: echo, kind: acme/echo, prompts: [hello, good morning]}
"""


def main() -> None:
    folder = Path(sys.argv[1])
    base, adapter = folder / "base", folder / "adapter"
    tokenizer = make_tokenizer()
    model = make_base(len(tokenizer))
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    make_adapter(model).save_pretrained(adapter)
    suite = SUITE.replace("BASE", base.resolve().as_posix()).replace("ADAPTER", adapter.resolve().as_posix())
    (folder / "sway.yaml").write_text(suite)
    print(f"wrote {folder / 'sway.yaml'}")


def make_tokenizer() -> Any:
    """One token a word, with a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(["<unk>", "<s>", "</s>", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<unk>"
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_base(vocabulary: int) -> Any:
    """A random Llama with two layers."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True, **shape
        )
    )


def make_adapter(model: Any) -> Any:
    """A LoRA adapter whose update is not zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    return get_peft_model(model, config)


if __name__ == "__main__":
    main()
