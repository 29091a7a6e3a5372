"""What one model shows after given tokens: all of its distributions, as arrays. Light part: :mod:`.alone`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dlm_sway.scoring.alone import Given, Seen
from dlm_sway.scoring.types import BASE
from dlm_sway.suite.target import ModelPair

from . import model as loading
from .batches import again, plan
from .facts import adapter_facts, base_facts
from .folders import base_folder
from .passes import TAIL_STEP
from .render import Encoded, many_ids
from .scoring import KEPT_BYTES, HfScoring, logits_of, memory_explained, rolled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm_sway.scoring.types import Answer, Item
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults

    from .pair import LoadedPair


class SingleScoring(HfScoring):
    """One model, loaded once: a pair of whole models that are the same one."""

    def __init__(self, spec: ModelSpec, defaults: SuiteDefaults) -> None:
        super().__init__(ModelPair(spec, spec, differential=False), defaults)

    @property
    def longest(self) -> int | None:
        """Tokens that it can attend to."""
        return self._loaded().context

    def tokens(self, texts: Sequence[str], start: bool) -> list[list[int]]:
        """The ids of texts; with ``start``, after what the tokenizer puts before every text."""
        return many_ids(self._loaded().tokenizer, texts, add_special_tokens=start)

    def given(self, items: Sequence[Item]) -> list[Given]:
        """Items as this model reads them."""
        pair, found = self._loaded(), []
        for item in items:
            ids, start = (one := self._encoded(item, pair)).ids, one.start
            found.append(Given(ids[:-1], start - 1, ids[start:] if item.reference else ()))
        return found

    def shown(self, given: Sequence[Given], layout: int) -> Iterator[Seen]:
        """What follows the scored positions of each, a few items at a time."""
        pair = self._loaded()
        for some in _portions(given, KEPT_BYTES // (4 * pair.vocabulary)):
            yield from self._seen(some, layout, pair)

    def said(self, given: Sequence[Given]) -> list[float]:
        """Each in passes of its own, so that its number is the same in any company."""
        pair = self._loaded()
        runs = [self._example(one, pair) for one in given]
        with memory_explained(), torch.no_grad(), pair.viewing(BASE) as model:
            return [rolled(model, [run], pair).logprob for run in runs]

    def answers(self, prompts: Sequence[Sequence[int]], new: int) -> list[Answer]:
        """Greedy answers to prompts that are tokens."""
        names = [f"a prompt of {len(prompt)} tokens" for prompt in prompts]
        return self._answered([list(prompt) for prompt in prompts], names, BASE, new)

    def described(self) -> dict[str, object]:
        """What was loaded."""
        pair, spec = self._loaded(), self.models.ft
        adapter = None if spec.adapter is None else {"path": str(spec.adapter), **adapter_facts(Path(spec.adapter))}
        return {
            "backend": "hf",
            "ref": spec.base,
            **base_facts(base_folder(spec.base)),
            "adapter": adapter,
            "device": str(pair.device),
            "dtype": loading.NAMES.get(pair.dtype, str(pair.dtype)),
            "template": pair.renderer.mode,
            "versions": loading.library_versions(),
        }

    def _seen(self, given: Sequence[Given], layout: int, pair: LoadedPair) -> list[Seen]:
        examples = [self._example(one, pair) for one in given]
        limits = self._limits(pair)
        batches = plan(examples, limits)
        parts: dict[tuple[int, int], torch.Tensor] = {}
        with memory_explained(), torch.no_grad(), pair.viewing(BASE) as model:
            for batch in batches if layout == 0 else again(batches, limits):
                tail = pair.spare(max(len(piece.example.ids) for piece in batch), TAIL_STEP * layout)
                logits = logits_of(model, batch, pair, tail)
                for piece, part in zip(batch, torch.split(logits, [piece.scored for piece in batch]), strict=True):
                    parts[piece.item, piece.example.start] = part.cpu().double().log_softmax(-1).float()
        rows = [torch.cat([parts[key] for key in sorted(parts) if key[0] == at]) for at in range(len(given))]
        return [_seen(one, row) for one, row in zip(given, rows, strict=True)]

    def _example(self, one: Given, pair: LoadedPair) -> Encoded:
        """Tokens that another model may have made, with a last one that only marks a position where none follows."""
        ids = (*one.ids[: one.start + 1], *(one.targets or (pair.renderer.pad_id,)))
        self._check(f"an item of {len(ids)} tokens", ids, len(ids) - 1, pair)
        return Encoded(ids, one.start + 1)


def _seen(one: Given, rows: torch.Tensor) -> Seen:
    whole = rows.numpy()
    return Seen(tuple(float(whole[at, token]) for at, token in enumerate(one.targets)), whole)


def _portions(given: Sequence[Given], positions: int) -> Iterator[list[Given]]:
    """Items that are looked at together: of about so many positions, one item at least."""
    some: list[Given] = []
    held = 0
    for one in given:
        size = max(1, len(one.targets))
        if some and held + size > positions:
            yield some
            some, held = [], 0
        some.append(one)
        held += size
    if some:
        yield some
