"""What the owner of a server decides when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
PORT: Final = 8377


@dataclass(frozen=True)
class Settings:
    """Of one server, for as long as it runs."""

    root: Path
    """The folder that requests may name files in; paths count from it."""
    endpoints: frozenset[str] = frozenset()
    """Addresses of servers that requests may name, without a slash at their end. This one asks them in its own name,
    with its own key and from where it stands, so they are the owner's to choose."""
    api_key: str | None = None
    """What every request must show; ``None`` where only programs on this machine can ask."""
    max_loaded: int = 2
    """Backends kept in memory."""
    at_once: int = 1
    """Requests that use a model at the same time; others wait."""
    most_waiting: int = 256
    """Requests that are being answered or wait; more are sent away."""
    seconds: float = 600.0
    """For an answer, waiting included."""
    most_bytes: int = 1_000_000
    """Of a request's body."""
    body_seconds: float = 30.0
    """For a body to arrive."""
    cache: bool = True
    """Whether answers are kept on disk and taken from there, as in ``sway run``."""
