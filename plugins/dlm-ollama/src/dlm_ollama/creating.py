"""A model in a running Ollama, from the files of an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlm.store.files import sha256

from .client import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .client import Ollama
    from .modelfile import Modelfile

OLDEST = (0, 5, 5)
"""The first version whose API makes a model of files that were sent to it."""
NO_ADAPTERS = (0, 34, 1)
"""The first version that makes no models with adapters any more."""


class CannotCreate(Exception):
    """Ollama is there, and did not take the model; the message is a clause for people."""


def spoken(version: tuple[int, ...]) -> str:
    """A version for people."""
    return ".".join(map(str, version)) or "of unknown version"


def obstacle(version: tuple[int, ...], model: Modelfile) -> str | None:
    """Why an Ollama of this version would not take ``model``; ``None`` when it would, or its age is not known."""
    if version and version < OLDEST:
        return f"it is {spoken(version)}, and takes models over its API from {spoken(OLDEST)} on: update it"
    if model.adapter and version >= NO_ADAPTERS:
        return (
            f"it is {spoken(version)}, and from {spoken(NO_ADAPTERS)} on it makes no model with an ADAPTER: export "
            "with --merged"
        )
    return None


def create(ollama: Ollama, name: str, folder: Path, model: Modelfile, say: Callable[[str], None]) -> None:
    """Send the files that are not there yet and have the model made of them. One of the same name is replaced by
    Ollama at the end, when all went well.

    Raises:
        CannotCreate: it refused, or stopped in the middle.
    """
    try:
        body = {
            "model": name,
            "files": _sent(ollama, folder, model.model, say),
            **({"adapters": _sent(ollama, folder, model.adapter, say)} if model.adapter else {}),
            **_texts(model),
        }
        for status in ollama.create(body):
            say(f"ollama: {status}")
    except Refused as refusal:
        raise CannotCreate(f"it refused: {refusal}") from refusal
    except Unreachable as problem:
        raise CannotCreate(f"it broke off: {problem}") from problem


def _texts(model: Modelfile) -> dict[str, Any]:
    texts = {"template": model.template, "system": model.system, "license": model.licence}
    found: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    return {**found, "parameters": model.parameters}


def _sent(ollama: Ollama, folder: Path, file: str, say: Callable[[str], None]) -> dict[str, str]:
    path = folder / file
    digest = f"sha256:{sha256(path)}"
    if not ollama.has_blob(digest):
        say(f"ollama: taking {path.name}")
        ollama.send_blob(path, digest)
    return {path.name: digest}
