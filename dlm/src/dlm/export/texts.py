"""What a certificate reads: texts that the trained model and its export are compared on.

Three parts. ``answers``: answers to the document's questions in wordings that were never trained, where the adapter
acts; ``prose``: what the document says in running text; ``general``: text that has nothing to do with it, packaged
with dlm and trained on by nobody.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..corpus.records import Message, Record
    from ..document import Section
    from .runtime import Runtime
    from .sink import Request

Part = Literal["answers", "prose", "general"]
LEAST: Final = 2000
"""Positions altogether."""
ANSWERS: Final = 900
PROSE: Final = 500
WINDOW: Final = 192
"""Tokens that are read at once of a text; fewer of a model that reads fewer."""
SHORTEST: Final = 8
"""Tokens of a window that is worth reading."""


class Read(NamedTuple):
    """One text in tokens. What follows each of ``ids[start:]`` is compared."""

    part: Part
    ids: tuple[int, ...]
    start: int

    @property
    def positions(self) -> int:
        """How many are compared."""
        return len(self.ids) - self.start


class Material(NamedTuple):
    """What a document gives to read and to ask, before it is tokens."""

    conversations: tuple[tuple[Message, ...], ...]
    """Each ends with the answer; those that were never trained come first."""
    prose: tuple[str, ...]


def material_of(request: Request) -> Material:
    """What the document of ``request`` gives, for the adapters that are exported."""
    from ..corpus.preferred import is_pair
    from ..corpus.study import build, primary_records
    from ..document.routing import sections_of, view
    from ..learning.measure import seed_of

    document, names = request.document, request.chosen.names
    conversations: list[tuple[Message, ...]] = []
    prose: list[str] = []
    for name in names or (None,):
        sees = document if name is None else view(document, name)
        seed = seed_of(request.version, name)
        more: Sequence[Section] = _more(request, seed)
        beside = tuple(more) if name is None else sections_of(more, names, name)
        study = build(sees, seed, beside)
        primary = [record for record in primary_records(sees, beside) if not is_pair(record)]
        prose += [record.text for record in primary if not record.messages]
        trained = [one for one in study.train if one.section_id]
        for records in ((*study.probes, *study.held_out), primary, trained):
            conversations += _conversations(records)
    return Material(tuple(dict.fromkeys(conversations)), tuple(dict.fromkeys(prose)))


def reads(material: Material, runtime: Runtime) -> list[Read]:
    """At least :data:`LEAST` positions in tokens of ``runtime``, the trained model's."""
    start = _start(runtime)
    found = list(_answers(material.conversations, runtime))
    found += _windows("prose", material.prose, PROSE, runtime, start)
    rest = LEAST - sum(one.positions for one in found)
    return found + list(_windows("general", general_texts(), max(rest, LEAST // 4), runtime, start))


def general_texts() -> list[str]:
    """The packaged texts."""
    return (files("dlm.export") / "general.txt").read_text(encoding="utf-8").strip().split("\n\n")


def _more(request: Request, seed: int) -> Sequence[Section]:
    from ..training.material import collect

    return collect(request.document, request.version.layout.root.parents[1], seed).more


def _conversations(records: Iterable[Record]) -> list[tuple[Message, ...]]:
    """Those that end with an answer, in an order that depends on each question alone."""
    found = [tuple(one.messages) for one in records if one.messages and one.messages[-1].role == "assistant"]
    return sorted(found, key=lambda turns: hashlib.sha256("\n".join(turn.content for turn in turns).encode()).digest())


def _answers(conversations: Iterable[Sequence[Message]], runtime: Runtime) -> Iterator[Read]:
    positions, context = 0, runtime.context or 4 * WINDOW
    for *before, answer in conversations:
        if positions >= ANSWERS:
            return
        prompt, said = runtime.prompt_ids(before), runtime.text_ids(answer.content)[:WINDOW]
        if prompt and said and len(prompt) + len(said) <= min(context, 4 * WINDOW):
            positions += len(said) + 1
            yield Read("answers", (*prompt, *said), len(prompt) - 1)


def _windows(part: Part, texts: Iterable[str], budget: int, runtime: Runtime, start: tuple[int, ...]) -> Iterator[Read]:
    positions, width = 0, min(WINDOW, (runtime.context or WINDOW) - len(start))
    for text in texts:
        ids = runtime.text_ids(text)
        for at in range(0, len(ids), width):
            if positions >= budget:
                return
            window = (*start, *ids[at : at + width])
            if len(window) >= SHORTEST:
                positions += len(window)
                yield Read(part, window, 0)


def _start(runtime: Runtime) -> tuple[int, ...]:
    """The token that a prompt begins with, where the model has one: without it some models read nothing right."""
    from ..corpus.records import Message

    first = runtime.prompt_ids([Message("user", "Hello")])[:1]
    return tuple(token for token in first if token in runtime.start_ids)
