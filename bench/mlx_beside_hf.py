"""How far MLX is from PyTorch on a real base with a real adapter, in nats, and what a token costs.

``python bench/mlx_beside_hf.py BASE ADAPTER TEXT [POSITIONS]``: folders of a base and of a PEFT adapter for it, and a
text file. Prints a row a precision: KL divergence of next-token distributions from transformers in fp32, and how often
the most likely token is the same, with the adapter and without.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from dlm.bases import LocalBase
from dlm.corpus.records import Message
from dlm.export.runtime import Runtime
from dlm_hf.backend import HfBackend
from dlm_mlx.backend import MlxBackend

QUESTION = [Message("user", "What is this about?")]


def main() -> None:
    folder, adapter, text = (Path(argument) for argument in sys.argv[1:4])
    positions = int(sys.argv[4]) if len(sys.argv) > 4 else 400
    base = LocalBase("base", folder, "sha256:0", "the command line")
    with HfBackend().runtime(base, adapter, None, "fp32") as reference:
        ids = reference.text_ids(text.read_text(encoding="utf-8"))[:positions]
        prompt, wanted, answer = reference.prompt_ids(QUESTION), both(reference, ids), reference.answer(QUESTION)
    print(f"{len(ids)} positions of {text.name}; {reference_name()}")
    print("| precision | KL, adapter on | KL, adapter off | largest | same top token | s/100 positions | s/token |")
    print("|---|---|---|---|---|---|---|")
    for precision in ("fp32", "bf16"):
        with MlxBackend().runtime(base, adapter, None, precision) as mlx:
            assert mlx.prompt_ids(QUESTION) == prompt
            started = time.process_time()
            found = both(mlx, ids)
            seconds = (time.process_time() - started) / 2
            started = time.process_time()
            said = mlx.answer(QUESTION, 32)
            each = (time.process_time() - started) / max(1, said.tokens)
        rows = [kl(one, other) for one, other in zip(wanted, found, strict=True)]
        same = np.mean([one.argmax(-1) == other.argmax(-1) for one, other in zip(wanted, found, strict=True)])
        largest = max(row.max() for row in rows)
        print(
            f"| {precision} | {rows[0].mean():.1e} | {rows[1].mean():.1e} | {largest:.1e} | {same:.2%} | "
            f"{seconds / len(ids) * 100:.1f} | {each:.2f} |"
        )
        print(f"  the same answer: {said.text == answer.text}", file=sys.stderr)


def both(runtime: Runtime, ids: list[int]) -> list[np.ndarray]:
    """Log-probabilities with the adapter and without."""
    return [normalised(read(ids)) for read in (runtime.log_probs, runtime.untouched_log_probs)]


def normalised(rows: np.ndarray) -> np.ndarray:
    """In float64: sums in fp32 over a whole vocabulary are off by more than the two libraries."""
    rows = rows.astype(np.float64)
    return rows - np.log(np.exp(rows).sum(-1, keepdims=True))


def kl(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """KL(one || other) at each position."""
    return (np.exp(one) * (one - other)).sum(-1)


def reference_name() -> str:
    from importlib.metadata import version

    libraries = ("mlx", "mlx-lm", "torch", "transformers")
    return ", ".join(f"{name} {version(name)}" for name in libraries)


if __name__ == "__main__":
    main()
