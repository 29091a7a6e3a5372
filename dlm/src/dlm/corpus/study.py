"""The study set of a document: every record to train, what is held out, and the share of each kind in a step.

The shares are those measured on small instruct bases: many forms at once from the first step, with an anchor.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from . import frames, makers
from .anchors import anchors
from .makers import Block
from .records import Message, Record, StudySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..document import Document, Section

QUESTION_MAKERS = (makers.qa, makers.wrapped, makers.dropped)
BLOCK_MAKERS = (makers.prose, makers.heading, makers.cloze, makers.keywords)
WEIGHTS = {
    "qa": 1.2,
    "wrapped": 0.6,
    "dropped": 0.5,
    "prose": 0.4,
    "heading": 0.4,
    "cloze": 0.35,
    "keywords": 0.35,
}
WHY = {
    "qa": "Questions as the document words them.",
    "wrapped": "The same questions in a frame, as people put one in a chat.",
    "dropped": "The same questions typed in a hurry.",
    "prose": "The text itself, its sentences also in another order.",
    "heading": "A heading as a question, its text as the answer.",
    "cloze": "Sentences with the part that matters left blank.",
    "keywords": "Search words for a sentence.",
    "anchor": "General prompts on which the model is held to the base.",
}
ANCHOR_SHARE = 0.15
LONGEST_DERIVED = 1500
"""Bytes of a derived answer, about 350 tokens of English."""
MOST_DERIVED = 2000
"""Headings from which questions are derived; of more, a sample by weight. The text under all of them is trained, and no
automatic budget has room for more questions than these give."""
MOST_HELD_OUT = 64
"""Questions that pick the best weights: of more a sample, since scoring them all would cost more than training."""


def build(document: Document, seed: int, more: Iterable[Section] = ()) -> StudySet:
    """Everything one run on ``document`` trains on and is judged by; the same for the same sections and seed.

    ``more`` are the sections of its sources and those replayed from the store. What is written twice, in whichever of
    them, is trained once. Training never sees the text of a held-out question: what contains it is left out, so that no
    copy crosses from one side to the other.
    """
    primary = list(primary_records(document, more))
    room = _room(document)
    questions = [record for record in primary if record.messages]
    blocks = _blocks([record for record in primary if not record.messages], room)
    # Held out is a longer wording of the question: of a conversation near the length limit it would not fit.
    short = [record for record in questions if _size(record) <= _fitting(document)]
    held_out = _kept(_reserved(short, blocks, document.title, seed, turn=0), seed)
    probes = list(_probes(document)) or _kept(_reserved(short, blocks, document.title, seed, turn=1), seed)
    made = _study_records(questions, blocks, document.title, room, seed)
    secret = [_plain(makers.question(record)) for record in (*held_out, *probes)]
    train = tuple(record for record in _distinct(made) if not _gives_away(record, secret))
    anchored = tuple(record for record in anchors() if _size(record) <= room)
    return StudySet((*train, *anchored), tuple(held_out), _mixture((*train, *anchored)), tuple(probes))


def primary_records(document: Document, more: Iterable[Section] = ()) -> Iterator[Record]:
    """What each section's type says is to be learned, each text once, with its section's weight."""
    from ..document.read import records_of

    yield from _distinct(records_of((*document.sections, *more), document))


def _distinct(records: Iterable[Record]) -> Iterator[Record]:
    """The records without those that say what an earlier one of the same kind says, wherever that one stands."""
    seen = set()
    for record in records:
        said = (record.kind, record.objective, record.messages, record.text, record.title)
        if said not in seen:
            seen.add(said)
            yield record


def _kept(reserved: list[Record], seed: int) -> list[Record]:
    """At most :data:`MOST_HELD_OUT`, chosen by a hash of the group: an edit elsewhere changes no other choice."""

    def order(record: Record) -> bytes:
        return hashlib.sha256(f"{seed}\nkept\n{record.group}".encode()).digest()

    chosen = set(sorted({order(record) for record in reserved})[:MOST_HELD_OUT])
    return [record for record in reserved if order(record) in chosen]


def _study_records(
    questions: Sequence[Record], blocks: Sequence[Block], title: str, room: int, seed: int
) -> Iterator[Record]:
    for record in questions:
        # A conversation near the length limit is trained as written; a longer wording of it would not fit.
        for question_maker in QUESTION_MAKERS if _size(record) <= room else QUESTION_MAKERS[:1]:
            yield from question_maker(record, title, seed)
    chosen = _sampled(blocks, seed)
    for block in blocks:
        if block.record.group in chosen:
            for block_maker in BLOCK_MAKERS:
                yield from block_maker(block, seed)
        else:
            yield from itertools.islice(makers.prose(block, seed), 1)


def _sampled(blocks: Sequence[Block], seed: int) -> set[str]:
    """Groups of at most :data:`MOST_DERIVED` blocks, heavier ones more often; a block's luck is its own."""
    if len(blocks) <= MOST_DERIVED:
        return {block.record.group for block in blocks}

    def luck(block: Block) -> float:
        # Efraimidis and Spirakis: the largest u ** (1 / weight) win.
        return float(Random(f"{seed}\nderived\n{block.record.group}").random() ** (1 / block.record.weight))

    return {block.record.group for block in sorted(blocks, key=luck, reverse=True)[:MOST_DERIVED]}


def _blocks(records: Iterable[Record], room: int) -> list[Block]:
    """The prose records, each with the name of its heading; a heading that is repeated is numbered."""
    found: list[Block] = []
    seen: Counter[str] = Counter()
    for record in records:
        seen[record.title] += 1
        *above, last = record.title.split(" > ")
        topic = f"{last} ({', '.join(reversed(above))})" if above else last
        if seen[record.title] > 1:
            topic = f"{topic}, part {seen[record.title]}"
        found.append(Block(record, topic, room))
    return found


def _reserved(
    questions: Sequence[Record], blocks: Sequence[Block], title: str, seed: int, *, turn: int
) -> list[Record]:
    """Each pair once, in a frame that training never uses; without pairs, each heading. Each turn has other frames."""
    by_group: dict[str, list[Record]] = {}
    for record in questions:
        by_group.setdefault(record.group, []).append(record)
    reserved = []
    for group, wordings in by_group.items():
        random = Random(f"{seed}\nheld out\n{group}")
        chosen = random.sample(frames.WRAPPED_HELD_OUT, 2)
        record = random.choice(wordings)
        reserved.append(makers.asked(record, "held_out", frames.fill(chosen[turn], makers.question(record), title)))
    return reserved or [_reserved_heading(block, turn) for block in blocks if makers.opening(block)]


def _reserved_heading(block: Block, turn: int) -> Record:
    prompt = frames.HEADING_HELD_OUT[turn].format(h=block.topic)
    turns = (Message("user", prompt), Message("assistant", makers.opening(block)))
    return Record("held_out", "answer", block.record.group, block.record.section_id, turns)


def _probes(document: Document) -> Iterator[Record]:
    from ..document.model import probes

    for pair in probes(document):
        for wording in pair.questions:
            said = [turn for q, a in pair.before for turn in (Message("user", q), Message("assistant", a))]
            turns = (*said, Message("user", wording), Message("assistant", pair.answer))
            yield Record("probe", "answer", pair.id, pair.section_id, turns)


def _gives_away(record: Record, secret: Sequence[str]) -> bool:
    """Whether one of the record's questions contains the text of a held-out one."""
    mine = [_plain(message.content) for message in record.messages if message.role == "user"]
    return any(held_out in text for text in mine for held_out in secret)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _room(document: Document) -> int:
    """Bytes that a derived record may hold."""
    return min(LONGEST_DERIVED, _fitting(document))


def _fitting(document: Document) -> int:
    """Bytes that fit a training sequence under any usual tokenizer, with the system prompt and the chat template."""
    from ..training.recipe import Recipe

    training, system = document.frontmatter.training, document.frontmatter.system_prompt or ""
    sequence = training.sequence_len or Recipe().sequence_len
    return max(0, (sequence - 96) * 3 // 2 - len(system.encode()))


def _size(record: Record) -> int:
    return len(record.text.encode()) + sum(len(message.content.encode()) for message in record.messages)


def _mixture(train: Iterable[Record]) -> dict[str, float]:
    """Shares of the kinds that have records; they sum to 1, and the anchor's is the same for every document."""
    kinds = {record.kind for record in train}
    learned = {kind: weight for kind, weight in WEIGHTS.items() if kind in kinds}
    weights = {kind: weight / sum(learned.values()) * (1 - ANCHOR_SHARE) for kind, weight in learned.items()}
    if "anchor" in kinds:
        weights["anchor"] = ANCHOR_SHARE
    return {kind: weight / sum(weights.values()) for kind, weight in weights.items()}
