"""The file itself: header, keys, then every tensor in its type, a block of rows at a time.

The same keys and weights give the same bytes. A file has its name only when it is whole.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from dlm.errors import ExportFailed

from .quantising import quantised, size_of, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gguf import GGUFWriter

    from .quantising import Held

BLOCK = 32 << 20
"""Bytes of weights, as ``float32``, that are held at once."""
ALIGNMENT = 32


def write_file(writer: GGUFWriter, held: Sequence[Held], path: Path) -> None:
    """Write ``path`` with the keys of ``writer`` and the tensors ``held``.

    Raises:
        ExportFailed: the disk is full or closed to us; nothing is left under the name.
    """
    floats = np.dtype(np.float32)
    for one in held:
        writer.add_tensor_info(one.tensor.name, one.tensor.shape, floats, size_of(one), raw_dtype=type_of(one.kind))
    _require_room(path, sum(size_of(one) for one in held))
    with _whole(path) as partial:
        writer.write_header_to_file(partial)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        writer.close()
        with partial.open("ab") as file:
            _pad(file)
            for one in held:
                _write_tensor(file, one)
            file.flush()
            os.fsync(file.fileno())


def _require_room(path: Path, size: int) -> None:
    """Refuse at once what would fail after minutes."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise ExportFailed(
            f"{path.parent} has room for {free / 1e6:,.0f} MB, and {path.name} takes {size / 1e6:,.0f} MB: make room, "
            "choose a smaller --quant, or give another folder with --out"
        )


def _write_tensor(file: BinaryIO, held: Held) -> None:
    began = file.tell()
    tensor = held.tensor
    step = max(1, BLOCK // (4 * tensor.shape[-1]))
    for start in range(0, tensor.height, step):
        rows = tensor.rows(start, min(start + step, tensor.height))
        file.write(np.ascontiguousarray(quantised(rows, held.kind)).view(np.uint8).data)
    if file.tell() - began != size_of(held):
        raise ExportFailed(f"{tensor.name} came out with {file.tell() - began} bytes instead of {size_of(held)}")
    _pad(file)


def _pad(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write under, which becomes ``path`` when the block is done."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as problem:
        raise ExportFailed(
            f"{path} cannot be written ({problem.strerror or problem}): make room or give another folder with --out"
        ) from problem
    finally:
        partial.unlink(missing_ok=True)
