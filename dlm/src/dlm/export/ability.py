"""Which targets can take a base, told from its ``config.json`` alone: no network, no weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .._plugkit.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..bases import BaseModel


class Ability(NamedTuple):
    """Whether one target can take a base."""

    target: str
    refusal: str | None
    """Why it cannot; ``None`` when it can."""


def config_of(base: BaseModel, folder: Path | None) -> Mapping[str, Any] | None:
    """The ``config.json`` in ``folder``; for a base that is not on this disk, what its entry says of it. ``None`` when
    nothing is known."""
    if folder is None:
        return {"model_type": base.architecture} if base.architecture else None
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def abilities(config: Mapping[str, Any]) -> tuple[Ability, ...]:
    """What every installed target says of a base with this ``config.json``, by name."""
    from ..plugins import manager

    return tuple(Ability(name, _refusal(name, config)) for name in manager().offers("dlm_sinks"))


def told(found: Sequence[Ability]) -> str:
    """In one line: ``gguf, vllm; not tape: it takes no music``."""
    able = ", ".join(one.target for one in found if one.refusal is None)
    unable = "; ".join(f"not {one.target}: {one.refusal}" for one in found if one.refusal is not None)
    return "; ".join(part for part in (able, unable) if part)


def as_json(found: Sequence[Ability]) -> dict[str, str | None]:
    """Plain data: why not, by target; ``None`` for one that can."""
    return {one.target: one.refusal for one in found}


def _refusal(name: str, config: Mapping[str, Any]) -> str | None:
    from ..plugins import manager

    try:
        said: str | None = manager().resolve("dlm_sinks", name)().refuses_architecture(config)
    except PluginError as problem:
        return f"it cannot be loaded ({str(problem).splitlines()[0]})"
    return said
