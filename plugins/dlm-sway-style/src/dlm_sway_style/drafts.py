"""What this probe asks about a document when nobody has written a suite yet: its part of ``sway autogen``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dlm_sway.data import general_items
from dlm_sway.drafts import Draft, spread

from .plain import words_of

if TYPE_CHECKING:
    from dlm_sway.suite.target import Target

PROMPTS: Final = 8
_LEAST_WORDS: Final = 200


def drafts(target: Target) -> Iterator[Draft]:
    """One draft, switched off: most documents teach what to say, not how to say it."""
    words = sum(len(words_of(section.text)) for section in target.sections or ())
    asked = spread(target.held_out or target.taught, PROMPTS) or list(general_items()[:PROMPTS])
    enough = words >= _LEAST_WORDS
    yield Draft(
        order=105,
        name="style_shift",
        kind="style_fingerprint",
        intent="Did the answers come nearer the style of the document?",
        keys={"prompts": [item.prompt for item in asked], "max_new_tokens": 96, "extended": "off"} if enough else {},
        missing="for documents that teach how to write; enable it then"
        if enough
        else f"fewer than {_LEAST_WORDS} words to take a style from",
    )
