"""The updates that a view wears: those of the adapter, weaker or stronger ones, or random ones of the same size.

A random adapter is drawn as ``hf`` draws it, from the seed and the modules' names: a null of one backend is the null of
the other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlm_hf.drawing import draw, generator_of
from dlm_sway.errors import NotSupported

from .adapter_file import read_adapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dlm_sway.scoring.types import View

    from .adapter_file import Update

    Updates = Mapping[str, Update]


def updates_of(view: View, trained: Updates) -> Updates:
    """What ``view`` adds to the base, where ``trained`` is what the suite's adapter adds.

    Raises:
        Unusable: the adapter that the view names is more than updates of linear layers.
        NotSupported: no such view here.
    """
    if view.kind == "base":
        return {}
    if view.adapter:
        return read_adapter(Path(view.adapter).expanduser()).updates
    if view.kind == "ft":
        return trained
    if view.kind == "scaled":
        return _times(trained, view.scale)
    if any(update.magnitude is not None for update in trained.values()):
        raise NotSupported(f"the view {view.label} of a DoRA adapter is not made in MLX: write kind: hf for its nulls")
    if view.kind == "null":
        return _times(random(trained, view.seed), math.sqrt(view.rank))
    if view.kind == "shuffled":
        return _times(_elsewhere(trained, view.seed), math.sqrt(view.rank))
    raise NotSupported(f"the view {view.label} names no adapter folder")


def random(trained: Updates, seed: int) -> Updates:
    """Updates of the same singular values in random directions: inputs and outputs in another order, with random
    signs.

    Raises:
        NotSupported: an update is DoRA's.
    """
    if any(update.magnitude is not None for update in trained.values()):
        raise NotSupported("a random adapter of a DoRA adapter is not made in MLX: write kind: hf for its nulls")
    return {name: _turned(update, seed, name) for name, update in trained.items()}


def _turned(update: Update, seed: int, name: str) -> Update:
    generator = generator_of(seed, name)
    columns, column_signs = (tensor.numpy() for tensor in draw(update.down.shape[0], generator))
    rows, row_signs = (tensor.numpy() for tensor in draw(update.up.shape[1], generator))
    down = (update.down * column_signs[:, None].astype(np.float32))[columns]
    return update._replace(down=down, up=(update.up * row_signs.astype(np.float32))[:, rows])


def _elsewhere(trained: Updates, seed: int) -> Updates:
    """Each module's update at another module of its shape; one that is alone with its shape gets a random one."""
    import torch

    groups: dict[object, list[str]] = defaultdict(list)
    for name, update in trained.items():
        groups[update.down.shape, update.up.shape].append(name)
    found = {}
    for names in groups.values():
        if len(names) == 1:
            found[names[0]] = _turned(trained[names[0]], seed, names[0])
            continue
        order, generator = list(range(len(names))), generator_of(seed, "\n".join(["shuffled", *names]))
        for last in range(len(names) - 1, 0, -1):  # one cycle, so that nothing keeps its place (Sattolo 1986)
            other = int(torch.randint(0, last, (1,), generator=generator))
            order[last], order[other] = order[other], order[last]
        found |= {name: trained[names[source]] for name, source in zip(names, order, strict=True)}
    return {name: found[name] for name in trained}


def _times(updates: Updates, factor: float) -> Updates:
    if factor == 1.0:
        return updates
    return {name: update._replace(weight=update.weight * factor) for name, update in updates.items()}
