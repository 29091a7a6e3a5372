"""Train a LoRA adapter on one base: the loop, its losses, the best weights. The order of rows is the plan's."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from dlm.errors import TrainingFailed
from dlm.training.backend import Workbench
from dlm.training.events import Evaluated, Outcome, StepLogged

from .encode import Example, encode, token_scope
from .model import NAMES, pick_device, pick_dtype, quiet_libraries
from .opened import open_model, open_renderer
from .packing import Packed, forward_packed, pack, packs_exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Record
    from dlm.store.tokens import TokenCache
    from dlm.training.plan import Plan, Row
    from dlm.training.recipe import Recipe

EVALUATION_TOKENS = 1024
"""Held-out examples are scored this many tokens at a time."""
EAGER_TOKENS = 768
"""Attention over steps up to this long is faster as plain products than as a fused kernel, on CPU and GPU alike; its
memory grows with the square of the length."""


class HfWorkbench(Workbench):
    """One base, one adapter.

    The base's weights and the adapter's products are in ``precision``; the adapter's own weights, their gradients' sums
    and the optimiser's state are fp32, since steps of 1e-3 vanish in bf16.
    """

    def __init__(self, base: LocalBase, recipe: Recipe, system_prompt: str | None) -> None:
        self.base, self.recipe = base, recipe
        self.device = pick_device(recipe.device)
        self.dtype = pick_dtype(recipe.precision, self.device, scoring=False)
        if self.dtype == torch.float16:
            raise TrainingFailed(
                "training in fp16 needs loss scaling, which this backend does not do: use bf16 or fp32"
            )
        self.renderer = open_renderer(base, system_prompt)
        self._encoded: list[list[Example]] = []
        self._scope: str | None = None
        self._model: Any = None
        self._master = torch.empty(0)
        self._names: list[str] = []
        self._parameters: list[torch.nn.Parameter] = []
        self._layers: list[Any] = []
        self._prefix: list[int] | None = None
        self._window: float = inf

    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        lengths = self.recipe.sequence_len, self.recipe.window_overlap
        if self._scope is None and cache is not None:
            self._scope = token_scope(self.base.path, self.renderer, *lengths)
        examples, rows = encode(records, self.renderer, *lengths, cache, self._scope or "")
        self._encoded.append(examples)
        return rows

    def train(
        self,
        plan: Plan,
        on_step: Callable[[StepLogged], None],
        on_evaluation: Callable[[Evaluated], None],
    ) -> Outcome:
        train, held_out = self._encoded[0], self._encoded[1]
        self._open(longest=max((sum(len(train[row].encoded.ids) for row in rows) for rows in plan.steps), default=0))
        optimiser = torch.optim.AdamW(
            [self._master],
            lr=plan.recipe.learning_rate,
            betas=plan.recipe.betas,
            weight_decay=plan.recipe.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )
        started = time.perf_counter()
        best = _Best(self.held_out_loss(held_out))
        if best.before is not None:
            on_evaluation(Evaluated(0, best.before, best=True))
        tokens, loss, anchor_kl = 0, None, None
        non_finite: tuple[str, ...] = ()
        for number, rows in enumerate(plan.steps, start=1):
            examples = [train[row] for row in rows]
            learning_rate = plan.learning_rate(number - 1)
            loss, anchor_kl, grad_norm = self._step(examples, optimiser, learning_rate)
            tokens += sum(len(example.encoded.ids) for example in examples)
            elapsed = time.perf_counter() - started
            finite = all(value is None or isfinite(value) for value in (loss, anchor_kl, grad_norm))
            on_step(
                StepLogged(
                    step=number,
                    steps=len(plan.steps),
                    loss=loss,
                    anchor_kl=anchor_kl,
                    lr=learning_rate,
                    grad_norm=grad_norm,
                    tokens=tokens,
                    tokens_per_sec=tokens / elapsed,
                    elapsed_seconds=elapsed,
                )
            )
            if not finite:
                non_finite = (f"loss at step {number}",)
                break
            if number % plan.evaluate_every == 0 or number == len(plan.steps):
                score = self.held_out_loss(held_out)
                if score is not None:
                    on_evaluation(Evaluated(number, score, best=best.offer(number, score, self._master)))
        if not non_finite:
            best.restore(self._master)
            non_finite = self._non_finite()
        return Outcome(
            steps=len(plan.steps),
            best_step=best.step if best.before is not None else len(plan.steps),
            held_out_before=best.before,
            held_out_best=best.score,
            final_loss=loss,
            anchor_kl=anchor_kl,
            tokens=tokens,
            seconds=time.perf_counter() - started,
            precision=NAMES[self.dtype],
            device=str(self.device),
            non_finite=non_finite,
        )

    def save(self, folder: Path) -> None:
        for parameter, master in zip(self._parameters, self._views(self._master), strict=True):
            parameter.data = master.detach().clone()
        config = self._model.peft_config["default"]
        config.base_model_name_or_path = self.base.key
        config.revision = self.base.revision
        with quiet_libraries():
            self._model.save_pretrained(folder, save_embedding_layers=False)
            self.renderer.tokenizer.save_pretrained(folder)
        # The library's model card names the folder the base was loaded from: somebody's disk.
        (folder / "README.md").unlink(missing_ok=True)

    def close(self) -> None:
        """Free the model."""
        self._model, self._master = None, torch.empty(0)
        self._parameters, self._layers = [], []
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.no_grad()
    def held_out_loss(self, examples: Sequence[Example]) -> float | None:
        """Mean nats per answer token over ``examples``; ``None`` when there are none."""
        if not examples:
            return None
        self._model.eval()
        total = 0.0
        for chunk in _chunks(examples, EVALUATION_TOKENS):
            for group in self._groups(chunk):
                packed = self._pack(group)
                logits = forward_packed(self._model, packed).float()
                total += float(F.cross_entropy(logits, packed.targets, reduction="sum"))
        self._model.train()
        return total / sum(_scored(example) for example in examples)

    def _open(self, longest: int = 0) -> None:
        """Load the base and put a fresh adapter on it, the same for the same seed.

        ``longest`` is the number of tokens in the longest step.
        """
        from peft import LoraConfig, get_peft_model
        from peft.tuners.tuners_utils import BaseTunerLayer

        recipe = self.recipe
        model = open_model(self.base, self.dtype, self.device)
        if longest <= EAGER_TOKENS:
            model.set_attn_implementation("eager")
        self._window = getattr(model.config.get_text_config(), "sliding_window", None) or inf
        self._prefix = self.renderer.shared_prefix if packs_exactly(model, self.renderer) else None
        targets = recipe.target_modules if isinstance(recipe.target_modules, str) else list(recipe.target_modules)
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,  # type: ignore[arg-type]
            lora_dropout=recipe.dropout,
            target_modules=targets,
            bias="none",
            task_type="CAUSAL_LM",
        )
        torch.manual_seed(recipe.seed)
        try:
            with quiet_libraries():
                self._model = get_peft_model(model, config, autocast_adapter_dtype=False)
        except ValueError as error:
            raise TrainingFailed(f"training.target_modules: {error}") from error
        trained = [(name, parameter) for name, parameter in self._model.named_parameters() if parameter.requires_grad]
        self._names, self._parameters = [name for name, _ in trained], [parameter for _, parameter in trained]
        self._layers = [module for module in self._model.modules() if isinstance(module, BaseTunerLayer)]
        self._master = torch.cat([parameter.detach().float().flatten() for parameter in self._parameters])
        self._master.grad = torch.zeros_like(self._master)
        self._model.train()

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """``flat``, laid out like the adapter's parameters."""
        pieces = torch.split(flat, [parameter.numel() for parameter in self._parameters])
        return [piece.view_as(parameter) for piece, parameter in zip(pieces, self._parameters, strict=True)]

    def _step(
        self, examples: Sequence[Example], optimiser: torch.optim.Optimizer, learning_rate: float
    ) -> tuple[float | None, float | None, float]:
        """One optimiser step; mean answer loss, mean anchor divergence, gradient norm."""
        loss, divergence = self._backpropagate(examples)
        gradient = self._master.grad
        assert gradient is not None
        for parameter, view in zip(self._parameters, self._views(gradient), strict=True):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
            parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_([self._master], self.recipe.max_grad_norm)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        optimiser.step()
        with torch.no_grad():
            for parameter, view in zip(self._parameters, self._views(self._master), strict=True):
                parameter.copy_(view)
        return loss, divergence, float(norm)

    def _backpropagate(self, examples: Sequence[Example]) -> tuple[float | None, float | None]:
        """Gradients of the mean cross-entropy of learned tokens plus the mean KL(base || adapter) of anchored ones.

        The divergence is exact over the vocabulary. Both kinds share one pass through the adapted model.
        """
        learned = sum(_scored(example) for example in examples if not example.anchor)
        anchored = sum(_scored(example) for example in examples if example.anchor)
        cross_entropy = divergence = 0.0
        for group in self._groups(sorted(examples, key=lambda example: example.anchor)):
            anchors = [example for example in group if example.anchor]
            wanted = self._base_log_probs(anchors) if anchors else None
            packed = self._pack(group)
            logits = forward_packed(self._model, packed).float()
            split = sum(_scored(example) for example in group if not example.anchor)
            loss = F.cross_entropy(logits[:split], packed.targets[:split], reduction="sum") / max(1, learned)
            cross_entropy += float(loss.detach())
            if wanted is not None:
                got = logits[split:].log_softmax(-1)
                kl = F.kl_div(got, wanted, log_target=True, reduction="sum") / anchored
                divergence += float(kl.detach())
                loss = loss + self.recipe.anchor_weight * kl
            loss.backward()  # type: ignore[no-untyped-call]
        return cross_entropy if learned else None, divergence if anchored else None

    @torch.no_grad()
    def _base_log_probs(self, examples: Sequence[Example]) -> torch.Tensor:
        """What the untouched base gives at the examples' scored positions, [K, V]."""
        with self._adapter_off():
            return forward_packed(self._model, self._pack(examples)).float().log_softmax(-1)

    @contextmanager
    def _adapter_off(self) -> Iterator[None]:
        """The untouched base. The library's own switch searches the whole model each time, which costs a tenth of a
        step."""
        for layer in self._layers:
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in self._layers:
                layer.enable_adapters(True)

    def _groups(self, examples: Sequence[Example]) -> list[list[Example]]:
        """Examples that share a forward pass: all of them, but those that packing would show another context."""
        longest = 0 if self._prefix is None else self._window
        together = [example for example in examples if len(example.encoded.ids) <= longest]
        alone = [[example] for example in examples if len(example.encoded.ids) > longest]
        return [together, *alone] if together else alone

    def _pack(self, examples: Sequence[Example]) -> Packed:
        return pack([example.encoded for example in examples], self._prefix or [], self.device)

    def _non_finite(self) -> tuple[str, ...]:
        views = self._views(self._master)
        return tuple(n for n, view in zip(self._names, views, strict=True) if not bool(torch.isfinite(view).all()))


class _Best:
    """The weights with the lowest held-out loss so far; the untouched base does not count as a result."""

    def __init__(self, before: float | None) -> None:
        self.before = before
        self.score: float | None = None
        self.step = 0
        self._kept: torch.Tensor | None = None

    def offer(self, step: int, score: float, master: torch.Tensor) -> bool:
        """Keep a copy if ``score`` is the lowest; whether it is."""
        if not isfinite(score) or (self.score is not None and score >= self.score):
            return False
        self.score, self.step = score, step
        self._kept = master.detach().clone()
        return True

    def restore(self, master: torch.Tensor) -> None:
        """Put the kept weights back in place."""
        if self._kept is not None:
            with torch.no_grad():
                master.copy_(self._kept)


def _chunks(examples: Sequence[Example], tokens: int) -> list[list[Example]]:
    chunks: list[list[Example]] = [[]]
    size = 0
    for example in examples:
        if chunks[-1] and size + len(example.encoded.ids) > tokens:
            chunks.append([])
            size = 0
        chunks[-1].append(example)
        size += len(example.encoded.ids)
    return chunks


def _scored(example: Example) -> int:
    return len(example.encoded.ids) - example.encoded.start
