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
    data["training"]["preference"] = _preference(training["dpo"])
    for key in _HYPERPARAMETERS:
        places.move((*new, key), (*new, "hyperparams", key))


def _preference(dpo: Any) -> Any:
    if not isinstance(dpo, dict):
        return dpo
    kept = {key: value for key, value in dpo.items() if key not in _HYPERPARAMETERS}
    if kept.get("reference") == "pre_dpo_adapter":
        kept["reference"] = "pre_adapter"
    hyper = {key: dpo[key] for key in _HYPERPARAMETERS if key in dpo}
    return {"method": "dpo", **kept} | ({"hyperparams": hyper} if hyper else {})


STEPS: dict[int, Step] = {1: _preference_from_dpo}
"""What has to change to get from a version to the next."""
