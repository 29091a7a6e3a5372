"""Frontmatter of older format versions, brought to the current one in memory. Nothing is written here.

A step changes the raw mapping and moves the places along, so that a finding still points at what the writer wrote.
Only version 2 renamed anything; the other versions added keys and section types, which older files simply do not use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .mapping import Places

CURRENT = 15

Step = Callable[[dict[str, Any], Places], None]
_HYPERPARAMETERS = ("beta", "learning_rate", "num_epochs")


def migrate(data: dict[str, Any], places: Places, version: int) -> dict[str, Any]:
    """``data`` of format ``version`` (1 to 15) as version 15 would write it; ``data`` itself is left alone."""
    current = dict(data)
    for step in (STEPS[number] for number in range(version, CURRENT) if number in STEPS):
        step(current, places)
    return current | {"dlm_version": CURRENT}


def _preference_from_dpo(data: dict[str, Any], places: Places) -> None:
    """Version 1 had ``training.dpo``; version 2 has ``training.preference``, of which DPO is one method."""
    training = data.get("training")
    if not isinstance(training, dict) or "dpo" not in training or "preference" in training:
        return
    old, new = ("training", "dpo"), ("training", "preference")
    places.move(old, new)
    data["training"] = {key: value for key, value in training.items() if key != "dpo"}
    moved = _moved(training["dpo"])
    data["training"]["preference"] = _preference(training["dpo"], moved)
    for key in moved:
        places.move((*new, key), (*new, "hyperparams", key))


def _moved(dpo: Any) -> list[str]:
    """The keys that go below ``hyperparams``; one that is written there too stays, and is an unknown key."""
    there = dpo.get("hyperparams", {}) if isinstance(dpo, dict) else None
    return [key for key in _HYPERPARAMETERS if key in dpo and key not in there] if isinstance(there, dict) else []


def _preference(dpo: Any, moved: list[str]) -> Any:
    if not isinstance(dpo, dict):
        return dpo
    kept = {"method": "dpo"} | {key: value for key, value in dpo.items() if key not in moved}
    if kept.get("reference") == "pre_dpo_adapter":
        kept["reference"] = "pre_adapter"
    return kept | {"hyperparams": kept.get("hyperparams", {}) | {key: dpo[key] for key in moved}} if moved else kept


STEPS: dict[int, Step] = {1: _preference_from_dpo}
"""What has to change to get from a version to the next."""
