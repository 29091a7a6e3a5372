"""A whole model as one GGUF file: a base, with or without what adapters learned merged into it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed, ExportRefused

from . import about as abouts
from . import hyperparameters, tokenizer
from .architectures import architecture_of, needs_converter, refusal
from .checkpoint import of_folder
from .container import write_file
from .converter import NeedsConverter
from .layout import lay_out
from .merging import EMBEDDING, Merged
from .quantising import choose_types, file_type, summary
from .template import stop_of
from .tokenizer import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .about import About
    from .merging import Adapter
    from .tokenizer import Vocabulary


@dataclass(frozen=True)
class Base:
    """A base, read as far as a file's keys need it."""

    folder: Path
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    template: str | None
    """That goes into the file."""
    end_of_turn: int | None
    """The token with which the template ends an answer."""

    @property
    def architecture(self) -> str:
        """llama.cpp's name for it."""
        found = architecture_of(self.config)
        return found.model if found is not None else ""


def read_base(folder: Path, template: str | None) -> Base:
    """The base in ``folder``, which is to answer with ``template``.

    Raises:
        ExportRefused: llama.cpp would read or compute something else; says what, and the way out.
        ExportFailed: a file is missing or damaged.
    """
    config = read_config(folder)
    if (why := refusal(config)) is not None:
        kind = NeedsConverter if needs_converter(config) else ExportRefused
        raise kind(f"this base cannot be exported to GGUF: {why}")
    shapes = of_folder(folder).shapes
    if EMBEDDING not in shapes:
        raise ExportFailed(f"{folder} holds no {EMBEDDING}: fetch the base again with `dlm base fetch`")
    vocabulary = read_vocabulary(folder, shapes[EMBEDDING][0])
    stop = stop_of(template, vocabulary) if template is not None else None
    return Base(folder, config, vocabulary, template, stop)


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of the base in ``folder``."""
    path = folder / "config.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ExportFailed(
            f"{path} cannot be read ({problem}): fetch the base again with `dlm base fetch`"
        ) from problem
    return found


def write_model(
    base: Base, adapters: Sequence[tuple[Adapter, float]], quant: str, about: About, path: Path
) -> dict[str, Any]:
    """Write ``base`` with ``adapters`` merged in as ``path``, its weights in ``quant``; facts for the manifest.

    Raises:
        ExportRefused: a tensor of the base or of an adapter has no place in the file.
        ExportFailed: it cannot be written.
    """
    import gguf

    weights = Merged(of_folder(base.folder), adapters)
    tensors = lay_out(weights, base.config)
    held = choose_types(tensors, quant)
    writer = gguf.GGUFWriter(None, base.architecture)
    writer.add_type("model")
    values = sum(prod(tensor.shape) for tensor in tensors)
    abouts.describe(writer, about, values, strips_right=base.vocabulary.strips_right)
    hyperparameters.describe(writer, base.config, len(base.vocabulary.tokens))
    writer.add_file_type(file_type(quant))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    tokenizer.describe(writer, base.vocabulary, base.template, base.end_of_turn)
    write_file(writer, held, path)
    return summary(held)
