"""What the prior trainer did with a document by default: TRL's SFTTrainer, its settings, and its rows.

One row a prose section, cut at the sequence length, one a pair, through the chat template with the system line that it
brings along; loss on every token; LoRA on the attention's projections. Left out is what could only make it worse or
changes from machine to machine: the tenth of the rows that it kept back, half precision on a CPU, and copies from its
replay. Each wording of a question is a row.

TRL is no part of dlm: ``pip install trl==1.16.0 datasets``.
"""

from __future__ import annotations

import hashlib
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.document import read
from dlm.document.model import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dlm.document import Document

INSTALL = "pip install trl==1.16.0 datasets"


@dataclass(frozen=True)
class Settings:
    """The prior trainer's defaults for a small base."""

    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    learning_rate: float = 2e-4
    schedule: str = "cosine"
    warmup: float = 0.1
    epochs: int = 3
    batch: int = 16
    sequence_len: int = 2048

    @property
    def digest(self) -> str:
        """Other settings are another measurement."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


SETTINGS = Settings()


def train(path: Path, base: Path, folder: Path, seed: int) -> dict[str, Any]:
    """Train on the document at ``path`` and save the adapter to ``folder``: tokens, steps, seconds, TRL's version.

    Raises:
        SystemExit: TRL is not installed.
    """
    try:
        from datasets import Dataset
        from trl import SFTTrainer, __version__
    except ImportError as problem:
        raise SystemExit(f"the prior default is TRL, which cannot be imported ({problem}): {INSTALL}") from None
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    rows = list(_rows(read(path), tokenizer))
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(base, local_files_only=True, dtype=torch.float32),
        args=_arguments(folder, seed, on_gpu=torch.cuda.is_available()),
        train_dataset=Dataset.from_list([{"text": row} for row in rows]),
        processing_class=tokenizer,
        peft_config=_adapter(),
    )
    started = time.perf_counter()
    with redirect_stdout(sys.stderr):
        trainer.train()
    seconds = time.perf_counter() - started
    trainer.save_model(str(folder))
    tokens = SETTINGS.epochs * sum(min(len(tokenizer(row).input_ids), SETTINGS.sequence_len) for row in rows)
    return {"tokens": tokens, "steps": trainer.state.global_step, "seconds": round(seconds, 1), "trl": __version__}


def _arguments(folder: Path, seed: int, *, on_gpu: bool) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=SETTINGS.epochs,
        per_device_train_batch_size=SETTINGS.batch,
        learning_rate=SETTINGS.learning_rate,
        lr_scheduler_type=SETTINGS.schedule,
        warmup_steps=SETTINGS.warmup,
        max_length=SETTINGS.sequence_len,
        seed=seed,
        bf16=on_gpu,
        use_cpu=not on_gpu,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _adapter() -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=SETTINGS.rank,
        lora_alpha=SETTINGS.alpha,
        lora_dropout=SETTINGS.dropout,
        target_modules=list(SETTINGS.targets),
        bias="none",
        task_type="CAUSAL_LM",
    )


def _rows(document: Document, tokenizer: Any) -> Iterator[str]:
    for section in document.sections:
        pairs = [part for part in section.body if isinstance(part, Pair)] if isinstance(section.body, tuple) else []
        if not pairs and section.content.strip():
            yield section.content.strip()
        for pair in pairs:
            for question in () if pair.probe else pair.questions:
                turns = [{"role": "user", "content": question}, {"role": "assistant", "content": pair.answer}]
                yield tokenizer.apply_chat_template(turns, tokenize=False)
