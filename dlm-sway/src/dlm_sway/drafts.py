"""What a plugin proposes for a suite that is written from a document: see the hook ``dlm_sway_draft_suite``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scoring.types import Item


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One entry, or the reason why there is none.

    For example::

        Draft(order=40, name="echoes", kind="acme/echo", intent="Does the model answer at all?",
              keys={"prompts": ["hello"]})
        Draft(order=40, name="echoes", kind="acme/echo", missing="the document asks no question")
    """

    order: int
    """Entries stand in this order; those of one order, by name. The core's are 10 (integrity) and 20 (nulls); the
    standard probes take 30 to 190."""
    name: str
    kind: str
    intent: str = ""
    """One line above the entry: what it asks."""
    keys: Mapping[str, Any] = field(default_factory=dict)
    """The entry's own keys: plain YAML data."""
    missing: str = ""
    """Why it cannot run on this target. Without keys the entry becomes a comment; with them, ``enabled: false``."""


def spread(items: Iterable[Item], most: int) -> list[Item]:
    """At most ``most`` of ``items``: the first of every group, then the second of every group, and so on.

    Wordings of one fact are hardly more evidence than one of them, so as many facts as possible are asked about.
    """
    groups: dict[object, list[Item]] = {}
    for number, item in enumerate(items):
        groups.setdefault(item.group or number, []).append(item)
    depth = max(map(len, groups.values()), default=0)
    rounds = (group[at] for at in range(depth) for group in groups.values() if at < len(group))
    return [item for item, _ in zip(rounds, range(most), strict=False)]


def as_cases(items: Sequence[Item]) -> list[dict[str, str]]:
    """``items`` as the ``cases`` of an entry."""
    return [
        {"prompt": item.prompt, "reference": item.reference} | ({"group": item.group} if item.group else {})
        for item in items
    ]
