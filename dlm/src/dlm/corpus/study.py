"""The study set of a document: every record to train, what is held out, and the share of each kind in a step.

The shares are those measured on small instruct bases: many forms at once from the first step, with an anchor.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from . import anchors, facts, frames, makers, running_text
from .absent import absent
from .known import Known
from .lesson import Lesson
from .makers import Block
from .preferred import Split, is_pair, split
from .queries import LEAST_EACH, MOST_EACH, queries
from .records import Message, Record, StudySet
from .reverse import reverse
from .sentences import content_words
from .similar import NONE
from .subject import Subject, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..document import Document, Section
    from .facts import Fact
    from .lesson import Augmenter
    from .similar import Similar

QUESTION_MAKERS = (makers.wrapped, makers.dropped)
BLOCK_MAKERS = (makers.prose, makers.heading, makers.cloze, makers.keywords)
WEIGHTS = {
    "qa": 0.8,
    "reworded": 2.0,
    "swapped": 1.0,
    "analogy": 0.6,
    "asked": 2.0,
    "query": 1.6,
    "wrapped": 0.4,
    "dropped": 0.4,
    "prose": 0.2,
    "heading": 0.2,
    "cloze": 0.3,
    "keywords": 0.2,
    "reverse": 0.2,
    "absent": 0.2,
}
PLAIN = {"qa": 1.0, "prose": 1.0}
"""What the document itself says, and all that the recipe of this name trains."""
TAUGHT = frozenset(("qa", "reworded", "swapped", "analogy", "asked"))
"""What the recipe ``distill`` learns from the base with the passage before it."""
WHY = {
    "qa": "Questions as the document words them.",
    "reworded": "Questions in other words, made by rule.",
    "swapped": "Questions with a word that the base takes for similar.",
    "query": "Fragments, as somebody who half remembers asks, with the sentence as the answer.",
    "analogy": "Questions that the document asks about one thing, asked about another.",
    "asked": "Questions that sentences of the text answer.",
    "wrapped": "Questions in a frame, as people put one in a chat.",
    "dropped": "Questions typed in a hurry.",
    "prose": "The text itself, its sentences also in another order.",
    "heading": "A heading as a question, its text as the answer.",
    "cloze": "Sentences with the part that matters left blank.",
    "keywords": "Search words for a sentence.",
    "reverse": "From what is said to what it is said of.",
    "absent": "Questions that the document does not answer, and the answer that it does not.",
    "text": "The text itself, as it is written, before anything else.",
    "anchor": "General prompts on which the model is held to the base.",
}
ANCHOR_SHARE = 0.15
LONGEST_DERIVED = 1500
"""Bytes of a derived answer, about 350 tokens of English."""
MOST_DERIVED = 2000
"""Headings from which questions are derived; of more, a sample by weight. The text under all of them is trained, and no
automatic budget has room for more questions than these give."""
ENOUGH = 40
"""Records from which a kind has its whole share: the few records of a smaller one would only be repeated."""
MOST_QUERIES = 16_000
"""Fragments of one document, about: each sentence of a long one gets fewer."""
SENTENCE = 80
"""Characters of one, about."""
MOST_HELD_OUT = 64
"""Questions that pick the best weights: of more a sample, since scoring them all would cost more than training."""


def build(
    document: Document,
    seed: int,
    more: Iterable[Section] = (),
    augmenters: Sequence[Augmenter] = (),
    similar: Similar = NONE,
    *,
    text_first: bool | None = None,
) -> StudySet:
    """Everything one run on ``document`` trains on and is judged by; the same for the same arguments.

    ``more`` are the sections of its sources and those replayed from the store; ``similar`` what the base takes for
    similar; ``text_first`` whether a phase learns the text as text, ``None`` for what the document says. Anchors that
    are prompts alone are yet to be answered by the base. What is written twice, in whichever of them, is trained once.
    Training never sees the text of a held-out question: what contains it is left out, so that no copy crosses from one
    side to the other.
    """
    primary = tuple(primary_records(document, more))
    if text_first is None:
        text_first = running_text.wanted(document.frontmatter, primary).really
    if not text_first:
        return _studied(document, primary, seed, augmenters, similar)
    running = running_text.set_apart(primary, seed)
    return running_text.added(_studied(document, running.primary, seed, augmenters, similar), running)


def _studied(
    document: Document, primary: Sequence[Record], seed: int, augmenters: Sequence[Augmenter], similar: Similar
) -> StudySet:
    """What is made of the ``primary`` records."""
    lesson = lay_out(document, primary, seed)
    pairs = split([record for record in primary if is_pair(record)], lesson.questions, seed)
    if document.frontmatter.training.recipe.name == "plain":
        return _with_pairs(_plain_study(document, lesson), pairs, ())
    known, apart, probes = _examined(document, lesson)
    lesson = replace(lesson, reserved=tuple(makers.question(record) for record in (*apart, *probes)))
    made = [
        *_study_records(lesson, known, similar),
        *(r for augmenter in augmenters for r in augmenter.records(lesson)),
    ]
    if about := Subject.of(lesson.title, Known.of(lesson.questions, lesson.blocks, lesson.title)):
        made = [placed(record, about, seed) for record in made]
    secret = [_plain(text) for text in lesson.reserved]
    longest = _fitting(document)
    train = [
        record
        for record in _distinct(made)
        if not _gives_away(record, secret) and (record.kind in PLAIN or _size(record) <= longest)
    ]
    if document.frontmatter.training.recipe.name == "distill":
        train = [_taught(record, lesson.blocks) for record in train]
    near = anchors.near(lesson.title, lesson.blocks, lesson.questions, seed)
    anchored = [record for record in (*anchors.prompts(), *near) if _size(record) <= lesson.room]
    shares = {**WEIGHTS, **{kind: share for augmenter in augmenters for kind, share in augmenter.kinds.items()}}
    study = StudySet((*train, *anchored), tuple(apart), _mixture((*train, *anchored), shares), tuple(probes))
    return _with_pairs(study, pairs, secret)


def lay_out(document: Document, primary: Sequence[Record], seed: int) -> Lesson:
    """Pairs and headings of the primary records, nothing reserved yet."""
    room = _room(document)
    questions = tuple(record for record in primary if record.messages and not is_pair(record))
    blocks = tuple(_blocks([record for record in primary if not record.messages], room))
    return Lesson(document.title, questions, blocks, (), seed, room)


def _with_pairs(study: StudySet, pairs: Split, secret: Sequence[str]) -> StudySet:
    """``study`` and, for a phase of their own, the pairs of a better and a worse answer. Nothing else changes."""
    trained = tuple(record for record in pairs.train if not _gives_away(record, secret))
    shares = {**dict.fromkeys((record.kind for record in trained), 1.0), **study.mixture}
    return replace(study, train=(*study.train, *trained), mixture=shares, held_out_pairs=pairs.held_out)


def _taught(record: Record, blocks: Sequence[Block]) -> Record:
    """``record`` with the passage that its teacher reads, when there is one: the heading it was made from, else the one
    that says its value and most of its answer's words."""
    if record.objective != "answer" or record.kind not in TAUGHT:
        return record
    own = next((block for block in blocks if block.record.group == record.group), None)
    found = own or _passage(record, blocks)
    return replace(record, objective="distill", context=found.text) if found else record


def _passage(record: Record, blocks: Sequence[Block]) -> Block | None:
    wanted = set(content_words(record.messages[-1].content))
    value = facts.value(record)
    holding = [block for block in blocks if value in block.text]
    best = max(holding, key=lambda block: len(wanted & set(content_words(block.text))), default=None)
    return best if best and len(wanted & set(content_words(best.text))) * 2 > len(wanted) else None


def _plain_study(document: Document, lesson: Lesson) -> StudySet:
    """The text and the questions as they are written, for who wants nothing else; no anchor either."""
    questions = [record for q in lesson.questions for record in makers.qa(q, lesson.title, lesson.seed)]
    texts = [next(makers.prose(block, lesson.seed)) for block in lesson.blocks]
    train = (*questions, *texts)
    held_out, probes = (_reserved(lesson, lesson.questions, turn) for turn in (0, 1))
    return StudySet(
        train,
        tuple(_kept(held_out, lesson.seed)),
        _mixture(train, PLAIN, anchor_share=0.0),
        tuple(list(_probes(document)) or _kept(probes, lesson.seed)),
    )


def _examined(document: Document, lesson: Lesson) -> tuple[list[Fact], list[Record], list[Record]]:
    """The facts without what is held out of them; what picks the best weights; what is kept for the evaluator."""
    asked_for = list(_probes(document))
    # Held out may be a longer wording of the question: of a conversation near the length limit it would not fit.
    short = [record for record in lesson.questions if _size(record) <= _fitting(document)]
    known = facts.facts(short, _derivable(lesson))
    turns = 1 if asked_for else 2
    known, apart = facts.set_apart(known, lesson.seed, turns)
    reserved = []
    for turn in range(turns):
        groups = {record.group for record in apart[turn]}
        framed = _reserved(lesson, [record for record in short if record.group not in groups], turn)
        reserved.append(_kept([*apart[turn], *(framed if lesson.questions or not apart[turn] else ())], lesson.seed))
    return known, reserved[0], asked_for or reserved[1]


def primary_records(document: Document, more: Iterable[Section] = ()) -> Iterator[Record]:
    """What each section's type says is to be learned, each text once, with its section's weight."""
    from ..document.read import records_of

    yield from _distinct(records_of((*document.sections, *more), document))


def _distinct(records: Iterable[Record]) -> Iterator[Record]:
    """The records without those that say what an earlier one of the same kind says, wherever that one stands."""
    seen = set()
    for record in records:
        said = (record.kind, record.objective, record.messages, record.rejected, record.text, record.title)
        if said not in seen:
            seen.add(said)
            yield record


def _kept(reserved: list[Record], seed: int) -> list[Record]:
    """At most :data:`MOST_HELD_OUT`, chosen by a hash of the question: an edit elsewhere changes no other choice."""

    def order(record: Record) -> bytes:
        return hashlib.sha256(f"{seed}\nkept\n{record.group}\n{makers.question(record)}".encode()).digest()

    chosen = {order(record) for record in sorted(reserved, key=order)[:MOST_HELD_OUT]}
    return [record for record in reserved if order(record) in chosen]


def _study_records(lesson: Lesson, known: Sequence[Fact], similar: Similar) -> Iterator[Record]:
    short = {makers.question(record) for fact in known for record in fact.given}
    for record in lesson.questions:
        yield from makers.qa(record, lesson.title, lesson.seed)
        # A conversation near the length limit is trained as written; a longer wording of it would not fit.
        for question_maker in QUESTION_MAKERS if makers.question(record) in short else ():
            yield from question_maker(record, lesson.title, lesson.seed)
    for fact in known:
        yield from (record for record in fact.given if record.kind != "qa")
        yield from (fact.worded("reworded", wording) for wording in fact.made)
        yield from facts.swapped(fact, similar, lesson.seed)
    asked_for = [*lesson.questions, *(r for fact in known for r in fact.given if r.kind != "qa")]
    held = Known.of(asked_for, lesson.blocks, lesson.title)
    yield from absent(asked_for, lesson.blocks, lesson.title, lesson.seed, held)
    yield from reverse(asked_for, lesson.blocks, lesson.seed, held)
    yield from _block_records(lesson, similar)


def _block_records(lesson: Lesson, similar: Similar) -> Iterator[Record]:
    derived = _derivable(lesson)
    chosen = {block.record.group for block in derived}
    sentences = sum(len(block.text) for block in derived) // SENTENCE
    each = max(LEAST_EACH, min(MOST_EACH, MOST_QUERIES // max(1, sentences)))
    for block in lesson.blocks:
        if block.record.group in chosen:
            for block_maker in BLOCK_MAKERS:
                yield from block_maker(block, lesson.seed)
            yield from queries(block, lesson.seed, each, similar)
        else:
            yield from itertools.islice(makers.prose(block, lesson.seed), 1)


def _derivable(lesson: Lesson) -> list[Block]:
    """Blocks of which questions are made."""
    chosen = _sampled(lesson.blocks, lesson.seed)
    return [block for block in lesson.blocks if block.record.group in chosen]


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


def _reserved(lesson: Lesson, questions: Sequence[Record], turn: int) -> list[Record]:
    """Each pair once, in a frame that training never uses; without pairs, each heading. Each turn has other frames."""
    by_group: dict[str, list[Record]] = {}
    for record in questions:
        by_group.setdefault(record.group, []).append(record)
    reserved = []
    for group, wordings in by_group.items():
        random = Random(f"{lesson.seed}\nheld out\n{group}")
        chosen = random.sample(frames.WRAPPED_HELD_OUT, 2)
        record = random.choice(wordings)
        framed = makers.asked(record, "held_out", frames.fill(chosen[turn], makers.question(record), lesson.title))
        reserved.append(replace(framed, value=facts.value(record)))
    if lesson.questions:
        return reserved
    return [_reserved_heading(block, turn) for block in lesson.blocks if makers.opening(block)]


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


def _mixture(
    train: Iterable[Record], shares: Mapping[str, float], anchor_share: float = ANCHOR_SHARE
) -> dict[str, float]:
    """Shares of the kinds that have records; they sum to 1, and the anchor's is the same for every document."""
    counts = Counter(record.kind for record in train)
    learned = {
        kind: share * (1.0 if kind in PLAIN else min(1.0, counts[kind] / ENOUGH))
        for kind, share in shares.items()
        if counts[kind]
    }
    weights = {kind: weight / sum(learned.values()) * (1 - anchor_share) for kind, weight in learned.items()}
    if counts["anchor"]:
        weights["anchor"] = anchor_share
    return {kind: weight / sum(weights.values()) for kind, weight in weights.items()}
