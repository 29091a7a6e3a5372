"""How much each difference between two locks matters, as data: one row a key, with the reason in words.

``allow``: expected, never stops anything. ``warn``: said, and a violation under ``--strict-lock``. ``error``: a
violation unless ``--update-lock`` or ``--ignore-lock`` accepts it. The reference page prints this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["allow", "warn", "error"]
LockMode = Literal["warn", "strict", "update", "ignore"]
"""What a training does about differences. ``warn``: they are said, grave ones stop it. ``strict``: every one that is
more than allowed stops it. ``update``: they are said, and accepted. ``ignore``: nobody looks."""
SEVERITIES: tuple[Severity, ...] = ("allow", "warn", "error")
"""From the lightest."""


@dataclass(frozen=True)
class Rule:
    """One key of the lock, or a family of them: ``pinned_versions.*``."""

    key: str
    severity: Severity
    name: str
    """How messages call it; ``{}`` stands for what follows the dot."""
    effect: str
    """What a difference changes in the result."""
    back: str = ""
    """How to have it as it was; ``{was}`` and ``{name}`` are filled in."""
    major: Severity | None = None
    """In place of :attr:`severity` where the first number of a version differs."""


_PIP = "pip install '{name}=={was}'"
_DOCUMENT = "documents are edited; the new text is what is to be learned"
_SUMS = "sums are rounded differently, so the weights differ in their last digits and may drift apart"

RULES: tuple[Rule, ...] = (
    Rule("document_digest", "allow", "the document", _DOCUMENT),
    Rule("dlm_sha256", "allow", "the document", _DOCUMENT),
    Rule("title", "allow", "the title", "questions that name the subject name another one"),
    Rule("system_prompt_sha256", "allow", "the system prompt", "every conversation begins with other words"),
    Rule("sources.*", "allow", "source {}", "sources are edited; the new files are what is to be learned"),
    Rule("sources_sha256", "allow", "the files of the sources", "other text, tags or weights are trained"),
    Rule("replay_sha256", "allow", "what is replayed", "other sections that are gone are trained beside the document"),
    Rule("asked.*", "allow", "{}, as asked for,", "it is studied for longer or shorter, as the command says"),
    Rule("warm_from", "allow", "the start", "the weights depend on the version that they began with"),
    Rule(
        "base_model_sha256",
        "error",
        "the base's weights",
        "an adapter belongs to the base it was learned on; nothing learned or measured before carries over",
        "have that base again (`dlm base show` says what lies on this disk)",
    ),
    Rule(
        "base_model_revision",
        "error",
        "the base's commit",
        "an adapter belongs to the base it was learned on; nothing learned or measured before carries over",
        "name the commit in the document: base_model: hf:ORG/NAME@{was}",
    ),
    Rule(
        "seed",
        "warn",
        "the seed",
        "other questions are held out and other rows are drawn, so reports cannot be compared question by question",
        "--seed {was}",
    ),
    Rule(
        "lora.adapter",
        "warn",
        "the kind of adapter",
        "another kind of update is learned, and `qlora` rounds the base's weights to 4 bits",
        "training.adapter: {was}",
    ),
    Rule("lora.*", "warn", "LoRA's {}", "the adapter has another shape or strength", "set it back in the document"),
    Rule(
        "adapters.*.sections_sha256",
        "allow",
        "adapter {}",
        "sections are edited, and routed to another adapter; the new ones are what is to be learned",
    ),
    Rule("adapters.*", "warn", "adapter {}", "that adapter is learned differently", "set it back in the document"),
    Rule("recipe.*", "warn", "the recipe's {}", "the weights take another path", "set it back in the document"),
    Rule("pinned_versions.torch", "warn", "torch", _SUMS, _PIP, major="error"),
    Rule(
        "pinned_versions.transformers",
        "warn",
        "transformers",
        "the base's layers may be computed differently",
        _PIP,
        major="error",
    ),
    Rule(
        "pinned_versions.peft",
        "warn",
        "peft",
        "the adapter may be placed or begun differently",
        _PIP,
        major="error",
    ),
    Rule(
        "pinned_versions.tokenizers",
        "warn",
        "tokenizers",
        "text may be cut into other tokens",
        _PIP,
        major="error",
    ),
    Rule(
        "pinned_versions.dlm",
        "warn",
        "dlm",
        "other study records may be written, and laid out in other steps",
        _PIP,
        major="error",
    ),
    Rule("pinned_versions.dlm-hf", "warn", "dlm-hf", "the training loop may differ", _PIP, major="error"),
    Rule("pinned_versions.*", "warn", "{}", "it takes part in training, and may do it differently", _PIP),
    Rule("python_version", "warn", "Python", "its tables of characters decide what counts as a word"),
    Rule("hardware_tier", "warn", "the kind of hardware", _SUMS),
    Rule("precision", "warn", "the precision", _SUMS, "training.precision: {was}"),
    Rule("cuda_version", "warn", "CUDA", _SUMS),
    Rule("rocm_version", "warn", "ROCm", _SUMS),
    Rule("determinism_class", "warn", "the determinism class", "two runs may differ more, or less, than before"),
    Rule("determinism_flags.*", "warn", "the flag {}", "two runs may differ more, or less, than before"),
    Rule("world_size", "warn", "the number of processes", _SUMS),
    Rule(
        "license_acceptance.license_spdx",
        "warn",
        "the accepted licence",
        "the adapter is made under other terms",
    ),
    Rule(
        "license_acceptance.license_url",
        "warn",
        "the address of the accepted licence",
        "the adapter is made under other terms",
    ),
)
_EXACT = {rule.key: rule for rule in RULES}


def rule_for(key: str) -> Rule | None:
    """The rule of ``key``, its own before that of its family; ``None`` for what says nothing about the result."""
    family, last = key.partition(".")[0], key.rpartition(".")[2]
    return _EXACT.get(key) or _EXACT.get(f"{family}.*.{last}") or _EXACT.get(f"{family}.*")


def at_least(severity: Severity, least: Severity) -> bool:
    """Whether ``severity`` is no lighter than ``least``."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)
