"""What comes from the environment: the key, how many requests at a time, how long, and whether anything is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from dlm_sway.errors import TargetError

KEYS: Final = ("SWAY_API_KEY", "OPENAI_API_KEY")
AT_ONCE, SECONDS, KEEP = "SWAY_API_CONCURRENCY", "SWAY_API_TIMEOUT", "SWAY_API_CACHE"
_MOST_AT_ONCE: Final = 64


@dataclass(frozen=True)
class Settings:
    """How an endpoint is asked."""

    key: str | None = field(default=None, repr=False)
    """Sent as a bearer token, and never written anywhere."""
    at_once: int = 4
    seconds: float = 120.0
    """For one question, with all its tries."""
    keep: bool = False
    """Whether answers are kept between runs."""


def from_environment() -> Settings:
    """The settings that the environment's variables ask for.

    Raises:
        TargetError: a variable holds no such number.
    """
    key = next((found for name in KEYS if (found := os.environ.get(name, "").strip())), None)
    at_once = _number(AT_ONCE, Settings.at_once, _MOST_AT_ONCE)
    return Settings(key, int(at_once), _number(SECONDS, Settings.seconds, 86_400), os.environ.get(KEEP) == "1")


def _number(name: str, default: float, most: float) -> float:
    given = os.environ.get(name)
    if not given:
        return default
    try:
        found = float(given)
    except ValueError:
        found = 0.0
    if not 1 <= found <= most:
        raise TargetError(f"{name}={given} is not usable: give a number from 1 to {most:g}, or unset it")
    return found
