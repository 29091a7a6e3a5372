"""Bases that this package has no rules for, through the converter of an installed llama.cpp.

``DLM_LLAMA_CPP_ROOT`` names its folder. The converter is a program of its own, which loads PyTorch and transformers;
it is given a folder with the merged weights and the base's other files, and is never asked where we refuse because
llama.cpp itself computes something else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dlm.errors import ExportFailed, ExportRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .checkpoint import Weights

ROOT: Final = "DLM_LLAMA_CPP_ROOT"
SCRIPT: Final = "convert_hf_to_gguf.py"
TYPES: Final = {"F32": "f32", "F16": "f16", "BF16": "bf16", "Q8_0": "q8_0"}
"""What it writes, in its words."""
WAY_OUT: Final = (
    f"An installed llama.cpp may know it: set {ROOT} to its folder. Or serve the version with a target that takes the "
    "base as it is: --target vllm"
)
_TAKEN = ("*.json", "*.model", "*.txt", "*.jinja")
_LEFT = ("model.safetensors.index.json", "base.json")
_LINES = 4


class NeedsConverter(ExportRefused):
    """A base that has no rules here; llama.cpp's own converter may have some."""


def script() -> Path | None:
    """The converter, where one is installed."""
    given = os.environ.get(ROOT)
    path = Path(given) / SCRIPT if given else None
    return path if path is not None and path.is_file() else None


def convert(base: Path, weights: Weights, template: str | None, quant: str, name: str, path: Path) -> None:
    """Write ``path``: ``weights`` with the configuration and the tokenizer of ``base``, under the name ``name``.

    Raises:
        ExportFailed: the converter does not know the base either, or did not finish; says what it said.
    """
    program = script()
    if program is None:
        raise ExportFailed(f"there is no {SCRIPT} where {ROOT} points: set it to a folder of llama.cpp")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".merged-") as room:
        # The converter makes the model's name of the folder's.
        folder = Path(room) / (name.replace("/", "-").strip(".") or "model")
        _write_folder(base, weights, template, folder)
        command = [sys.executable, str(program), str(folder), "--outfile", str(path), "--outtype", TYPES[quant]]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode or not path.is_file():
        path.unlink(missing_ok=True)
        said = "; ".join(done.stderr.strip().splitlines()[-_LINES:]) or "it gave no reason"
        raise ExportFailed(f"{SCRIPT} could not write this base ({done.returncode}): {said}")


def _write_folder(base: Path, weights: Weights, template: str | None, folder: Path) -> None:
    try:
        folder.mkdir()
        for pattern in _TAKEN:
            for path in sorted(base.glob(pattern)):
                if path.name not in _LEFT:
                    shutil.copyfile(path, folder / path.name)
        if template is not None:
            (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
        _write_safetensors(weights, sorted(weights.shapes), folder / "model.safetensors")
    except OSError as problem:
        raise ExportFailed(f"{folder} cannot be written ({problem.strerror or problem}): make room") from problem


def _write_safetensors(weights: Weights, names: Sequence[str], path: Path) -> None:
    """All of ``weights`` as ``float32``."""
    from .container import BLOCK

    header, at = {}, 0
    for name in names:
        size = 4 * prod(weights.shapes[name])
        header[name] = {"dtype": "F32", "shape": list(weights.shapes[name]), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            shape = weights.shapes[name]
            height, width = (shape[0], prod(shape[1:])) if len(shape) > 1 else (1, prod(shape))
            step = max(1, BLOCK // (4 * max(1, width)))
            for start in range(0, height, step):
                file.write(weights.rows(name, start, min(start + step, height)).astype("<f4").tobytes())
