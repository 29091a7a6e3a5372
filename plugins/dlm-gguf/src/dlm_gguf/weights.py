"""A model's file by whoever can write it: this package, llama.cpp's quantiser after it, or llama.cpp's converter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportRefused

from . import converter, kquants
from .checkpoint import of_folder
from .imatrix import by_gguf_names
from .merging import Merged
from .model_file import write_model
from .quantising import PURE
from .wanted import base_of, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dlm.export.sink import Request

    from .about import About
    from .merging import Adapter
    from .model_file import Base


@dataclass(frozen=True)
class Model:
    """A base that can be written."""

    folder: Path
    template: str | None
    base: Base | None
    """As it is read here; ``None`` for one that llama.cpp's converter has to write."""


def model_of(request: Request) -> Model:
    """The base of ``request``.

    Raises:
        ExportRefused: nothing here can write it; says why, and the way out.
    """
    try:
        base = base_of(request)
    except converter.NeedsConverter as problem:
        if converter.script() is None:
            raise
        request.say(f"note: {problem.args[0].split('. ')[0]}: it is written by {converter.SCRIPT} instead")
        return Model(request.base.path, template_of(request), None)
    return Model(request.base.path, base.template, base)


def require_types(model: Model, quant: str) -> None:
    """Refuse a type that nothing writes for this base.

    Raises:
        ExportRefused: names those that can be written.
    """
    if model.base is None and quant in PURE and quant not in converter.TYPES:
        raise ExportRefused(
            f"{quant} is not written by {converter.SCRIPT}: choose {', '.join(converter.TYPES)}, or a type of "
            "llama.cpp such as Q4_K_M"
        )


def write_weights(
    model: Model,
    adapters: Sequence[tuple[Adapter, float]],
    quant: str,
    about: About,
    path: Path,
    importance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ``model`` with ``adapters`` merged in as ``path``, in ``quant``; facts for the manifest. ``importance``, by
    names of Hugging Face, is for the types that llama.cpp writes.

    Raises:
        ExportRefused: a tensor has no place in the file.
        ExportFailed: it cannot be written.
    """
    if quant in PURE:
        return _write_exactly(model, adapters, quant, about, path)
    exact = path.with_name(f"{path.stem}.exact.gguf")
    try:
        facts = _write_exactly(model, adapters, "F32", about, exact)
        made = kquants.quantise(exact, path, quant, by_gguf_names(importance or {}, exact))
    finally:
        exact.unlink(missing_ok=True)
    facts |= {"tensors": dict(made.kinds), "quantised_by": made.by, "weighed_by_importance": made.weighed}
    return {**facts, "fell_back": dict(made.fell_back)} if made.fell_back else facts


def _write_exactly(
    model: Model, adapters: Sequence[tuple[Adapter, float]], quant: str, about: About, path: Path
) -> dict[str, Any]:
    if model.base is not None:
        return write_model(model.base, adapters, quant, about, path)
    merged = Merged(of_folder(model.folder), adapters)
    converter.convert(model.folder, merged, model.template, quant, about.name, path)
    return {"converted_by": converter.SCRIPT}
