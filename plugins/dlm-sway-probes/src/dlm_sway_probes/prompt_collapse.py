"""``prompt_collapse``: does the effect last when there is text before the question?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import prose
from dlm_sway.probes.base import Scoring
from dlm_sway.stats.rank import noise_floor

from .cases import AskingSpec, finite
from .fading import evidence, fading, judged, means
from .old_keys import EXACT, OWN_TEST, no_effect


class PromptCollapseSpec(AskingSpec):
    """Keys of a ``prompt_collapse`` entry."""

    context_lengths: tuple[int, ...] = (0, 256, 512, 1024)
    """Tokens of other text before the question."""
    divergence: Literal["js", "kl"] = "js"
    assert_half_life_tokens: float = Field(default=512, gt=0)
    """The effect must be shown to halve no sooner than this."""
    legacy_stuffing: bool = False
    """Accepted for old files."""
    assert_z_gte: float | None = None
    """Accepted for old files."""

    @field_validator("context_lengths")
    @classmethod
    def _lengths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) < 2 or value[0] < 0 or any(b <= a for a, b in pairwise(value)):
            raise ValueError("name at least two lengths, from 0 up, each above the one before")
        return value


class PromptCollapse(Probe[PromptCollapseSpec]):
    """Half-life, in tokens of preceding prose, of the divergence between the adapted model and its base."""

    kind = "prompt_collapse"
    spec_type = PromptCollapseSpec

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Divergence from the base on each item, without text before it and with; ``values`` are the first."""
        spec = self.spec
        fillers = filler(spec.context_lengths, scoring)
        items = [_after(text, item) for text in fillers for item in spec.items]  # in one call: the texts are nested
        found = finite([getattr(one, spec.divergence) for one in scoring.compare(items, view)], items, view.label)
        asked = len(spec.items)
        columns = [found[at : at + asked] for at in range(0, len(found), asked)]
        rows = [list(row) for row in zip(*columns, strict=True)]
        return Measurement(columns[0], (), {"effects": rows, "tokens": scoring.count_tokens(fillers)})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """One slope an item; their mean must be shown to lie above that of the half-life asked for."""
        spec, effects = self.spec, measured.evidence["effects"]
        floor = noise_floor([getattr(one, spec.divergence) for one in ctx.scoring.noise(spec.items)])
        found = fading(measured.evidence["tokens"], effects, floor, spec.assert_half_life_tokens, ctx.alpha)
        verdict, message = judged(found, spec.assert_half_life_tokens, "tokens")
        return self.result(
            verdict,
            message,
            raw=found.half_life if found else None,
            n_items=len(effects),
            noise_floor=floor,
            seeks="neither",
            evidence={
                "context_lengths": list(spec.context_lengths),
                "context_tokens": measured.evidence["tokens"],
                "mean_divergence_per_length": means(effects),
                "divergence_kind": spec.divergence,
                **evidence(found),
                "notes": no_effect(
                    spec, top_k=EXACT, legacy_stuffing="what stands before is always prose", assert_z_gte=OWN_TEST
                ),
            },
        )


def filler(lengths: Sequence[int], scoring: Scoring) -> list[str]:
    """Packaged prose of at most so many tokens, whole words; each text is the beginning of the next one."""
    words = " ".join(passage.text for passage in prose()).split()
    return [_of_length(words, length, scoring) for length in lengths]


def _of_length(words: Sequence[str], length: int, scoring: Scoring) -> str:
    low, high = 0, min(length, len(words))  # a word is at least one token
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if scoring.count_tokens([" ".join(words[:middle])])[0] <= length else (low, middle - 1)
        )
    return " ".join(words[:low])


def _after(text: str, item: Item) -> Item:
    return item._replace(prompt=f"{text}\n\n{item.prompt}") if text else item
