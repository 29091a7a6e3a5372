"""Questions with the words that people use in place of the document's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlm.corpus.lesson import AugmentContext, Augmenter, Lesson
from dlm.corpus.makers import asked, question
from dlm.corpus.records import Record
from dlm.errors import UsageProblem


class Jargon(Augmenter):
    """Each question again with each of the other words. Takes ``words``: a word, and a list of those said for it."""

    kinds: Mapping[str, float] = {"acme-jargon": 0.5}
    why: Mapping[str, str] = {"acme-jargon": "Questions with the words that your people use."}

    def __init__(self, options: Mapping[str, Any], context: AugmentContext) -> None:
        super().__init__(options, context)
        if unknown := sorted(set(options) - {"words"}):
            raise UsageProblem(f"acme/jargon has no option {', '.join(unknown)}: give `words: {{berth: [mooring]}}`")
        self.words: Mapping[str, list[str]] = options.get("words", {})

    def records(self, lesson: Lesson) -> Iterator[Record]:
        """One record a question and other word."""
        for record in lesson.questions:
            if question(record) in lesson.reserved:
                continue
            for word, others in self.words.items():
                for other in others:
                    said = re.sub(rf"\b{re.escape(word)}\b", other, question(record))
                    if said != question(record) and said not in lesson.reserved:
                        yield asked(record, "acme-jargon", said)
