"""A base's configuration as mlx-lm's models read it.

transformers 5 writes how positions are rotated under ``rope_parameters``; most of mlx-lm's models look for the older
``rope_theta`` and ``rope_scaling``, and take their own defaults when those are not there: the model loads, answers, and
is another one.
"""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def overrides(config: Config) -> Config:
    """What to set beside ``config`` so that mlx-lm builds the model that it describes."""
    text = config.get("text_config")
    if isinstance(text, dict):
        found = _older_names(text)
        return {"text_config": {**text, **found}} if found else {}
    return _older_names(config)


def _older_names(text: Config) -> Config:
    found = {**_rope(text), **_window(text)}
    return {key: value for key, value in found.items() if key not in text or text[key] is None}


def _rope(text: Config) -> Config:
    rope = text.get("rope_parameters")
    if not isinstance(rope, dict):
        return {}
    if isinstance(by_layer := rope.get("full_attention"), dict):
        local = rope.get("sliding_attention") or {}
        return {**_flat(by_layer), **_given("rope_local_base_freq", local.get("rope_theta"))}
    return _flat(rope)


def _flat(rope: Config) -> Config:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    scaling = {key: value for key, value in rope.items() if key != "rope_theta"} if kind != "default" else None
    return {
        **_given("rope_theta", rope.get("rope_theta")),
        **_given("partial_rotary_factor", rope.get("partial_rotary_factor")),
        **_given("rope_scaling", scaling),
    }


def _window(text: Config) -> Config:
    """Every how many layers one attends to everything, where only the kinds of the layers are listed."""
    kinds = text.get("layer_types") or []
    every = kinds.index("full_attention") + 1 if "full_attention" in kinds else 0
    return {"sliding_window_pattern": every} if every > 1 else {}


def _given(key: str, value: Any) -> Config:
    return {} if value is None else {key: value}
