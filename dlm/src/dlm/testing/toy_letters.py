"""What the toy model is made of: printable ASCII and an end mark, and numbers in files. No library is needed."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..corpus.records import Message

ALPHABET = [chr(code) for code in range(32, 127)]
END = len(ALPHABET)
SIZE = END + 1
CONTEXT = 8192


def prompt_of(messages: Sequence[Message], system: str | None) -> str:
    return (system or "") + "".join(f"{message.role}: {message.content}\n" for message in messages)


def spelled(text: str) -> list[int]:
    return [ALPHABET.index(char) if char in ALPHABET else ALPHABET.index("?") for char in text]


def ids_of(text: str) -> list[int]:
    return [*spelled(text), END]


def log_softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    if not math.isfinite(top):
        return [math.nan] * len(logits)
    norm = top + math.log(sum(math.exp(value - top) for value in logits))
    return [value - norm for value in logits]


def tensor_file(values: Sequence[float]) -> bytes:
    """One fp64 tensor in the safetensors format: the header's length, the header, the numbers."""
    info = {"dtype": "F64", "shape": [len(values)], "data_offsets": [0, 8 * len(values)]}
    header = json.dumps({"logits": info}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(values)}d", *values)


def read_tensor(path: Path) -> list[float]:
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return list(struct.unpack(f"<{(len(data) - start) // 8}d", data[start:]))
