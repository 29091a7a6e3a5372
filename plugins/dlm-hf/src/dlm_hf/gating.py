"""A gate over adapters: a small network that reads what the untouched base makes of a text.

A text is the mean of the base's last hidden states over its tokens. Questions and text are each centred on their own
mean, which weighs every adapter alike: otherwise an adapter with more text would be told by the looks of text. At
answering time everything is a question.
"""

from __future__ import annotations

import gc
import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch.nn.functional import cross_entropy, gelu, linear

from dlm.errors import AdapterMismatch, StoreError
from dlm.training.gating import TrainedGate

from .model import pick_device, pick_dtype
from .opened import open_model, open_renderer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.belonging import Sample
    from dlm.training.gating import GateSettings

    from .render import Renderer

LONGEST = 512
"""Tokens of a text that are read."""
ROWS = 16
"""Texts of a pass in training."""
LEAST_SPREAD = 1e-4
"""Of a feature that hardly varies: it is not blown up into one that does."""
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class _Set:
    """Texts as numbers."""

    features: torch.Tensor
    """[N, D] float32."""
    owners: torch.Tensor
    """[N] index of the adapter."""
    questions: torch.Tensor
    """[N] bool."""

    def part(self, mask: torch.Tensor) -> _Set:
        return _Set(self.features[mask], self.owners[mask], self.questions[mask])


def train_gate(
    base: LocalBase, adapters: Sequence[str], samples: Sequence[Sample], settings: GateSettings
) -> TrainedGate:
    """Train a gate on ``samples``; each fold of them judges another that has not seen it."""
    device = pick_device(settings.device)
    model = open_model(base, pick_dtype(settings.precision, device, scoring=False), device)
    read = readings(model, open_renderer(base, None), [sample.text for sample in samples], device, ROWS)
    del model
    gc.collect()
    owners = torch.tensor([list(adapters).index(sample.adapter) for sample in samples])
    known = _Set(read, owners, torch.tensor([sample.kind == "question" for sample in samples]))
    with _one_thread():
        return _fitted(known, [sample.fold for sample in samples], len(adapters), settings)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Products this small wait for other threads longer than they take; and one thread always sums in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fitted(known: _Set, folds: Sequence[int | None], adapters: int, settings: GateSettings) -> TrainedGate:
    """The gate of ``known``, and how those that were trained without a fold judge it."""
    whole = _learned(known, adapters, settings)
    if isinstance(whole, str):
        return TrainedGate(b"", (), (), diverged=whole)
    right: dict[int, bool] = {}
    for fold in sorted({fold for fold in folds if fold is not None}):
        apart = torch.tensor([own == fold for own in folds])
        judge, unseen = _learned(known.part(~apart), adapters, settings), known.part(apart)
        if isinstance(judge, str):
            return TrainedGate(b"", (), (), diverged=judge)
        hits = (_weights(judge, unseen).argmax(-1) == unseen.owners).tolist()
        right |= dict(zip(apart.nonzero()[:, 0].tolist(), hits, strict=True))
    mean = _weights(whole, known).double().mean(0)
    return TrainedGate(save(whole), tuple(right[at] for at in sorted(right)), tuple((mean / mean.sum()).tolist()))


@torch.no_grad()
def readings(model: Any, renderer: Renderer, texts: Sequence[str], device: torch.device, rows: int = 1) -> torch.Tensor:
    """What the base makes of each text, [N, D] float32 on the CPU.

    ``rows`` texts share a pass, padded on the right, where no token sees it; one a pass gives each text the same
    numbers to the last bit, whatever the others are.
    """
    inner = model.base_model  # without the head: nothing is predicted
    encoded = [renderer.text_ids(text)[:LONGEST] or [renderer.pad_id] for text in texts]
    order = sorted(range(len(encoded)), key=lambda at: len(encoded[at]))
    found: dict[int, torch.Tensor] = {}
    for start in range(0, len(order), rows):
        batch = order[start : start + rows]
        width = max(len(encoded[at]) for at in batch)
        ids = torch.tensor(
            [encoded[at] + [renderer.pad_id] * (width - len(encoded[at])) for at in batch], device=device
        )
        mask = torch.tensor([[1] * len(encoded[at]) + [0] * (width - len(encoded[at])) for at in batch], device=device)
        hidden = inner(input_ids=ids, attention_mask=mask.long(), use_cache=False).last_hidden_state.float()
        means = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        found |= dict(zip(batch, means.cpu(), strict=True))
    return torch.stack([found[at] for at in range(len(encoded))])


def weights_of(path: Path, read: torch.Tensor) -> list[tuple[float, ...]]:
    """The weights that the gate in ``path`` gives each adapter, for readings [N, D] of questions.

    Raises:
        AdapterMismatch: it was trained on another base.
        StoreError: the file is damaged.
    """
    try:
        gate = load_file(path)
        width = gate["question_mean"].shape[0]
    except (SafetensorError, OSError, KeyError) as error:
        raise StoreError(f"{path} is damaged ({error}): choose with --adapter NAME, or train again") from error
    if width != read.shape[1]:
        raise AdapterMismatch(
            f"{path} was trained on a base with {width} features, and this one has {read.shape[1]}: train again, or "
            "choose with --adapter NAME"
        )
    found = []
    for row in read:  # products round by their shape: each by itself
        one = _Set(row[None], torch.zeros(1, dtype=torch.long), torch.ones(1, dtype=torch.bool))
        weights = _weights(gate, one)[0].double()
        found.append(tuple((weights / weights.sum()).tolist()))
    return found


def _learned(known: _Set, adapters: int, settings: GateSettings) -> dict[str, torch.Tensor] | str:
    """The network's tensors, or what went wrong. All samples at every step: there are few."""
    gate = _scaled(known, adapters)
    features = _standardised(gate, known)
    gate |= _start(features.shape[1], settings.hidden, adapters, settings.seed)
    layers = [gate[name].requires_grad_() for name in ("in_weight", "in_bias", "out_weight", "out_bias")]
    optimiser = torch.optim.AdamW(layers, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY)
    counts = Counter(known.owners.tolist())
    balance = torch.tensor([len(known.owners) / (adapters * max(1, counts[at])) for at in range(adapters)])
    loss = torch.tensor(math.inf)
    for _ in range(settings.steps):
        scores = _scores(gate, features)
        logs = scores.log_softmax(-1)
        entropy = -(logs.exp() * logs).sum(-1).mean()
        loss = cross_entropy(scores, known.owners, weight=balance)
        optimiser.zero_grad()
        (loss - settings.entropy * entropy).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    final = float(loss.detach())
    if not math.isfinite(final) or final > math.log(adapters) + LEAST_SPREAD:
        return (
            f"training it ended at a loss of {final:.3g} nats, where weighing all alike has {math.log(adapters):.3g}: "
            "lower training.gate.lr"
        )
    return {name: tensor.detach() for name, tensor in gate.items()}


def _scaled(known: _Set, adapters: int) -> dict[str, torch.Tensor]:
    """The means of questions and of text, and the spread of both around theirs."""
    asked, told = (_mean(known.part(known.questions == kind), adapters) for kind in (True, False))
    around = known.features - torch.where(known.questions[:, None], asked, told)
    return {"question_mean": asked, "text_mean": told, "spread": around.std(0).clamp_min(LEAST_SPREAD)}


def _mean(known: _Set, adapters: int) -> torch.Tensor:
    """[D]: the mean of the adapters' means; zeros of nothing."""
    means = [known.features[known.owners == at].mean(0) for at in range(adapters) if bool((known.owners == at).any())]
    return torch.stack(means).mean(0) if means else torch.zeros(known.features.shape[1])


def _standardised(gate: dict[str, torch.Tensor], known: _Set) -> torch.Tensor:
    mean = torch.where(known.questions[:, None], gate["question_mean"], gate["text_mean"])
    return (known.features - mean) / gate["spread"]


def _start(features: int, hidden: int, adapters: int, seed: int) -> dict[str, torch.Tensor]:
    """The network before the first step, the same for the same seed: it weighs all alike."""
    drawn = torch.rand((hidden, features), generator=torch.Generator().manual_seed(seed))
    return {
        "in_weight": (drawn * 2 - 1) / math.sqrt(features),
        "in_bias": torch.zeros(hidden),
        "out_weight": torch.zeros(adapters, hidden),
        "out_bias": torch.zeros(adapters),
    }


def _scores(gate: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
    """[N, adapters]"""
    inner = gelu(linear(features, gate["in_weight"], gate["in_bias"]))
    return linear(inner, gate["out_weight"], gate["out_bias"])


@torch.no_grad()
def _weights(gate: dict[str, torch.Tensor], known: _Set) -> torch.Tensor:
    """[N, adapters], rows that sum to 1."""
    return _scores(gate, _standardised(gate, known)).softmax(-1)
