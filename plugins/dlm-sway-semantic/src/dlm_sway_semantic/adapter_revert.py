"""``adapter_revert``: asked in other words, does the model answer as it was taught, or as its base would?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Estimate, Words, by_test, intended
from dlm_sway.probes.wordings import WordedCase
from dlm_sway.scoring.types import BASE
from dlm_sway.stats.intervals import mean_interval
from dlm_sway.stats.paired import sign_flip_p

from .embedding import DEFAULT, EmbeddingModel, embed, identity

_LISTED = 8
_Z = 1.959963984540054
_WORDS = Words(
    still="no change: every answer is the base's",
    wrong_way="not learned: every answer is nearer the base's than the reference",
    small="reverts to the base: ",
)


class AdapterRevertSpec(ProbeSpec):
    """Keys of an ``adapter_revert`` entry."""

    cases: tuple[WordedCase, ...] = Field(min_length=1)
    max_new_tokens: int = Field(default=64, ge=4, le=1024)
    embedding_model: EmbeddingModel = Field(default=DEFAULT, validate_default=True)
    """A folder, or the name of an installed package that carries a model."""
    base_gold_similarity_cap: float = Field(default=0.75, ge=-1, le=1)
    """A wording whose answer by the base is nearer the reference than this cannot be reverted, and is left out."""
    assert_revert_rate_lt: float = Field(default=0.25, gt=0, le=1)
    """Share of the wordings that may be answered as the base would."""


class Answered(NamedTuple):
    """One wording, what both models made of it, and cosines between the three texts."""

    case: int
    question: str
    base: str
    tuned: str
    base_gold: float
    tuned_gold: float
    tuned_base: float

    @property
    def held(self) -> bool:
        """Nearer the reference than the base's answer. Nothing said, or just what the base said, is not."""
        return self.tuned != self.base and bool(self.tuned) and self.tuned_gold > self.tuned_base

    @property
    def gain(self) -> float:
        """By how much the answer came nearer the reference."""
        return self.tuned_gold - self.base_gold if self.tuned != self.base else 0.0


class AdapterRevert(Probe[AdapterRevertSpec]):
    """Share of other wordings whose answers are nearer the reference than the base's answer."""

    kind = "adapter_revert"
    spec_type = AdapterRevertSpec

    @property
    def cases(self) -> tuple[WordedCase, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.cases))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """How much nearer the reference the answer to each other wording came, as a cosine."""
        asked = [(at, text) for at, case in enumerate(self.cases) for text in case.paraphrases]
        rows = list(self._answered(scoring, view, asked))
        own = list(self._answered(scoring, view, [(at, case.prompt) for at, case in enumerate(self.cases)]))
        groups = tuple(f"case {row.case}" for row in rows)
        return Measurement(tuple(row.gain for row in rows), groups, {"rows": rows, "own": own})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Few reverts, and answers that came nearer the reference by more than chance.

        Which wordings are left out depends on the base's answers, and what was chosen for being far off comes nearer by
        chance alone: the test of the gain is therefore made on all of them.
        """
        rows: list[Answered] = measured.evidence["rows"]
        kept = [row for row in rows if row.base_gold <= self.spec.base_gold_similarity_cap]
        gain = mean_interval(measured.values, measured.groups)
        evidence = self._evidence(rows, kept, measured.evidence["own"], gain.mean)
        if not kept:
            message = f"the base already answers all {len(rows)} wordings like their references: nothing to revert"
            return self.result("inconclusive", message, seeks="change", evidence=evidence)
        p = sign_flip_p(measured.values, measured.groups)
        own = measured.evidence["own"]
        return intended(
            self,
            _share(kept),
            by_test(p, "sign flips of the gain", ctx.alpha),
            threshold=1 - self.spec.assert_revert_rate_lt,
            what=f"gain in similarity {gain.mean:+.2f}, own wording {sum(row.held for row in own)} of {len(own)}, "
            "share of other wordings answered as taught",
            unit="",
            moved=any(row.tuned != row.base for row in rows),
            words=_WORDS,
            base_value=_mean([row.base_gold for row in kept]),
            ft_value=_mean([row.tuned_gold for row in kept]),
            evidence=evidence,
        )

    def _answered(self, scoring: Scoring, view: View, asked: Sequence[tuple[int, str]]) -> Iterator[Answered]:
        items = [Item(text) for _, text in asked]
        before = [one.text for one in scoring.generate(items, BASE, max_new_tokens=self.spec.max_new_tokens)]
        after = [one.text for one in scoring.generate(items, view, max_new_tokens=self.spec.max_new_tokens)]
        golds = [self.cases[at].gold for at, _ in asked]
        a, b, g = (embed(texts, self.spec.embedding_model) for texts in (before, after, golds))
        cosines = zip((a * g).sum(1), (b * g).sum(1), (b * a).sum(1), strict=True)
        for (at, question), base, tuned, three in zip(asked, before, after, cosines, strict=True):
            yield Answered(at, question, base, tuned, *map(float, three))

    def _evidence(
        self, rows: Sequence[Answered], kept: Sequence[Answered], own: Sequence[Answered], gain: float
    ) -> dict[str, Any]:
        reverts = sum(not row.held for row in kept)
        worst = sorted(kept, key=lambda row: (row.tuned_gold - row.tuned_base, row.question))
        return {
            "revert_rate": reverts / len(kept) if kept else None,
            "reverts": reverts,
            "total": len(kept),
            "dropped_trivial": len(rows) - len(kept),
            "mean_gain": gain,
            "own_wording_held": sum(row.held for row in own),
            "embedding_model": identity(self.spec.embedding_model),
            "per_case": [_listed(row) for row in worst[:_LISTED]],
        }


def _share(rows: Sequence[Answered]) -> Estimate:
    """The share held, each case weighing the same, with Wilson's interval over cases.

    Wordings of one case go together. A case's share varies no more than a coin that falls with that chance, so that the
    interval for as many coins as there are cases is wide enough.
    """
    cases: dict[int, list[float]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(float(row.held))
    share, n = _mean([_mean(held) for held in cases.values()]), len(cases)
    centre, shrink = share + _Z**2 / (2 * n), 1 + _Z**2 / n
    half = _Z * math.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
    low = 0.0 if share == 0 else (centre - half) / shrink
    return Estimate(share, (low, 1.0 if share == 1 else (centre + half) / shrink), len(rows), n)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _listed(row: Answered) -> dict[str, Any]:
    return {
        "prompt": row.question[:80],
        "cos_ft_base": row.tuned_base,
        "cos_ft_gold": row.tuned_gold,
        "reverted": not row.held,
        "answer": row.tuned[:200],
    }
