"""``section_internalization``: which sections became likelier, beyond what happened to text that was not taught?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, SectionData, View
from dlm_sway.data import general_items, prose
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, Estimate, Words, intended, old_z
from dlm_sway.stats.ratio import mean_ratio
from dlm_sway.suite.calibrate import rank

from .cases import all_finite
from .texts import pieces

_CONTROLS = 12
_WORDS = Words(
    still="no change: every section is as likely as before",
    wrong_way="not learned: sections gained no more than text that was not taught",
    small="not learned: ",
    chance="not learned: sections gain no more than with random adapters of the same size",
)


class Loss(NamedTuple):
    """Negative log-probability of one piece, in nats per token."""

    base: float
    view: float


class SectionInternalizationSpec(ProbeSpec):
    """Keys of a ``section_internalization`` entry."""

    include_kinds: tuple[Literal["prose", "instruction", "preference"], ...] = ("prose", "instruction", "preference")
    per_section_threshold: float = Field(default=0.05, ge=0)
    """Share of its loss that a section must have lost beyond the control, to count as learned."""
    assert_passing_section_frac: float = Field(default=0.5, ge=0, le=1)
    max_prose_chars: int = Field(default=2000, ge=128)
    """Longest piece of prose; longer sections are scored in several."""
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""


class SectionInternalization(Probe[SectionInternalizationSpec]):
    """Own gain of each section minus the gain of packaged text of the same form, as a share of the base's loss."""

    kind = "section_internalization"
    spec_type = SectionInternalizationSpec
    calibrated = True

    def __init__(self, spec: SectionInternalizationSpec, sections: Sequence[SectionData] = ()) -> None:
        super().__init__(spec)
        self.sections = tuple(sections)

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the document's sections."""
        kinds = set(self.spec.include_kinds)
        found = [one for one in ctx.sections or () if one.kind in kinds and self._askable(one)]
        if not found:
            raise NothingToAsk("no sections of these kinds: name the document with dlm_source")
        return type(self)(self.spec, found)

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Of each section, the share of its loss that is gone, beyond the control of its form."""
        controls = {form: _gone(losses) for form, losses in self._controls(scoring, view).items()}
        losses = [self._losses(section, scoring, view) for section in self.sections]
        own = [_gone(found) for found in losses]
        values = [gone - controls[_form(one)] for gone, one in zip(own, self.sections, strict=True)]
        finite = all_finite(values, [one.id for one in self.sections], view.label)
        return Measurement(finite, (), {"own": own, "controls": controls, "losses": losses})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Sections are the unit: their mean gain beyond the control, and the share of them above the threshold."""
        threshold, asked = self.spec.per_section_threshold, self.spec.assert_passing_section_frac
        passing = sum(value >= threshold for value in measured.values) / len(measured.values)
        enough = Condition(
            "pass" if passing >= asked else "fail",
            f"not learned: {passing:.0%} of the sections reach {threshold:g}, and {asked:.0%} are asked for",
        )
        return intended(
            self,
            Estimate.of_mean(measured.values),
            rank(measured, nulls, ctx),
            threshold=threshold,
            what=f"{passing:.0%} of the sections learned; share of the loss that is gone beyond the control",
            unit="",
            moved=any(one.base != one.view for losses in measured.evidence["losses"] for one in losses),
            words=_WORDS,
            z=old_z(self.spec.assert_z_gte, measured, nulls),
            also=[enough],
            evidence={
                "per_section": self._rows(measured),
                "num_sections": len(self.sections),
                "passing_frac": passing,
                "per_section_threshold": threshold,
                "control_lift": measured.evidence["controls"],
            },
        )

    def _rows(self, measured: Measurement) -> list[dict[str, Any]]:
        seen, rows = measured.evidence, []
        for at, (section, value) in enumerate(zip(self.sections, measured.values, strict=True)):
            losses, control = seen["losses"][at], seen["controls"][_form(section)]
            # The control counts as known: its own uncertainty is that of the same texts for every section.
            beyond = [one.base - one.view - control * one.base for one in losses]
            ratio = mean_ratio(beyond, [one.base for one in losses])
            rows.append(
                {
                    "section_id": section.id,
                    "kind": section.kind,
                    "tag": section.tag,
                    "items": len(losses),
                    "base_nll": _mean([one.base for one in losses]),
                    "ft_nll": _mean([one.view for one in losses]),
                    "own_lift": seen["own"][at],
                    "control_lift": control,
                    "effective_sis": value,
                    "ci_95": list(ratio.bounds) if ratio else None,
                    "passed": value >= self.spec.per_section_threshold,
                }
            )
        return rows

    def _controls(self, scoring: Scoring, view: View) -> dict[str, list[Loss]]:
        forms = {_form(section) for section in self.sections}
        found: dict[str, list[Loss]] = {}
        if "text" in forms:
            found["text"] = _text_losses([one.text for one in prose()[:_CONTROLS]], scoring, view)
        if "answers" in forms:
            found["answers"] = _answer_losses(general_items()[:_CONTROLS], scoring, view)
        return found

    def _losses(self, section: SectionData, scoring: Scoring, view: View) -> list[Loss]:
        if _form(section) == "answers":
            return _answer_losses(_answers(section), scoring, view)
        return _text_losses(pieces(section.text, self.spec.max_prose_chars), scoring, view)

    def _askable(self, section: SectionData) -> bool:
        return bool(_answers(section)) or len(section.text.split()) > 1


def _form(section: SectionData) -> str:
    return "answers" if _answers(section) else "text"


def _answers(section: SectionData) -> tuple[Item, ...]:
    """What the section answers; prose answers nothing by itself, whatever questions there are about it."""
    if section.kind == "preference":
        return tuple(Item(one.prompt, one.chosen) for one in section.preferences)
    if section.kind == "instruction":
        return tuple(Item(pair.questions[0], pair.answer, pair.group) for pair in section.pairs)
    return ()


def _text_losses(texts: Sequence[str], scoring: Scoring, view: View) -> list[Loss]:
    found = scoring.texts(texts, view)
    return [Loss(-one.base_logprob / one.tokens, -one.view_logprob / one.tokens) for one in found]


def _answer_losses(items: Sequence[Item], scoring: Scoring, view: View) -> list[Loss]:
    found = scoring.compare(items, view)
    return [Loss(-one.base_logprob / one.positions, -one.view_logprob / one.positions) for one in found]


def _gone(losses: Sequence[Loss]) -> float:
    base = _mean([one.base for one in losses])
    return (base - _mean([one.view for one in losses])) / base if base > 0 else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
