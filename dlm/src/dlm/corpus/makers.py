"""Primary records to study records: each maker writes one kind, in a finite pool that depends on the seed alone.

A record's variants depend on the seed and on that record, not on its neighbours: editing one section changes the
records of that section only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from . import frames, sentences
from .records import Message, Record
from .sentences import Gap, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

WRAPPED_VARIANTS = 6
DROPPED_VARIANTS = 4
SHUFFLED_VARIANTS = 3
KEYWORDS_VARIANTS = 2
KEYWORDS = 5
"""Words of one search."""
DROP_PROBABILITY = 0.6


@dataclass(frozen=True)
class Block:
    """A heading with everything the document says under it."""

    record: Record
    topic: str
    """The heading as a question may name it: ``Ownership (Kittiwake runbook)``."""
    room: int
    """Longest derived text in bytes: what is derived must fit a training sequence, whatever the tokenizer."""

    @property
    def where(self) -> str:
        """The heading after what it stands under: ``Kittiwake runbook, Ownership``."""
        return ", ".join(self.record.title.split(" > "))

    @cached_property
    def paragraphs(self) -> list[Paragraph]:
        return sentences.paragraphs(self.record.text)

    @property
    def text(self) -> str:
        """The text with the lines of each running paragraph joined."""
        return "\n\n".join(paragraph.text for paragraph in self.paragraphs)

    @property
    def known(self) -> frozenset[str]:
        """Words that the heading gives away."""
        return frozenset(sentences.content_words(self.record.title))


def question(record: Record) -> str:
    """What the user asks last."""
    return next(message.content for message in reversed(record.messages) if message.role == "user")


def asked(record: Record, kind: str, wording: str) -> Record:
    """``record`` with its last question put as ``wording``."""
    last = max(index for index, message in enumerate(record.messages) if message.role == "user")
    turns = (*record.messages[:last], Message("user", wording), *record.messages[last + 1 :])
    return replace(record, kind=kind, objective="answer", messages=turns)


def qa(record: Record, title: str, seed: int) -> Iterator[Record]:
    """The question as it is written."""
    yield asked(record, "qa", question(record))


def wrapped(record: Record, title: str, seed: int) -> Iterator[Record]:
    """The question in a frame, as people put one in a chat."""
    chosen = _random(seed, "wrapped", record).sample(frames.WRAPPED, WRAPPED_VARIANTS)
    for frame in chosen:
        yield asked(record, "wrapped", frames.fill(frame, question(record), title))


def dropped(record: Record, title: str, seed: int) -> Iterator[Record]:
    """The question as typed in a hurry: function words left out, neighbours swapped."""
    random = _random(seed, "dropped", record)
    words = question(record).rstrip("?!. ").split()
    for _ in range(DROPPED_VARIANTS if len(words) > 2 else 0):
        kept = [w for w in words if w.lower() not in sentences.FUNCTION_WORDS or random.random() > DROP_PROBABILITY]
        if random.random() < 0.5 and len(kept) > 1:
            at = random.randrange(len(kept) - 1)
            kept[at], kept[at + 1] = kept[at + 1], kept[at]
        if kept and kept != words:
            yield asked(record, "dropped", " ".join(kept) + random.choice(["?", ""]))


def prose(block: Block, seed: int) -> Iterator[Record]:
    """The text itself, and with the sentences of each paragraph in another order."""
    random = _random(seed, "prose", block.record)
    yield replace(block.record, kind="prose", objective="text", messages=(), text=block.text)
    for _ in range(SHUFFLED_VARIANTS):
        text = "\n\n".join(_shuffled(paragraph, random) for paragraph in block.paragraphs)
        yield replace(block.record, kind="prose", objective="text", messages=(), text=text)


def heading(block: Block, seed: int) -> Iterator[Record]:
    """The heading as a question, the text as its answer."""
    if answer := opening(block):
        for frame in frames.HEADING:
            yield _exchange(block, "heading", frame.format(h=block.topic), answer)


def cloze(block: Block, seed: int) -> Iterator[Record]:
    """A sentence with its key span blanked: the span, or the whole sentence, is asked for."""
    for fact in _facts(block):
        gap = f"{fact.before}____{fact.after}"
        yield _exchange(block, "cloze", frames.CLOZE_SPAN.format(h=block.where, gap=gap), fact.span)
        yield _exchange(block, "cloze", frames.CLOZE_SENTENCE.format(h=block.where, gap=gap), fact.sentence)


def keywords(block: Block, seed: int) -> Iterator[Record]:
    """What somebody would type into a search box for a sentence, without its key span."""
    topic = block.where.rsplit(", ", 1)[-1]
    for fact in _facts(block):
        words = sentences.content_words(f"{fact.before} {fact.after}")
        random = _random(seed, f"keywords {fact.sentence}", block.record)
        for _ in range(KEYWORDS_VARIANTS):
            random.shuffle(words)
            prompt = frames.KEYWORDS.format(h=topic, words=" ".join(words[:KEYWORDS]))
            yield _exchange(block, "keywords", prompt, fact.sentence)


def opening(block: Block) -> str:
    """As much of the block's text as a derived answer may hold, cut after a paragraph or a sentence."""
    whole = _fitting([paragraph.text for paragraph in block.paragraphs], "\n\n", block.room)
    first = next((paragraph for paragraph in block.paragraphs if paragraph.running), None)
    return whole or (_fitting(sentences.sentences(first.text), " ", block.room) if first else "")


def _fitting(parts: list[str], between: str, room: int) -> str:
    kept = ""
    for part in parts:
        joined = f"{kept}{between}{part}" if kept else part
        if len(joined.encode()) > room:
            break
        kept = joined
    return kept


def _shuffled(paragraph: Paragraph, random: Random) -> str:
    if not paragraph.running:
        return paragraph.text
    order = sentences.sentences(paragraph.text)
    random.shuffle(order)
    return " ".join(order)


def _facts(block: Block) -> Iterator[Gap]:
    """Every sentence short enough to ask about that has a key span."""
    for paragraph in block.paragraphs:
        for sentence in sentences.sentences(paragraph.text) if paragraph.running else ():
            if len(sentence.encode()) <= block.room // 2 and (gap := sentences.key_span(sentence, block.known)):
                yield gap


def _exchange(block: Block, kind: str, prompt: str, answer: str) -> Record:
    turns = (Message("user", prompt), Message("assistant", answer))
    return replace(block.record, kind=kind, objective="answer", messages=turns, text="", title="")


def _random(seed: int, purpose: str, record: Record) -> Random:
    # A string seed goes through SHA-512: the same in every process, unlike hash().
    about = question(record) if record.messages else record.text
    return Random(f"{seed}\n{purpose}\n{record.group}\n{about}")
