"""Which words may stand in a section fence, and what to say about the others."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .._known import INSTALLS

if TYPE_CHECKING:
    from .fences import SectionFence
    from .types import SectionType

RESERVED: Mapping[str, str] = {
    "preference": "preference sections are trained by dlm-preference, which is not installed",
    "image": "image sections are trained by a plugin that offers the section type `image`, and none is installed",
    "audio": "audio sections are trained by a plugin that offers the section type `audio`, and none is installed",
}
"""Words that belong to the format although dlm itself does not train them."""


class InstalledTypes(Mapping[str, "SectionType"]):
    """The section types that plugins offer, dlm's own among them; each imported when it is first asked for.

    The words of the format that nobody offers are there too, with a type that only reads them.
    """

    def __init__(self) -> None:
        from ..plugins import manager

        self._manager = manager()
        offered = self._manager.offers("dlm_sections")
        self._names = (*offered, *(word for word in RESERVED if word not in offered))
        self._found: dict[str, SectionType] = {}

    def __getitem__(self, name: str) -> SectionType:
        if name not in self._found:
            if name not in self._names:
                raise KeyError(name)
            self._found[name] = self._type(name)
        return self._found[name]

    def _type(self, name: str) -> SectionType:
        from .formats import FORMATS

        if not self.trains(name):
            return FORMATS[name]
        found: SectionType = self._manager.resolve("dlm_sections", name)
        return found

    def trains(self, name: str) -> bool:
        """Whether something installed offers ``name``, and not the format alone."""
        return name in self._manager.offers("dlm_sections")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def untrained_word(word: str) -> tuple[str, str]:
    """What is to be said about a section whose ``word`` belongs to the format but is offered by nobody."""
    command = installing(word)
    leave_out = 'give its fence weight="0", which leaves it out of training'
    return RESERVED[word], f"install it ({command}), or {leave_out}" if command else leave_out


def installing(word: str) -> str:
    """The command that installs what trains sections of the type ``word``; empty when none is known."""
    return INSTALLS.get(("dlm_sections", word), "")


def unknown_word(fence: SectionFence, installed: Mapping[str, SectionType]) -> tuple[str, str]:
    """What is wrong with ``fence``, and what to do."""
    word = fence.word
    escape = f"if the line is text, put a backslash before it: \\::{word}::"
    if word in RESERVED:
        what, fix = untrained_word(word)
        return what, f"{fix}; {escape}"
    close = difflib.get_close_matches(word.lower(), list(installed), n=1)
    guess = f"did you mean ::{close[0]}::? " if close else ""
    return f"unknown section type `{word}`", f"{guess}the types are {', '.join(sorted(installed))}; {escape}"
