"""A page that a bench writes itself: headings with a paragraph each, then pairs. It can be edited."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Written:
    """A question in one or more wordings, with its answer and the heading that it belongs to."""

    wordings: tuple[str, ...]
    answer: str
    section: str


@dataclass(frozen=True)
class Page:
    """The content of a ``.dlm`` file."""

    identity: str
    """Any text; the same one gives the same ``dlm_id``."""
    title: str
    opening: str
    sections: tuple[tuple[str, str], ...]
    """Heading and paragraph."""
    pairs: tuple[Written, ...]

    def text(self) -> str:
        """The ``.dlm`` file."""
        random = Random(f"{self.identity}\nid")
        identity = "01" + "".join(random.choice(_CROCKFORD) for _ in range(24))
        lines = [
            "---",
            f"dlm_id: {identity}",
            "dlm_version: 15",
            "base_model: smollm2-135m",
            "---",
            f"# {self.title}",
            "",
        ]
        lines += [self.opening, ""] if self.opening else []
        for heading, paragraph in self.sections:
            lines += [f"## {heading}", "", paragraph, ""]
        lines += ["::instruction::", ""] if self.pairs else []
        for pair in self.pairs:
            for wording in pair.wordings:
                lines += ["### Q", wording]
            lines += ["### A", pair.answer, ""]
        return "\n".join(lines)

    def changed(self, old: str, new: str) -> Page:
        """The page with ``new`` in the place of ``old`` wherever it stands, in prose and answers."""
        sections = tuple((heading, paragraph.replace(old, new)) for heading, paragraph in self.sections)
        return replace(
            self,
            sections=sections,
            pairs=tuple(replace(pair, answer=pair.answer.replace(old, new)) for pair in self.pairs),
        )

    def without(self, heading: str) -> Page:
        """The page without a section and the pairs about it."""
        sections = tuple(section for section in self.sections if section[0] != heading)
        return replace(self, sections=sections, pairs=tuple(pair for pair in self.pairs if pair.section != heading))
