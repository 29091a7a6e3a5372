"""The parts of a question, and the orders they can be put back in. What the words mean is not known here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..asking import verbs
from . import tokens

DO = frozenset({"do", "does", "did"})
BE = verbs.BE | {"am"}
MODALS = verbs.MODALS
GENERIC = frozenset({"i", "we", "you", "one"})
"""Subjects that stand for whoever asks."""
_STRANDING = frozenset("on at in from to with for by under through behind about into".split())
_MEASURING = frozenset("last take cost weigh need hold contain".split())
_OWN = {"it": "its", "they": "their", "he": "his", "she": "her"}
_BE_FOR = {"does": "is", "do": "are", "did": "was"}


@dataclass(frozen=True)
class Clause:
    """``Which port`` ``does`` ``Kittiwake`` ``listen`` ``on``."""

    wh: str
    """With its noun, lower case: ``which port``, ``how often``; empty in a yes/no question."""
    subject: str
    """Empty when the wh-phrase is the subject itself."""
    helper: str
    """``does``, ``is``, ``must be``, ``does not``. A plain finite verb has ``does``, ``do`` or ``did`` here."""
    verb: str = ""
    """The base form; empty after a mere *be*."""
    form: Literal["base", "participle", "gerund"] = "base"
    rest: str = ""
    """What follows the verb, with a preposition that the wh-phrase left behind."""
    prep: str = ""
    """A preposition in front of the wh-phrase."""

    @property
    def passive(self) -> bool:
        return self.form == "participle" and bool(BE.intersection(self.helper.split()) or "be" in self.helper.split())

    @property
    def copular(self) -> bool:
        """Nothing but a form of *be*: what follows is a description or nothing at all."""
        return not self.verb

    @property
    def generic(self) -> bool:
        return self.subject.lower() in GENERIC

    @property
    def opener(self) -> str:
        """The first word of the wh-phrase; empty in a yes/no question."""
        return self.wh.partition(" ")[0]

    @property
    def past(self) -> bool:
        return self.helper.split()[0] in {"did", "was", "were", "had"}

    @property
    def inflected(self) -> str:
        """The verb as it stands after its helper."""
        if self.form == "participle":
            return verbs.participle(self.verb)
        return verbs.gerund(self.verb) if self.form == "gerund" else self.verb

    @property
    def finite(self) -> str:
        """Helper and verb as a statement has them: ``listens``, ``is kept``, ``does not listen``."""
        if self.helper in DO:
            tensed = {"does": verbs.third, "did": verbs.past}.get(self.helper)
            return tensed(self.verb) if tensed else self.verb
        return f"{self.helper} {self.inflected if self.verb else ''}".strip()

    def direct(self) -> str:
        """``On which port does Kittiwake listen?``"""
        if not self.subject:
            return sentence(self.prep, self.wh, self.finite, self.rest, end="?")
        first, _, more = self.helper.partition(" ")
        verb = self.inflected if self.verb else ""
        return sentence(self.prep, self.wh, first, self.subject, more, verb, self.rest, end="?")

    def embedded(self) -> str:
        """``on which port Kittiwake listens``, behind *tell me*."""
        return joined(self.prep, self.wh or "whether", self.subject, self.finite, self.rest)

    def statement(self) -> str:
        """Without the wh-phrase: ``Kittiwake listens on``."""
        return joined(self.subject, self.finite, self.rest)

    def echo(self) -> str:
        """``Kittiwake listens on which port?``; empty where the wh-phrase has no place in a statement."""
        words = self.rest.split()
        loose = self.opener in {"when", "where"} or self.wh in {"how often", "how frequently", "how long"} or self.prep
        if self.wh in {"what time", "which day", "what day", "which date", "what date"} and not self.prep:
            return ""
        if self.verb in _MEASURING and self.opener == "how":
            return sentence(self.subject, self.finite, self.prep, self.wh, self.rest, end="?")
        if len(words) <= 1 or (loose and len(words) <= 6):
            return sentence(self.subject, self.finite, self.rest, self.prep, self.wh, end="?")
        if not loose and words[0] in {*tokens.PREPOSITIONS, "to"} and words[-1] not in tokens.PREPOSITIONS:
            return sentence(self.subject, self.finite, self.wh, self.rest, end="?")
        return ""

    def stranded(self) -> Clause:
        """The preposition behind: ``which port does Kittiwake listen on``."""
        return replace(self, prep="", rest=joined(self.rest, self.prep)) if self.prep else self

    def fronted(self) -> Clause:
        """The preposition in front, where the rest ends with one."""
        kept, _, last = self.rest.rpartition(" ")
        if self.prep or not self.subject or last not in _STRANDING or self.wh.split()[0] not in {"which", "what"}:
            return self
        return replace(self, prep=last, rest=kept) if " " in self.wh else self

    def said_with(self, phrase: str, rest: str) -> Clause:
        """The clause with the verb phrase ``phrase``, in its base form, and ``rest`` behind it."""
        first, _, more = phrase.partition(" ")
        if first != "be":
            return self._with_verb(first, joined(more, rest))
        if self.helper.split()[0] not in DO:
            helper = self.helper if {*self.helper.split()} & {*BE, "be"} else f"{self.helper} be"
            return replace(self, helper=helper, verb="", form="base", rest=joined(more, rest))
        be = "am" if self.subject.lower() == "i" and self.helper == "do" else _BE_FOR[self.helper.split()[0]]
        be = "were" if be == "was" and self.subject and plural(self.subject) else be
        helper = joined(be, *self.helper.split()[1:])
        return replace(self, helper=helper, verb="", form="base", rest=joined(more, rest))

    def _with_verb(self, verb: str, rest: str) -> Clause:
        if not self.copular:
            return replace(self, verb=verb, rest=rest)
        first, _, more = self.helper.partition(" ")
        do = {"is": "does", "are": "do", "am": "do", "was": "did", "were": "did"}.get(first, first)
        helper = joined(do, more.removeprefix("be"))
        return replace(self, helper=helper, verb=verb, form="base", rest=rest)


@dataclass(frozen=True)
class Attribute:
    """A noun with what it belongs to: ``technical lead`` of ``Kittiwake``."""

    noun: str
    owner: str
    prep: str = "of"
    article: str = "the"

    def of(self) -> str:
        """``the technical lead of Kittiwake``"""
        return f"{self.article} {self.noun} {self.prep} {self.owner}"

    def genitive(self) -> str:
        """``Kittiwake's technical lead``; empty where nobody would say it."""
        if self.article != "the":
            return ""
        if self.owner.lower() in _OWN:
            return f"{_OWN[self.owner.lower()]} {self.noun}"
        words = self.owner.split()
        plain = (
            len(words) <= 4
            and "'" not in self.owner
            and not any(word.lower() in tokens.PREPOSITIONS | {"of", "and", "or"} for word in words)
        )
        if not plain or not words[-1][-1:].isalnum():
            return ""
        if not words[-1].endswith("s"):
            return f"{self.owner}'s {self.noun}"
        several = words[0].lower() == "the" and tokens.is_plural(words[-1])
        return f"{self.owner}' {self.noun}" if several else ""

    def compound(self) -> str:
        """``Kittiwake technical lead``, as typed into a search box."""
        return f"{without_article(self.owner)} {self.noun}"


def plural(phrase: str) -> bool:
    """Whether a noun phrase takes *are*."""
    words = tuple(phrase.split())
    return bool(words) and tokens.number(words) == "plural"


def be_for(helper: str, subject: str) -> str:
    """The form of *be* that ``subject`` takes, in the tense of ``helper``."""
    past = helper.split()[0] in {"was", "were", "did", "had"}
    if plural(subject):
        return "were" if past else "are"
    return "was" if past else "is"


def do_for(helper: str, subject: str) -> str:
    """The form of *do* that ``subject`` takes, in the tense of ``helper``."""
    past = helper.split()[0] in {"was", "were", "did", "had"}
    return "did" if past else "do" if plural(subject) else "does"


def without_article(phrase: str) -> str:
    first, _, more = phrase.partition(" ")
    return more if first.lower() in {"the", "a", "an"} and more else phrase


def joined(*parts: str) -> str:
    return " ".join(" ".join(parts).split()).replace(" ,", ",")


def sentence(*parts: str, end: str = "") -> str:
    """The parts with a capital in front, where it is a letter, and ``end`` behind."""
    text = joined(*parts).rstrip("?. ") + end
    return text[:1].upper() + text[1:]
