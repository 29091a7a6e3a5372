"""Sentences with a slot for a thing and one for a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .words import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .things import Mention, Thing

THING, VALUE = "\ue000", "\ue001"
"""The slots: characters that no text has a use for."""


@dataclass(frozen=True)
class Template:
    """A sentence to put another thing and its value into."""

    text: str
    before: tuple[str, ...] = ()
    """Words of the name that the sentence leaves out before what it says of it: ``Kestrel`` for *Kestrel service*."""
    after: tuple[str, ...] = ()
    lowered: bool = False
    """The name stands there without the capital of its heading."""

    def fill(self, thing: Thing, value: str = "") -> str:
        """The sentence about ``thing``."""
        said = self.text.replace(THING, self._name(thing)).replace(VALUE, value)
        starts_with_slot = self.text[:1] in (THING, VALUE)
        return said[0].upper() + said[1:] if starts_with_slot and said[:1].isalpha() and _ordinary(said) else said

    @property
    def key(self) -> tuple[str, ...]:
        """What two spellings of one template share."""
        return tuple(word.low for word in words(self.text) if word.low not in "?.!")

    def _name(self, thing: Thing) -> str:
        count, start, end = len(thing.lows), len(self.before), len(self.after)
        same = thing.lows[:start] == self.before and thing.lows[count - end :] == self.after and start + end < count
        found = words(thing.name)
        name = thing.name[found[start].start : found[count - end - 1].end] if same else thing.name
        return name[0].lower() + name[1:] if self.lowered and _ordinary(name) else name


def slotted(text: str, mentions: Iterable[Mention]) -> Template:
    """``text`` with each of ``mentions``, which are of one thing, as a slot. Its words are those of :func:`words`."""
    found, parts, at = words(text), [], 0
    mentions = list(mentions)
    for mention in mentions:
        parts += [text[at : found[mention.first].start], THING]
        at = found[mention.last - 1].end
    form = next(iter(mentions), None)
    if form is None:
        return Template(text)
    lows, said = form.thing.lows, text[found[form.first].start : found[form.last - 1].end]
    lowered = said != said.capitalize() and said[0].islower() and form.thing.name[0].isupper()
    before, after = lows[: form.before], lows[len(lows) - form.after :]
    return Template("".join([*parts, text[at:]]), before, after, lowered)


def _ordinary(name: str) -> bool:
    """Whether the first word is spelled like any other: no ``iPad``, no ``SSH``."""
    first = name.split(maxsplit=1)[0]
    return not any(sign.isupper() or sign.isdigit() for sign in first[1:])
