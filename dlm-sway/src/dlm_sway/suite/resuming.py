"""Going on with a run that was interrupted: which of its entries still count, and why it may not be gone on with.

An entry counts when nothing that could change its number has changed: the suite, the sections it teaches, the models
and the versions, each by its digest. Entries that broke are asked again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from ..errors import TargetError
from ..result import NullSummary, ProbeResult, Verdict

if TYPE_CHECKING:
    from ..scoring.remembering import Identity
    from ..sections import SectionData
    from ..spec.load import PlannedProbe

INTERRUPTED: Final = "interrupted"
"""``status`` of a result that lacks entries, and ``evidence["skip_reason"]`` of those."""

_MUST_AGREE: Final = {
    "spec_digest": "the suite",
    "sections_digest": "the document's sections",
    "models_digest": "the base or the adapter, or the software that scores them,",
    "versions": "the version of sway or of a plugin",
}
_UNSEEN: Final = ("held_out", "reversed")
"""Keys of a section that depend on what was trained, not on the document alone."""
_FIELDS: Final = {field.name for field in fields(ProbeResult)}


@dataclass(frozen=True)
class Earlier:
    """What an interrupted run left."""

    source: Path
    provenance: Mapping[str, Any]
    results: Mapping[str, ProbeResult]
    """Entries that gave an answer, by name, before p-values were adjusted."""

    def for_run(self, provenance: Mapping[str, Any]) -> Mapping[str, ProbeResult]:
        """Its results, for a run whose provenance is the one given.

        Raises:
            TargetError: that run is another one, or nothing shows that it is the same.
        """
        if not provenance["models_digest"]:
            raise self._refusal("its backend does not say what decides its numbers, so the models may be others")
        changed = [
            _sections_changed(self.provenance, provenance) if key == "sections_digest" else what
            for key, what in _MUST_AGREE.items()
            if self.provenance.get(key) != provenance.get(key)
        ]
        if changed:
            raise self._refusal(f"{' and '.join(changed).rstrip(',')} changed since")
        return self.results

    def _refusal(self, why: str) -> TargetError:
        return TargetError(f"{self.source}: cannot go on with this run: {why}: run again without --resume")


def earlier(path: Path, document: Mapping[str, Any]) -> Earlier | None:
    """What the result in ``path`` left to go on with; ``None`` when it is finished.

    Raises:
        TargetError: an entry in it cannot be read.
    """
    if document["status"] != INTERRUPTED:
        return None
    results = {}
    for index, probe in enumerate(document["probes"]):
        if probe["verdict"] == "error" or probe["evidence"].get("skip_reason") in (INTERRUPTED, "preflight"):
            continue
        try:
            results[probe["name"]] = _restored(probe)
        except (KeyError, TypeError, ValueError) as error:
            what = f"probes[{index}] cannot be read ({error}): run again without --resume"
            raise TargetError(f"{path}: {what}") from error
    return Earlier(path, document["provenance"], results)


def unasked(planned: PlannedProbe, known: Mapping[str, ProbeResult]) -> ProbeResult:
    """What stands for an entry that a run did not come to: its result from an earlier one, or that it was not asked."""
    spec = planned.probe.spec
    if spec.name in known:
        return known[spec.name]
    evidence = {"skip_reason": INTERRUPTED}
    message = "not asked: the run was interrupted"
    return ProbeResult(spec.name, spec.kind, "skip", message, category=planned.entry.category, evidence=evidence)


def sections_digest(sections: Sequence[SectionData] | None) -> str:
    """Of everything the suite's document holds; empty without one."""
    return "" if sections is None else _digest([asdict(section) for section in sections])


def sections_parts(sections: Sequence[SectionData] | None) -> dict[str, str]:
    """Digests of what the document says and of what training never saw of it, to tell which of the two has changed."""
    kept = [{"id": one.id, **{key: getattr(one, key) for key in _UNSEEN}} for one in sections or ()]
    said = [{key: value for key, value in asdict(one).items() if key not in _UNSEEN} for one in sections or ()]
    return {"said": _digest(said), "unseen": _digest(kept)}


def _sections_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    parts = before.get("sections_parts")
    if isinstance(parts, Mapping) and parts.get("said") == now["sections_parts"]["said"]:
        return "which questions about the document its training never saw"
    return _MUST_AGREE["sections_digest"]


def models_digest(identity: Identity | None) -> str:
    """Of everything that decides the models' numbers; empty when the backend cannot say."""
    return "" if identity is None else _digest([identity.base, identity.adapter])


def _restored(probe: Mapping[str, Any]) -> ProbeResult:
    """The result that was written as ``probe``."""
    if probe["verdict"] not in get_args(Verdict):
        raise ValueError(f"{probe['verdict']!r} is no verdict")
    given = {key: value for key, value in probe.items() if key in _FIELDS}
    if given["ci_95"] is not None:
        low, high = given["ci_95"]
        given["ci_95"] = (float(low), float(high))
    if given["nulls"] is not None:
        given["nulls"] = NullSummary(**given["nulls"])
    # The writer puts the weight there for readers of earlier versions.
    given["evidence"] = {key: value for key, value in given["evidence"].items() if key != "weight"}
    return ProbeResult(**given)


def _digest(data: Any) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
