"""``multi_turn_coherence_decay``: does the effect last over the turns of a conversation?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.scoring.types import BASE
from dlm_sway.stats.rank import noise_floor

from .cases import finite
from .fading import evidence, fading, judged, means
from .old_keys import EXACT, no_effect

_FOLLOW_UPS = (
    "Can you say more about that?",
    "Why is that so?",
    "Can you give an example?",
    "What follows from that?",
    "Is there an exception?",
    "How would you explain it to a child?",
    "Please sum up what you have said.",
)


class MultiTurnCoherenceDecaySpec(ProbeSpec):
    """Keys of a ``multi_turn_coherence_decay`` entry."""

    prompts: tuple[str, ...] = Field(min_length=1)
    """First questions."""
    max_turns: int = Field(default=4, ge=2, le=8)
    max_new_tokens: int = Field(default=96, ge=8, le=1024)
    """Of each reply."""
    follow_ups: tuple[str, ...] = Field(default=_FOLLOW_UPS, min_length=1)
    """Asked in turn, from the second question on."""
    divergence: Literal["js", "kl"] = "kl"
    assert_half_life_turns: float = Field(default=2.0, gt=0)
    top_k: int | None = Field(default=None, ge=1)
    """Accepted for old files."""


class MultiTurnCoherenceDecay(Probe[MultiTurnCoherenceDecaySpec]):
    """Half-life, in turns, of the divergence along replies, in conversations that base and adapter wrote."""

    kind = "multi_turn_coherence_decay"
    spec_type = MultiTurnCoherenceDecaySpec

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.prompts))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """Divergence of ``view`` from the base at every turn, along the replies; ``values`` are the first turn's."""
        by_writer = [self._conversations(scoring, view, writer) for writer in (BASE, view)]
        effects = [
            [(one + other) / 2 for one, other in zip(*rows, strict=True)] for rows in zip(*by_writer, strict=True)
        ]
        return Measurement(tuple(row[0] for row in effects), (), {"effects": effects})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """One slope a conversation; their mean must be shown to lie above that of the half-life asked for."""
        spec, effects = self.spec, measured.evidence["effects"]
        items = [Item(prompt) for prompt in self.prompts]
        floor = noise_floor([getattr(one, spec.divergence) for one in ctx.scoring.noise(items)])
        turns = list(range(1, spec.max_turns + 1))
        found = fading(turns, effects, floor, spec.assert_half_life_turns, ctx.alpha)
        verdict, message = judged(found, spec.assert_half_life_turns, "turns")
        return self.result(
            verdict,
            message,
            raw=found.half_life if found else None,
            n_items=len(effects),
            noise_floor=floor,
            seeks="neither",
            evidence={
                "per_turn_kls": means(effects),
                "turns_axis": turns,
                "divergence_kind": spec.divergence,
                "max_turns": spec.max_turns,
                "num_prompts": len(effects),
                **evidence(found),
                "notes": no_effect(spec, top_k=EXACT),
            },
        )

    def _conversations(self, scoring: Scoring, view: View, writer: View) -> list[list[float]]:
        """The divergence at every turn of each conversation whose replies ``writer`` gives."""
        items: list[Item] = [Item(prompt) for prompt in self.prompts]
        rows: list[list[float]] = [[] for _ in items]
        for turn in range(self.spec.max_turns):
            replies = scoring.generate(items, writer, max_new_tokens=self.spec.max_new_tokens)
            asked = [item._replace(reference=reply.text) for item, reply in zip(items, replies, strict=True)]
            found = [getattr(one, self.spec.divergence) for one in scoring.compare(asked, view)]
            for row, value in zip(rows, finite(found, asked, view.label), strict=True):
                row.append(value)
            follow_up = self.spec.follow_ups[turn % len(self.spec.follow_ups)]
            items = [_next(one, follow_up) for one in asked]
        return rows


def _next(item: Item, question: str) -> Item:
    """The conversation with the reply in it, and ``question`` asked."""
    return Item(question, before=(*item.before, ("user", item.prompt), ("assistant", item.reference)))
