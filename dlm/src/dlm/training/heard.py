"""Which questions and sentences a version was trained on, and those it went on from: four bytes of a hash each, beside
the weights.

After an edit other wordings of a fact may be held out than before. A warm run must not be judged by one that its start
was trained on, so it holds out another: see :func:`unheard`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..corpus.running_text import long_sentences
from ..errors import StoreError
from ..store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..corpus.records import Record, StudySet

FILE = "heard.bin"
SIZE = 4
"""Bytes of a hash: among 20,000 questions one in 200,000 others is taken for heard."""
SPARE = frozenset(("reworded", "asked", "analogy"))
"""Kinds of wordings that can be held out instead of trained; what the writer wrote is trained."""


@dataclass(frozen=True)
class Heard:
    """A set of questions that can be asked whether one is in it, and cannot be read."""

    hashes: frozenset[bytes] = frozenset()

    def __contains__(self, question: object) -> bool:
        return isinstance(question, str) and _hash(question) in self.hashes

    def __or__(self, other: Heard) -> Heard:
        return Heard(self.hashes | other.hashes)


def heard_in(records: Iterable[Record]) -> Heard:
    """Every question of ``records``, and every long sentence of their texts."""
    return Heard(frozenset(_hash(said) for record in records for said in _said(record)))


def write(folder: Path, heard: Heard) -> None:
    """Write ``heard`` into a version's folder that is being filled.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    with disk_errors(folder / FILE):
        (folder / FILE).write_bytes(b"".join(sorted(heard.hashes)))


def read(folder: Path) -> Heard | None:
    """What the version in ``folder`` has heard; ``None`` when nobody wrote it down.

    Raises:
        StoreError: the file is damaged.
    """
    path = folder / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem}): check its permissions") from problem
    if len(data) % SIZE:
        raise StoreError(f"{path} is damaged: train again with `dlm train DOC`, without --warm")
    return Heard(frozenset(data[at : at + SIZE] for at in range(0, len(data), SIZE)))


def heard_by(folder: Path) -> Heard:
    """What is known that the version in ``folder`` has heard.

    Raises:
        StoreError: as :func:`read`.
    """
    return read(folder) or Heard()


def unheard(study: StudySet, heard: Heard) -> StudySet:
    """``study`` judged by questions and texts that are not in ``heard``.

    In place of one that is, another wording with the same answer is held out, which is then not trained; where there is
    none, the question is left out; so is a text.
    """
    pairs = tuple(pair for pair in study.held_out_pairs if _question(pair) not in heard)
    study = study if len(pairs) == len(study.held_out_pairs) else replace(study, held_out_pairs=pairs)
    texts = tuple(text for text in study.held_out_text if not any(said in heard for said in long_sentences(text.text)))
    study = study if len(texts) == len(study.held_out_text) else replace(study, held_out_text=texts)
    if not any(_question(one) in heard for one in (*study.held_out, *study.probes)):
        return study
    spare = [one for one in study.train if one.kind in SPARE and _question(one) not in heard]
    taken: list[str] = []
    held_out = tuple(_held(study.held_out, heard, spare, taken))
    probes = tuple(_held(study.probes, heard, spare, taken))
    train = tuple(one for one in study.train if not _gives_away(one, taken))
    return replace(study, train=train, held_out=held_out, probes=probes)


def _held(records: Iterable[Record], heard: Heard, spare: list[Record], taken: list[str]) -> Iterator[Record]:
    from ..corpus.facts import value

    for record in records:
        if _question(record) not in heard:
            yield record
            continue
        other = next((one for one in spare if _alike(one, record) and _plain(_question(one)) not in taken), None)
        if other is not None:
            taken.append(_plain(_question(other)))
            yield replace(record, messages=other.messages, value=value(other))


def _alike(one: Record, other: Record) -> bool:
    return one.group == other.group and one.messages[-1] == other.messages[-1]


def _gives_away(record: Record, taken: Iterable[str]) -> bool:
    said = [_plain(turn.content) for turn in record.messages if turn.role == "user"]
    return any(question in text for text in said for question in taken)


def _said(record: Record) -> Iterator[str]:
    yield from (turn.content for turn in record.messages if turn.role == "user")
    if record.objective == "text":
        yield from long_sentences(record.text)


def _question(record: Record) -> str:
    return next((turn.content for turn in reversed(record.messages) if turn.role == "user"), "")


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _hash(question: str) -> bytes:
    return hashlib.sha256(_plain(question).encode("utf-8", "surrogatepass")).digest()[:SIZE]
