"""What decides a model's numbers, as digests of its files. Loads no model; which backend reads the files is not known
here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dlm_sway.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Digest = Callable[[Path], str]

MODEL_FILES: Final = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
TOKENIZER_FILES: Final = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.jinja",
    "vocab*",
    "merges.txt",
)
_ADAPTER_FILES: Final = ("adapter_config.json", "adapter_model.safetensors", "version.json")


def digests(folder: Path, patterns: Sequence[str], digest: Digest) -> dict[str, str]:
    """Name and digest of the files that match, by name.

    Raises:
        TargetError: the folder cannot be read.
    """
    try:
        files = {path.name: path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
        files.pop("base.json", None)  # says when and how the base came here, which changes no number
        return {name: digest(files[name].resolve()) for name in sorted(files)}
    except OSError as error:
        raise TargetError(f"{folder}: cannot be read: {error.strerror}: check the folder's permissions") from error


def adapter_digests(folder: Path, digest: Digest) -> str:
    """The digests of an adapter's files, one a line.

    Raises:
        TargetError: as :func:`digests`.
    """
    found = digests(folder.expanduser(), _ADAPTER_FILES, digest)
    return "\n".join(f"{name} {one}" for name, one in found.items())
