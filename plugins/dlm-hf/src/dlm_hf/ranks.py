"""A step shared by several processes: each takes some of its rows, and the gradients are summed.

The first process trains as if it were alone: it has the document, the store, the optimiser and the best weights. With
each step it sends the weights and the rows, and gets back gradients; the others keep nothing. So all of them have the
same weights without ever comparing them, and a run that was stopped may go on in another number of processes.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.distributed as dist

from dlm.errors import TrainingFailed
from dlm.training.ranks import processes, word

from .encode import Example
from .losses import StepLoss
from .meeting import Gone, add_up, broadcast, exchange, send
from .render import Encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dlm.training.recipe import Recipe

    from .losses import Losses
    from .workbench import HfWorkbench

WORD = 2.0
"""Seconds that are waited for the reason why a process is gone."""


class Attempt(Protocol):
    """Backpropagates ``share``, some of the rows of a step whose means are over ``whole``."""

    def __call__(self, losses: Losses, share: Sequence[Example], whole: Sequence[Example]) -> StepLoss: ...


class Alone:
    """One process has the whole step."""

    size = 1

    def open(self, bench: HfWorkbench, recipe: Recipe) -> None:
        """A phase with ``recipe`` begins on ``bench``."""

    def step(self, attempt: Attempt, losses: Losses, whole: Sequence[Example], master: torch.Tensor) -> StepLoss:
        """Backpropagate a step under the weights ``master``; its losses."""
        return attempt(losses, whole, whole)

    def total(self, gradient: torch.Tensor) -> None:
        """Add what the others have."""

    def close(self) -> None:
        """The bench is left."""


class Leader(Alone):
    """The first of several processes."""

    def __init__(self) -> None:
        self.size = dist.get_world_size()
        self._in_step = self._drops = self._opened = False

    def open(self, bench: HfWorkbench, recipe: Recipe) -> None:
        self._drops = recipe.dropout > 0
        if (idle := self.size - recipe.batch_rows) > 0:
            bench.say(
                f"a step has {recipe.batch_rows} rows, so {idle} of the {self.size} processes have nothing to do: "
                "start fewer, or write a larger training.micro_batch_size"
            )
        self._opened = True
        base = {**asdict(bench.base), "path": str(bench.base.path)}
        prompt = bench.renderer.system_prompt
        self._tell(do="open", base=base, recipe=asdict(recipe), system_prompt=prompt, most=bench.rows_a_pass)

    def step(self, attempt: Attempt, losses: Losses, whole: Sequence[Example], master: torch.Tensor) -> StepLoss:
        shares = shared_out(whole, self.size)
        known = [losses.known(share) for share in shares]
        rows = [[plain(one) for one in share] for share in shares]
        # Drawn here, so that a run that goes on has the others drop what they would have dropped.
        seed = int(torch.randint(2**62, ())) if self._drops else None
        self._tell(do="step", rows=rows, known=known, seed=seed, weights=master.numel())
        # Who fails, or is stopped, in here leaves the others waiting for something else than an order.
        self._in_step = True
        with self._together():
            broadcast(master)
        own = attempt(losses, shares[0], whole)
        with self._together():
            found = exchange(own._asdict())
        self._in_step = False
        return StepLoss(*(_sum(one[name] for one in found) for name in StepLoss._fields))

    def total(self, gradient: torch.Tensor) -> None:
        with self._together():
            add_up(gradient)

    def close(self) -> None:
        # A bench that never trained has told nobody anything.
        if self._opened:
            self._tell(do="close")

    def _tell(self, **order: Any) -> None:
        if not self._in_step:
            with self._together():
                send(order)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """What all take part in.

        Raises:
            TrainingFailed: one of them is gone; says which, and how.
        """
        try:
            yield
        except Gone as problem:
            self._in_step = True
            until = time.monotonic() + WORD
            while (died := word("died")) is None and time.monotonic() < until:
                time.sleep(0.05)
            gone = f"one of the {self.size} processes is gone: {problem}"
            raise TrainingFailed(died["why"] if died else gone) from problem


def team() -> Alone:
    """Who shares the steps of this process."""
    return Leader() if processes() > 1 and dist.is_initialized() and dist.get_rank() == 0 else Alone()


def shared_out(whole: Sequence[Example], size: int) -> list[list[Example]]:
    """``whole`` in ``size`` shares of about as many tokens each, the same for the same rows."""
    shares: list[list[Example]] = [[] for _ in range(size)]
    tokens = [0] * size
    for example in sorted(whole, key=lambda one: -one.tokens):
        least = tokens.index(min(tokens))
        shares[least].append(example)
        tokens[least] += example.tokens
    return shares


def plain(example: Example) -> dict[str, Any]:
    """``example`` as JSON, without what only judging needs."""
    return {
        "anchor": example.anchor,
        **{name: _plain(getattr(example, name)) for name in ("encoded", "teacher", "rejected")},
    }


def example(found: dict[str, Any]) -> Example:
    """The other way round."""
    encoded = _encoded(found["encoded"])
    assert encoded is not None
    return Example(encoded, found["anchor"], teacher=_encoded(found["teacher"]), rejected=_encoded(found["rejected"]))


def _plain(encoded: Encoded | None) -> list[Any] | None:
    return None if encoded is None else [encoded.start, list(encoded.ids)]


def _encoded(found: list[Any] | None) -> Encoded | None:
    return None if found is None else Encoded(tuple(found[1]), found[0])


def _sum(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) if found else None
