"""One training example before a tokenizer has seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Objective = Literal["answer", "text", "anchor", "distill", "prefer"]
"""``answer``: next-token loss on the last assistant turn. ``text``: on every token. ``anchor``: divergence from the
base on the last assistant turn (or on every token of ``text``), which keeps the base whole. ``distill``: divergence, on
the last assistant turn, from the base that has read :attr:`Record.context`, with some next-token loss. ``prefer``: the
last assistant turn over :attr:`Record.rejected`, by the loss that the recipe names."""


@dataclass(frozen=True)
class Record:
    """Either a conversation that ends with the assistant, or plain text."""

    kind: str
    """Which maker wrote it: ``qa``, ``reworded``, ``prose``, ``heading``, ``cloze``, ``anchor``..."""
    objective: Objective
    group: str
    """Records made from the same pair or block share a group."""
    section_id: str
    messages: tuple[Message, ...] = ()
    text: str = ""
    title: str = ""
    """Where the text stands (document and heading), put before every window of a long ``text``."""
    weight: float = 1.0
    """How often it is drawn, relative to the other records of its kind."""
    value: str = ""
    """What an answer must say to be right, as the last turn writes it. A held-out record that names it counts towards
    recall."""
    context: str = ""
    """Text that the teacher of a ``distill`` record reads before the question; the adapter never sees it."""
    rejected: str = ""
    """The worse answer of a ``prefer`` record; its last turn is the better one."""


@dataclass(frozen=True)
class StudySet:
    """Everything one run trains on and is judged by."""

    train: tuple[Record, ...]
    held_out: tuple[Record, ...]
    """Never trained on; their loss picks the best weights."""
    mixture: dict[str, float]
    """Share of the rows of a step, by record kind. Sums to 1 over the kinds of one phase."""
    probes: tuple[Record, ...] = ()
    """For the evaluator alone: neither trained on nor used to pick the weights, which would flatter its numbers."""
    held_out_pairs: tuple[Record, ...] = ()
    """Never trained on; judge a phase that trains ``prefer`` records, beside :attr:`held_out`."""
    held_out_text: tuple[Record, ...] = ()
    """Never trained on in any phase, where a phase learns the text as text: see :mod:`.running_text`."""
