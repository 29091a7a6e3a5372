"""``external_perplexity``: does the model still read plain prose as well as its base?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import prose
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import unharmed

from .cases import all_finite
from .texts import in_turn, pieces


class ExternalPerplexitySpec(ProbeSpec):
    """Keys of an ``external_perplexity`` entry."""

    corpus: Literal["builtin", "public_domain_en"] = "builtin"
    """The packaged prose, under its old name too."""
    texts: tuple[str, ...] = ()
    """Own texts instead; each is one observation, however many chunks it makes."""
    chunk_chars: int = Field(default=2048, ge=128, le=16384)
    """Longest piece, in characters."""
    max_chunks: int = Field(default=16, ge=1, le=128)
    assert_mean_delta_gte: float = Field(default=-0.1, lt=0)
    """The margin: how much log-probability per token may be lost, in nats, on average."""
    assert_z_gte: float | None = None
    """Accepted for old files."""


class ExternalPerplexity(Probe[ExternalPerplexitySpec]):
    """Mean change of the log-probability of prose, per token, with a margin it must not fall below."""

    kind = "external_perplexity"
    spec_type = ExternalPerplexitySpec

    @property
    def chunks(self) -> list[tuple[str, str]]:
        """Group and text of every chunk: the first of each passage, then the second, up to ``max_chunks``."""
        given = self.spec.texts
        named = [(f"text {at}", text) for at, text in enumerate(given, start=1)] if given else list(prose())
        columns = [pieces(text, self.spec.chunk_chars) for _, text in named]
        return [(named[at][0], chunk) for at, chunk in in_turn(columns)][: self.spec.max_chunks]

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """``(log p(view) - log p(base)) / tokens`` of every chunk, in nats."""
        names, texts = zip(*self.chunks, strict=True)
        found = scoring.texts(texts, view)
        deltas = all_finite([(one.view_logprob - one.base_logprob) / one.tokens for one in found], texts, view.label)
        tokens = sum(one.tokens for one in found)
        evidence = {
            "tokens": tokens,
            "base": math.fsum(one.base_logprob for one in found) / tokens,
            "view": math.fsum(one.view_logprob for one in found) / tokens,
        }
        return Measurement(deltas, names, evidence)

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Non-inferiority: the lower one-sided bound must lie above the margin."""
        base, view = measured.evidence["base"], measured.evidence["view"]
        return unharmed(
            self,
            measured.values,
            ctx,
            margin=-self.spec.assert_mean_delta_gte,
            what="log-probability of prose changed by",
            worse="lower",
            groups=measured.groups,
            unit="nats per token",
            z=self.spec.assert_z_gte,
            base_value=base,
            ft_value=view,
            evidence={
                "corpus": "texts" if self.spec.texts else "builtin",
                "chunk_chars": self.spec.chunk_chars,
                "num_chunks": len(measured.values),
                "per_chunk_delta": list(measured.values),
                "passages": list(measured.groups),
                "tokens": measured.evidence["tokens"],
                "base_mean_logprob_per_tok": base,
                "ft_mean_logprob_per_tok": view,
                "base_perplexity": math.exp(min(-base, 700.0)),
                "ft_perplexity": math.exp(min(-view, 700.0)),
            },
        )
