# Written by tools/generate.py from the plugins in this repository: edit there.
"""Which command installs a name that no installed plugin offers."""

from __future__ import annotations

INSTALLS: dict[tuple[str, str], str] = {
    ("dlm_accelerators", "qlora"): "pip install 'dlm[qlora]'",
    ("dlm_augmenters", "teacher"): "pip install 'dlm[teacher]'",
    ("dlm_backends", "hf"): "pip install 'dlm[hf]'",
    ("dlm_commands", "sway"): "pip install 'dlm[sway]'",
    ("dlm_phases", "preference"): "pip install 'dlm[preference]'",
    ("dlm_quantisers", "nf4"): "pip install 'dlm[qlora]'",
    ("dlm_sections", "preference"): "pip install 'dlm[preference]'",
    ("dlm_trackers", "tensorboard"): "pip install 'dlm[track]'",
    ("dlm_trackers", "wandb"): "pip install 'dlm[track]'",
}
