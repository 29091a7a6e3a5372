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
    """The section types that plugins offer, dlm's own among them; each imported when it is first asked for."""

    def __init__(self) -> None:
        from ..plugins import manager

        self._manager = manager()
        self._names = tuple(self._manager.offers("dlm_sections"))

    def __getitem__(self, name: str) -> SectionType:
        if name not in self._names:
            raise KeyError(name)
        found: SectionType = self._manager.resolve("dlm_sections", name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def unknown_word(fence: SectionFence, installed: Mapping[str, SectionType]) -> tuple[str, str]:
    """What is wrong with ``fence``, and what to do."""
    word = fence.word
    escape = f"if the line is text, put a backslash before it: \\::{word}::"
    if word in RESERVED:
        command = INSTALLS.get(("dlm_sections", word))
        install = f"install it ({command}), or remove the section" if command else "remove the section for now"
        return RESERVED[word], f"{install}; {escape}"
    close = difflib.get_close_matches(word.lower(), list(installed), n=1)
    guess = f"did you mean ::{close[0]}::? " if close else ""
    return f"unknown section type `{word}`", f"{guess}the types are {', '.join(sorted(installed))}; {escape}"
