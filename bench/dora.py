"""What a step and a single token cost with LoRA, with DoRA as dlm computes it, and with DoRA as PEFT does.

``python bench/dora.py BASE_FOLDER [--tokens N] [--rounds N]``. All three adapters take turns on one thread, and
seconds are those of the processor, so another program beside it changes little. Prints the least of the rounds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from dlm_hf.adapters import ADAPTER
from dlm_hf.decomposed import decompose
from dlm_hf.model import load_base, quiet_libraries

KINDS = {"LoRA": "lora", "DoRA, dlm": "dora", "DoRA, PEFT": "dora"}


def main() -> None:
    """Time the three in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ids = torch.randint(100, 10_000, (1, options.tokens))
    models = {name: adapted(options.base, name) for name in KINDS}
    steps: dict[str, list[float]] = {name: [] for name in KINDS}
    tokens: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(options.rounds):
        for name, model in models.items():
            steps[name].append(step(model, ids))
            tokens[name].append(token(model, ids))
    print(f"| | a step of {options.tokens:,} tokens (s) | a token of an answer (s) |\n|---|---|---|")
    for name in KINDS:
        print(f"| {name} | {min(steps[name][1:]):.3f} | {min(tokens[name][1:]):.3f} |")


def adapted(folder: Path, name: str):
    """The base in bf16 with a fresh adapter of rank 16 on every linear layer."""
    config = LoraConfig(
        r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM", use_dora=KINDS[name] == "dora"
    )
    with quiet_libraries():
        base = load_base(folder, torch.bfloat16, torch.device("cpu"))
        model = get_peft_model(base, config, autocast_adapter_dtype=False)
    if name == "DoRA, dlm":
        decompose(model.modules(), ADAPTER, fresh=True)
    return model.train()


def step(model, ids: torch.Tensor) -> float:
    """Forward, backward, and weights that move, so that nothing kept from before is of use."""
    started = time.process_time()
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=-1e-9)
                parameter.grad = None
    return time.process_time() - started


@torch.no_grad()
def token(model, ids: torch.Tensor) -> float:
    """One token after another, the mean of four."""
    model(input_ids=ids[:, :1], use_cache=False)
    started = time.process_time()
    for _ in range(4):
        model(input_ids=ids[:, :1], use_cache=False)
    return (time.process_time() - started) / 4


if __name__ == "__main__":
    main()
