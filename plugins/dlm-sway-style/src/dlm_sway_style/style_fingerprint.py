"""``style_fingerprint``: did the answers come nearer the style of the document?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, field_validator

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, SectionData, View
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import FEWEST_ITEMS, Condition, Estimate, Words, intended
from dlm_sway.scoring.types import BASE
from dlm_sway.suite.calibrate import rank

from . import grammar, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIECE_WORDS: Final = 80
"""Words of a piece of the reference: about what an answer has."""
_VERSION: Final = 3
_LISTED: Final = 4
_WORDS = Words(
    still="no change: every answer is the base's",
    wrong_way="the answers came no nearer the style of the reference",
    chance="random adapters of the same size come as near",
)


class StyleFingerprintSpec(ProbeSpec):
    """Keys of a ``style_fingerprint`` entry."""

    prompts: tuple[str, ...] = Field(min_length=1)
    doc_reference: str = ""
    """A text in the style that was taught; without it, what the document teaches to write."""
    max_new_tokens: int = Field(default=128, ge=16, le=2048)
    assert_shift_gte: float = Field(default=0.25, gt=0)
    """Share of the way from the base's style to the reference's that answers must have come."""
    extended: Literal["auto", "on", "off"] = "auto"
    """Whether grammar is measured too; ``auto`` where spaCy and its English model are installed."""

    @field_validator("extended")
    @classmethod
    def _there(cls, value: str) -> str:
        if value == "on" and (what := grammar.missing()):
            raise ValueError(f"{what}: {grammar.INSTALL}, or set `extended: off`")
        return value


class StyleFingerprint(Probe[StyleFingerprintSpec]):
    """Share of the way from the base's style to the reference's, answer by answer."""

    kind = "style_fingerprint"
    spec_type = StyleFingerprintSpec
    calibrated = True
    reference: tuple[str, ...] = ()
    """Pieces of the text whose style was taught, once prepared."""

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the pieces of the reference."""
        texts = [self.spec.doc_reference] if self.spec.doc_reference.strip() else _taught(ctx)
        found = type(self)(self.spec)
        found.reference = tuple(piece for text in texts for piece in plain.pieces(text, PIECE_WORDS))
        if not found.reference:
            raise NothingToAsk("no style to compare with: give doc_reference, or name the document with dlm_source")
        return found

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(sorted(set(self.spec.prompts)))

    @property
    def extended(self) -> bool:
        """Whether grammar is measured."""
        return self.spec.extended == "on" or (self.spec.extended == "auto" and not grammar.missing())

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """How far each answer went towards the reference; 0 where one of both is too short to have a style."""
        from . import shift

        items = [Item(prompt) for prompt in self.prompts]
        before = [one.text for one in scoring.generate(items, BASE, max_new_tokens=self.spec.max_new_tokens)]
        after = [one.text for one in scoring.generate(items, view, max_new_tokens=self.spec.max_new_tokens)]
        pairs = [(plain.unlooped(a), plain.unlooped(b)) for a, b in zip(before, after, strict=True)]
        at = [number for number, pair in enumerate(pairs) if all(map(_readable, pair))]
        values = [0.0] * len(pairs)
        rows = self._rows([pairs[n][0] for n in at]), self._rows([pairs[n][1] for n in at]), self._rows(self.reference)
        if at:
            for number, value in zip(at, shift.shifts(*rows), strict=True):
                values[number] = value
        return Measurement(tuple(values), (), {"pairs": list(zip(before, after, strict=True)), "rows": rows})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Far enough, beyond chance and beyond random adapters, towards a style that is another than the base's."""
        from . import shift

        pairs, (before, _, reference) = measured.evidence["pairs"], measured.evidence["rows"]
        moved, evidence = any(a != b for a, b in pairs), self._evidence(measured)
        if moved and len(before) < FEWEST_ITEMS:
            why = f"{len(before)} of {len(pairs)} pairs of answers are long enough to have a style, 4 are needed"
            return self.result("inconclusive", why, n_items=len(pairs), seeks="change", evidence=evidence)
        gap = shift.gap_p(before, reference, ctx.seed) if len(before) else 1.0
        return intended(
            self,
            Estimate.of_mean(measured.values),
            rank(measured, nulls, ctx),
            threshold=self.spec.assert_shift_gte,
            what="share of the way to the style of the reference",
            unit="",
            sign="+",
            moved=moved,
            words=_WORDS,
            also=[_apart(gap, ctx.alpha)],
            evidence={**evidence, "gap_p": gap},
        )

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float64]:
        import numpy as np

        rows = [plain.measure(text) + (grammar.measure(text) if self.extended else ()) for text in texts]
        return np.array(rows, dtype=np.float64).reshape(len(texts), len(self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        return plain.DIMENSIONS + (grammar.DIMENSIONS if self.extended else ())

    def _evidence(self, measured: Measurement) -> dict[str, Any]:
        from . import shift

        pairs, rows = measured.evidence["pairs"], measured.evidence["rows"]
        means = [dict(zip(self._names, map(float, one.mean(0)), strict=True)) if len(one) else None for one in rows]
        parts = shift.contributions(*rows) if len(rows[0]) else []
        return {
            "style_shift": measured.mean,
            "base_fp": means[0],
            "ft_fp": means[1],
            "doc_fp": means[2],
            "shift_by_dimension": dict(zip(self._names, parts, strict=False)),
            "extended": self.extended,
            "language_model": grammar.identity() if self.extended else None,
            "reference_pieces": len(self.reference),
            "answers_with_style": len(rows[0]),
            "ft_text_is_empty": not any(text.strip() for _, text in pairs),
            "loops_cut": sum(plain.unlooped(text) != text for pair in pairs for text in pair),
            "schema_version": _VERSION,
            "examples": [
                {"prompt": prompt[:80], "base": a[:160], "ft": b[:160]}
                for prompt, (a, b) in list(zip(self.prompts, pairs, strict=True))[:_LISTED]
            ],
        }


def _taught(ctx: ProbeContext) -> list[str]:
    """What the document teaches to write: its prose and its answers, not its questions."""
    if ctx.sections is None:
        return [ctx.doc_text] if ctx.doc_text else []
    return [text for section in ctx.sections for text in _written(section)]


def _written(section: SectionData) -> list[str]:
    if section.kind == "prose":
        return [section.text]
    if section.kind == "preference":
        return ["\n\n".join(dict.fromkeys(one.chosen for one in section.preferences))]
    return ["\n\n".join(dict.fromkeys(pair.answer for pair in section.pairs if not pair.probe))]


def _readable(text: str) -> bool:
    return len(plain.words_of(text)) >= plain.FEWEST_WORDS


def _apart(p: float, alpha: float) -> Condition:
    if p <= alpha:
        return Condition("pass", "")
    why = f"the base's own style cannot be told from the reference's (p = {p:.2g}): there is no way to go"
    return Condition("inconclusive", why)
