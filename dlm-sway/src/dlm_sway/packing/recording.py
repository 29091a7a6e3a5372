"""A memory of earlier runs that notes which answers of null adapters a run used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..scoring.remembering import Remembered, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..scoring.backend import Backend
    from ..scoring.types import View


class Recording(Remembered):
    """As :class:`Remembered`; :attr:`nulls` holds what a run needs to ask nothing of null adapters."""

    def __init__(self, backend: Backend, say: Callable[[str], None] = lambda _: None) -> None:
        self.nulls: dict[bytes, str] = {}
        super().__init__(backend, say)

    def get(self, operation: str, view: View, questions: Sequence[Any]) -> dict[Any, Any]:
        """See :meth:`Remembered.get`."""
        found = super().get(operation, view, questions)
        self._note(operation, view, found)
        return found

    def put(self, operation: str, view: View, answers: Mapping[Any, Any]) -> None:
        """See :meth:`Remembered.put`."""
        super().put(operation, view, answers)
        self._note(operation, view, answers)

    def _note(self, operation: str, view: View, answers: Mapping[Any, Any]) -> None:
        if not view.is_null:
            return
        for one, key in self._keys(operation, view, list(answers)).items():
            if (text := written(answers[one])) is not None:
                self.nulls[key] = text


def lines(nulls: Mapping[bytes, str]) -> bytes:
    """``nulls`` as JSON lines, in the order of their keys."""
    rows = (json.dumps({"key": key.hex(), "value": nulls[key]}, sort_keys=True) for key in sorted(nulls))
    return "".join(f"{row}\n" for row in rows).encode()


def parsed(text: bytes) -> dict[bytes, str]:
    """What :func:`lines` wrote.

    Raises:
        ValueError: it did not write this.
    """
    found = {}
    for number, line in enumerate(text.decode().splitlines(), start=1):
        row = json.loads(line)
        if (
            not isinstance(row, dict)
            or set(row) != {"key", "value"}
            or not all(isinstance(v, str) for v in row.values())
        ):
            raise ValueError(f"line {number} is not a key and a value")
        key = bytes.fromhex(row["key"])
        if len(key) != 32:
            raise ValueError(f"line {number}: the key is not a SHA-256")
        json.loads(row["value"])
        found[key] = row["value"]
    return found
