"""Answers of the toy backend, of one adapter or of a mix, and its gate: a nearest mean of letters."""

from __future__ import annotations

import math
import time
from random import Random
from typing import TYPE_CHECKING

from ..errors import AdapterMismatch, UsageProblem
from ..training.backend import Answer, Answerer, Sampling
from ..training.gating import TrainedGate
from .toy_letters import ALPHABET, CONTEXT, END, SIZE, log_softmax, prompt_of, read_tensor, spelled, tensor_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ..corpus.belonging import Sample
    from ..corpus.records import Message

SHARPNESS = 400.0
"""Of the gate's weights."""


class ToyAnswerer(Answerer):
    """Spells with the learned frequencies: the most frequent character at temperature 0, else at random."""

    def __init__(
        self,
        logits: Sequence[float],
        system_prompt: str | None,
        parts: Sequence[Sequence[float]] = (),
        weights: tuple[float, ...] = (),
    ) -> None:
        self._base, self._system = list(logits), system_prompt
        self._parts, self._weights = parts, weights

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(prompt_of(messages, self._system))

    def answer(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        weights: Sequence[tuple[float, ...]] | None = None,
    ) -> Iterator[Answer]:
        for number, messages in enumerate(conversations, start=1):
            if self.count_tokens(messages) + sampling.max_new_tokens > CONTEXT:
                raise UsageProblem(f"question {number} does not fit {CONTEXT} characters: shorten it")
        for messages, mixed in zip(conversations, weights or [self._weights] * len(conversations), strict=True):
            yield self._spell(Random(f"{sampling.seed} {messages}"), sampling, self._sum(mixed))

    def weigh(self, gate: Path, questions: Sequence[str]) -> list[tuple[float, ...]]:
        means = read_tensor(gate)
        if len(means) % SIZE:
            raise AdapterMismatch(f"{gate} is no gate of the toy base: train again")
        return [_weights([means[at : at + SIZE] for at in range(0, len(means), SIZE)], text) for text in questions]

    def _sum(self, weights: tuple[float, ...]) -> list[float]:
        """The base with each part's difference from it, times its weight."""
        summed = list(self._base)
        for weight, part in zip(weights, self._parts, strict=True):
            summed = [
                so_far + weight * (own - base) for so_far, own, base in zip(summed, part, self._base, strict=True)
            ]
        return summed

    def _spell(self, random: Random, sampling: Sampling, logits: Sequence[float]) -> Answer:
        started = time.perf_counter()
        spelled = ""
        while len(spelled) < sampling.max_new_tokens:
            token = _next(logits, random, sampling.temperature)
            if token == END:
                return Answer(spelled, len(spelled), time.perf_counter() - started, complete=True)
            spelled += ALPHABET[token]
        return Answer(spelled, len(spelled), time.perf_counter() - started, complete=False)


def _next(logits: Sequence[float], random: Random, temperature: float) -> int:
    if temperature == 0:
        return max(range(SIZE), key=logits.__getitem__)
    weights = [math.exp(value) for value in log_softmax([value / temperature for value in logits])]
    return random.choices(range(SIZE), weights)[0]


def train_gate(adapters: Sequence[str], samples: Sequence[Sample]) -> TrainedGate:
    """The mean letters of each adapter's texts."""
    right = []
    for sample in (sample for sample in samples if sample.fold is not None):
        weights = _weights(_means(adapters, [other for other in samples if other.fold != sample.fold]), sample.text)
        right.append(weights.index(max(weights)) == list(adapters).index(sample.adapter))
    means = _means(adapters, samples)
    all_weights = [_weights(means, sample.text) for sample in samples]
    mean = tuple(sum(column) / len(all_weights) for column in zip(*all_weights, strict=True))
    return TrainedGate(tensor_file([value for one in means for value in one]), tuple(right), mean)


def _means(adapters: Sequence[str], samples: Iterable[Sample]) -> list[list[float]]:
    found: dict[str, list[list[float]]] = {name: [] for name in adapters}
    for sample in samples:
        found[sample.adapter].append(_letters(sample.text))
    return [
        [sum(column) / max(1, len(rows)) for column in zip([0.0] * SIZE, *rows, strict=True)] for rows in found.values()
    ]


def _letters(text: str) -> list[float]:
    ids = spelled(text)
    return [ids.count(token) / max(1, len(ids)) for token in range(SIZE)]


def _weights(means: Sequence[Sequence[float]], text: str) -> tuple[float, ...]:
    own = _letters(text)
    near = [-SHARPNESS * sum((a - b) ** 2 for a, b in zip(own, mean, strict=True)) for mean in means]
    return tuple(math.exp(value) for value in log_softmax(near))
