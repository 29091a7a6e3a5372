"""Documents of invented facts, each with an exam: the same for the same seed. Their words: :mod:`.domains`.

Things times attributes are the facts. Three in five have one question and answer in the document, the rest stand in
prose only; each is asked for in two wordings that the document does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from .domains import DOMAINS
from .exam import Asked, Change, Exam
from .page import Page, Written
from .wordings import WORDINGS

if TYPE_CHECKING:
    from .domains import Attribute, Domain

WITH_PAIR = 0.6
CONTINUED = 0.5
"""How often a sentence calls its thing "it"."""
FILLERS = 2
"""Sentences without a fact in a section."""
DRAWN = 10
"""Values that every attribute can give at once."""
UNKNOWN = 10
"""Questions about things that the document does not know, and as many about what it does not say of those it does."""


@dataclass(frozen=True)
class Fact:
    """What is true of one thing."""

    thing: str
    attribute: Attribute
    value: str
    paired: bool

    @property
    def question(self) -> str:
        """The pair's."""
        return self.attribute.question.format(s=self.thing)

    @property
    def answer(self) -> str:
        """The pair's."""
        return self.attribute.answer.format(s=self.thing, v=self.value)

    @property
    def reworded(self) -> list[str]:
        """More wordings, for a document that holds them."""
        return [wording.format(s=self.thing) for wording in WORDINGS[self.attribute.name]]

    @property
    def held_out(self) -> list[str]:
        """Both wordings that the document does not hold."""
        return [wording.format(s=self.thing) for wording in self.attribute.held_out]


@dataclass(frozen=True)
class Invented:
    """A document before it is written."""

    seed: int
    domain: Domain
    title: str
    opening: str
    things: tuple[str, ...]
    facts: tuple[Fact, ...]
    prose: dict[str, str]
    """The paragraph of each thing."""
    unknown: tuple[str, ...]
    """Questions that it does not answer."""

    @property
    def name(self) -> str:
        return f"{self.domain.name}-{self.seed}"

    def page(self, wordings: int = 0) -> Page:
        """What the document holds; each pair with so many more wordings."""
        pairs = [
            Written((fact.question, *fact.reworded[:wordings]), fact.answer, fact.thing)
            for fact in self.facts
            if fact.paired
        ]
        sections = tuple((thing, self.prose[thing]) for thing in self.things)
        return Page(str(self.seed), self.title, self.opening, sections, tuple(pairs))

    def text(self) -> str:
        """The ``.dlm`` file."""
        return self.page().text()

    def exam(self, wordings: int = 0) -> Exam:
        """What it is asked."""
        facts = [
            Asked(wording, (fact.value,), "pair" if fact.paired else "prose", fact.thing)
            for fact in self.facts
            for wording in fact.held_out
        ]
        page = self.page(wordings)
        return Exam(
            name=f"{self.name}-{wordings}w" if wordings else self.name,
            document=page.text(),
            facts=tuple(facts),
            names=self.things,
            near=self.domain.near,
            missing=self.unknown,
            page=page,
            changes=self._changes(),
        )

    def _changes(self) -> tuple[Change, ...]:
        """The first fact with a pair and the first without one, each with a value that the document does not hold."""
        found, random = [], Random(f"{self.seed}\nchanges")
        for paired in (True, False):
            fact = next((fact for fact in self.facts if fact.paired is paired), None)
            if fact is not None:
                found.append(Change(fact.value, _unused(random, fact.attribute, {other.value for other in self.facts})))
        return tuple(found)


def invent(seed: int, things: int = 10, attributes: int = 5) -> Invented:
    """The document of ``seed``: a domain in turn, its things, attributes and values drawn."""
    random = Random(f"{seed}\ninvented")
    domain = DOMAINS[seed % len(DOMAINS)]
    place = random.choice(domain.places)
    named = random.sample(domain.things, len(domain.things))
    chosen, left_out = _split(random, domain.attributes, attributes)
    facts = _facts(random, named[:things], chosen)
    return Invented(
        seed=seed,
        domain=domain,
        title=domain.title.format(p=place),
        opening=domain.opening.format(p=place),
        things=tuple(named[:things]),
        facts=facts,
        prose={thing: _paragraph(random, [f for f in facts if f.thing == thing], domain) for thing in named[:things]},
        unknown=_unknown(random, named[:things], named[things:], chosen, left_out),
    )


def _split(random: Random, attributes: tuple[Attribute, ...], count: int) -> tuple[list[Attribute], list[Attribute]]:
    shuffled = random.sample(attributes, len(attributes))
    return shuffled[:count], shuffled[count:]


def _facts(random: Random, things: list[str], attributes: list[Attribute]) -> tuple[Fact, ...]:
    """Every thing with every attribute; of each attribute the same number with a pair."""
    found: dict[str, list[Fact]] = {thing: [] for thing in things}
    for attribute in attributes:
        paired = set(random.sample(things, round(WITH_PAIR * len(things))))
        for thing, value in zip(things, attribute.values(random, len(things)), strict=True):
            found[thing].append(Fact(thing, attribute, value, thing in paired))
    return tuple(fact for thing in things for fact in found[thing])


def _unused(random: Random, attribute: Attribute, taken: set[str]) -> str:
    """A value of ``attribute`` that no fact has; if possible none begins with the same word."""
    drawn = [value for _ in range(8) for value in attribute.values(random, DRAWN) if value not in taken]
    begun = {value.split()[0] for value in taken}
    return next((value for value in drawn if value.split()[0] not in begun), drawn[0])


def _paragraph(random: Random, facts: list[Fact], domain: Domain) -> str:
    """Facts in a random order and form; only the first must name its thing. Sentences without a fact in between."""
    sentences = []
    for position, fact in enumerate(random.sample(facts, len(facts))):
        again = position > 0 and random.random() < CONTINUED
        forms = fact.attribute.continued if again else fact.attribute.stated
        sentences.append(random.choice(forms).format(s=fact.thing, v=fact.value))
    for filler in random.sample(domain.filler, FILLERS):
        sentences.insert(random.randint(1, len(sentences)), filler)
    return " ".join(sentences)


def _unknown(
    random: Random, things: list[str], others: list[str], attributes: list[Attribute], left_out: list[Attribute]
) -> tuple[str, ...]:
    """Questions about other things, and about what is not said of the things there are."""
    about_others = [random.choice(attributes).question.format(s=thing) for thing in others[:UNKNOWN]]
    not_said = [attribute.question.format(s=thing) for thing in things for attribute in left_out]
    return (*about_others, *random.sample(not_said, min(UNKNOWN, len(not_said))))
