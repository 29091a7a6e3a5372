"""What the adapter is held to the base on: general chat, questions and prose, none of it about any document.

Kinds of prompt and their shares are those that kept a small base whole where chat alone did not: an adapter that has
seen no short question besides the document's answers every short question from the document.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING

from . import makers, nouns
from .records import Message, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .makers import Block

SHARES = {"chat": 0.06, "question": 0.04, "prose": 0.03, "thing": 0.04}
"""Of the rows of a step, relative to one another: chat, short questions about anything, plain text, and questions about
well-known things in the words of a handbook."""
NEAR_SHARE = 0.05
"""Of the prompts that :func:`near` makes of a document, on the same scale."""
MOST_NEAR = 40
"""Nouns of a document that are asked about in general."""
_COUNTED = (
    "What is {a}?",
    "Give an example of {a}.",
    "Why are {s} useful?",
    "What are {s} used for?",
    "How would you explain {a} to a child?",
)
_UNCOUNTED = (
    "What is {a}?",
    "Why is {a} important?",
    "Where does {a} come from?",
    "What should I know about {a}?",
)
_NEAR_EACH = 2
_HEAVIEST = 3.0
"""Weight of one prompt near the document: where there are few, they fill less than their share."""
_VAGUE = frozenset(
    (
        "afternoon case day evening example form hour kind line minute moment month morning name night number order "
        "part person piece place point question second set side sort thing time way week weekend word year"
    ).split()
)
"""Nouns of every document, about none of which a document is."""
_NAMED_AS_NOUN = re.compile(
    r"(?i)\b(?:an?|the|this|that|each|every|one|no|its|their|our|your|of|with|for|\d+)\s+([a-z]{3,})\b(?![-_/.]\w)"
)


@cache
def anchors() -> tuple[Record, ...]:
    """Every packaged anchor with a written answer, in file order. They belong to no section."""
    lines = files(__package__).joinpath("anchors.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_record(number, json.loads(line)) for number, line in enumerate(lines, start=1))


def _record(number: int, entry: dict[str, str]) -> Record:
    group = f"anchor-{number}"
    if "text" in entry:
        return Record("anchor", "anchor", group, section_id="", text=entry["text"])
    messages = (Message("user", entry["prompt"]), Message("assistant", entry["answer"]))
    return Record("anchor", "anchor", group, section_id="", messages=messages)


@cache
def prompts() -> tuple[Record, ...]:
    """The packaged mix, in file order: prompts that the base has yet to answer, and passages.

    Groups are ``chat-1``, ``question-1``, ``thing-1`` and ``prose-1``, and weights such that the kinds are drawn in
    :data:`SHARES`.
    """
    lines = files(__package__).joinpath("anchors-mix.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [next(iter(json.loads(line).items())) for line in lines]
    counts = Counter(sub for sub, _ in entries)
    number: Counter[str] = Counter()
    found = []
    for sub, text in entries:
        number[sub] += 1
        found.append(_open(sub, f"{sub}-{number[sub]}", text, _weight(SHARES[sub], counts[sub])))
    return tuple(found)


def near(title: str, blocks: Sequence[Block], questions: Sequence[Record], seed: int) -> list[Record]:
    """General questions about the ordinary things that the document speaks of: ``What is a port?``

    Their nouns are the document's most frequent ones; what a heading or a question of the document is about already is
    left to the document. Groups are ``near-port``.
    """
    headings = {part.casefold() for block in blocks for part in (title, block.record.title.split(" > ")[-1])}
    asked = {_plain(makers.question(record)) for record in questions}
    counts = Counter(noun for block in blocks for noun in _nouns(block.text))
    ordered = sorted(counts, key=lambda noun: (-counts[noun], noun))
    chosen = [noun for noun in ordered if headings.isdisjoint((noun, _plural(noun)))][:MOST_NEAR]
    made = [(noun, prompt) for noun in chosen for prompt in _about(noun, seed) if _plain(prompt) not in asked]
    weight = min(_HEAVIEST, _weight(NEAR_SHARE, max(1, len(made))))
    return [_open("near", f"near-{noun}", prompt, weight) for noun, prompt in made]


def _about(noun: str, seed: int) -> list[str]:
    frames = _UNCOUNTED if noun in nouns.uncounted() else _COUNTED
    chosen = Random(f"{seed}\nnear\n{noun}").sample(frames, _NEAR_EACH)
    return [frame.format(a=nouns.with_article(noun), s=_plural(noun)) for frame in frames if frame in chosen]


def _nouns(text: str) -> Iterator[str]:
    """Every ordinary noun that stands after an article or the like, where it is no verb."""
    for match in _NAMED_AS_NOUN.finditer(text):
        if match[1].islower() and (noun := nouns.singular(match[1])) and noun not in _VAGUE:
            yield noun


def _plural(noun: str) -> str:
    return noun if noun in nouns.uncounted() else nouns.plural(noun)


def _plain(text: str) -> str:
    return " ".join(text.casefold().rstrip("?!. ").split())


def _weight(share: float, count: int) -> float:
    """Of each of ``count`` records that make up ``share`` together. Packaged and near ones are about 1 on average."""
    return share / count * 5000


def _open(sub: str, group: str, text: str, weight: float) -> Record:
    """An anchor record that ends with the user's turn, or a passage."""
    if sub == "prose":
        return Record("anchor", "anchor", group, section_id="", text=text, weight=weight)
    return Record("anchor", "anchor", group, section_id="", messages=(Message("user", text),), weight=weight)
