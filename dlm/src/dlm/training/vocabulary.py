"""How well a base's tokenizer knows the words of a document. Counting pieces is the backend's."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..corpus import anchors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .plan import Plan
    from .warm import Start

SPLIT = 3
"""Pieces from which a word counts as split."""
OFTEN = 2
"""How often a split word must come before the embeddings of its pieces are worth warming up."""
WORSE = 1.5
"""How many times the pieces of a general word those of the document's may have before it is said."""
SHOWN = 20
"""Split words that are listed."""
OFTENER = 4.0
"""How many times as often as in general text a piece must come, a word of each: a warm-up that moved the pieces of
everyday words would move these words too."""
MOST_WARMED = 256
"""Tokens whose embeddings are warmed up at most."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Word(NamedTuple):
    """A word that the tokenizer splits."""

    word: str
    pieces: int
    times: int
    """How often the document has it."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of a document in the tokens of one base."""

    words: int
    tokens_per_word: float
    general_tokens_per_word: float
    """Of everyday questions and prose, which come with dlm."""
    unknown: tuple[str, ...] = ()
    """Words with a character that the tokenizer does not know, the most frequent ones."""
    unknown_tokens: int = 0
    """How often the document has one."""
    split: tuple[Word, ...] = ()
    """The words that cost most pieces, which are those of :data:`SPLIT` pieces or more."""
    split_words: int = 0
    """How many there are."""
    tokens: tuple[int, ...] = ()
    """The pieces of split words that are the document's own, in ascending order: whose embeddings a warm-up would
    train."""

    @property
    def poor(self) -> bool:
        """Worth telling."""
        return self.unknown_tokens > 0 or self.tokens_per_word > WORSE * self.general_tokens_per_word

    @property
    def said(self) -> str:
        """In a line or two, for people."""
        each = f"{self.tokens_per_word:.2f} tokens a word, and {self.general_tokens_per_word:.2f} in general text"
        parts = [f"the base's tokenizer takes {each}"]
        if self.split:
            parts.append(", ".join(f"{one.word} takes {one.pieces} ({_times(one.times)})" for one in self.split[:2]))
        if self.unknown_tokens:
            parts.append(f"{self.unknown_tokens:,} tokens are unknown to it: {', '.join(self.unknown[:3])}")
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the tokens."""
        found = asdict(self) | {"split": [one._asdict() for one in self.split], "poor": self.poor}
        return {**{name: value for name, value in found.items() if name != "tokens"}, "tokens": len(self.tokens)}


def counted(texts: Iterable[str]) -> Counter[str]:
    """The words of ``texts``, without numbers: tokenizers take those apart in any text."""
    found = (match.group() for text in texts for match in _WORD.finditer(text))
    return Counter(word for word in found if any(map(str.isalpha, word)))


def general() -> Counter[str]:
    """The words of the packaged prompts and passages."""
    texts = (part for record in anchors.prompts() for part in (record.text, *(t.content for t in record.messages)))
    return counted(texts)


def measured(
    words: Mapping[str, int], elsewhere: Mapping[str, int], pieces: Mapping[str, Sequence[int]], unknown: int | None
) -> Vocabulary:
    """What ``pieces``, the tokens of every word, say of a document's ``words`` and of those ``elsewhere``."""
    words_here = sum(words.values())
    split = [Word(word, len(pieces[word]), count) for word, count in words.items() if len(pieces[word]) >= SPLIT]
    split.sort(key=lambda one: (-one.times * (one.pieces - 1), one.word))
    strange = {word: count * pieces[word].count(unknown) for word, count in words.items() if unknown in pieces[word]}
    weights: Counter[int] = Counter()
    for one in split:
        if one.times >= OFTEN:
            weights.update(dict.fromkeys(pieces[one.word], one.times))
    here, there = _tokens(words, pieces), _tokens(elsewhere, pieces)
    more = OFTENER * words_here / words_there if (words_there := sum(elsewhere.values())) else 0.0
    own = [token for token in weights if token != unknown and here[token] > more * there[token]]
    often = sorted(own, key=lambda token: (-weights[token], token))[:MOST_WARMED]
    return Vocabulary(
        words=words_here,
        tokens_per_word=round(_each(words, pieces), 4),
        general_tokens_per_word=round(_each(elsewhere, pieces), 4),
        unknown=tuple(sorted(strange, key=lambda word: (-strange[word], word))[:SHOWN]),
        unknown_tokens=sum(strange.values()),
        split=tuple(split[:SHOWN]),
        split_words=len(split),
        tokens=tuple(sorted(often)),
    )


def with_embeddings(plans: tuple[Plan, ...], found: Vocabulary | None, start: Start | None) -> tuple[Plan, ...]:
    """``plans`` with what was found; where one warms embeddings up, all of them know of which tokens.

    A run that goes on from a version has the tokens that the version has: its adapter has no room for others.
    """
    if start is not None:
        recipe = start.version.facts_of(start.adapter).get("recipe") or {}
        tokens = tuple(recipe.get("embedded") or ())
    elif any(plan.recipe.embed_warmup_steps for plan in plans):
        tokens = found.tokens if found else ()
    else:
        tokens = ()
    return tuple(
        replace(
            plan,
            vocabulary=found,
            recipe=replace(
                plan.recipe, embedded=tokens, embed_warmup_steps=plan.recipe.embed_warmup_steps if tokens else 0
            ),
        )
        for plan in plans
    )


def _tokens(words: Mapping[str, int], pieces: Mapping[str, Sequence[int]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for word, count in words.items():
        for token in pieces[word]:
            found[token] += count
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _each(words: Mapping[str, int], pieces: Mapping[str, Sequence[int]]) -> float:
    total = sum(words.values())
    return sum(count * len(pieces[word]) for word, count in words.items()) / total if total else 0.0
