"""What dlm is offered: the trackers named ``tensorboard`` and ``wandb``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import TrackerEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_trackers() -> Iterator[TrackerEntry]:
    yield TrackerEntry(
        name="tensorboard", target="dlm_track.board:TensorBoard", summary="Event files for TensorBoard, in the store."
    )
    yield TrackerEntry(
        name="wandb",
        target="dlm_track.wandb_run:WeightsAndBiases",
        summary="A run for Weights & Biases; on this disk only, until you ask for more.",
    )
