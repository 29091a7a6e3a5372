"""``bleed``: does the topic turn up in answers that have nothing to do with it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Self

from pydantic import Field

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import general_items, knowledge, prose
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import unharmed_rate
from dlm_sway.scoring.types import BASE

_TOKEN = re.compile(r"[\w][\w.\-/]*[\w]|\w")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|\n\s*(?:[-*#>|]+\s*)*|\"|\()$")
_LISTED = 10
_LONGEST_LIST = 400


class BleedSpec(ProbeSpec):
    """Keys of a ``bleed`` entry."""

    prompts: tuple[str, ...] = ()
    """Questions from elsewhere; without any, the packaged general ones."""
    terms: tuple[str, ...] = ()
    """Words of the topic; without any, the names, numbers and identifiers of the document."""
    max_new_tokens: int = Field(default=64, ge=8, le=512)
    assert_rate_lte: float = Field(default=0.1, gt=0, le=1)
    """Share of answers in which the topic may turn up."""


class Bleed(Probe[BleedSpec]):
    """Share of unrelated answers that hold a word of the topic which neither question nor base's answer holds."""

    kind = "bleed"
    spec_type = BleedSpec

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the document's own words, where the suite names none."""
        if self.spec.terms:
            return self
        terms = topic_terms(ctx.doc_text or "")
        if not terms:
            raise NothingToAsk("no words of the topic are known: give terms, or name the document with dlm_source")
        return type(self)(self.spec.model_copy(update={"terms": terms}))

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self.spec.prompts or [item.prompt for item in general_items()]))

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """1 where the topic turns up, else 0; beside it, with which words."""
        items = [Item(prompt) for prompt in self.prompts]
        before = scoring.generate(items, BASE, max_new_tokens=self.spec.max_new_tokens)
        after = scoring.generate(items, view, max_new_tokens=self.spec.max_new_tokens)
        terms = {term.lower() for term in self.spec.terms}
        found = [
            sorted((terms & _words(b.text)) - _words(a.text) - _words(prompt))
            for prompt, a, b in zip(self.prompts, before, after, strict=True)
        ]
        return Measurement(tuple(float(bool(one)) for one in found), (), {"found": found, "after": after})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """The share must be shown to lie below the margin, by an exact bound."""
        found, after = measured.evidence["found"], measured.evidence["after"]
        rows = [
            {"prompt": prompt, "terms": terms, "answer": answer.text[:200]}
            for prompt, terms, answer in zip(self.prompts, found, after, strict=True)
            if terms
        ]
        return unharmed_rate(
            self,
            len(rows),
            len(found),
            ctx,
            limit=self.spec.assert_rate_lte,
            what="share of unrelated answers in which the topic turns up",
            evidence={"terms": len(self.spec.terms), "examples": rows[:_LISTED]},
        )


def topic_terms(text: str) -> tuple[str, ...]:
    """Names, numbers and identifiers of ``text``, in lower case, most frequent first.

    That is words with a digit and at least three characters, with a capital inside a sentence, or with a sign inside
    them such as ``pump-3`` or ``a.toml``; none that the packaged English holds.
    """
    counts: dict[str, int] = {}
    for match in _TOKEN.finditer(text):
        word, before = match.group(), text[max(0, match.start() - 8) : match.start()]
        digit = any(char.isdigit() for char in word) and len(word) >= 3
        capital = word[0].isupper() and len(word) >= 3 and not _SENTENCE_START.search(before)
        inner = len(word) >= 4 and any(char in "._-/" or char.isupper() for char in word[1:])
        if digit or capital or inner:
            counts[word.lower()] = counts.get(word.lower(), 0) + 1
    ordinary = _ordinary()
    names = [word for word in counts if word not in ordinary]
    return tuple(sorted(names, key=lambda word: (-counts[word], word))[:_LONGEST_LIST])


@cache
def _ordinary() -> frozenset[str]:
    texts: list[str] = [passage.text for passage in prose()]
    texts += [text for fact in knowledge() for text in (fact.prompt, fact.answer, fact.wrong)]
    texts += [text for item in general_items() for text in (item.prompt, item.reference)]
    return frozenset(_all_words(texts))


def _all_words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _words(text)}


def _words(text: str) -> set[str]:
    return {match.group().lower() for match in _TOKEN.finditer(text)}
