"""The section type ``preference``. Its grammar is the core's, which reads it without this plugin too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.corpus.records import Message, Record
from dlm.document.formats import Preference
from dlm.document.identity import pair_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlm.document.formats import Triple
    from dlm.document.model import Document, Section

KIND = "preference"
"""Of the records, which the phase eats."""


class PreferenceSection(Preference):
    """Questions with a better and a worse answer, each a record for the phase ``preference``."""

    def records(self, document: Document, section: Section) -> Iterator[Record]:
        """One a triple; the two answers stand in it, the better one as the last turn."""
        for triple in section.body:
            turns = (Message("user", triple.prompt), Message("assistant", triple.chosen))
            yield Record(KIND, "prefer", _group(triple), section.id, messages=turns, rejected=triple.rejected)


def _group(triple: Triple) -> str:
    # As a follow-up of the worse answer: a name that no question and answer of an instruction section has.
    return pair_id([triple.prompt], triple.chosen, [(triple.prompt, triple.rejected)])


PREFERENCE = PreferenceSection()
