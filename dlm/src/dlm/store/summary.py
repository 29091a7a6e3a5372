"""What the manifest repeats of a version's facts, so that a reader needs one file.

Facts are the caller's (see :meth:`dlm.store.Store.begin_run`); a key that is missing is left out, never an error.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .manifest import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .version import Version


def new_run(run_id: int, facts: Mapping[str, Any], at: str | None = None) -> TrainingRun:
    """The manifest's record of a run that begins now, or began ``at``."""
    base, recipe = _part(facts, "base"), _part(facts, "recipe")
    started = datetime.fromisoformat(at) if at else datetime.now(UTC)
    return TrainingRun(
        run_id=run_id,
        started_at=started,
        base_model=base.get("key"),
        base_model_revision=base.get("revision"),
        document_digest=facts.get("document_digest"),
        seed=recipe.get("seed"),
        resumed_from=facts.get("resumed_from"),
        pinned_versions=_part(facts, "versions"),
        log_path=f"logs/train-{run_id:06d}-{started.strftime('%Y%m%dT%H%M%SZ')}.jsonl",
    )


def run_numbers(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a finished run's record takes from the version it made."""
    base, outcome = _part(facts, "base"), _part(facts, "outcome")
    found = {
        "base_model": base.get("key"),
        "base_model_revision": base.get("revision"),
        "document_digest": facts.get("document_digest"),
        "seed": _part(facts, "recipe").get("seed"),
        "steps": outcome.get("steps"),
        "final_train_loss": outcome.get("final_loss"),
        "final_val_loss": outcome.get("held_out_best"),
        "pinned_versions": _part(facts, "versions"),
    }
    return {key: value for key, value in found.items() if value is not None}


def current_keys(version: Version | None) -> dict[str, Any]:
    """The manifest's keys about the current version."""
    if version is None:
        return {"adapter_version": 0, "adapter_sha256": None, "adapter_config_sha256": None, "adapter_versions": {}}
    base = _part(version.facts, "base")
    return {
        "adapter_version": version.number,
        "adapter_versions": dict.fromkeys(version.adapters, version.number),
        "adapter_sha256": version.facts.get("adapter_sha256"),
        "adapter_config_sha256": version.facts.get("adapter_config_sha256"),
        "base_model": base.get("key"),
        "base_model_revision": base.get("revision"),
        "base_model_sha256": base.get("digest"),
        "content_hashes": {section: section for section in version.facts.get("section_ids") or ()},
        "pinned_versions": _part(version.facts, "versions"),
    }


def _part(facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = facts.get(key)
    return dict(part) if isinstance(part, dict) else {}
