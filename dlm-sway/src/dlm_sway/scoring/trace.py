"""A line of JSON for every question a run asked of its model, for finding out where the time went."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import SwayError
from .types import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from .types import View


class Trace:
    """Writes events; each has the keys ``ts`` (unix seconds), ``run``, ``probe``, ``view_id``, ``prompt_hash``,
    ``top_k`` (always 0: nothing is truncated), ``op``, ``wall_ms`` and ``hit``.

    What was asked together took its time together: every question gets an equal share of it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._run = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:12]

    def write(
        self, probe: str | None, operation: str, view: View, asked: Sequence[Any], new: set[Any], seconds: float
    ) -> None:
        """One event a question of ``asked``; those in ``new`` were put to the backend, which took ``seconds``."""
        now = time.time()
        for one in asked:
            hit = one not in new
            event = {
                "ts": now,
                "run": self._run,
                "probe": probe,
                "view_id": view.label,
                "prompt_hash": hashlib.sha1(_text(one).encode(), usedforsecurity=False).hexdigest()[:12],
                "top_k": 0,
                "op": _operation(operation, one),
                "wall_ms": 0.0 if hit else round(1000 * seconds / len(new), 3),
                "hit": hit,
            }
            self._file.write(json.dumps(event) + "\n")


@contextmanager
def tracing(path: Path | None) -> Iterator[Trace | None]:
    """A trace that appends to ``path``; none without one.

    Raises:
        SwayError: the file cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise SwayError(f"{path}: the trace cannot be written: {error.strerror}: name another file") from error
    with file:
        yield Trace(file)


def _operation(operation: str, question: Any) -> str:
    """As earlier versions named it."""
    if operation == "texts":
        return "rolling_logprob"
    if operation.startswith("generate"):
        return "generate"
    return "logprob_of" if isinstance(question, Item) and question.reference else "next_token_dist"


def _text(question: Any) -> str:
    if not isinstance(question, Item):
        return str(question)
    return f"{question.prompt}\0{question.reference}" if question.reference else question.prompt
