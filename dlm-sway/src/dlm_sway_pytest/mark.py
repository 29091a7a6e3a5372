"""What ``@pytest.mark.sway(…)`` asks for, checked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

EXAMPLE = '@pytest.mark.sway(spec="sway.yaml", threshold=0.6)'
KEYS = ("spec", "threshold", "weights")


class BadMark(Exception):
    """A mark that cannot be followed; the message says how to write it."""


@dataclass(frozen=True)
class Wish:
    """One mark."""

    spec: Path
    threshold: float | None = None
    """Overall score to reach; ``None`` leaves it to the suite."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Of categories, over the suite's."""

    @property
    def key(self) -> str:
        """The same for all marks that one run of the suite answers. The threshold only judges what came out."""
        said = json.dumps([str(self.spec), sorted(self.weights.items())])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def read(mark: pytest.Mark, root: Path) -> Wish:
    """The wish behind ``mark``; a relative path counts from ``root``.

    Raises:
        BadMark: an argument is missing, unknown, or of the wrong kind.
    """
    given = dict(mark.kwargs)
    if mark.args:
        if "spec" in given or len(mark.args) > 1:
            raise BadMark(f"unexpected arguments {mark.args!r}: only `spec` may go without its name: {EXAMPLE}")
        given["spec"] = mark.args[0]
    if unknown := sorted(set(given) - set(KEYS)):
        raise BadMark(f"unexpected arguments {', '.join(unknown)}: the mark takes {', '.join(KEYS)}: {EXAMPLE}")
    spec = given.get("spec")
    if not isinstance(spec, (str, Path)) or not str(spec):
        raise BadMark(f"the mark requires a `spec`, the path of a suite file: {EXAMPLE}")
    return Wish((root / spec).resolve(), _threshold(given.get("threshold")), _weights(given.get("weights")))


def _threshold(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise BadMark(f"`threshold` must be a float between 0 and 1, and is {given!r}")
    return float(given)


def _weights(given: Any) -> dict[str, float]:
    if given is None:
        return {}
    numbers = isinstance(given, dict) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in given.values()
    )
    if not numbers:
        raise BadMark(f'`weights` must be a dict of numbers, such as {{"adherence": 0.5}}, and is {given!r}')
    from dlm_sway.spec.models import merged_weights

    weights = {str(name): float(value) for name, value in given.items()}
    try:
        merged_weights(weights)
    except ValueError as error:
        raise BadMark(f"`weights`: {error}") from None
    return weights
