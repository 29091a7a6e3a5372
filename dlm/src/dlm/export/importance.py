"""How much each input of every linear layer matters to this version: measured once, kept by content.

The trained model reads the document's questions and answers, its prose and general text, and the squares of what each
layer is given are averaged. A quantiser rounds what matters less coarsely: an importance matrix from text that has
nothing to do with the document would protect the wrong columns. What a target does with it: its own affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .cache import kept
from .texts import material_of, reads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..training.mixing import Mix
    from .sink import Request

MEASURING: Final = 1
"""Changes whenever the same texts would give other numbers."""


def importance_of(request: Request) -> Mapping[str, Any]:
    """The mean square of each input, ``float32``, by the base's name of the layer, such as
    ``model.layers.0.mlp.up_proj``.

    Raises:
        UsageProblem: the backend does not measure it.
        ExportFailed: the disk is full or closed to us.
    """
    import numpy as np

    from ..training.choose import choose

    def make(path: Path) -> None:
        request.say("measuring what matters to the trained model, for the importance matrix")
        backend = choose("generate")
        with backend.runtime(request.base, request.chosen.adapter, request.system_prompt) as reference:
            texts = [one.ids for one in reads(material_of(request), reference)]
            with path.open("wb") as file:
                np.savez(file, allow_pickle=False, **reference.input_squares(texts))

    with np.load(kept(request.cache, "importance", _made_of(request), make, request.say, suffix=".npz")) as found:
        return {name: found[name] for name in found.files}


def _made_of(request: Request) -> dict[str, Any]:
    from ..store.files import sha256
    from .texts import general_texts

    return {
        "measuring": MEASURING,
        "base": request.base.loaded_digest,
        "adapters": [[name, weight, sha256(weights)] for name, weight, weights in _adapters(request.chosen.adapter)],
        "document": request.document.digest,
        "system_prompt": request.system_prompt,
        "general": general_texts(),
    }


def _adapters(adapter: Path | Mix | None) -> list[tuple[str, float, Path]]:
    from ..training.mixing import Mix

    if adapter is None:
        return []
    if isinstance(adapter, Mix):
        return [(part.name, part.weight, part.folder / "adapter_model.safetensors") for part in adapter.parts]
    return [("", 1.0, adapter / "adapter_model.safetensors")]
