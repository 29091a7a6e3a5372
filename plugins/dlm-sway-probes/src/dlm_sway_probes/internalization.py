"""``internalization``: how much of what reading the document gives does the adapter give without reading it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, SectionData, View
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Estimate, Words, intended
from dlm_sway.scoring.types import BASE
from dlm_sway.stats.rank import noise_floor
from dlm_sway.stats.ratio import mean_ratio
from dlm_sway.suite.calibrate import rank

from .cases import Case, all_finite
from .texts import pieces

_WORDS = Words(
    still="no change: the answers are as likely as before",
    wrong_way="not internalized: the answers did not become likelier",
    small="not internalized: ",
    chance="not internalized: no more than random adapters of the same size gain",
)


class ReadingCase(Case):
    """A question, its answer, and the text that answers it."""

    context: str = Field(min_length=1)
    section: str = ""
    """Under which name the report sums it up."""
    direction: Literal["forward", "reversed"] = "forward"
    """``reversed`` asks for the subject by its property; the report sums these up on their own."""


class InternalizationSpec(ProbeSpec):
    """Keys of an ``internalization`` entry."""

    cases: tuple[ReadingCase, ...] = ()
    """Without any: the questions about each section that training never saw, backwards too where the document's facts
    can be asked for that way, with the section as their text."""
    assert_ratio_gte: float = Field(default=0.5, ge=0)
    """Smallest share of the gain from reading."""
    max_context_chars: int = Field(default=4000, ge=200)
    """Of a longer text, the piece that has most words in common with question and answer is read."""


class Internalization(Probe[InternalizationSpec]):
    """(adapter - base) / (base that reads the text - base), of the answers' log-probability per token."""

    kind = "internalization"
    spec_type = InternalizationSpec
    calibrated = True

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the document's held-out questions, where the suite has no cases."""
        if self.spec.cases:
            return self
        cases = [case for section in ctx.sections or () for case in _cases(section)]
        if not cases:
            raise NothingToAsk("no held-out questions: give cases with a context, or name the document with dlm_source")
        return type(self)(self.spec.model_copy(update={"cases": tuple(cases)}))

    @property
    def cases(self) -> tuple[ReadingCase, ...]:
        """Each question once."""
        return tuple({(case.prompt, case.reference): case for case in reversed(self.spec.cases)}.values())[::-1]

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Gain per token of each answer by the adapter; beside it, by reading."""
        cases = self.cases
        plain = scoring.compare([case.item for case in cases], view)
        reading = scoring.compare([self._reading(case) for case in cases], BASE)
        gains = [(one.view_logprob - one.base_logprob) / one.positions for one in plain]
        read = [(b.base_logprob - a.base_logprob) / a.positions for a, b in zip(plain, reading, strict=True)]
        asked = [case.prompt for case in cases]
        groups = tuple(case.group for case in cases)
        return Measurement(
            all_finite(gains, asked, view.label),
            groups if any(groups) else (),
            {"reading": list(all_finite(read, asked, "base that reads"))},
        )

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """A ratio with Fieller's interval; undefined, and so undecided, when reading does not help the base."""
        reading, gains = measured.evidence["reading"], measured.values
        ratio = mean_ratio(gains, reading, measured.groups)
        floor = noise_floor(
            [abs(one.view_logprob - one.base_logprob) / one.positions for one in ctx.scoring.noise(self._items)]
        )
        evidence = {"gain": measured.mean, "reading_gain": _mean(reading), **self._evidence(measured)}
        if ratio is None and max(map(abs, gains)) > floor:
            return self.result(
                "inconclusive",
                f"undefined: the base does not answer better with the text before it ({_mean(reading):+.3g} nats per "
                f"token over {len(gains)} questions), so there is nothing to take a share of; the adapter gives "
                f"{measured.mean:+.3g}",
                n_items=len(gains),
                noise_floor=floor,
                seeks="change",
                evidence=evidence,
            )
        estimate = Estimate.of_mean(gains, measured.groups)
        if ratio is not None:
            estimate = estimate._replace(value=ratio.value, bounds=ratio.bounds, mde=None)
        return intended(
            self,
            estimate,
            rank(measured, nulls, ctx),
            threshold=self.spec.assert_ratio_gte,
            what=f"adapter {measured.mean:+.3g}, reading {_mean(reading):+.3g} nats per token, share",
            unit="",
            moved=max(map(abs, gains)) > floor,
            words=_WORDS,
            noise_floor=floor,
            evidence=evidence,
        )

    def _evidence(self, measured: Measurement) -> dict[str, Any]:
        cases = self.cases
        sections = dict.fromkeys(case.section for case in cases)
        directions = dict.fromkeys(case.direction for case in cases)
        return {
            "per_section": [
                {"section_id": name, **self._share(measured, [case.section == name for case in cases])}
                for name in sections
            ],
            "per_direction": {
                name: self._share(measured, [case.direction == name for case in cases]) for name in directions
            },
        }

    def _share(self, measured: Measurement, chosen: Sequence[bool]) -> dict[str, Any]:
        kept = [at for at, wanted in enumerate(chosen) if wanted]
        gains, reading = [measured.values[at] for at in kept], [measured.evidence["reading"][at] for at in kept]
        groups = [measured.groups[at] for at in kept] if measured.groups else []
        ratio = mean_ratio(gains, reading, groups)
        return {
            "n": len(kept),
            "gain": _mean(gains),
            "reading_gain": _mean(reading),
            "ratio": ratio.value if ratio else None,
            "ci_95": list(ratio.bounds) if ratio else None,
        }

    def _reading(self, case: ReadingCase) -> Item:
        text = relevant(case.context, f"{case.prompt} {case.reference}", self.spec.max_context_chars)
        return case.item._replace(prompt=f"{text}\n\n{case.prompt}")

    @property
    def _items(self) -> list[Item]:
        return [case.item for case in self.cases]


def relevant(text: str, about: str, longest: int) -> str:
    """``text``, or its piece of at most ``longest`` characters that shares most words with ``about``."""
    wanted = set(about.lower().split())
    return max(pieces(text, longest), key=lambda piece: len(wanted & set(piece.lower().split())))


def _cases(section: SectionData) -> list[ReadingCase]:
    if not section.text.strip():
        return []
    asked: list[tuple[Item, Literal["forward", "reversed"]]] = [(item, "forward") for item in section.held_out]
    asked += [(item, "reversed") for item in section.reversed]
    return [
        ReadingCase(
            prompt=item.prompt,
            reference=item.reference,
            group=item.group,
            context=section.text,
            section=section.headings[0] if section.headings else section.id,
            direction=direction,
        )
        for item, direction in asked
    ]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
