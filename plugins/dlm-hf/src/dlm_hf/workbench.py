"""Train a LoRA adapter on one base: the loop, its losses, the best weights. The order of rows is the plan's."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Literal

import torch

from dlm.errors import TrainingFailed
from dlm.hardware.estimate import Measured
from dlm.hardware.machine import machine, room_of_process
from dlm.training.backend import ON_BENCH, BookGap, OwnAnswer, Workbench
from dlm.training.checkpoints import Checkpoints
from dlm.training.events import Evaluated, Outcome, StepLogged

from . import state
from .adapted import Adapted
from .embeddings import Resting
from .encode import Example, encode, token_scope
from .heap import give_back_at_once
from .held_out import Best, Judged, value_log_prob
from .memory import Watch, fullest_step, rows_that_fit
from .model import NAMES, declared_context, pick_device, pick_dtype, quiet_libraries
from .opened import open_model, open_renderer
from .own_answers import own_answers, scope
from .preferring import losses_of
from .ranks import team
from .room import Room
from .vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dlm.bases import LocalBase
    from dlm.corpus.records import Message, Record
    from dlm.store.tokens import TokenCache
    from dlm.training.plan import Plan, Row
    from dlm.training.recipe import Recipe
    from dlm.training.vocabulary import Vocabulary

    from .losses import Losses, StepLoss


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
        self._default_renderer = self.renderer if system_prompt is None else open_renderer(base, None)
        self._encoded: list[list[Example]] = []
        self._scope: str | None = None
        self._adapted: Adapted | None = None
        self._master = torch.empty(0)
        self._names: list[str] = []
        self._parameters: list[torch.nn.Parameter] = []
        self._resting = Resting()
        self._team = team()
        if room_of_process() is not None:
            give_back_at_once()
        self._room = Room(self.device, lambda line: self.say(line), self._forget_gradients)

    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        examples, rows = self._examples(records, cache)
        self._encoded.append(examples)
        return rows

    def _examples(self, records: Sequence[Record], cache: TokenCache | None) -> tuple[list[Example], list[Row]]:
        lengths = self.recipe.sequence_len, self.recipe.window_overlap
        if self._scope is None and cache is not None:
            self._scope = token_scope(self.base.path, self.renderer, *lengths)
        examples, rows = encode(records, self.renderer, *lengths, cache, self._scope or "")
        self._check_teachers(examples, [records[row.record] for row in rows])
        return examples, rows

    def _check_teachers(self, examples: Sequence[Example], records: Sequence[Record]) -> None:
        """The adapter's rows are as short as ``sequence_len``; a teacher's may be as long as the base can read."""
        taught = [
            (example.teacher, record) for example, record in zip(examples, records, strict=True) if example.teacher
        ]
        limit = declared_context(self.base.path) if taught else None
        for teacher, record in taught:
            if limit is not None and len(teacher.ids) > limit:
                raise TrainingFailed(
                    f"section {record.section_id}: the question {record.messages[-2].content[:60]!r} takes "
                    f"{len(teacher.ids)} tokens with the text its teacher reads, more than the {limit} that "
                    f"{self.base.key} can hold: split the section, or train it without `distill`"
                )

    def vocabulary(self, texts: Iterable[str]) -> Vocabulary:
        return vocabulary(texts, self.renderer)

    @property
    def answers_scope(self) -> str:
        return scope(self.base, self._default_renderer, self.dtype, self.device)

    def own_answers(self, conversations: Sequence[Sequence[Message]]) -> Iterator[list[OwnAnswer]]:
        adapted = self._loaded()
        with adapted.off():
            together = adapted.shares_passes
            yield from own_answers(adapted.model, self._default_renderer, conversations, self.device, together=together)

    def open_book_gap(self, records: Sequence[Record]) -> BookGap:
        closed, _ = self._examples([replace(record, objective="distill") for record in records], None)
        opened = [replace(example, encoded=example.teacher) for example in closed if example.teacher is not None]
        adapted = self._loaded()
        with adapted.off():
            return BookGap(value_log_prob(adapted, closed), value_log_prob(adapted, opened))

    def train(
        self,
        plan: Plan,
        on_step: Callable[[StepLogged], None],
        on_evaluation: Callable[[Evaluated], None],
        revise: Callable[[Plan, int, Evaluated], Plan] | None = None,
        start: Path | Literal["on bench"] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Outcome:
        checkpoints = checkpoints or Checkpoints()
        train, held_out = (self._encoded[call] for call in plan.encodings)
        recipe = plan.recipe
        adapted = self._on_bench() if start == ON_BENCH else self._open(recipe, start)
        self._suit_memory(adapted, plan)
        self._team.open(self, recipe)
        losses = losses_of(recipe, adapted, (*train, *held_out))
        optimiser = self._optimiser(recipe)
        shape = self._shape()
        if checkpoints.folder is not None:
            best = Best(None)
            summing = self._summing()
            at = state.read(checkpoints.folder, shape, best, self._master, optimiser, losses, summing, self.say)
            self._room.most = min((most for most in (at.rows_a_pass, self._room.most) if most), default=None)
            self._write_back()
        else:
            losses.begin()
            best, at = Best(losses.judge(held_out)), state.Counts()
            if best.before is not None:
                on_evaluation(_evaluated(0, best.before, best=True))
        started = time.perf_counter() - at.seconds
        number, tokens, loss, anchor_kl = at.step, at.tokens, at.loss, at.anchor_kl
        non_finite: tuple[str, ...] = ()
        while number < len(plan.steps):
            examples = [train[row] for row in plan.steps[number]]
            number += 1
            learning_rate = plan.learning_rate(number - 1)
            self._resting.begin(number - 1, recipe, adapted)
            loss, anchor_kl, grad_norm = self._step(losses, examples, optimiser, learning_rate, recipe.max_grad_norm)
            tokens += sum(example.tokens for example in examples)
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
            due = number % plan.evaluate_every == 0 or number == len(plan.steps)
            if due:
                found = losses.judge(held_out)
                if found is not None:
                    event = _evaluated(number, found, best=best.offer(number, found, self._master))
                    on_evaluation(event)
                    if revise is not None and number < len(plan.steps):
                        plan = revise(plan, number, event)
                        adapted.suit_steps(self._longest(plan))
            at = state.Counts(number, tokens, loss, anchor_kl, time.perf_counter() - started, self._room.most)
            write = partial(
                state.write,
                shape=shape,
                counts=at,
                best=best,
                master=self._master,
                optimiser=optimiser,
                losses=losses.state(),
                summing=self._summing(),
            )
            checkpoints.stepped(plan, number, write, evaluated=due)
        if not non_finite:
            best.restore(self._master)
            non_finite = self._non_finite()
        return Outcome(
            steps=len(plan.steps),
            best_step=best.step if best.before is not None else len(plan.steps),
            held_out_before=best.before.loss if best.before is not None else None,
            held_out_best=best.found.loss if best.found is not None else None,
            final_loss=loss,
            anchor_kl=anchor_kl,
            tokens=tokens,
            seconds=time.perf_counter() - started,
            precision=NAMES[self.dtype],
            device=str(self.device),
            processes=self._team.size,
            non_finite=non_finite,
            held_out_recall_before=best.before.recall if best.before is not None else None,
            held_out_recall=best.found.recall if best.found is not None else None,
            accuracy_before=best.before.accuracy if best.before is not None else None,
            accuracy=best.found.accuracy if best.found is not None else None,
            margin_before=best.before.margin if best.before is not None else None,
            margin=best.found.margin if best.found is not None else None,
            held_out_prose_loss_before=best.before.prose if best.before is not None else None,
            held_out_prose_loss=best.found.prose if best.found is not None else None,
            held_out_answer_loss_before=best.before.answers if best.before is not None else None,
            held_out_answer_loss=best.found.answers if best.found is not None else None,
        )

    def measure(self, plan: Plan) -> Measured:
        precision = NAMES[self.dtype]
        rows = fullest_step(self.base.path, plan, precision, self.device.type)
        examples = [self._encoded[plan.encodings[0]][row] for row in rows]
        watch = Watch(self.device)
        adapted = self._open(plan.recipe)
        adapted.suit_steps(self._longest(plan))
        losses = losses_of(plan.recipe, adapted, examples)
        losses.begin()
        optimiser = self._optimiser(plan.recipe)
        seconds = 0.0
        for _ in range(2):  # the optimiser's state is made by the first step, and counts from the second
            started = time.perf_counter()
            self._step(losses, examples, optimiser, 0.0, plan.recipe.max_grad_norm)
            seconds = time.perf_counter() - started
        return Measured(watch.peak(), watch.what, seconds)

    def save(self, folder: Path) -> None:
        for parameter, master in zip(self._parameters, self._views(self._master), strict=True):
            parameter.data = master.detach().clone()
        model = self._loaded().model
        config = model.peft_config["default"]
        config.base_model_name_or_path = self.base.key
        config.revision = self.base.revision
        with quiet_libraries():
            model.save_pretrained(folder, save_embedding_layers=False)
            self.renderer.tokenizer.save_pretrained(folder)
        # The library's model card names the folder the base was loaded from: somebody's disk.
        (folder / "README.md").unlink(missing_ok=True)

    def close(self) -> None:
        """Free the model."""
        self._team.close()
        self.rest()

    def rest(self) -> None:
        self._adapted, self._master = None, torch.empty(0)
        self._parameters = []
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _loaded(self) -> Adapted:
        """The base, loaded once."""
        if self._adapted is None:
            model = open_model(self.base, self.dtype, self.device)
            self._adapted = Adapted(model, self.renderer, self.device, lambda line: self.say(line))
        return self._adapted

    def _open(self, recipe: Recipe, start: Path | None = None) -> Adapted:
        """Put an adapter on the base: a fresh one, the same for the same seed, or one with the weights in ``start``."""
        adapted = self._loaded()
        trained = adapted.put_on(recipe)
        self._names, self._parameters = [name for name, _ in trained], [parameter for _, parameter in trained]
        self._resting = Resting(self._names, self._parameters)
        found = self._parameters if start is None else adapted.saved(start, self._names)
        self._master = torch.cat([weights.detach().float().flatten() for weights in found]).to(self.device)
        self._write_back()
        self._master.grad = torch.zeros_like(self._master)
        adapted.model.train()
        return adapted

    def _optimiser(self, recipe: Recipe) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            [self._master],
            lr=recipe.learning_rate,
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )

    def _suit_memory(self, adapted: Adapted, plan: Plan) -> None:
        """Take the attention that suits the steps and, on a processor, which would end the program, no more rows a pass
        than there is memory for."""
        adapted.suit_steps(self._longest(plan))
        free = machine().memory_free if self.device.type == "cpu" else None
        if free is not None and (rows := rows_that_fit(self.base.path, plan, NAMES[self.dtype], free, self._team.size)):
            self._room.begin_with(rows)

    def _summing(self) -> state.Summing:
        return state.Summing(torch.get_num_threads(), self._team.size)

    def _shape(self) -> state.Shape:
        """What a checkpoint must share with this run."""
        sizes = tuple(parameter.numel() for parameter in self._parameters)
        return state.Shape(NAMES[self.dtype], self.device.type, tuple(self._names), self._master.numel(), sizes)

    def _on_bench(self) -> Adapted:
        """The adapter that the phase before left, its best weights in place."""
        self._write_back()
        assert self._master.grad is not None
        self._master.grad.zero_()
        return self._loaded()

    def _longest(self, plan: Plan) -> int:
        train = self._encoded[plan.encodings[0]]
        return max((sum(train[row].tokens for row in rows) for rows in plan.steps), default=0)

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """``flat``, laid out like the adapter's parameters."""
        pieces = torch.split(flat, [parameter.numel() for parameter in self._parameters])
        return [piece.view_as(parameter) for piece, parameter in zip(pieces, self._parameters, strict=True)]

    def _step(
        self,
        losses: Losses,
        examples: Sequence[Example],
        optimiser: torch.optim.Optimizer,
        learning_rate: float,
        max_norm: float,
    ) -> tuple[float | None, float | None, float]:
        """One optimiser step; mean answer loss, mean anchor divergence, gradient norm."""
        loss, divergence = self._team.step(self._attempt, losses, examples, self._master)
        self._team.total(self._gathered())
        assert self._master.grad is not None
        self._resting.forget(self._master.grad)
        norm = torch.nn.utils.clip_grad_norm_([self._master], max_norm)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        with self._resting.held(self._master):
            optimiser.step()
        self._write_back()
        return loss, divergence, float(norm)

    @property
    def rows_a_pass(self) -> int | None:
        """As many as there was memory for; ``None`` for all of a step."""
        return self._room.most

    def _attempt(self, losses: Losses, share: Sequence[Example], whole: Sequence[Example]) -> StepLoss:
        return self._room.within(partial(losses.backpropagate, whole=whole), share)

    def _gathered(self) -> torch.Tensor:
        """The gradients of all parameters, in the master's own; the parameters' are let go."""
        gradient = self._master.grad
        assert gradient is not None
        for parameter, view in zip(self._parameters, self._views(gradient), strict=True):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
            parameter.grad = None
        return gradient

    def _forget_gradients(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def _write_back(self) -> None:
        """The fp32 weights into the model's own, in its precision."""
        for parameter, view in zip(self._parameters, self._views(self._master), strict=True):
            parameter.copy_(view)

    def _non_finite(self) -> tuple[str, ...]:
        views = self._views(self._master)
        return tuple(n for n, view in zip(self._names, views, strict=True) if not bool(torch.isfinite(view).all()))


def _evaluated(step: int, found: Judged, *, best: bool) -> Evaluated:
    return Evaluated(
        step,
        found.loss,
        best=best,
        held_out_recall=found.recall,
        wrong=found.wrong,
        accuracy=found.accuracy,
        margin=found.margin,
        held_out_prose_loss=found.prose,
        held_out_answer_loss=found.answers,
    )
