"""How much each column of a weight matters, by GGUF names: from what a backend measured, and as llama.cpp's file.

What is measured is the mean of the squares of what each linear layer was given, while the model read the document's
questions and answers and general text. Which texts: :mod:`dlm.export.importance`. What for: :mod:`.kquants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .header import read_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DATASET: Final = "the document's questions and answers, and general text"


def by_gguf_names(measured: Mapping[str, Any], model: Path) -> dict[str, Any]:
    """``measured``, by names of Hugging Face modules such as ``model.layers.0.mlp.up_proj``, by those of the tensors in
    the file ``model``.

    Layers that its architecture has no name for are left out: their columns then all weigh the same.
    """
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    metadata = read_header(model).metadata
    architecture = metadata["general.architecture"]
    known = {name: arch for arch, name in MODEL_ARCH_NAMES.items()}
    names = get_tensor_name_map(known[architecture], int(metadata[f"{architecture}.block_count"]))
    found = {names.get_name(module): values for module, values in sorted(measured.items())}
    return {f"{name}.weight": values for name, values in found.items() if name is not None}


def write_matrix(path: Path, importance: Mapping[str, Any]) -> None:
    """``importance`` as ``llama-quantize --imatrix`` reads it. Every column was seen once, with its mean square."""
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(path, arch="")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [DATASET])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 1)
    for name, values in sorted(importance.items()):
        writer.add_tensor(f"{name}.in_sum2", np.ascontiguousarray(values, dtype=np.float32)[None])
        writer.add_tensor(f"{name}.counts", np.ones((1, 1), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
