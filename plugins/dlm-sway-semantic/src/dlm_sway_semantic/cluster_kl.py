"""``cluster_kl``: does the effect of training follow the topic of the question?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.errors import ProbeError
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import Condition, Estimate, Words, intended, old_z
from dlm_sway.stats.rank import noise_floor
from dlm_sway.suite.calibrate import rank

from .embedding import DEFAULT, EmbeddingModel, embed, identity
from .topics import label_p, omega_interval, omega_squared

_EXEMPLARS = 2
_WORDS = Words(
    still="no change: nothing above numeric noise",
    wrong_way="the effect does not follow the topic",
    small="hardly follows the topic: ",
    chance="random adapters follow the topic as much",
)


class TopicCase(BaseModel):
    """A question with the answer along which the divergence is averaged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    group: str = ""
    """Wordings of one question share a group: they are one question."""

    @property
    def item(self) -> Item:
        """For scoring."""
        return Item(self.prompt, self.reference, self.group)


class ClusterKlSpec(ProbeSpec):
    """Keys of a ``cluster_kl`` entry."""

    prompts: tuple[str, ...] = ()
    """Only the first token after each is compared."""
    cases: tuple[TopicCase, ...] = ()
    num_clusters: int = Field(default=5, ge=2, le=32)
    embedding_model: EmbeddingModel = Field(default=DEFAULT, validate_default=True)
    """A folder, or the name of an installed package that carries a model."""
    divergence: Literal["js", "kl"] = "js"
    min_prompts: int = Field(default=20, ge=4)
    """Fewer questions decide nothing."""
    assert_specificity_gte: float = Field(default=0.1, gt=0, lt=1)
    """Smallest share of the variance that must go with the topic."""
    assert_z_gte: float | None = None
    """Deprecated; adds a one-sided t test against the nulls at the level this z stands for."""
    top_k: int | None = Field(default=None, ge=1)
    """Accepted for old files; divergences are exact over the whole vocabulary."""

    @model_validator(mode="after")
    def _askable(self) -> ClusterKlSpec:
        if not self.prompts and not self.cases:
            raise ValueError("there is nothing to ask: give prompts, or cases with a prompt and a reference")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that is asked, each once, wordings of one question together, in an order of their own."""
        items = [
            *(Item(prompt) for prompt in self.prompts),
            *(case.item for case in self.cases),
        ]
        found: dict[str, dict[Item, None]] = {}
        for item in items:
            found.setdefault(item.group or f"\n{item.prompt}\n{item.reference}", {})[item] = None
        return tuple(sorted(Question(tuple(sorted(items))) for items in found.values()))


class Question(NamedTuple):
    """The unit of this probe: wordings lie in one topic because they are one question."""

    items: tuple[Item, ...]


class ClusterKl(Probe[ClusterKlSpec]):
    """Share of the variance of the divergence, over questions, that goes with their topic."""

    kind = "cluster_kl"
    spec_type = ClusterKlSpec
    calibrated = True
    topics: tuple[int, ...] = ()
    """Of each question, once prepared."""

    def prepare(self, ctx: ProbeContext) -> Self:
        """With every question's topic."""
        found = type(self)(self.spec)
        found.topics = _topics(self.spec, ctx.seed)
        return found

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """The share, as one number; beside it, every question's divergence."""
        questions = self.spec.questions
        items = [item for question in questions for item in question.items]
        seen = dict(zip(items, scoring.compare(items, view), strict=True))
        each = [_mean([getattr(seen[item], self.spec.divergence) for item in question.items]) for question in questions]
        bad = sum(not math.isfinite(one) for one in each)
        if bad:
            raise ProbeError(
                f"{bad} of {len(each)} questions gave no finite number under {view.label}: the weights hold NaN or "
                "overflow; try dtype: fp32, and see the integrity probe"
            )
        return Measurement((omega_squared(each, self.topics),), (), {"divergences": each})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Enough variance goes with the topic, more than with shuffled topics and more than with random adapters."""
        each, spec = measured.evidence["divergences"], self.spec
        n, k = len(each), len(set(self.topics))
        wanted = max(spec.min_prompts, 2 * spec.num_clusters)
        evidence = self._evidence(each, measured.mean)
        if n < wanted:
            why = f"{n} questions are too few: {wanted} are needed (min_prompts, and two for each of num_clusters)"
            return self.result("inconclusive", why, n_items=n, seeks="change", evidence=evidence)
        floor = noise_floor([getattr(one, spec.divergence) for one in ctx.scoring.noise(self._items())])
        chance, p = rank(measured, nulls, ctx), label_p(each, self.topics, ctx.seed)
        return intended(
            self,
            Estimate(measured.mean, omega_interval(each, self.topics), n, n),
            chance,
            threshold=spec.assert_specificity_gte,
            what=f"{k} topics, p = {p:.2g} with shuffled topics; share of the variance that goes with the topic",
            unit="",
            moved=max(each) > floor,
            words=_WORDS,
            z=old_z(spec.assert_z_gte, measured, nulls),
            also=[_beyond_labels(p, ctx.alpha)],
            # Both tests must be passed, so that the larger p-value is the p-value of both.
            p_value=None if chance.p_value is None else max(p, chance.p_value),
            noise_floor=floor,
            evidence={**evidence, "permutation_p": p},
        )

    def _items(self) -> list[Item]:
        return [item for question in self.spec.questions for item in question.items]

    def _evidence(self, each: Sequence[float], share: float) -> dict[str, Any]:
        members = {
            topic: [at for at, one in enumerate(self.topics) if one == topic] for topic in sorted(set(self.topics))
        }
        means = {topic: _mean([each[at] for at in places]) for topic, places in members.items()}
        asked = [question.items[0].prompt for question in self.spec.questions]
        return {
            "specificity": share,
            "num_clusters": len(members),
            "num_prompts": len(each),
            "divergence_kind": self.spec.divergence,
            "mean_kl": _mean(each),
            "between_cluster_variance": _variance(list(means.values())),
            "within_cluster_variance": _mean([_variance([each[at] for at in members[topic]]) for topic in members]),
            "per_cluster_size": [len(places) for places in members.values()],
            "per_cluster_mean_kl": list(means.values()),
            "cluster_exemplars": [[asked[at][:120] for at in places[:_EXEMPLARS]] for places in members.values()],
            "embedding_model": identity(self.spec.embedding_model),
        }


def _topics(spec: ClusterKlSpec, seed: int) -> tuple[int, ...]:
    """k-means over the questions' meanings; topics are numbered in the order of their first question."""
    from sklearn.cluster import KMeans

    texts = [[item.prompt for item in question.items] for question in spec.questions]
    rows = embed([text for group in texts for text in group], spec.embedding_model)
    ends, points = 0, []
    for group in texts:
        points.append(rows[ends : ends + len(group)].mean(0))
        ends += len(group)
    distinct = len({point.tobytes() for point in points})
    clusters = max(1, min(spec.num_clusters, distinct))
    found = KMeans(clusters, n_init=10, random_state=seed % 2**32).fit_predict(points)
    order: dict[int, int] = {}
    return tuple(order.setdefault(int(one), len(order)) for one in found)


def _beyond_labels(p: float, alpha: float) -> Condition:
    if p <= alpha:
        return Condition("pass", "")
    return Condition("inconclusive", f"shuffled topics do as well (p = {p:.2g}): more questions are needed")


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    centre = _mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / len(values)
