"""Score a base and its adapter side by side in MLX: exact divergences at every position of every answer.

Each item goes through the model by itself, so no number depends on another item. The arithmetic of divergences is
:mod:`dlm_hf.divergence`, in float64, which Apple's GPUs have not. Tokens: :mod:`.asking`; updates: :mod:`.views`.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np
import torch

from dlm_hf.decomposed import largest_singular_value
from dlm_hf.divergence import divergences, target_logprobs
from dlm_hf.facts import adapter_facts, base_facts, declared_digest, declared_quantisation
from dlm_hf.folders import base_folder, check_pair
from dlm_hf.inspection import singular_values
from dlm_sway.errors import AdapterMismatch, BackendError, TargetError
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.types import BASE, AdapterInspection, Answer, Comparison, ModuleUpdate, TextLogprob, View

from .adapter_file import read_adapter
from .asking import Asking
from .errors import Unusable
from .loading import device, library_versions, load_base, pick_precision
from .passes import complete, greedy, logits_after, logits_at_once, read_beginning
from .placing import Layers, weight_of
from .views import random, updates_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dlm_hf.render import Encoded
    from dlm_sway.scoring.types import Item
    from dlm_sway.spec.models import SuiteDefaults
    from dlm_sway.suite.target import ModelPair

    from .adapter_file import Update
    from .loading import Loaded
    from .passes import Beginning

KEPT_BYTES: Final = 1 << 30
"""Logits of the base that are kept for the next view."""
TAIL: Final = 7
"""Tokens that each layout above 0 appends, which no scored position sees: products of another shape."""


class MlxScoring(Backend):
    """A base and a PEFT adapter, loaded. What a suite names is :class:`~dlm_mlx.judging.MlxJudging`."""

    def __init__(self, models: ModelPair, defaults: SuiteDefaults) -> None:
        super().__init__(models, defaults)
        spec = require_adapter(models)
        self.folder = Path(spec.adapter or "").expanduser()
        with _sway_errors():
            self.adapter = read_adapter(self.folder)
        self.loaded = _load(base_folder(spec.base), pick_precision(spec.dtype, scoring=True))
        with _sway_errors():
            self.layers = Layers(self.loaded.model)
            self._wear(self.adapter.updates, self.folder)
            self.layers.require_worn(self.adapter.updates, self.folder)
        self.asking = Asking(spec, defaults, self.loaded.context, self.loaded.vocabulary)
        self._kept = _Kept(KEPT_BYTES)

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """``view`` against the base on every item; see :meth:`dlm_sway.Backend.compare`.

        ``layout`` 0 reads the prompt first and then what is scored; any other reads all at once, with a few more
        tokens behind: the same numbers by definition, out of products of other shapes.
        """
        examples = [self.asking.example(item) for item in items]
        same = view.kind == "base" and layout == 0
        found = []
        for run in self._within_memory(examples):
            base = self._base_logits([examples[at] for at in run])
            viewed = base if same else self._logits([examples[at] for at in run], view, layout)
            for at, one, other in zip(run, base, viewed, strict=True):
                found.append(_compared(one, other, examples[at], items[at], per_position))
        return found

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """Each text by itself, in windows where it is longer than the context."""
        runs = [list(self.asking.windows(text)) for text in texts]
        with self._viewing(view):
            return [self._rolled(some) for some in runs]

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers, each by itself."""
        rows = [self.asking.prompt(item, max_new_tokens) for item in prompts]
        renderer = self.asking.renderer
        with self._viewing(view) as known:
            found = [complete(self.loaded.model, row, renderer.end_ids, max_new_tokens, greedy, known) for row in rows]
        return [Answer(renderer.decode(one.ids), tuple(one.ids), one.ended) for one in found]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the ones that start or end one."""
        from dlm_hf.render import many_ids

        return [len(ids) for ids in many_ids(self.asking.renderer.tokenizer, texts, add_special_tokens=False)]

    def inspect(self) -> AdapterInspection:
        """What the adapter holds. Every tensor has its place, or loading would have failed."""
        return self._inspection(self.adapter.updates)

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What the random adapter of ``seed`` holds."""
        return self._inspection(random(self.adapter.updates, seed))

    def describe(self) -> dict[str, object]:
        """What was loaded."""
        spec = self.models.ft
        base = {"ref": spec.base, **base_facts(base_folder(spec.base))}
        return {
            "backend": "mlx",
            "differential": True,
            "base": base,
            "fine_tuned": base,
            "adapter": {"path": str(spec.adapter), **adapter_facts(self.folder)},
            "device": device(),
            "dtype": self.loaded.precision,
            "quantised": self.loaded.quantised,
            "template": self.asking.renderer.mode,
            "packed": False,
            "versions": library_versions(),
        }

    def close(self) -> None:
        """Free the model."""
        self.loaded = self.layers = None  # type: ignore[assignment]
        self._kept = _Kept(0)
        mx.clear_cache()

    def _wear(self, updates: Mapping[str, Update], whose: object) -> None:
        self.layers.place(updates, whose)
        self.layers.wear({name: (one,) for name, one in self.layers.factors(updates, mx.float32).items()})

    @contextmanager
    def _viewing(self, view: View) -> Iterator[Beginning]:
        """With the updates of ``view`` on, and the adapter's own afterwards; what all prompts begin with is read."""
        with _sway_errors():
            self._wear(updates_of(view, self.adapter.updates), view.adapter or self.folder)
        try:
            yield read_beginning(self.loaded.model, self.asking.renderer.shared_prefix)
        finally:
            self._wear(self.adapter.updates, self.folder)

    def _logits(self, examples: Sequence[Encoded], view: View, layout: int = 0) -> Iterator[list[torch.Tensor]]:
        """Logits [K, V] at the scored positions of each example, in pieces."""
        model, vocabulary = self.loaded.model, self.loaded.vocabulary
        with self._viewing(view) as known:
            for example in examples:
                if layout == 0:
                    pieces = logits_after(model, example.ids, example.start, vocabulary, known)
                else:
                    tail = [self.asking.renderer.pad_id] * self._spare(len(example.ids), TAIL * layout)
                    pieces = logits_at_once(model, example.ids, example.start, tail, vocabulary)
                yield [_tensor(piece) for piece in pieces]

    def _within_memory(self, examples: Sequence[Encoded]) -> Iterator[range]:
        """Runs of examples whose logits can be held at once; one example at least."""
        most = KEPT_BYTES // (4 * self.loaded.vocabulary)
        start = held = 0
        for at, example in enumerate(examples):
            held += len(example.ids) - example.start
            if held > most and at > start:
                yield range(start, at)
                start, held = at, len(example.ids) - example.start
        if examples:
            yield range(start, len(examples))

    def _spare(self, length: int, wanted: int) -> int:
        context = self.loaded.context
        return wanted if context is None else max(0, min(wanted, context - length))

    def _base_logits(self, examples: Sequence[Encoded]) -> list[list[torch.Tensor]]:
        """The base's logits of each example, from memory where an earlier view needed them."""
        missing = [example for example in dict.fromkeys(examples) if example not in self._kept]
        found = dict(zip(missing, self._logits(missing, BASE), strict=True))
        for pieces in found.values():
            if not all(bool(torch.isfinite(piece).all()) for piece in pieces):
                raise BackendError(
                    f"the base {self.models.ft.base} itself gives values that are not finite, so nothing can be "
                    "compared with it; try dtype: fp32, or fetch the base again"
                )
        known = {example: self._kept.get(example) for example in dict.fromkeys(examples) if example in self._kept}
        for example, pieces in found.items():
            self._kept.put(example, pieces)
        return [(found | known)[example] for example in examples]

    def _rolled(self, runs: Sequence[Encoded]) -> TextLogprob:
        total, tokens = 0.0, 0
        for run in runs:
            at = run.start
            for piece in logits_after(self.loaded.model, run.ids, run.start, self.loaded.vocabulary):
                targets = torch.tensor(run.ids[at : at + piece.shape[0]])
                total += float(target_logprobs(_tensor(piece), targets).sum())
                at += len(targets)
            tokens += len(run.ids) - run.start
        return TextLogprob(tokens, total)

    def _inspection(self, updates: Mapping[str, Update]) -> AdapterInspection:
        tensors = sum(len(_trained(update)) for update in updates.values())
        return AdapterInspection(
            peft_type="LORA",
            tensors=tensors,
            matched=tensors,
            unexpected=(),
            missing=(),
            mismatched=(),
            modules=tuple(_module(name, one, self.layers.linear(name)) for name, one in updates.items()),
            declared_base=self.adapter.base,
            declared_revision=self.adapter.revision,
            declared_digest=declared_digest(self.folder),
            base_digest=base_facts(base_folder(self.models.ft.base)).get("digest"),
            extra_saved=(),
            tokenizer_tokens=len(self.asking.renderer.tokenizer),
            embedding_rows=self.loaded.vocabulary,
        )


class _Kept:
    """The base's logits of the examples seen last, up to ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._pieces: OrderedDict[Encoded, list[torch.Tensor]] = OrderedDict()

    def __contains__(self, example: Encoded) -> bool:
        return example in self._pieces

    def get(self, example: Encoded) -> list[torch.Tensor]:
        self._pieces.move_to_end(example)
        return self._pieces[example]

    def put(self, example: Encoded, pieces: list[torch.Tensor]) -> None:
        self._pieces[example] = pieces
        self.held += sum(piece.nbytes for piece in pieces)
        while self.held > self.limit:
            self.held -= sum(piece.nbytes for piece in self._pieces.popitem(last=False)[1])


def require_adapter(models: ModelPair) -> Any:
    """The one side that is loaded: a base with an adapter on it.

    Raises:
        TargetError: the suite asks for something else; the message says which key to change.
    """
    check_pair(models)
    if not models.differential:
        raise TargetError(
            "models.ft.kind: mlx compares one base with an adapter on it: remove defaults.differential: false, or "
            "write kind: hf to compare two whole models"
        )
    if held := declared_quantisation(models.ft.adapter):
        raise AdapterMismatch(
            f"{models.ft.adapter}: it was trained on a base held in {held}, which MLX has not: on other weights its "
            "numbers would be others; write kind: hf"
        )
    return models.ft


def _compared(
    base: Sequence[torch.Tensor], view: Sequence[torch.Tensor], example: Encoded, item: Item, per_position: bool
) -> Comparison:
    """Means of the divergences; sums of the log-probabilities, which exist only for a reference."""
    one, other = torch.cat(list(base)), torch.cat(list(view))
    found = divergences(one, other, torch.tensor(example.ids[example.start :]))
    kl, reverse_kl, js, tv, agree = (float(column.mean()) for column in found[:5])
    said = [float(column.sum()) if item.reference else 0.0 for column in found[5:]]
    each = tuple(found.kl.tolist()) if per_position else ()
    return Comparison(len(one), kl, reverse_kl, js, tv, agree, said[0], said[1], each)


def _module(name: str, update: Update, linear: Any) -> ModuleUpdate:
    """Size and shape of one update. Values that are not finite are counted, and left out of the norms."""
    weight = torch.from_numpy(np.array(weight_of(linear).astype(mx.float32)))
    clean = update._replace(**{key: _finite(value) for key, value in _trained(update).items()})
    norm, largest = _sizes(clean, weight)
    return ModuleUpdate(
        name=name,
        rank=update.rank,
        update_norm=norm,
        weight_norm=float(weight.norm()),
        stable_rank=(norm / largest) ** 2 if largest > 0 else 0.0,
        non_finite=sum(int((~np.isfinite(value)).sum()) for value in _trained(update).values()),
    )


def _sizes(update: Update, weight: torch.Tensor) -> tuple[float, float]:
    """Frobenius norm and largest singular value of the update; of DoRA, of the whole difference from ``weight``."""
    down, up = torch.from_numpy(update.down.T.copy()), torch.from_numpy(update.up.T.copy())
    if update.magnitude is None:
        values = singular_values(down, up) * abs(update.scale * update.weight)
        return float(values.norm()), float(values.max())
    changed = weight + update.scale * up @ down
    rows = torch.from_numpy(update.magnitude) / changed.norm(dim=1)
    whole = update.weight * (rows[:, None] * changed - weight)
    return float(whole.norm()), largest_singular_value(whole)


def _trained(update: Update) -> dict[str, Any]:
    sizes = {} if update.magnitude is None else {"magnitude": update.magnitude}
    return {"down": update.down, "up": update.up, **sizes}


def _finite(values: Any) -> Any:
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _tensor(piece: mx.array) -> torch.Tensor:
    return torch.from_numpy(np.array(piece))


def _load(folder: Path, precision: str) -> Loaded:
    try:
        return load_base(folder, precision)
    except Unusable as error:
        raise BackendError(f"{error}; or write kind: hf") from error


@contextmanager
def _sway_errors() -> Iterator[None]:
    try:
        yield
    except Unusable as error:
        raise AdapterMismatch(str(error)) from error
