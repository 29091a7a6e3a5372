"""Bring a base onto this disk: from the hub, or out of a GGUF file. Caching and digests are the core's."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING

from dlm.errors import BaseModelError

from .model import quiet_libraries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dlm.bases import HubSource

_WHOLE_COMMIT = 40
WANTED = ["*.json", "*.safetensors", "*.model", "*.jinja", "LICENSE*", "README.md"]
"""No pickled weights, no code."""


def fetch_hub(source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
    """Download ``source`` at its pinned commit; the commit that was fetched.

    Raises:
        BaseModelError: the hub cannot be reached, has no such repository or commit, or asks who wants it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    try:
        with quiet_libraries():
            commit = _commit(source)
            say(f"downloading {source.repo} at {commit}")
            snapshot_download(source.repo, revision=commit, local_dir=folder, allow_patterns=WANTED)
    except BaseModelError:
        raise
    except GatedRepoError as error:
        raise BaseModelError(
            f"{source.repo} is gated on the hub: open https://huggingface.co/{source.repo}, ask for access with your "
            "account, set HF_TOKEN to a token of that account (or run `hf auth login`), and run this again"
        ) from error
    except Exception as error:  # the classes depend on which HTTP library this version of the hub client uses
        raise BaseModelError(f"{source.repo} cannot be fetched from the hub: {_first_line(error)}") from error
    return commit


def _commit(source: HubSource) -> str:
    """All 40 digits. The hub itself knows a commit by nothing shorter, so a prefix is looked up in the history.

    Raises:
        BaseModelError: no commit begins so, or several do.
    """
    from huggingface_hub import HfApi

    wanted = source.revision
    if wanted is None or len(wanted) == _WHOLE_COMMIT:
        return str(HfApi().model_info(source.repo, revision=wanted, timeout=10).sha)
    found = [one.commit_id for one in HfApi().list_repo_commits(source.repo) if one.commit_id.startswith(wanted)]
    if len(found) != 1:
        raise BaseModelError(f"{source.repo} has {len(found)} commits that begin with {wanted}: name one in full")
    return found[0]


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Write what ``gguf`` holds into ``folder``: configuration, fp32 safetensors and tokenizer.

    Quantised weights become the numbers they stand for; nothing is rounded again.

    Raises:
        BaseModelError: transformers cannot read this architecture or file.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        # The GGUF reader draws a progress bar that no setting turns off.
        with quiet_libraries(), redirect_stderr(StringIO()):
            tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
            model = AutoModelForCausalLM.from_pretrained(
                str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32, trust_remote_code=False
            )
            _forget_quantisation(model)
            model.config.dtype = torch.float32
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except (ValueError, KeyError, NotImplementedError) as error:
        raise BaseModelError(f"{gguf.name} cannot be converted: {_first_line(error)}") from error


def _forget_quantisation(model: object) -> None:
    """The weights are plain floats now; the loader's marks would make saving and PEFT take another path."""
    model.hf_quantizer = None  # type: ignore[attr-defined]
    model.is_quantized = False  # type: ignore[attr-defined]
    config = model.config  # type: ignore[attr-defined]
    if hasattr(config, "quantization_config"):
        del config.quantization_config


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
