"""Weights in fewer bits as llama.cpp itself makes them: K-quants, with or without an importance matrix.

Through ``llama-cpp-python``, or through a ``llama-quantize`` on the PATH. What pure Python can do: not here.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import ExportFailed, RuntimeMissing

from .header import read_header
from .library import INSTALL, bindings, installed, listening
from .library import threads as cores

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[Mapping[str, int]] = {
    "Q2_K": 10,
    "Q3_K_S": 11,
    "Q3_K_M": 12,
    "Q3_K_L": 13,
    "Q4_K_S": 14,
    "Q4_K_M": 15,
    "Q5_K_S": 16,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "IQ4_NL": 25,
    "IQ4_XS": 30,
}
"""What can be asked for, with llama.cpp's number for it."""
PROGRAM: Final = "llama-quantize"


@dataclass(frozen=True)
class Quantised:
    """What became of a model's weights."""

    by: str
    """The program and its version."""
    kinds: Mapping[str, int]
    """How many tensors are of each type."""
    fell_back: Mapping[str, str]
    """Tensors whose rows do not fill blocks of the asked type, and the type they got."""
    weighed: int
    """Tensors whose columns the importance matrix knew."""


def available() -> str | None:
    """What would do the work here, such as ``llama-cpp-python 0.3.36``; ``None`` when nothing can."""
    if found := installed():
        return f"llama-cpp-python {found}"
    return PROGRAM if shutil.which(PROGRAM) else None


def quantise(
    source: Path, target: Path, kind: str, importance: Mapping[str, Any] | None = None, *, threads: int | None = None
) -> Quantised:
    """Write ``source`` (F32, F16 or BF16) as ``target`` in ``kind``.

    ``importance`` gives for names of tensors how much each column of the weight matters: ``float32``, one number a
    column. The same input gives the same bytes, whatever the threads.

    Raises:
        RuntimeMissing: neither llama.cpp's bindings nor ``llama-quantize`` are installed.
        ExportFailed: it did not work; ``target`` is then not there.
    """
    if kind not in KINDS:
        raise ExportFailed(f"{kind} is nothing that llama.cpp is asked for here: choose {', '.join(KINDS)}")
    by = available()
    if by is None:
        raise RuntimeMissing(
            f"{kind} is written by llama.cpp, which is not installed here: {INSTALL}, or put {PROGRAM} on the PATH; "
            "Q8_0, Q5_1, Q5_0, Q4_1 and Q4_0 need neither"
        )
    importance = _fitting(source, importance or {})
    try:
        if by == PROGRAM:
            by = _by_program(source, target, kind, importance)
        else:
            _by_bindings(source, target, KINDS[kind], importance, threads)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return _told(by, target, kind, importance)


def expected_type(kind: str) -> str:
    """The type that most tensors have in ``kind``: ``Q4_K`` in ``Q4_K_M``."""
    return kind.rsplit("_", 1)[0] if kind[-2:] in ("_S", "_M", "_L") else kind


def _by_bindings(source: Path, target: Path, number: int, importance: Mapping[str, Any], threads: int | None) -> None:
    import numpy as np

    native: Any = bindings()
    params = native.llama_model_quantize_default_params()
    params.ftype, params.nthread = number, threads or cores()
    kept = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in sorted(importance.items())}
    entries = (native.llama_model_imatrix_data * (len(kept) + 1))()
    for entry, (name, values) in zip(entries, kept.items(), strict=False):
        entry.name, entry.size = name.encode(), values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    if kept:
        params.imatrix = ctypes.cast(entries, type(params.imatrix))
    with listening(native) as heard:
        native.llama_backend_init()
        status = native.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    if status:
        raise ExportFailed(f"llama.cpp could not write {target.name} ({status}): {heard.told}")


def _by_program(source: Path, target: Path, kind: str, importance: Mapping[str, Any]) -> str:
    from .imatrix import write_matrix

    program = shutil.which(PROGRAM) or PROGRAM
    with tempfile.TemporaryDirectory(prefix="dlm-quantise-") as folder:
        options: list[str] = []
        if importance:
            write_matrix(Path(folder) / "imatrix.gguf", importance)
            options = ["--imatrix", str(Path(folder) / "imatrix.gguf")]
        command = [program, *options, str(source), str(target), kind]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        told = "; ".join(done.stderr.strip().splitlines()[-3:]) or "no reason given"
        raise ExportFailed(f"{PROGRAM} could not write {target.name} ({done.returncode}): {told}")
    return PROGRAM


def _fitting(source: Path, importance: Mapping[str, Any]) -> dict[str, Any]:
    """What there is about tensors of ``source``.

    Raises:
        ExportFailed: it counts other columns than a tensor has.
    """
    columns = {tensor.name: tensor.shape[0] for tensor in read_header(source).tensors if len(tensor.shape) > 1}
    for name, values in importance.items():
        if name in columns and len(values) != columns[name]:
            raise ExportFailed(f"{name} has {columns[name]} columns, and the importance matrix weighs {len(values)}")
    return {name: values for name, values in importance.items() if name in columns}


def _told(by: str, target: Path, kind: str, importance: Mapping[str, Any]) -> Quantised:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    wanted = expected_type(kind)
    block = GGML_QUANT_SIZES[GGMLQuantizationType[wanted]][0]
    kinds: dict[str, int] = {}
    fell_back: dict[str, str] = {}
    for tensor in read_header(target).tensors:
        kinds[tensor.kind] = kinds.get(tensor.kind, 0) + 1
        if len(tensor.shape) > 1 and tensor.shape[0] % block:
            fell_back[tensor.name] = tensor.kind
    return Quantised(by, dict(sorted(kinds.items())), fell_back, len(importance))
