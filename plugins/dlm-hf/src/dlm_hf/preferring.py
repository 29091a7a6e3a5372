"""Learning from pairs of a better and a worse answer: DPO and ORPO, in the same steps and passes as everything else.

What DPO compares with is the same model in memory, with the adapter off or as it was when the phase began; its
log-probabilities never change during the phase, so each pair is asked for them once, before the first step.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional as F

from dlm.errors import TrainingFailed

from .encode import Example
from .held_out import Judged
from .losses import NOTHING, Losses, StepLoss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dlm.training.recipe import Preferring, Recipe

    from .adapted import Adapted
    from .render import Encoded

PASS_TOKENS = 2048
"""Of pairs that share a pass, one pair at least. The loss is a sum over pairs, so this changes no result."""
REFERENCE = "reference"
CERTAIN = -1e-6
"""Largest mean log-probability that the odds are taken of: at 0 they are infinite."""


class Spoken(NamedTuple):
    """Both answers of some pairs, one value a pair."""

    better: torch.Tensor
    """Log-probability in nats, [P]."""
    worse: torch.Tensor
    better_tokens: torch.Tensor
    """How many were scored, [P]."""
    worse_tokens: torch.Tensor

    @property
    def margins(self) -> torch.Tensor:
        """How much likelier the better answer is, in nats a token."""
        return self.better / self.better_tokens - self.worse / self.worse_tokens


def dpo(spoken: Spoken, reference: Spoken, settings: Preferring) -> torch.Tensor:
    """The loss of each pair, [P].

    With h = (log p - log q of the better answer) - (the same of the worse one), p the model and q the reference:

    * ``sigmoid``: -log sigmoid(beta h), Rafailov et al. 2023 (DPO), equation 7;
    * ``hinge``: max(0, 1 - beta h), the calibration loss of Zhao et al. 2023 (SLiC-HF) on the same h;
    * ``ipo``: (h - 1 / (2 beta))^2, Azar et al. 2023, equation 17, with log-probabilities that are means over tokens,
      since sums would make the target depend on the length.
    """
    better, worse = spoken.better - reference.better, spoken.worse - reference.worse
    if settings.loss == "ipo":
        h = better / spoken.better_tokens - worse / spoken.worse_tokens
        return (h - 1 / (2 * settings.strength)) ** 2
    h = settings.strength * (better - worse)
    return torch.relu(1 - h) if settings.loss == "hinge" else -F.logsigmoid(h)


def odds_ratio(spoken: Spoken) -> torch.Tensor:
    """-log sigmoid(log(odds(better) / odds(worse))) of each pair, [P]: Hong et al. 2024 (ORPO), equation 7.

    The probability of an answer is that of its tokens' geometric mean, odds(p) = p / (1 - p) (equation 4).
    """
    better, worse = spoken.better / spoken.better_tokens, spoken.worse / spoken.worse_tokens
    return -F.logsigmoid((better - worse) - (_log1mexp(better) - _log1mexp(worse)))


def losses_of(recipe: Recipe, adapted: Adapted, examples: Sequence[Example]) -> Losses:
    """The losses of a phase; ``examples`` are all that it may train or judge."""
    if recipe.preferring is not None:
        return Preference(adapted, recipe.preferring, recipe.anchor_weight, examples)
    if any(example.rejected is not None for example in examples):
        raise TrainingFailed("pairs of answers have no loss in this phase: report this to the phase's authors")
    return Losses(adapted, recipe.anchor_weight, recipe.judged_by)


class Preference(Losses):
    """The losses of a phase with pairs, and how the adapter stands on those that are held out."""

    def __init__(
        self, adapted: Adapted, settings: Preferring, anchor_weight: float, examples: Sequence[Example]
    ) -> None:
        super().__init__(adapted, anchor_weight)
        self._settings = settings
        self._pairs = list({one.spoken: one for one in examples if one.rejected is not None}.values())
        self._reference: dict[tuple[Encoded, ...], Spoken] = {}
        self._recall_before: float | None = None

    def begin(self, before: Judged | None = None, kept: Mapping[str, torch.Tensor] = NOTHING) -> None:
        """Ask the reference, unless a run that goes on has asked it: it may have been an adapter that is gone."""
        self._recall_before = before.recall if before else None
        if self._settings.method == "dpo":
            found = kept[REFERENCE] if REFERENCE in kept else self._asked()
            self._reference = {pair.spoken: Spoken(*values) for pair, values in zip(self._pairs, found, strict=True)}

    def state(self) -> Mapping[str, torch.Tensor]:
        """What the reference said."""
        if not self._reference:
            return NOTHING
        return {REFERENCE: torch.stack([torch.stack(self._reference[pair.spoken]) for pair in self._pairs])}

    def known(self, examples: Sequence[Example]) -> list[list[float]]:
        """What the reference said, pair by pair."""
        if not self._reference:
            return []
        return [torch.stack(self._reference[one.spoken]).tolist() for one in examples if one.rejected is not None]

    def learn_of(self, examples: Sequence[Example], known: Sequence[Sequence[float]]) -> None:
        pairs = [one.spoken for one in examples if one.rejected is not None] if known else []
        device = self._adapted.device
        for pair, values in zip(pairs, known, strict=True):
            self._reference[pair] = Spoken(*torch.tensor(values, device=device))

    def backpropagate(
        self, examples: Sequence[Example], most: int | None = None, whole: Sequence[Example] | None = None
    ) -> StepLoss:
        """Gradients of the mean loss of the pairs, plus what :class:`Losses` gives for the other rows.

        ORPO adds the mean next-token loss of the better answers (Hong et al. 2024, equation 6).
        """
        pairs = [example for example in examples if example.rejected is not None]
        others = [example for example in examples if example.rejected is None]
        whole = examples if whole is None else whole
        besides = (
            super().backpropagate(others, most, [one for one in whole if one.rejected is None])
            if others
            else StepLoss(None, None)
        )
        if not pairs:
            return besides
        all_pairs = [one for one in whole if one.rejected is not None]
        scored = sum(len(pair.encoded.ids) - pair.encoded.start for pair in all_pairs)
        total = 0.0
        for some in _passes(pairs, most):
            spoken = self._spoken(some)
            loss = self._each(spoken, some).sum() / len(all_pairs)
            if self._settings.method == "orpo":
                loss = self._settings.strength * loss - spoken.better.sum() / scored
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return StepLoss(total, besides.anchor_kl)

    @torch.no_grad()
    def judge(self, held_out: Sequence[Example]) -> Judged | None:
        """How the adapter stands on the pairs of ``held_out``, and on the questions beside them; ``None`` without
        pairs."""
        pairs = [example for example in held_out if example.rejected is not None]
        if not pairs:
            return None
        facts = super().judge([example for example in held_out if example.rejected is None])
        recall = facts.recall if facts else None
        self._recall_before = recall if self._recall_before is None else self._recall_before
        losses, margins = [], []
        for some, spoken in self._heard(pairs):
            each = self._each(spoken, some)
            if self._settings.method == "orpo":
                each = self._settings.strength * each - spoken.better / spoken.better_tokens
            losses.append(each)
            margins.append(spoken.margins)
        margin = torch.cat(margins)
        return Judged(
            loss=float(torch.cat(losses).mean()),
            recall=recall,
            wrong=facts.wrong if facts else (),
            accuracy=float((margin > 0).float().mean()),
            margin=float(margin.mean()),
            recall_before=self._recall_before,
            prose=facts.prose if facts else None,
            answers=facts.answers if facts else None,
        )

    def _each(self, spoken: Spoken, pairs: Sequence[Example]) -> torch.Tensor:
        """The loss of each pair, but ORPO's next-token part."""
        if self._settings.method == "orpo":
            return odds_ratio(spoken)
        known = [self._reference[pair.spoken] for pair in pairs]
        reference = Spoken(*(torch.stack(column) for column in zip(*known, strict=True)))
        return dpo(spoken, reference, self._settings)

    @torch.no_grad()
    def _asked(self) -> torch.Tensor:
        """What the reference says of each pair, [P, 4]."""
        with self._adapted.off() if self._settings.reference == "base" else nullcontext():
            found = [torch.stack(spoken, dim=1) for _, spoken in self._heard(self._pairs)]
        return torch.cat(found) if found else torch.empty(0, 4)

    def _heard(self, pairs: Sequence[Example]) -> Iterator[tuple[list[Example], Spoken]]:
        """``pairs``, some at a time, and what the model says of them without dropping anything."""
        self._adapted.model.eval()
        for some in _passes(pairs):
            yield from self._adapted.room.each(lambda part: (part, self._spoken(part)), some)
        self._adapted.model.train()

    def _spoken(self, pairs: Sequence[Example]) -> Spoken:
        """Both answers of ``pairs``, in as few passes as their lengths allow."""
        answers = [Example(one, anchor=False) for pair in pairs for one in pair.spoken]
        sums: dict[int, torch.Tensor] = {}
        for group in self._adapted.groups(answers):
            logits, packed = self._adapted.forward([answer.encoded for answer in group])
            log_probs = -F.cross_entropy(logits, packed.targets, reduction="none")
            of_each = torch.split(log_probs, [answer.scored for answer in group])
            sums |= {id(answer): own.sum() for answer, own in zip(group, of_each, strict=True)}
        said = torch.stack([sums[id(answer)] for answer in answers])
        tokens = torch.tensor([float(answer.scored) for answer in answers], device=said.device)
        return Spoken(said[::2], said[1::2], tokens[::2], tokens[1::2])


def _passes(pairs: Sequence[Example], most: int | None = None) -> Iterator[list[Example]]:
    some: list[Example] = []
    for pair in pairs:
        if some and (sum(one.tokens for one in some) + pair.tokens > PASS_TOKENS or len(some) == most):
            yield some
            some = []
        some.append(pair)
    if some:
        yield some


def _log1mexp(x: torch.Tensor) -> torch.Tensor:
    """log(1 - exp(x)) of negative ``x``, by whichever form keeps its digits (Maechler 2012)."""
    x = x.clamp(max=CERTAIN)
    near = x > -0.6931471805599453
    # The branch that is not taken must not give an infinite gradient either.
    return torch.where(
        near,
        torch.log(-torch.expm1(torch.where(near, x, -1.0))),
        torch.log1p(-torch.exp(torch.where(near, -1.0, x))),
    )
