"""``integrity``: is the adapter that was asked for the one that acts? Seconds, and no data needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..data import general_items
from ..errors import NotSupported
from ..result import ProbeResult
from ..scoring.types import FT, View
from .base import Measurement, Probe, ProbeContext, ProbeSpec, Scoring

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..scoring.types import AdapterInspection, Comparison

_FORWARD_ITEMS = 4
_RELATIVE_JITTER = 10.0
"""How far above base-against-base noise two views may lie and still be called the same."""
_SMALLEST_JITTER = 1e-6
"""Nats; below this no arithmetic in 32 bits tells two views apart."""


class Finding(NamedTuple):
    """One thing that is wrong, or worth knowing."""

    level: Literal["fail", "warn", "note"]
    text: str


class IntegritySpec(ProbeSpec):
    """Keys of an ``integrity`` entry."""

    forward: bool = True
    """Also compare outputs, on a few packaged questions; ``false`` only reads files."""


class Integrity(Probe[IntegritySpec]):
    """Keys, shapes, numbers and base of the adapter; that it acts, and that nothing else does."""

    kind = "integrity"
    spec_type = IntegritySpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: this probe asks no items of its own."""
        raise TypeError("integrity is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Read the adapter, then look at what it does."""
        try:
            seen = ctx.scoring.inspect()
        except NotSupported as error:
            return self.result("skip", str(error), seeks="harm")
        findings = [*file_findings(seen)]
        outputs: dict[str, object] = {}
        if self.spec.forward and not any(True for _ in _key_findings(seen)):
            # An adapter that does not fit cannot be put on the base, so it has no outputs to look at.
            forward, outputs = output_findings(ctx.scoring, seen)
            findings.extend(forward)
        return self._result(seen, findings, outputs)

    def _result(self, seen: AdapterInspection, findings: list[Finding], outputs: dict[str, object]) -> ProbeResult:
        levels = [finding.level for finding in findings]
        verdict = "fail" if "fail" in levels else "warn" if "warn" in levels else "pass"
        texts = [finding.text for finding in findings if finding.level == verdict]
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        message = texts[0] + more if texts else _healthy(seen, outputs)
        evidence = {
            "findings": [finding._asdict() for finding in findings],
            "adapter": _numbers(seen),
            "outputs": outputs,
        }
        return self.result(verdict, message, seeks="harm", evidence=evidence)


def file_findings(seen: AdapterInspection) -> Iterable[Finding]:
    """What the adapter file says about itself and its base, worst first."""
    yield from _key_findings(seen)
    yield from _update_findings(seen)
    yield from _base_findings(seen)
    if 0 < seen.embedding_rows < seen.tokenizer_tokens:
        yield Finding(
            "fail",
            f"the tokenizer has {seen.tokenizer_tokens} tokens but the model {seen.embedding_rows} embedding rows: "
            "the extra ones cannot be read; use the tokenizer the adapter was trained with, or resize the embeddings",
        )
    if seen.extra_saved:
        yield Finding(
            "note", f"saved in full beside the update: {_some(seen.extra_saved)}; scaling the adapter leaves them on"
        )


def _key_findings(seen: AdapterInspection) -> Iterable[Finding]:
    if seen.tensors == 0:
        yield Finding("fail", "the adapter file holds no tensors: train again, or point at the right folder")
    trained_for = f"; it was trained for {seen.declared_base}" if seen.declared_base else ""
    for keys, what in (
        (seen.unexpected, "match no module of the base"),
        (seen.mismatched, "have another shape than the base expects"),
        (seen.missing, "are missing from the adapter file"),
    ):
        if keys:
            yield Finding("fail", f"{len(keys)} of {seen.tensors} keys {what}: {_some(keys)}{trained_for}")


def _update_findings(seen: AdapterInspection) -> Iterable[Finding]:
    broken = [module.name for module in seen.modules if module.non_finite]
    if broken:
        values = sum(module.non_finite for module in seen.modules)
        yield Finding("fail", f"{values} values are NaN or infinite, in {_some(broken)}: training diverged")
    zero = [module.name for module in seen.modules if module.update_norm == 0.0 and not module.non_finite]
    if seen.modules and len(zero) == len(seen.modules):
        yield Finding(
            "fail",
            "the adapter is loaded but changes nothing: every update is zero (B = 0), training did not move it",
        )
    elif zero:
        yield Finding("warn", f"{len(zero)} of {len(seen.modules)} updates are zero: {_some(zero)}")


def _base_findings(seen: AdapterInspection) -> Iterable[Finding]:
    name = seen.declared_base or "an unnamed base"
    if seen.declared_digest and seen.base_digest and seen.declared_digest != seen.base_digest:
        yield Finding(
            "fail",
            f"the adapter was trained on other weights: {name} with digest {seen.declared_digest[:19]}, "
            f"but it is put on {seen.base_digest[:19]}; use the base it was trained on, or train again",
        )
    elif not (seen.declared_digest and seen.base_digest):
        revision = f" at {seen.declared_revision}" if seen.declared_revision else ""
        yield Finding("note", f"nothing proves that this is the base it was trained on ({name}{revision})")


def output_findings(scoring: Scoring, seen: AdapterInspection) -> tuple[list[Finding], dict[str, object]]:
    """What a few forward passes say: the adapter acts, and at strength 0 nothing else does."""
    items = general_items()[:_FORWARD_ITEMS]
    noise = _largest(scoring.noise(items))
    limit = max(_RELATIVE_JITTER * noise, _SMALLEST_JITTER)
    moved = _largest(scoring.compare(items, FT))
    outputs: dict[str, object] = {"items": len(items), "noise_floor": noise, "limit": limit, "ft_kl": _json(moved)}
    findings = list(_moved_findings(moved, noise, seen))
    try:
        off = _largest(scoring.compare(items, View("scaled", scale=0.0)))
    except NotSupported as error:
        outputs["off_kl"] = None
        outputs["off_not_checked"] = str(error)
        return findings, outputs
    outputs["off_kl"] = _json(off)
    if not off <= limit:
        findings.append(_not_off(off, seen))
    return findings, outputs


def _moved_findings(moved: float, noise: float, seen: AdapterInspection) -> Iterable[Finding]:
    if not math.isfinite(moved):
        yield Finding("fail", "the adapted model's outputs are not finite numbers: its weights are unusable")
    elif moved <= noise and any(module.update_norm > 0 for module in seen.modules):
        yield Finding(
            "fail",
            "the updates are not zero but the outputs are those of the base: the adapter is not applied, or it is "
            "too small to show in this precision (try dtype: fp32)",
        )


def _not_off(off: float, seen: AdapterInspection) -> Finding:
    text = f"at strength 0 the model is not the base (KL {off:.2g} nats)"
    if seen.extra_saved:
        return Finding("warn", f"{text}: {_some(seen.extra_saved)} are replaced in full")
    return Finding("fail", f"{text}: something other than the update was changed")


def _largest(found: Sequence[Comparison]) -> float:
    values = [one.kl for one in found]
    return math.nan if any(math.isnan(value) for value in values) else max(values)


def _healthy(seen: AdapterInspection, outputs: dict[str, object]) -> str:
    size = f"update norm {_total(seen):.3g}, {_share(seen):.2%} of the weights"
    text = f"every key matches the base and none is missing (modules: {len(seen.modules)}); {size}"
    if outputs.get("off_kl") is not None:
        text += "; off, it is the base"
    return text


def _numbers(seen: AdapterInspection) -> dict[str, Any]:
    largest = sorted(seen.modules, key=lambda module: -_sortable(module.update_norm))[:10]
    return {
        "peft_type": seen.peft_type,
        "tensors": seen.tensors,
        "matched": seen.matched,
        "unexpected": list(seen.unexpected),
        "missing": list(seen.missing),
        "mismatched": list(seen.mismatched),
        "extra_saved": list(seen.extra_saved),
        "modules": len(seen.modules),
        "zero_updates": sum(module.update_norm == 0.0 for module in seen.modules),
        "non_finite": sum(module.non_finite for module in seen.modules),
        "update_norm": _json(_total(seen)),
        "relative_norm": _json(_share(seen)),
        "declared_base": seen.declared_base,
        "declared_revision": seen.declared_revision,
        "declared_digest": seen.declared_digest,
        "base_digest": seen.base_digest,
        "tokenizer_tokens": seen.tokenizer_tokens,
        "embedding_rows": seen.embedding_rows,
        "largest": [
            {
                "name": module.name,
                "rank": module.rank,
                "update_norm": _json(module.update_norm),
                "relative_norm": _json(module.update_norm / module.weight_norm) if module.weight_norm else None,
                "stable_rank": _json(module.stable_rank),
            }
            for module in largest
        ],
    }


def _total(seen: AdapterInspection) -> float:
    return math.hypot(*(module.update_norm for module in seen.modules))


def _share(seen: AdapterInspection) -> float:
    weights = math.hypot(*(module.weight_norm for module in seen.modules))
    return _total(seen) / weights if weights else 0.0


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sortable(value: float) -> float:
    return value if math.isfinite(value) else math.inf
