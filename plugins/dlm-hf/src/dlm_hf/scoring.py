"""Score a base and its fine-tuned version side by side: exact divergences at every position of every answer.

Items are packed into few forward passes, a view is switched on once for all of them, and logits are computed only
where something is scored. The base's logits are kept, since every view is compared with them. Loading and views:
:mod:`.pair`; which items share a pass: :mod:`.batches`; the arithmetic: :mod:`.divergence`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.errors import BackendError, NotSupported
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.types import BASE, AdapterInspection, Answer, Comparison, TextLogprob

from . import model as loading
from .adapters import Fit, KeyMismatch, read_adapter
from .batches import Batch, Limits, Piece, again, plan, windows, within_memory
from .divergence import Divergences, divergences, target_logprobs
from .facts import adapter_facts, base_facts, declared_digest
from .folders import base_folder
from .inspection import module_updates
from .nulls import null_adapter
from .pair import LoadedPair
from .passes import TAIL_STEP, KeptLogits, batch_logits, complete
from .render import Encoded, RenderError, many_ids
from .rounds import MOST_ROWS, Round, one_by_one, room_for_tokens, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm_sway.scoring.types import Item, ModuleUpdate, View
    from dlm_sway.spec.models import SuiteDefaults
    from dlm_sway.suite.target import ModelPair

CPU_TOKENS, GPU_TOKENS = 512, 4096
"""Tokens of one forward pass."""
PASS_BYTES = 256 << 20
"""Logits of one pass."""
KEPT_BYTES = 1 << 30
"""Logits of the base that are kept for the next view."""
CPU_ANSWERS = 8
"""Prompts of one batch of answers, where a row more is time more."""


class HfScoring(Backend):
    """A loaded Hugging Face base with a PEFT adapter, or two whole models, on one device. What a suite names is
    :class:`~dlm_hf.judging.HfJudging`, which makes one of these when something has to be computed."""

    def __init__(self, models: ModelPair, defaults: SuiteDefaults) -> None:
        super().__init__(models, defaults)
        self._pair: LoadedPair | None = None
        self._kept = KeptLogits(KEPT_BYTES)

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """``view`` against the base on every item; see :meth:`dlm_sway.Backend.compare`.

        ``layout`` 0 packs items so that those which begin alike share it. Any other goes through them from the other
        end, in smaller passes, each followed by a few tokens that no scored position can see: the same numbers by
        definition, out of products of other shapes.

        A view whose weights are not finite numbers gives NaN; a base that does is a :class:`BackendError`.
        """
        pair = self._loaded()
        examples = [self._encoded(item, pair) for item in items]
        sums = [_Sums() for _ in items]
        for run in within_memory(plan(examples, self._limits(pair)), KEPT_BYTES // (4 * pair.vocabulary)):
            base = self._base_logits(pair, run)
            batches = run if layout == 0 else again(run, self._limits(pair))
            itself = view.kind == "base" and layout == 0
            with memory_explained(), torch.no_grad(), pair.viewing(view) as model:
                for batch in batches:
                    known = torch.cat([base[piece.item, piece.example.start] for piece in batch])
                    logits = known
                    if not itself:
                        tail = pair.spare(max(len(piece.example.ids) for piece in batch), TAIL_STEP * layout)
                        logits = logits_of(model, batch, pair, tail)
                    for piece, part in _compared(known, logits, batch):
                        sums[piece.item].add(part, piece.example.start)
        return [total.comparison(item, per_position) for total, item in zip(sums, items, strict=True)]

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """Each text in passes of its own, so that its number is the same in any company."""
        pair = self._loaded()
        windows = [self._windows(text, pair) for text in texts]
        with memory_explained(), torch.no_grad(), pair.viewing(view) as model:
            return [rolled(model, some, pair) for some in windows]

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers; prompts of about equal length are answered together, which changes none of them."""
        pair = self._loaded()
        rows = [pair.speaking(item).prompt_ids(turns(item)) for item in prompts]
        return self._answered(rows, [item.prompt for item in prompts], view, max_new_tokens)

    def _answered(self, rows: Sequence[list[int]], prompts: Sequence[str], view: View, most: int) -> list[Answer]:
        """Answers to ``rows`` of tokens, which messages call by ``prompts``."""
        pair = self._loaded()
        for prompt, row in zip(prompts, rows, strict=True):
            if not row:
                raise BackendError("an empty prompt has no token to continue; write a prompt")
            self._check(prompt, row, len(row) + most, pair)
        answers: dict[int, Answer] = {}
        with memory_explained(), torch.no_grad(), pair.viewing(view) as model:
            for one in self._rounds(rows, most, pair):
                some = [rows[index] for index in one.indices]
                some += some[:1] * (one.rows - len(some))
                found = complete(model, some, pair.renderer, model.device, most, width=one.width)
                for index, new in zip(one.indices, found, strict=False):
                    answers[index] = Answer(pair.renderer.decode(new.ids), tuple(new.ids), new.ended)
        return [answers[index] for index in range(len(rows))]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the ones that start or end one."""
        return [len(ids) for ids in many_ids(self._loaded().tokenizer, texts, add_special_tokens=False)]

    def inspect(self) -> AdapterInspection:
        """What the adapter holds. One that does not fit the base is reported, without the sizes of its updates."""
        folder = self._adapter_folder()
        try:
            pair = self._loaded()
        except BackendError as error:
            if isinstance(mismatch := error.__cause__, KeyMismatch):
                return self._inspection(folder, mismatch.fit, (), None)
            raise
        return self._inspection(folder, None, module_updates(pair.tuned), pair)

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What the random adapter of ``seed`` holds."""
        folder, pair = self._adapter_folder(), self._loaded()
        if not pair.shared:
            raise NotSupported("random adapters need one base with an adapter; this suite compares two whole models")
        with null_adapter(pair.tuned, seed):
            return self._inspection(folder, None, module_updates(pair.tuned), pair)

    def describe(self) -> dict[str, object]:
        """What was loaded; loads it when nothing has yet."""
        pair, ft = self._loaded(), self.models.ft
        return {
            "backend": "hf",
            "differential": pair.shared,
            "base": {"ref": self.models.base.base, **base_facts(base_folder(self.models.base.base))},
            "fine_tuned": {"ref": ft.base, **base_facts(base_folder(ft.base))},
            "adapter": None if ft.adapter is None else {"path": str(ft.adapter), **adapter_facts(Path(ft.adapter))},
            "device": str(pair.device),
            "dtype": _named(pair.dtype),
            **({} if pair.shared else {"base_device": str(pair.base.device), "base_dtype": _named(pair.base.dtype)}),
            "template": pair.renderer.mode,
            "packed": pair.packs,
            "versions": loading.library_versions(),
        }

    def close(self) -> None:
        """Let go of the models and of the kept logits."""
        self._pair = None
        self._kept = KeptLogits(0)

    def _loaded(self) -> LoadedPair:
        if self._pair is None:
            with memory_explained():
                self._pair = LoadedPair(self.models, self.defaults)
        return self._pair

    def _limits(self, pair: LoadedPair) -> Limits:
        return Limits(
            tokens=CPU_TOKENS if pair.device.type == "cpu" else GPU_TOKENS,
            scored=max(1, PASS_BYTES // (4 * pair.vocabulary)),
            alone_above=pair.window if pair.packs else 0,
        )

    def _rounds(self, rows: Sequence[list[int]], new: int, pair: LoadedPair) -> list[Round]:
        """A base that padding would confuse is asked one question at a time."""
        if not pair.packs:
            return one_by_one(rows)
        if pair.device.type != "cuda":
            return together(rows, new, most_rows=CPU_ANSWERS)
        memory = torch.cuda.get_device_properties(pair.device).total_memory
        room = room_for_tokens(pair.base.config, memory, pair.dtype.itemsize)
        return together(rows, new, most_rows=MOST_ROWS, tokens=room)

    def _encoded(self, item: Item, pair: LoadedPair) -> Encoded:
        renderer, asked = pair.speaking(item), turns(item)
        try:
            if item.reference:
                example = renderer.example([*asked, ("assistant", item.reference)])
            else:
                ids = renderer.prompt_ids(asked)
                example = Encoded((*ids, renderer.pad_id), len(ids))  # the pad only marks the position
        except RenderError as error:
            raise BackendError(f"{_shown(item.prompt)}: {error}") from error
        if example.start >= len(example.ids):
            raise BackendError(f"the reference of {_shown(item.prompt)} adds no token to score; write an answer")
        if example.start == 0:
            raise BackendError("an empty prompt has no token after which anything could be predicted; write a prompt")
        self._check(item.prompt, example.ids, len(example.ids) - 1, pair)
        return example

    def _windows(self, text: str, pair: LoadedPair) -> list[Encoded]:
        """``text`` in runs that fit the context; each but the first scores the tokens that no run before it holds."""
        ids = pair.renderer.text_ids(text)
        if len(ids) < 2:
            raise BackendError(f"{_shown(text)} has no token that follows another, so none to score; lengthen it")
        self._check(text, ids, 0, pair)
        return list(windows(ids, pair.context))

    def _check(self, prompt: str, ids: Sequence[int], length: int, pair: LoadedPair) -> None:
        """Refuse what the model cannot read."""
        if pair.context is not None and length > pair.context:
            raise BackendError(
                f"{_shown(prompt)} takes {length} tokens with its answer, and this base reads at most {pair.context}; "
                "shorten it"
            )
        if max(ids) >= pair.embedding_rows:
            raise BackendError(
                f"{_shown(prompt)} contains token id {max(ids)}, and the base has {pair.embedding_rows} embeddings: "
                "the tokenizer beside the adapter has tokens that this base does not know"
            )

    def _base_logits(self, pair: LoadedPair, run: Sequence[Batch]) -> dict[tuple[int, int], torch.Tensor]:
        """The base's logits by item and first scored position, from memory where an earlier view needed them."""
        keys = [tuple(piece.example for piece in batch) for batch in run]
        found = {key: logits for key in keys if (logits := self._kept.get(key)) is not None}
        if len(found) < len(set(keys)):
            with memory_explained(), torch.no_grad(), pair.viewing(BASE) as model:
                for key, batch in zip(keys, run, strict=True):
                    if key not in found:
                        found[key] = _finite(logits_of(model, batch, pair), self.models.base.base)
                        self._kept.put(key, found[key])
        return {
            (piece.item, piece.example.start): part
            for key, batch in zip(keys, run, strict=True)
            for piece, part in zip(batch, _by_piece(found[key], batch), strict=True)
        }

    def _adapter_folder(self) -> Path:
        if self.models.ft.adapter is None:
            raise NotSupported("there is no adapter to inspect: models.ft.adapter is not set")
        return Path(self.models.ft.adapter)

    def _inspection(
        self, folder: Path, misfit: Fit | None, modules: tuple[ModuleUpdate, ...], pair: LoadedPair | None
    ) -> AdapterInspection:
        file = read_adapter(folder)
        fit = misfit or Fit(len(file.shapes))  # what was loaded fits
        return AdapterInspection(
            peft_type=file.peft_type,
            tensors=fit.tensors,
            matched=fit.matched,
            unexpected=(*fit.unexpected, *fit.replaced),
            missing=fit.missing,
            mismatched=fit.mismatched,
            modules=modules,
            declared_base=file.declared_base,
            declared_revision=file.config.revision,
            declared_digest=declared_digest(folder),
            base_digest=base_facts(base_folder(self.models.ft.base)).get("digest"),
            extra_saved=file.saved_in_full,
            tokenizer_tokens=len(pair.tokenizer) if pair else 0,
            embedding_rows=pair.embedding_rows if pair else 0,
        )


class _Sums:
    """Running sums over an item's scored positions, which may come in several pieces."""

    def __init__(self) -> None:
        self.positions = 0
        self.values = [0.0] * 7
        self.kl: dict[int, list[float]] = {}

    def add(self, found: Divergences, start: int) -> None:
        """Add what was found at the positions from ``start`` on."""
        self.positions += len(found.kl)
        self.kl[start] = found.kl.tolist()
        self.values = [total + float(column.sum()) for total, column in zip(self.values, found, strict=True)]

    def comparison(self, item: Item, per_position: bool) -> Comparison:
        """Means of the divergences; sums of the log-probabilities, which exist only for a reference."""
        kl, reverse_kl, js, tv, agree = (total / self.positions for total in self.values[:5])
        base_logprob, view_logprob = self.values[5:] if item.reference else (0.0, 0.0)
        each = tuple(one for start in sorted(self.kl) for one in self.kl[start]) if per_position else ()
        return Comparison(self.positions, kl, reverse_kl, js, tv, agree, base_logprob, view_logprob, each)


def _compared(base: torch.Tensor, view: torch.Tensor, batch: Batch) -> Iterator[tuple[Piece, Divergences]]:
    """Both sides' logits [K, V] of a batch, compared at once: an accelerator waits for few large jobs, not many."""
    targets = [token for piece in batch for token in piece.example.ids[piece.example.start :]]
    found = divergences(base, view, torch.tensor(targets, device=view.device))
    columns = [torch.split(column, [piece.scored for piece in batch]) for column in found]
    for piece, parts in zip(batch, zip(*columns, strict=True), strict=True):
        yield piece, Divergences(*parts)


def turns(item: Item) -> list[tuple[str, str]]:
    """The conversation that ends with the item's prompt."""
    first = [] if item.system is None else [("system", item.system)]
    return [*first, *item.before, ("user", item.prompt)]


def logits_of(model: Any, batch: Batch, pair: LoadedPair, tail: int = 0) -> torch.Tensor:
    """Logits [K, V] over the tokens that both sides have, where the sides are compared."""
    logits = batch_logits(model, batch, pair.renderer, model.device, tail)
    return logits[:, : pair.vocabulary].to(pair.device)


def rolled(model: Any, runs: Sequence[Encoded], pair: LoadedPair) -> TextLogprob:
    """How likely the model finds what each run scores, together."""
    total, tokens = 0.0, 0
    for run in runs:
        for batch in plan([run], Limits(len(run.ids), max(1, PASS_BYTES // (4 * pair.vocabulary)), 0)):
            targets = torch.tensor([*batch[0].example.ids[batch[0].example.start :]], device=pair.device)
            logits = logits_of(model, batch, pair)
            total += float(target_logprobs(logits, targets).sum())
            tokens += len(targets)
    return TextLogprob(tokens, total)


@contextmanager
def memory_explained() -> Iterator[None]:
    """Say what to do when a device has no room left."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise BackendError(
            f"the models do not fit into this device's memory ({error}); set models.ft.device: cpu, or dtype: bf16"
        ) from error


def _by_piece(logits: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, ...]:
    parts: tuple[torch.Tensor, ...] = torch.split(logits, [piece.scored for piece in batch])
    return parts


def _finite(logits: torch.Tensor, base: str) -> torch.Tensor:
    if not bool(torch.isfinite(logits).all()):
        raise BackendError(
            f"the base {base} itself gives values that are not finite, so nothing can be compared with it; try dtype: "
            "fp32, or fetch the base again"
        )
    return logits


def _named(dtype: torch.dtype) -> str:
    return loading.NAMES.get(dtype, str(dtype))


def _shown(prompt: str) -> str:
    return repr(prompt if len(prompt) <= 60 else prompt[:57] + "...")
