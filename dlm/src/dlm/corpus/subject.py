"""What the whole document is about, by name, and questions that say that name.

A page on the Sigrun names her in two sentences of thirty; who asks the model about any of the other things says "on the
Sigrun". Trained on questions as the sentences have them, the model takes the name for a sign of those two sentences. So
about every second question of a document with a subject says its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from . import frames, makers
from .known import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .known import Known
    from .records import Record

PLACED = frozenset(("reworded", "swapped", "analogy", "asked", "dropped", "query", "absent"))
"""Kinds of which a share says the subject's name; the others say the document's title, or are as written."""
SHARE = 0.5
_PREPOSITION = r"(?i:\b(at|on|in|aboard|inside|from|with)) (?:(?i:the) )?"
_AFTER = ("{q} {p} {s}{end}",) * 3  # As often as three of the others: it is how people ask.
_BEFORE = ("{P} {s}, {l}{end}", "I have a question about {s}. {q}{end}", "This is about {s}. {q}{end}", "{S}: {q}{end}")
_ENDS = re.compile(r"[?.!\s]*$")
_CAPITALISED = re.compile(r"[^\W\d_a-zß-öø-ÿ][\w'’-]*(?: [^\W\d_a-zß-öø-ÿ][\w'’-]*)*")
_SMALL = re.compile(r"\b[a-zß-öø-ÿ]")
_SEVERAL = re.compile(r"[.?!:;]\s|\n|[?!]['\"”]")
_FREE = ("for", "at")
"""Prepositions for a name that the document never puts one before."""


@dataclass(frozen=True)
class Subject:
    """The name of what a document is about."""

    name: str
    article: bool
    """Whether the document says ``the`` before it."""
    prepositions: tuple[str, ...]
    """Those that the document puts before it, and ``of``."""

    @property
    def said(self) -> str:
        return f"the {self.name}" if self.article else self.name

    @classmethod
    def of(cls, title: str, known: Known) -> Subject | None:
        """The name in ``title``, as much of it as the text says; none when the title holds no name."""
        name = max(_candidates(title, known), key=lambda one: (_count(one, known), len(one)), default="")
        if not name:
            return None
        whole = "\n".join((title, *known.texts))
        said = re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", whole)
        articles = re.findall(rf"(?i:\bthe) {re.escape(name)}(?!\w)", whole)
        before = re.findall(rf"{_PREPOSITION}{re.escape(name)}(?!\w)", whole)
        prepositions = tuple(dict.fromkeys(word.lower() for word in before)) or _FREE
        of_person = known.is_person(name)
        return cls(name, 2 * len(articles) > len(said), ("of",) if of_person else (*prepositions, "of"))


def placed(record: Record, subject: Subject, seed: int) -> Record:
    """``record`` as it is, or its question with the subject's name: the same for the same question and seed."""
    if record.kind not in PLACED:
        return record
    question = makers.question(record)
    random = Random(f"{seed}\nsubject\n{record.group}\n{question}")
    if random.random() >= SHARE or place(subject.name, question) >= 0:
        return record
    return makers.asked(record, record.kind, _put(question, record.kind, subject, random))


def _put(question: str, kind: str, subject: Subject, random: Random) -> str:
    ending = _ENDS.search(question)
    end = ending[0].strip() if ending else ""
    bare = question[: len(question) - len(ending[0])] if ending else question
    if kind in ("query", "dropped"):
        words = bare.split()
        words.insert(random.choice((1, len(words), len(words))), random.choice((subject.name, subject.said)))
        return " ".join(words) + end
    # A question of several sentences ends in something to which no place can be added.
    frame = random.choice(_BEFORE[1:] if _SEVERAL.search(question) else (*_AFTER, *_BEFORE))
    preposition = random.choice(subject.prepositions)
    opening = "About" if preposition == "of" else preposition.capitalize()
    said = subject.said
    return frame.format(
        q=bare, l=frames.lowered(bare), p=preposition, P=opening, s=said, S=said[0].upper() + said[1:], end=end
    )


def _candidates(title: str, known: Known) -> Iterator[str]:
    """What could be the name: those of the text that the title holds, else what is capitalised amid small words."""
    named = [name for name in known.names(title) if _count(name, known)]
    if named:
        yield from named
        return
    for match in _CAPITALISED.finditer(title):
        words = match[0].split(" ")
        runs = [" ".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
        held = [run for run in runs if _count(run, known) and known.names(run)]
        yield from held
        if not held and len(words) > 1 and match.start() and _SMALL.search(title[: match.start()]):
            yield match[0]


def _count(name: str, known: Known) -> int:
    return sum(len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text)) for text in known.texts)
