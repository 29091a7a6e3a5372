# Written by tools/generate.py from the plugins in this repository: edit there.
"""Which command installs a name that no installed plugin offers."""

from __future__ import annotations

INSTALLS: dict[tuple[str, str], str] = {
    ("dlm_accelerators", "qlora"): "pip install 'dlm[qlora]'",
    ("dlm_accelerators", "rocm"): "pip install 'dlm[rocm]'",
    ("dlm_augmenters", "teacher"): "pip install 'dlm[teacher]'",
    ("dlm_backends", "hf"): "pip install 'dlm[hf]'",
    ("dlm_backends", "mlx"): "pip install 'dlm[mlx]'",
    ("dlm_checks", "rocm"): "pip install 'dlm[rocm]'",
    ("dlm_commands", "rocm"): "pip install 'dlm[rocm]'",
    ("dlm_commands", "serve"): "pip install 'dlm[peer]'",
    ("dlm_commands", "sway"): "pip install 'dlm[sway]'",
    ("dlm_phases", "preference"): "pip install 'dlm[preference]'",
    ("dlm_quantisers", "nf4"): "pip install 'dlm[qlora]'",
    ("dlm_sections", "preference"): "pip install 'dlm[preference]'",
    ("dlm_signers", "minisign"): "pip install 'dlm[sign]'",
    ("dlm_signers", "oms"): "pip install 'dlm[sign]'",
    ("dlm_sinks", "gguf"): "pip install 'dlm[gguf]'",
    ("dlm_sinks", "hub"): "pip install 'dlm[hub]'",
    ("dlm_sinks", "llama-server"): "pip install 'dlm[gguf]'",
    ("dlm_sinks", "mlx-serve"): "pip install 'dlm[serving]'",
    ("dlm_sinks", "ollama"): "pip install 'dlm[ollama]'",
    ("dlm_sinks", "vllm"): "pip install 'dlm[serving]'",
    ("dlm_trackers", "tensorboard"): "pip install 'dlm[track]'",
    ("dlm_trackers", "wandb"): "pip install 'dlm[track]'",
    ("dlm_transports", "hf"): "pip install 'dlm[hub]'",
    ("dlm_transports", "http"): "pip install 'dlm[https]'",
    ("dlm_transports", "https"): "pip install 'dlm[https]'",
    ("dlm_transports", "peer"): "pip install 'dlm[peer]'",
}
