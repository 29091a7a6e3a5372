"""How each tensor of a file is held: the type that was asked for, or the next better one that its rows allow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gguf import GGMLQuantizationType

    from .checkpoint import Floats
    from .layout import Tensor

PURE = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")
"""Types that need no compiled program."""
DEFAULT = "Q8_0"
_EXACT = ("F32", "F16", "BF16")
_BLOCKLESS = "F16"
_LARGEST = {"F32": 3.4e38, "BF16": 3.38e38, "F16": 65504.0}
_SCALED = 65504.0
"""Largest weight of a type whose scales are half-precision numbers."""


@dataclass(frozen=True)
class Held:
    """The type of one tensor."""

    tensor: Tensor
    kind: str
    fell_back: bool = False
    """Its rows are no multiple of the block of the wanted type."""


def choose_types(tensors: Sequence[Tensor], quant: str) -> list[Held]:
    """The type of every tensor in a file of type ``quant``, by llama.cpp's own rules.

    Vectors, routers and factors of positions stay ``F32``. The matrix that gives the logits is held in ``Q8_0`` where
    others have fewer bits (llama.cpp's quantiser takes ``Q6_K``, which has to be compiled).
    """
    head = "output.weight" if any(tensor.name == "output.weight" for tensor in tensors) else "token_embd.weight"
    return [_held(tensor, quant, head) for tensor in tensors]


def _held(tensor: Tensor, quant: str, head: str) -> Held:
    if len(tensor.shape) == 1 or "ffn_gate_inp" in tensor.name:
        return Held(tensor, "F32")
    wanted = "Q8_0" if tensor.name == head and quant not in _EXACT else quant
    if wanted not in _EXACT and tensor.shape[-1] % block_of(wanted):
        return Held(tensor, _BLOCKLESS, fell_back=True)
    return Held(tensor, wanted)


def block_of(kind: str) -> int:
    """Values that share a scale in the type called ``kind``."""
    import gguf

    return int(gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][0])


def type_of(kind: str) -> GGMLQuantizationType:
    """The library's name of a type."""
    import gguf

    return gguf.GGMLQuantizationType[kind]


def size_of(held: Held) -> int:
    """Bytes in the file."""
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[type_of(held.kind)]
    values = held.tensor.height * held.tensor.shape[-1]
    return int(values // block * size)


def quantised(rows: Floats, kind: str) -> Any:
    """``rows`` as the bytes of the type ``kind``.

    Raises:
        ExportFailed: a number is too large for it, or is none.
    """
    import numpy as np
    from gguf import quants

    largest = float(np.abs(rows).max(initial=0.0))
    if not largest <= _LARGEST.get(kind, _SCALED):
        raise ExportFailed(
            f"a weight of {largest:g} does not fit into {kind}: "
            + ("choose --quant BF16" if np.isfinite(largest) else "the version is damaged: train it again")
        )
    return quants.quantize(rows, type_of(kind))


def summary(held: Sequence[Held]) -> dict[str, Any]:
    """For the manifest: tensors by type, and those that fell back."""
    fallen = [one.tensor.name for one in held if one.fell_back]
    found: dict[str, Any] = {"tensors": dict(sorted(Counter(one.kind for one in held).items()))}
    return {**found, "fell_back": {"to": _BLOCKLESS, "tensors": fallen}} if fallen else found


def file_type(quant: str) -> int:
    """The number by which a file says its type."""
    import gguf

    names = {"F32": "ALL_F32", "F16": "MOSTLY_F16", "BF16": "MOSTLY_BF16"}
    return int(gguf.LlamaFileType[names.get(quant, f"MOSTLY_{quant}")])
