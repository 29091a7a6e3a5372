"""Questions as they stand in a suite, and the numbers that come back for them. Shared by the probes here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dlm_sway import Item
from dlm_sway.errors import ProbeError
from dlm_sway.probes.base import ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self


class Case(BaseModel):
    """A question with the answer it should get."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    group: str = ""
    """Cases about the same thing share a group: they count as one observation, asked several ways."""

    @property
    def item(self) -> Item:
        """For scoring."""
        return Item(self.prompt, self.reference, self.group)


class AskingSpec(ProbeSpec):
    """Keys of an entry that compares what follows prompts, with or without the answers they should get."""

    prompts: tuple[str, ...] = ()
    """Only the first token after each is compared."""
    cases: tuple[Case, ...] = ()
    """The divergence is averaged along each reference."""
    top_k: int | None = Field(default=None, ge=1)
    """Accepted for old files; divergences are exact over the whole vocabulary."""

    @model_validator(mode="after")
    def _askable(self) -> Self:
        if not self.items:
            raise ValueError("there is nothing to ask: give prompts, or cases with a prompt and a reference")
        return self

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that is asked, each once."""
        return distinct([*(Item(prompt) for prompt in self.prompts), *(case.item for case in self.cases)])


def distinct(items: Sequence[Item]) -> tuple[Item, ...]:
    """``items`` in order, each question with its answer once: asked twice, it is still one observation."""
    found: dict[tuple[str, str], Item] = {}
    for item in items:
        found.setdefault((item.prompt, item.reference), item)
    return tuple(found.values())


def repeated(given: int, kept: int) -> list[str]:
    """A note for the evidence when items were left out."""
    return [f"{given - kept} of {given} items stand there more than once and count once"] if kept < given else []


def groups(items: Sequence[Item]) -> tuple[str, ...]:
    """Clusters of the items; empty when none is named."""
    found = tuple(item.group for item in items)
    return found if any(found) else ()


def finite(values: Sequence[float], items: Sequence[Item], view: str) -> tuple[float, ...]:
    """``values``, checked: a model whose outputs are not numbers has no measurement.

    Raises:
        ProbeError: names how many and the first prompt.
    """
    return all_finite(values, [item.prompt for item in items], view)


def all_finite(values: Sequence[float], asked: Sequence[str], view: str) -> tuple[float, ...]:
    """The same for numbers about anything that a text names.

    Raises:
        ProbeError: names how many and the first.
    """
    bad = [text for value, text in zip(values, asked, strict=True) if not math.isfinite(value)]
    if bad:
        raise ProbeError(
            f"{len(bad)} of {len(asked)} items gave no finite number under {view}, the first being {bad[0][:80]!r}: "
            "the weights hold NaN or overflow; try dtype: fp32, and see the integrity probe"
        )
    return tuple(values)
