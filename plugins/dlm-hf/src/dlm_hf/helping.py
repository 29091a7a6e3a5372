"""What every process of a training but the first one does: its share of each step, as it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import torch
import torch.distributed as dist

from dlm.bases import LocalBase
from dlm.training.recipe import Preferring, Recipe

from .losses import Losses
from .meeting import add_up, broadcast, exchange, receive
from .preferring import losses_of
from .ranks import example
from .workbench import HfWorkbench


def serve() -> NoReturn:
    """Follow the first process for as long as it is there.

    Raises:
        Gone: it is not any more.
    """
    helper: Helper | None = None
    while True:
        order = receive()
        if order["do"] == "open":
            helper = helper or Helper(order)
            helper.begin(recipe_of(order["recipe"]), order["most"])
        elif helper is not None and order["do"] == "step":
            helper.help(order)
        elif helper is not None:
            helper.close()
            helper = None


class Helper(HfWorkbench):
    """The same base with an adapter of the same shape, whose weights come with each step."""

    def __init__(self, order: dict[str, Any]) -> None:
        base = LocalBase(**{**order["base"], "path": Path(order["base"]["path"])})
        super().__init__(base, recipe_of(order["recipe"]), order["system_prompt"])
        self._losses: Losses | None = None
        self._largest = 0

    def begin(self, recipe: Recipe, most: int | None) -> None:
        """Get ready for a phase with ``most`` rows a pass, where memory has no room for more."""
        self._room.most = most
        adapted = self._loaded() if self._parameters else self._open(recipe)
        self._losses = losses_of(recipe, adapted, ())

    def help(self, order: dict[str, Any]) -> None:
        """One step: weights come in, losses and gradients of a share go out."""
        assert self._losses is not None
        number = dist.get_rank()
        rows = [[example(one) for one in share] for share in order["rows"]]
        broadcast(self._master)
        self._write_back()
        self._losses.learn_of(rows[number], order["known"][number])
        self._suit(sum(one.tokens for one in rows[number]))
        if order["seed"] is not None:
            torch.manual_seed(order["seed"] + number)
        exchange(self._attempt(self._losses, rows[number], [one for share in rows for one in share])._asdict())
        add_up(self._gathered())

    def _suit(self, tokens: int) -> None:
        if tokens > self._largest:
            self._largest = tokens
            self._loaded().suit_steps(tokens)


def recipe_of(plain: dict[str, Any]) -> Recipe:
    """A recipe that went through JSON."""
    targets, preferring = plain["target_modules"], plain["preferring"]
    return Recipe(
        **{
            **plain,
            "betas": tuple(plain["betas"]),
            "target_modules": targets if isinstance(targets, str) else tuple(targets),
            "preferring": Preferring(**preferring) if preferring else None,
            "embedded": tuple(plain["embedded"]),
        }
    )
