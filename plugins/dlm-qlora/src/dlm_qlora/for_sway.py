"""What sway is offered: the quantiser under which an adapter was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.entries import QuantiserEntry
from dlm_sway.hookspecs import hookimpl

from . import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_sway_quantisers() -> Iterator[QuantiserEntry]:
    yield QuantiserEntry(
        name="nf4",
        target="dlm_qlora.nf4:NF4",
        summary="Weights in 4 bits (NF4, double quantisation), with bitsandbytes.",
        libraries=LIBRARIES,
    )
