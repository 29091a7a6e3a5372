"""Stopping a run from outside: between two questions, since a question that a model works on cannot be taken back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dlm_sway import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dlm_sway import Item, View
    from dlm_sway.scoring.remembering import Identity
    from dlm_sway.scoring.types import AdapterInspection, Answer, Comparison, TextLogprob


class Stopped(BaseException):
    """A run that ends early. Not an ``Exception``: a probe must not turn it into a verdict."""


class Stop:
    """Says when a run has to end: after ``seconds``, or when somebody calls :meth:`now`."""

    def __init__(self, seconds: float) -> None:
        self.why = f"no answer within {seconds:g} seconds: ask for fewer probes or nulls"
        """For people."""
        self._until = time.monotonic() + seconds
        self._called = False

    def now(self, why: str) -> None:
        """End the run before its next question."""
        if self.left:
            self.why = why
        self._called = True

    @property
    def left(self) -> float:
        """Seconds that are left, 0 or more."""
        return 0.0 if self._called else max(0.0, self._until - time.monotonic())

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Stopped: the run has to end.
        """
        if not self.left:
            raise Stopped


class Stoppable(Backend):
    """Another backend, asked only while there is time. ``described`` is what that one said when it was loaded."""

    def __init__(self, inner: Backend, stop: Stop, described: dict[str, object]) -> None:
        super().__init__(inner.models, inner.defaults)
        self._inner, self._stop, self._described = inner, stop, described

    @property
    def _asked(self) -> Backend:
        self._stop.check()
        return self._inner

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """See :meth:`Backend.compare`."""
        return self._asked.compare(items, view, layout=layout, per_position=per_position)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """See :meth:`Backend.texts`."""
        return self._asked.texts(texts, view)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """See :meth:`Backend.generate`."""
        return self._asked.generate(prompts, view, max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`Backend.count_tokens`."""
        return self._asked.count_tokens(texts)

    def inspect(self) -> AdapterInspection:
        """See :meth:`Backend.inspect`."""
        return self._asked.inspect()

    def inspect_null(self, seed: int) -> AdapterInspection:
        """See :meth:`Backend.inspect_null`."""
        return self._asked.inspect_null(seed)

    def identity(self, digest: Callable[[Path], str]) -> Identity | None:
        """See :meth:`Backend.identity`."""
        return self._asked.identity(digest)

    def adapter_identity(self, folder: Path, digest: Callable[[Path], str]) -> str | None:
        """See :meth:`Backend.adapter_identity`."""
        return self._asked.adapter_identity(folder, digest)

    def describe(self) -> dict[str, object]:
        """What was loaded."""
        return self._described
