"""What can be doubted in a document without a mistake of grammar: pairs against each other, its files, its adapters.

Pure but for one look at which files exist. Lengths lie in :mod:`dlm.corpus.forecast`, keys without effect in
:mod:`.unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import Finding
from .identity import canonical
from .model import Pair
from .routing import declared, routed

if TYPE_CHECKING:
    from .model import Document, Section

Severity = Literal["error", "warning"]
MEDIA = frozenset({"image", "audio"})
"""Section types whose attribute ``path`` names a file."""
_SHOWN = 3
"""Lines with other answers that a warning names."""


class Remark(NamedTuple):
    """One finding and how much it matters: an error keeps the document from being trained, a warning does not."""

    severity: Severity
    finding: Finding


@dataclass(frozen=True)
class Remarks:
    """What was found, in no order; ``notes`` are one line each, for people."""

    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Remarks) -> Remarks:
        return Remarks(self.remarks + other.remarks, self.notes + other.notes)


def remarks(document: Document) -> Remarks:
    """Everything that this module looks for."""
    asked = _asked(document)
    return Remarks(
        (*_contradictions(document, asked), *_missing_files(document)), (*_repeated(asked), *_unused_adapters(document))
    )


def trained_pairs(document: Document) -> Iterator[tuple[Section, Pair]]:
    """Every pair with its section; those of a section with weight 0 are left out, probes are not."""
    for section in document.sections:
        for item in section.body if isinstance(section.body, tuple) and section.weight > 0 else ():
            if isinstance(item, Pair):
                yield section, item


Asked = dict[tuple[object, ...], list[Pair]]


def _asked(document: Document) -> Asked:
    """The pairs by what they ask: adapters, whether it is a probe, the turns before, the question without its case."""
    found: Asked = {}
    names = declared(document)
    for section, pair in trained_pairs(document):
        before = tuple(_folded(said) for turn in pair.before for said in turn)
        for question in dict.fromkeys(_folded(question) for question in pair.questions):
            found.setdefault((routed(section, names), pair.probe, before, question), []).append(pair)
    return {key: pairs for key, pairs in found.items() if len(pairs) > 1}


def _contradictions(document: Document, asked: Asked) -> Iterator[Remark]:
    for place, lines in _clashes(asked).items():
        shown = [str(line) for line in sorted(lines)[:_SHOWN]]
        others = _and([*shown, "others"] if len(lines) > _SHOWN else shown)
        what = f"this question has another answer on line {others}" if len(lines) == 1 else ""
        what = what or f"this question has other answers on lines {others}"
        fix = "keep one answer, or word the questions so that they ask for different things"
        yield Remark("warning", Finding(document.location, place, 1, what, fix))


def _clashes(asked: Asked) -> dict[int, set[int]]:
    """Line of a pair to the lines of earlier pairs that answer one of its questions differently.

    Of many such lines only the first, one more than is shown: thousands of answers to one question would take a line
    for each two of them.
    """
    found: dict[int, set[int]] = {}
    for pairs in asked.values():
        first: dict[str, int] = {}
        for pair in pairs:
            answer = canonical(pair.answer)
            if others := set(islice((line for said, line in first.items() if said != answer), _SHOWN + 1)):
                found.setdefault(pair.line, set()).update(others)
            first.setdefault(answer, pair.line)
    return found


def _repeated(asked: Asked) -> Iterator[str]:
    """Pairs that repeat an earlier one, question and answer."""
    told: set[tuple[int, int]] = set()
    for pairs in asked.values():
        first: dict[str, int] = {}
        for pair in pairs:
            line = first.setdefault(canonical(pair.answer), pair.line)
            if line != pair.line and (line, pair.line) not in told:
                told.add((line, pair.line))
                yield f"line {pair.line} repeats a question and its answer from line {line}: trained once, remove one"


def _missing_files(document: Document) -> Iterator[Remark]:
    if (folder := document.folder) is None:
        return
    for section in document.sections:
        named = section.attributes.get("path") if section.type in MEDIA else None
        if named and not (folder / Path(named).expanduser()).is_file():
            fix = f"relative paths begin at the document's folder, {folder}; correct the path, or put the file there"
            yield Remark("error", Finding(document.location, section.fence, 1, f"there is no file {named}", fix))


def _unused_adapters(document: Document) -> Iterator[str]:
    names = declared(document)
    alone = {learns[0] for section in document.sections if len(learns := routed(section, names)) == 1}
    for name in names if len(names) > 1 else ():
        if name not in alone:
            line = document.places.place(("training", "adapters", name)).key[0]
            only = f"which learns only what all of them learn (#{name} adds more)"
            yield f"line {line} declares the adapter `{name}`, {only}"


def _folded(question: str) -> str:
    return " ".join(question.casefold().split())


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
