"""When memory does not suffice for a step, or for judging: the same again, with fewer rows a pass.

The gradients of a step are sums over its rows, so how many of them share a pass changes nothing but rounding and time.
What runs out once will run out again: the smaller number stays.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch

from dlm.errors import TrainingFailed

from .heap import trim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .encode import Example

SIGNS = (
    "DefaultCPUAllocator",
    "out of memory",
    "Cannot allocate memory",
    "bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "could not create a primitive",  # how oneDNN puts it, on processors
    "could not create a memory",
)
"""In the messages of errors that stand for too little memory and have no class of their own."""
T = TypeVar("T", covariant=True)
U = TypeVar("U")


class Attempt(Protocol[T]):
    """Something that works on examples, at most ``most`` of them in a pass."""

    def __call__(self, examples: Sequence[Example], most: int | None = None) -> T: ...


class Room:
    """How many rows share a pass.

    ``undo`` takes back what an attempt has done when it failed half-way; ``doing`` says when memory ran out.
    """

    def __init__(
        self,
        device: torch.device,
        say: Callable[[str], None],
        undo: Callable[[], None] = lambda: None,
        doing: str = "in a step",
    ) -> None:
        self._device, self._say, self._undo, self._doing = device, say, undo, doing
        self.most: int | None = None
        """Rows a pass; ``None`` while all fit."""

    def within(self, attempt: Attempt[T], examples: Sequence[Example]) -> T:
        """What ``attempt`` gives, with as many of ``examples`` a pass as there is memory for.

        Raises:
            TrainingFailed: there is too little for a single row.
        """
        while True:
            try:
                return attempt(examples, self.most)
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error):
                    raise
                shortage = str(error).strip().partition("\n")[0]
            # Only here, with the error gone, is nothing left that holds the pass in memory.
            self._undo()
            self._free()
            self._smaller(len(examples), shortage)

    def each(self, attempt: Callable[[list[Example]], U], examples: Sequence[Example]) -> list[U]:
        """What ``attempt`` gives of ``examples``, as many of them at once as there is memory for.

        Raises:
            TrainingFailed: there is too little for a single row.
        """
        return self.within(lambda some, most=None: [attempt(part) for part in in_passes(some, most)], examples)

    def begin_with(self, most: int) -> None:
        """Have ``most`` rows a pass from the start: a processor short of memory ends programs instead of raising."""
        self.most = most
        self._say(f"memory does not suffice for all rows of a step at once: {_rows(most)} a pass from the start")

    def _smaller(self, rows: int, shortage: str) -> None:
        before = min(rows, self.most or rows)
        if before <= 1:
            raise TrainingFailed(
                f"the memory does not suffice for a single row {self._doing} ({shortage}): lower "
                "training.sequence_len, write training.precision: bf16, or name a smaller base; `dlm doctor DOC` says "
                "what would be needed"
            )
        self.most = before // 2
        changed = f"going on with {_rows(self.most)} a pass; the result is the same up to rounding"
        self._say(f"out of memory {self._doing}: {changed}")

    def _free(self) -> None:
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        elif self._device.type == "mps":
            torch.mps.empty_cache()
        else:
            trim()


def ran_out(error: BaseException) -> bool:
    """Whether ``error`` says that there is too little memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def in_passes(examples: Sequence[Example], most: int | None) -> list[list[Example]]:
    """``examples`` in their order, at most ``most`` together."""
    size = most or max(1, len(examples))
    return [list(examples[at : at + size]) for at in range(0, len(examples), size)]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
