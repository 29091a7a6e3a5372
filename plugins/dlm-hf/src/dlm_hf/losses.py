"""The loss of one step: cross-entropy, a teacher's lesson, and the divergence that holds the adapter to the base."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch.nn import functional as F

from .held_out import judge
from .room import in_passes
from .teaching import WRITTEN, Taught, divergence, taught

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .adapted import Adapted
    from .encode import Example
    from .held_out import Judged
    from .render import Encoded

NOTHING: Mapping[str, torch.Tensor] = MappingProxyType({})


class StepLoss(NamedTuple):
    """Means in nats per scored token; ``None`` where the step had no such rows."""

    learned: float | None
    anchor_kl: float | None


class Losses:
    """Backpropagates steps through one adapted base."""

    def __init__(
        self, adapted: Adapted, anchor_weight: float, judged_by: Literal["answers", "text"] = "answers"
    ) -> None:
        self._adapted, self._anchor_weight, self._judged_by = adapted, anchor_weight, judged_by
        self._lessons: dict[Encoded, Taught] = {}

    def backpropagate(
        self, examples: Sequence[Example], most: int | None = None, whole: Sequence[Example] | None = None
    ) -> StepLoss:
        """Gradients of the mean loss of learned tokens plus the mean KL(base || adapter) of anchored ones.

        The anchors' divergence is exact over the vocabulary. All kinds share one pass through the adapted model, or as
        many of them as have ``most`` examples at most; the means are over all of them either way. Where ``examples``
        are a share of a step, they are over its ``whole``, so that the shares' gradients and losses add up to its.
        """
        whole = examples if whole is None else whole
        learned = sum(example.scored for example in whole if not example.anchor)
        anchored = sum(example.scored for example in whole if example.anchor)
        losses = divergences = 0.0
        together = in_passes(sorted(examples, key=_order), most)
        for group in (group for some in together for group in self._adapted.groups(some)):
            anchors = [example.encoded for example in group if example.anchor]
            pupils = [example for example in group if example.teacher is not None]
            wanted = self._base_log_probs(anchors) if anchors else None
            lesson = self._lesson(pupils) if pupils else None
            logits, packed = self._adapted.forward([example.encoded for example in group])
            split = sum(example.scored for example in group if not example.anchor)
            plain = split - sum(example.scored for example in pupils)
            loss = F.cross_entropy(logits[:plain], packed.targets[:plain], reduction="sum") / max(1, learned)
            if lesson is not None:
                written = F.cross_entropy(logits[plain:split], packed.targets[plain:split], reduction="sum")
                loss = loss + (divergence(logits[plain:split], lesson).sum() + WRITTEN * written) / learned
            losses += float(loss.detach())
            if wanted is not None:
                got = logits[split:].log_softmax(-1)
                kl = F.kl_div(got, wanted, log_target=True, reduction="sum") / anchored
                divergences += float(kl.detach())
                loss = loss + self._anchor_weight * kl
            loss.backward()  # type: ignore[no-untyped-call]
        return StepLoss(losses if learned else None, divergences if anchored else None)

    def begin(self, before: Judged | None = None, kept: Mapping[str, torch.Tensor] = NOTHING) -> None:
        """Called once the weights that the run begins with are in place; ``before`` and ``kept``, when it goes on."""

    def state(self) -> Mapping[str, torch.Tensor]:
        """What :meth:`begin` of a run that goes on needs."""
        return NOTHING

    def known(self, examples: Sequence[Example]) -> list[list[float]]:
        """What another process must be told before it can backpropagate ``examples``."""
        return []

    def learn_of(self, examples: Sequence[Example], known: Sequence[Sequence[float]]) -> None:
        """Be told what :meth:`known` gave for ``examples``."""

    def judge(self, held_out: Sequence[Example]) -> Judged | None:
        """How the adapter stands on ``held_out``; ``None`` when it is empty."""
        return judge(self._adapted, held_out, self._judged_by)

    @torch.no_grad()
    def _base_log_probs(self, examples: Sequence[Encoded]) -> torch.Tensor:
        """What the untouched base gives at the examples' scored positions, [K, V]."""
        with self._adapted.off():
            return self._adapted.forward(examples)[0].log_softmax(-1)

    @torch.no_grad()
    def _lesson(self, examples: Sequence[Example]) -> Taught:
        """What the base that has read the context gives at the examples' scored positions; it is asked once a row."""
        teachers = [example.teacher for example in examples if example.teacher is not None]
        with self._adapted.off():
            for teacher in teachers:
                if teacher not in self._lessons:
                    self._lessons[teacher] = taught(self._adapted.forward([teacher])[0])
        lessons = [self._lessons[teacher] for teacher in teachers]
        return Taught(
            torch.cat([lesson.tokens for lesson in lessons]), torch.cat([lesson.log_probs for lesson in lessons])
        )


def _order(example: Example) -> int:
    """In a pass, plain examples come first, then those with a teacher, then anchors."""
    return 2 if example.anchor else int(example.teacher is not None)
