"""Load a base and its tokenizer, on the right device in the right precision. Adapters: :mod:`.adapters`."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from .quantising import Quantiser

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
BF16_UNITS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""CPU capabilities with which bf16 products are computed in hardware; without them bf16 is slower than fp32."""


def pick_device(device: str = "auto") -> torch.device:
    """``auto`` is CUDA (ROCm included), then MPS, then the CPU."""
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(precision: str, device: torch.device, *, scoring: bool) -> torch.dtype:
    """The dtype of the base's weights.

    ``auto``: bf16 on a GPU that has it; on a CPU bf16 where the units exist and fp32 elsewhere. Scoring on a CPU is
    always fp32, where divergences of 1e-6 nats still mean something. fp16 is never chosen: half-precision gradients
    need loss scaling, and on a CPU it is slow as well.
    """
    if precision != "auto":
        return DTYPES[precision]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and not scoring and cpu_has_bf16():
        return torch.bfloat16
    return torch.float32


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(bool(capabilities.get(unit)) for unit in BF16_UNITS)


def load_base(
    folder: str | Path, dtype: torch.dtype, device: torch.device, quantiser: Quantiser | None = None
) -> PreTrainedModel:
    """The causal language model in ``folder``, in evaluation mode.

    Reads local files only and never runs code that comes with a model.

    Raises:
        OSError: ``folder`` holds no loadable model.
        CannotQuantise: ``quantiser`` cannot work here.
    """
    from transformers import AutoModelForCausalLM, GenerationConfig

    read: Any = partial(
        AutoModelForCausalLM.from_pretrained,
        str(folder),
        dtype=dtype,
        local_files_only=True,
        trust_remote_code=False,
        attn_implementation="sdpa",
    )
    with quiet_libraries():
        model: Any = read().to(device) if quantiser is None else quantiser.load(read, dtype, device)
    # Greedy means greedy: a repetition penalty that the base's files suggest would change the answers.
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    return model.eval()  # type: ignore[no-any-return]


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The fast tokenizer in ``folder``."""
    from transformers import AutoTokenizer

    with quiet_libraries():
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep progress bars, advice and deprecation notes of the libraries out of our users' terminals."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def context_length(model_or_config: Any) -> int | None:
    """How many tokens the model can attend to, where its configuration says so."""
    config = getattr(model_or_config, "config", model_or_config)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    value = getattr(text, "max_position_embeddings", None)
    return int(value) if value else None


def declared_context(folder: str | Path) -> int | None:
    """How many tokens the model in ``folder`` can attend to, known without its weights."""
    from transformers import AutoConfig

    with quiet_libraries():
        return context_length(AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False))


def library_versions() -> dict[str, str]:
    """Versions that can change a number."""
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "transformers", "peft")}
