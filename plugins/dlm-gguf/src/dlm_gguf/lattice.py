"""Whether a base's weights lie on the coarse grid of a format they once were published in.

Rounding that may choose its scales, as with an importance matrix, finds such a grid again: the base then costs nothing,
and what an adapter added, being smaller than a step of the grid, is rounded away. Rounding that may not choose has no
such pull.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .checkpoint import Weights

BLOCK: Final = 32
"""Weights that share a scale in the formats of 4 and 5 bits."""
FEW: Final = 24
"""Different values among them, on average, in weights that were never rounded so: nearly all are different. In 4 bits
there are 16 at most; 32 draws of 32 values, as in 5 bits, hit 20 of them."""
ROWS: Final = 16
TENSORS: Final = 4


def on_a_grid(weights: Weights) -> bool:
    """Whether most of a few linear layers have few values in each block."""
    import numpy as np

    shapes = weights.shapes
    names = [name for name in sorted(shapes) if name.endswith("_proj.weight") and shapes[name][-1] % BLOCK == 0]
    found = []
    for name in names[:: max(1, len(names) // TENSORS)][:TENSORS]:
        blocks = np.sort(np.asarray(weights.rows(name, 0, min(ROWS, shapes[name][0]))).reshape(-1, BLOCK), axis=1)
        found.append(1 + float((np.diff(blocks, axis=1) != 0).sum(1).mean()))
    return bool(found) and sorted(found)[len(found) // 2] < FEW
