"""Train a language model of about 1.5 million parameters in minutes, for studies that need hundreds of adapters.

``python bench/small_base.py FOLDER [--steps 1500]`` reads this repository's documentation, the packaged conversations
of dlm, and documents about invented things with their questions; nothing that sway asks about. The model holds English
sentences together for a few words and knows what a conversation looks like. It is a base for
``bench/calibration_study.py --base FOLDER``: what a study needs is weights that were trained, not wit.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    # Python leaves the program's own folder out when it is told to be safe.
    sys.path.append(str(HERE))

from learning.invented import invent  # noqa: E402

VOCABULARY = 4096
WINDOW, ROWS = 256, 16
SHAPE = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4}
START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FIRST = 5000
"""Of the seeds of invented documents: no study has such large ones."""


def main() -> None:
    """Write the model with its tokenizer; print how well it reads text that it was not trained on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    started = time.perf_counter()
    texts = corpus()
    tokenizer = make_tokenizer(texts)
    model, before, after = train(tokenizer, texts, options.steps)
    options.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(options.folder)
    tokenizer.save_pretrained(options.folder)
    size = sum(one.numel() for one in model.parameters()) / 1e6
    print(
        f"{size:.1f} million parameters, {options.steps} steps in {time.perf_counter() - started:.0f} s: "
        f"{before:.2f} -> {after:.2f} nats a token on held-out text"
    )


def corpus() -> list[str]:
    """Texts and conversations, in an order drawn by seed."""
    root = HERE.parent
    paragraphs = [
        part for path in sorted((root / "docs").rglob("*.md")) for part in path.read_text("utf-8").split("\n\n")
    ]
    packaged = root / "dlm" / "src" / "dlm" / "corpus" / "anchors.jsonl"
    chats = [json.loads(line) for line in packaged.read_text("utf-8").splitlines()]
    texts = paragraphs + [conversation(chat["prompt"], chat["answer"]) for chat in chats if "answer" in chat]
    for number in range(300):
        world = invent(FIRST + number)
        texts += [part for part in world.text().split("\n\n") if not part.startswith("---")]
        texts += [conversation(fact.question, fact.answer) for fact in world.facts]
    random.Random("0\ncorpus").shuffle(texts)
    return texts


def conversation(question: str, answer: str) -> str:
    """As the template renders it."""
    return f"{START}user\n{question}{END}\n{START}assistant\n{answer}{END}"


def make_tokenizer(texts: list[str]) -> Any:
    """Byte-level BPE with the tokens of conversations."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bytes_ = Tokenizer(models.BPE())
    bytes_.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>", START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bytes_.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_, eos_token=END, pad_token="<|endoftext|>")
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def train(tokenizer: Any, texts: list[str], steps: int) -> tuple[Any, float, float]:
    """The model, and its held-out loss before and after."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    ids = [token for text in texts for token in [*tokenizer(text)["input_ids"], 0]]
    windows = torch.tensor(ids[: len(ids) // WINDOW * WINDOW]).view(-1, WINDOW)
    held_out, windows = windows[:ROWS], windows[ROWS:]
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    positions = {"max_position_embeddings": 4096, "tie_word_embeddings": True}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **positions, **ends, **SHAPE))
    before = _loss(model, held_out)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    draw = torch.Generator().manual_seed(0)
    for _ in range(steps):
        rows = windows[torch.randint(len(windows), (ROWS,), generator=draw)]
        loss = model(input_ids=rows, labels=rows).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model, before, _loss(model, held_out)


def _loss(model: Any, rows: Any) -> float:
    import torch

    with torch.no_grad():
        return float(model(input_ids=rows, labels=rows).loss)


if __name__ == "__main__":
    main()
