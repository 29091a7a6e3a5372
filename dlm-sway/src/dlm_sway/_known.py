# Written by tools/generate.py from the plugins in this repository: edit there.
"""Which command installs a name that no installed plugin offers."""

from __future__ import annotations

INSTALLS: dict[tuple[str, str], str] = {
    ("dlm_sway_backends", "api"): "pip install 'dlm-sway[api]'",
    ("dlm_sway_backends", "gguf"): "pip install 'dlm-sway[gguf]'",
    ("dlm_sway_backends", "hf"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_backends", "mlx"): "pip install 'dlm-sway[mlx]'",
    ("dlm_sway_commands", "convert-adapter"): "pip install 'dlm-sway[mlx]'",
    ("dlm_sway_commands", "serve"): "pip install 'dlm-sway[serve]'",
    ("dlm_sway_probes", "adapter_ablation"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "adapter_revert"): "pip install 'dlm-sway[semsim]'",
    ("dlm_sway_probes", "answer_gain"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "bleed"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "calibration_drift"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "cluster_kl"): "pip install 'dlm-sway[semsim]'",
    ("dlm_sway_probes", "contamination"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "degeneration"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "delta_kl"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "external_perplexity"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "gradient_ghost"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "internalization"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "leakage"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "multi_turn_coherence_decay"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "paraphrase_invariance"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "preference_flip"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "prompt_collapse"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "section_internalization"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "style_fingerprint"): "pip install 'dlm-sway[style]'",
    ("dlm_sway_probes", "tool_use_fidelity"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_probes", "training_drift"): "pip install 'dlm-sway[hf]'",
    ("dlm_sway_quantisers", "nf4"): "pip install 'dlm-sway[qlora]'",
    ("dlm_sway_remotes", "http"): "pip install 'dlm-sway[serve]'",
    ("dlm_sway_remotes", "https"): "pip install 'dlm-sway[serve]'",
    ("dlm_sway_reports", "html"): "pip install 'dlm-sway[viz]'",
}
