"""Sentences with a slot for a thing and one for a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .things import in_text
from .words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .things import Mention, Thing
    from .words import Word

THING, NAMED, VALUE = "\ue000", "\ue001", "\ue002"
"""The slots, characters that no text has a use for: a name, a name with the article it takes, a value."""
_STARTS = re.compile(rf"(?:^|(?<=[.!?] ))[{THING}{NAMED}{VALUE}]")


@dataclass(frozen=True)
class Template:
    """A sentence to put another thing and its value into."""

    text: str
    before: tuple[str, ...] = ()
    """Words of the name that the sentence leaves out before what it says of it."""
    after: tuple[str, ...] = ()
    """The same after it: ``service``, where *Kestrel service* is called Kestrel."""
    lowered: bool = False
    """The name stands there without the capital of its heading."""

    def fill(self, thing: Thing, value: str = "") -> str:
        """The sentence about ``thing``."""
        name = self._name(thing)
        slots = {THING: name, NAMED: f"the {name}" if thing.article else name, VALUE: value}
        text = _STARTS.sub(lambda match: _capital(slots[match[0]]), self.text)
        for slot, said in slots.items():
            text = text.replace(slot, said)
        return text

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What two spellings of one template share."""
        return tuple(word.low for word in words(self.text) if word.low not in "?.!")

    def _name(self, thing: Thing) -> str:
        name = thing.spelled or thing.name
        count, start, end = len(thing.lows), len(self.before), len(self.after)
        same = thing.lows[:start] == self.before and thing.lows[count - end :] == self.after
        if 0 < start + end < count and same:
            found = words(name)
            name = name[found[start].start : found[count - end - 1].end]
        return in_text(name) if self.lowered and not thing.spelled else name


def slotted(
    text: str, found: Sequence[Word], mentions: Sequence[Mention], value: tuple[int, int] | None = None
) -> Template:
    """``text``, whose words are ``found``, with a slot for each of ``mentions`` of one thing and for the ``value``."""
    cuts = [(value[0], value[1], VALUE)] if value else []
    for mention in mentions:
        article = mention.thing.article and mention.first > 0 and found[mention.first - 1].low == "the"
        cuts.append((mention.first - article, mention.last, NAMED if article else THING))
    parts, at = [], 0
    for first, last, slot in sorted(cuts):
        parts += [text[at : found[first].start], slot]
        at = found[last - 1].end
    said = "".join([*parts, text[at:]])
    if not mentions:
        return Template(said)
    form = mentions[0]
    lows = form.thing.lows
    lowered = text[found[form.first].start].islower() and form.thing.name[0].isupper()
    return Template(said, lows[: form.before], lows[len(lows) - form.after :], lowered)


def _capital(said: str) -> str:
    own = any(sign.isupper() or sign.isdigit() for sign in said.split(maxsplit=1)[0][1:])
    return said if own or not said[0].isalpha() else said[0].upper() + said[1:]
