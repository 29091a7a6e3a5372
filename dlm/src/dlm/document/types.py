"""What a section type is, and the two that dlm itself offers: prose and instruction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ..corpus.records import Message, Record
from .identity import block_id
from .pairs import parse_pairs
from .prose import parse_blocks

if TYPE_CHECKING:
    from .findings import Report
    from .model import Block, Document, Pair, Section


class SectionType(ABC):
    """One word that may stand in a section fence: what its text means and what is trained from it.

    A plugin registers an instance through ``dlm_sections``. A complete type, glossaries of ``term: meaning`` lines::

        class Glossary(SectionType):
            name = "glossary"

            def parse(self, content, line, report):
                entries = []
                for number, text in enumerate(content.split("\\n"), start=line):
                    term, colon, meaning = text.partition(":")
                    if text.strip() and not colon:
                        report(number, 1, "no colon on this line", "write `term: meaning`")
                    elif text.strip():
                        entries.append((term.strip(), meaning.strip()))
                return tuple(entries)

            def records(self, document, section):
                for term, meaning in section.body:
                    messages = (Message("user", f"What does {term} mean?"), Message("assistant", meaning))
                    yield Record("qa", "answer", f"{section.id}/{term}", section.id, messages)

        GLOSSARY = Glossary()   # SectionEntry(name="glossary", target="acme.glossary:GLOSSARY", summary=...)
    """

    name: ClassVar[str]
    """The word in the fence."""

    required_attributes: ClassVar[frozenset[str]] = frozenset()
    """Keys that ``::name key="value"::`` must have."""

    optional_attributes: ClassVar[frozenset[str]] = frozenset()
    """Keys that it may have besides. ``weight`` may stand in every fence and is never handed to a type."""

    @abstractmethod
    def parse(self, content: str, line: int, report: Report) -> Any:
        """Read the text of one section, which begins on ``line`` of the file, into what :meth:`records` needs.

        Mistakes go to ``report(line, col, what, fix)``, all of them, and raise nothing. The result should be immutable.
        """

    @abstractmethod
    def records(self, document: Document, section: Section) -> Iterable[Record]:
        """What is trained from ``section``, whose ``body`` is what :meth:`parse` returned.

        Only what the writer wrote; variants of it are made by :mod:`dlm.corpus`. ``group`` must not depend on where in
        the document the section stands.
        """


class Prose(SectionType):
    """Text that is learned as text, one record a heading."""

    name = "prose"
    optional_attributes: ClassVar[frozenset[str]] = frozenset({"title"})

    def parse(self, content: str, line: int, report: Report) -> tuple[Block, ...]:
        """The blocks under each heading."""
        return parse_blocks(content, line)

    def records(self, document: Document, section: Section) -> Iterable[Record]:
        """One record a block that has text; its title is the way to it: ``Document > Heading > Heading``.

        The attribute ``title`` stands there like a heading above all others.
        """
        title = section.attributes.get("title", "").strip()
        for block in section.body:
            way = (title, *block.headings) if title else block.headings
            headings = way[1:] if way[:1] == (document.title,) else way
            if block.text:
                yield Record(
                    kind="prose",
                    objective="text",
                    group=block_id(way, block.text),
                    section_id=section.id,
                    text=block.text,
                    title=" > ".join((document.title, *headings)),
                )


class Instruction(SectionType):
    """Questions and their answers."""

    name = "instruction"

    def parse(self, content: str, line: int, report: Report) -> tuple[Pair, ...]:
        """The pairs, probes included."""
        return parse_pairs(content, line, report)

    def records(self, document: Document, section: Section) -> Iterable[Record]:
        """One record a wording of each pair that is not a probe; the wordings of a pair share a group.

        A follow-up has the turns before it in front.
        """
        for pair in section.body:
            if pair.probe:
                continue
            said = [turn for ask, reply in pair.before for turn in (Message("user", ask), Message("assistant", reply))]
            for question in pair.questions:
                messages = (*said, Message("user", question), Message("assistant", pair.answer))
                yield Record("qa", "answer", group=pair.id, section_id=section.id, messages=messages)


PROSE = Prose()
INSTRUCTION = Instruction()
