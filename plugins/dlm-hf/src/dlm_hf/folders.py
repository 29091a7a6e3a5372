"""Where the models of a suite lie, and whether the suite says what is compared with what. Loads no library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_sway.errors import TargetError

if TYPE_CHECKING:
    from dlm_sway.spec.models import ModelSpec
    from dlm_sway.suite.target import ModelPair


def check_pair(models: ModelPair) -> None:
    """Refuse a pair that does not say what is compared with what.

    Raises:
        TargetError: the message says which key to change.
    """
    if not models.differential:
        return
    if models.ft.adapter is None:
        raise TargetError(
            "models.ft.adapter is missing: name the folder of the adapter to test, or set defaults.differential: false "
            "to compare two whole models"
        )
    if models.base.base != models.ft.base:
        raise TargetError(
            f"models.base.base is {models.base.base} and models.ft.base is {models.ft.base}: an adapter is compared "
            "with the base it is put on; name the same base twice, or set defaults.differential: false to load both"
        )
    if models.base.adapter not in (None, models.ft.adapter):
        raise TargetError(
            f"models.base.adapter ({models.base.adapter}) would not be loaded: with one shared base the base side is "
            "the bare base; remove the key, or set defaults.differential: false to compare two adapters"
        )


def base_side(models: ModelPair) -> ModelSpec:
    """The first of two whole models; what it leaves open is as on the other side."""
    base, ft = models.base, models.ft
    device = ft.device if base.device == "auto" else base.device
    return base.model_copy(update={"device": device, "dtype": ft.dtype if base.dtype == "auto" else base.dtype})


def tokenizer_folder(spec: ModelSpec) -> Path:
    """Where the fine-tuned side's tokenizer lies: beside the adapter when it was saved there, else with the base."""
    needed = ("tokenizer_config.json", "tokenizer.json")
    if spec.adapter is not None and all((Path(spec.adapter) / name).is_file() for name in needed):
        return Path(spec.adapter)
    return base_folder(spec.base)


def base_folder(ref: str) -> Path:
    """Where the base lies on this disk: the folder itself, or the hub's cache for ``org/name``. Asks no network.

    Raises:
        TargetError: it is not there; the message says how to get it.
    """
    if (folder := Path(ref).expanduser()).is_dir():
        return folder
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", ref):
        raise TargetError(
            f"there is no base model at {ref}; give the folder that holds its config.json, or download it first "
            "(for a dlm base: dlm base pull KEY)"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(ref, local_files_only=True))
    except (OSError, ValueError) as error:
        raise TargetError(f"{ref} is no folder, and not downloaded yet: hf download {ref}") from error
