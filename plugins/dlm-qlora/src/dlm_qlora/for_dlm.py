"""What dlm is offered: a quantiser, and the reasons why it may not be used here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import AcceleratorEntry, QuantiserEntry
from dlm.hookspecs import hookimpl

from . import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

BITS = 4.13
"""Four of the value; of each 64 weights a scale in 8 bits, and of each 256 of those one in 32."""


@hookimpl
def dlm_quantisers() -> Iterator[QuantiserEntry]:
    yield QuantiserEntry(
        name="nf4",
        target="dlm_qlora.nf4:NF4",
        summary="Weights in 4 bits (NF4, double quantisation), with bitsandbytes.",
        libraries=LIBRARIES,
        bits=BITS,
    )


@hookimpl
def dlm_accelerators() -> Iterator[AcceleratorEntry]:
    yield AcceleratorEntry(
        name="qlora",
        target="dlm_qlora.refusing:QLORA",
        summary="Where `adapter: qlora` can run.",
    )
