"""Everything that could change a number, written down beside the numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from .resuming import sections_digest, sections_parts

if TYPE_CHECKING:
    from ..spec.load import LoadedSuite


def provenance(
    loaded: LoadedSuite,
    described: Mapping[str, object],
    models_digest: str,
    backend_stats: Mapping[str, Any],
    backend_source: str,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Facts about a run: models, suite, seed, versions and machine. ``facts`` are the caller's own and come last."""
    suite = loaded.suite
    adapter = suite.models.ft.adapter
    return {
        "base_model_id": suite.models.base.base,
        "adapter_id": str(adapter) if adapter is not None else suite.models.ft.base,
        "spec_path": loaded.source,
        "spec_digest": loaded.digest,
        "sections_digest": sections_digest(loaded.sections),
        "sections_parts": sections_parts(loaded.sections),
        "models_digest": models_digest,
        "suite": suite.model_dump(mode="json"),
        "seed": suite.defaults.seed,
        "alpha": suite.defaults.alpha,
        "multiplicity": suite.defaults.multiplicity,
        "threshold": suite.defaults.coverage_threshold,
        "sway_version": own_version(),
        "versions": _versions(loaded, backend_source),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": dict(described),
        "backend_stats": dict(backend_stats),
        "determinism": {"class": described.get("determinism", "best_effort"), "notes": [], "seed": suite.defaults.seed},
        "notes": list(loaded.notes),
        **facts,
    }


def own_version() -> str:
    """The installed version of ``dlm-sway``; ``unknown`` when it runs from a folder that was never installed."""
    try:
        return version("dlm-sway")
    except PackageNotFoundError:
        return "unknown"


def _versions(loaded: LoadedSuite, backend_source: str) -> dict[str, str]:
    """Distribution -> version, of the core and of every plugin that took part."""
    found = {"dlm-sway": own_version()}
    for source in {backend_source, *(planned.source for planned in loaded.probes)}:
        name, _, number = source.partition(" ")
        if number:
            found[name] = number
    return found
