"""What invented documents are about: words only. How a document is put together: :mod:`.invented`.

``{s}`` is a thing and ``{v}`` a value. A value is of a form that no other attribute of its domain uses, so that it is
found only where it was put.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

FIRST_NAMES = (
    "Aldous Brigid Corwin Delphine Emeric Florian Gudrun Hamish Isolde Jarek Katya Leopold Mirela Nestor Odile "
    "Perrin Rosalba Sverre Thandi Ulrika"
).split()
LAST_NAMES = (
    "Abernick Bexfield Cardozo Drummel Ettinger Falkner Gorecki Hallorsen Imhoff Jellinek Kaplanov Lestrange Moravec "
    "Nyquist Ostrander Pellegrin Quimby Rautio Stavros Tindall"
).split()


@dataclass(frozen=True)
class Attribute:
    """One kind of fact."""

    name: str
    stated: tuple[str, str, str]
    """Sentences that name the thing."""
    continued: tuple[str, str, str]
    """The same after a sentence that has named it."""
    question: str
    answer: str
    """With ``question``: the one pair of a document."""
    held_out: tuple[str, str]
    """Other wordings, which never stand in a document."""
    values: Callable[[Random, int], list[str]]
    """That many different ones."""


@dataclass(frozen=True)
class Domain:
    """A subject with everything that can be said and asked about it."""

    name: str
    title: str
    """``{p}`` is a place."""
    opening: str
    """The first paragraph."""
    things: tuple[str, ...]
    places: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    filler: tuple[str, ...]
    near: tuple[str, ...]
    """General questions close to the subject, which no document answers."""


def people(random: Random, count: int) -> list[str]:
    """First and last names; none is used twice."""
    first, last = random.sample(FIRST_NAMES, count), random.sample(LAST_NAMES, count)
    return [f"{one} {other}" for one, other in zip(first, last, strict=True)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(first: str, second: str, between: str = " ") -> Callable[[Random, int], list[str]]:
    """Two words; no first word is used twice."""

    def values(random: Random, count: int) -> list[str]:
        return [f"{word}{between}{random.choice(second.split())}" for word in random.sample(first.split(), count)]

    return values


def _numbers(low: int, high: int) -> Callable[[Random, int], list[str]]:
    def values(random: Random, count: int) -> list[str]:
        return [str(number) for number in random.sample(range(low, high), count)]

    return values


def _times(random: Random, count: int) -> list[str]:
    return [f"{minute // 60:02d}:{minute % 60:02d}" for minute in random.sample(range(301, 1319), count)]


def _commands(random: Random, count: int) -> list[str]:
    tools, verbs = ("panel", "drvset", "mctl", "axis"), ("ack", "free", "rearm", "thaw")
    targets = random.sample("kx-4 ru-9 op-2 ze-7 vi-3 ta-8 mo-6 ly-1 du-5 hi-0 ne-4 ga-2".split(), count)
    return [f"{random.choice(tools)} {random.choice(verbs)} {target}" for target in targets]


HUTS = Domain(
    name="huts",
    title="The huts of the {p} range",
    opening="This book is for walkers in the {p} range and for those who keep its huts open.",
    things=_words(
        "Arvelhorn Brenmoor Dunsketh Eskrigg Farnholt Grennasee Hespervik Joskinley Keldabruk Lornelgate Merrowend "
        "Nesselby Ostreyne Pellandra Quernhow Riscovar Sandvarra Torvelund Ulmetsby Varrickon Wendleth Yarrelwick"
    ),
    places=("Halmark", "Orsten", "Vidrun", "Kallebeck"),
    attributes=(
        Attribute(
            "warden",
            ("The warden of {s} is {v}.", "{s} is looked after by {v}.", "{v} keeps house at {s}."),
            ("Its warden is {v}.", "The hut is looked after by {v}.", "{v} keeps house there."),
            "Who is the warden of {s}?",
            "The warden of {s} is {v}.",
            ("Whose job is it to run {s} during the season?", "I would like to ring the person who minds {s}. Name?"),
            people,
        ),
        Attribute(
            "altitude",
            (
                "{s} stands {v} metres above the sea.",
                "The altitude of {s} is {v} metres.",
                "At {s} the map shows a height of {v} metres.",
            ),
            (
                "It stands {v} metres above the sea.",
                "Its altitude is {v} metres.",
                "The map shows a height of {v} metres there.",
            ),
            "What is the altitude of {s}?",
            "The altitude of {s} is {v} metres.",
            ("How far up do I have to climb to reach {s}?", "Which elevation do I set on my watch at {s}?"),
            _numbers(1203, 2897),
        ),
        Attribute(
            "radio",
            (
                "{s} answers radio calls on {v} MHz.",
                "The radio of {s} is tuned to {v} MHz.",
                "The frequency of {s} is {v} MHz.",
            ),
            ("It answers radio calls on {v} MHz.", "Its radio is tuned to {v} MHz.", "Its frequency is {v} MHz."),
            "On which radio frequency does {s} answer?",
            "{s} answers on {v} MHz.",
            ("I have a handheld set. What do I dial in to call {s}?", "How many megahertz do I need to speak to {s}?"),
            lambda random, count: [
                f"{kilohertz / 1000:.3f}" for kilohertz in random.sample(range(144_025, 170_000, 25), count)
            ],
        ),
        Attribute(
            "key",
            (
                "The key box of {s} opens with the code {v}.",
                "The code for the key box at {s} is {v}.",
                "{s} has a key box with the code {v}.",
            ),
            (
                "Its key box opens with the code {v}.",
                "The code for its key box is {v}.",
                "It has a key box with the code {v}.",
            ),
            "What is the code of the key box at {s}?",
            "The key box at {s} opens with {v}.",
            ("I am at the locked door of {s}. What gets me in?", "Which combination unlocks {s}?"),
            lambda random, count: [
                f"{word}-{random.randint(11, 98)}"
                for word in random.sample(
                    "heron badger otter plover marten stoat linnet curlew weasel dipper finch lynx".split(), count
                )
            ],
        ),
        Attribute(
            "water",
            ("{s} draws its water from {v}.", "The water of {s} comes from {v}.", "A pipe leads from {v} to {s}."),
            ("It draws its water from {v}.", "Its water comes from {v}.", "A pipe leads there from {v}."),
            "Where does the water of {s} come from?",
            "The water of {s} comes from {v}.",
            (
                "What is the source that people drink from at {s} called?",
                "The taps at {s} are dry. Which spring is it?",
            ),
            _pairs(
                "Glimmer Thimble Copper Juniper Widow Lantern Pebble Shepherd Needle Feather Barrel Hollow",
                "Well Spring Beck Tarn Rill",
            ),
        ),
        Attribute(
            "dish",
            ("{s} is known for its {v}.", "The dish to order at {s} is {v}.", "Guests of {s} are served {v}."),
            ("It is known for its {v}.", "The dish to order is {v}.", "Guests are served {v}."),
            "Which dish is {s} known for?",
            "{s} is known for its {v}.",
            ("I sit down hungry at {s}. What should I eat?", "What is the speciality of the kitchen at {s}?"),
            _pairs(
                "nettle barley chestnut sorrel buckwheat pumpkin lentil bilberry turnip leek mushroom rhubarb",
                "dumplings stew pancakes broth pie gratin",
            ),
        ),
    ),
    filler=(
        "The path is marked with red and white paint.",
        "Snow lies on the north side well into June.",
        "Dogs may sleep in the woodshed.",
        "The roof was repaired after the storm of two winters ago.",
        "In the evening the whole valley can be seen from the terrace.",
        "Blankets are there, a sleeping bag liner is not.",
        "Payment is in cash.",
        "A school class comes every September.",
    ),
    near=(
        "What is the highest mountain in the Alps?",
        "What should I pack for a day in the mountains?",
        "Why does water boil at a lower temperature on a mountain?",
        "How do I treat a blister?",
        "What does a mountain guide do?",
        "What is altitude sickness?",
        "Which radio frequencies do walkie-talkies use?",
        "How do I choose a code for a lock?",
        "What is a spring in geology?",
        "How do I make a simple vegetable stew?",
        "How high is Mount Kilimanjaro?",
        "Who first climbed Mount Everest?",
        "How do I read a contour map?",
        "What is a bothy?",
        "Is it safe to drink from a stream?",
        "What is a traditional dish of Switzerland?",
    ),
)

MACHINES = Domain(
    name="machines",
    title="Machine hall {p}",
    opening="This is the handbook of machine hall {p}. Every machine has a name, which is painted on its frame.",
    things=_words(
        "Ambrelle Bastivar Corvanda Dorrimund Fennelock Galliart Hobrannon Icarelle Jandovar Knapwell Mullivan "
        "Orsinel Parsimond Quillorn Rampettin Sextavine Tamarock Umberlin Vellomar Whimbrand Zephirel Lindorane"
    ),
    places=("Nordkai", "Bellwharf", "Grunau", "Sixmile"),
    attributes=(
        Attribute(
            "fitter",
            ("{s} is maintained by {v}.", "The fitter in charge of {s} is {v}.", "Repairs to {s} are done by {v}."),
            ("It is maintained by {v}.", "The fitter in charge of it is {v}.", "Repairs to it are done by {v}."),
            "Who maintains {s}?",
            "{s} is maintained by {v}.",
            ("Something broke inside {s}. Whom do I call?", "Which colleague takes care of {s}?"),
            people,
        ),
        Attribute(
            "oil",
            ("{s} runs on {v} oil.", "The sump of {s} is filled with {v}.", "The oil for {s} is {v}."),
            ("It runs on {v} oil.", "Its sump is filled with {v}.", "The oil for it is {v}."),
            "Which oil does {s} take?",
            "{s} takes {v}.",
            ("{s} is low on lubricant. What do I pour in?", "What do I order to refill the gearbox of {s}?"),
            lambda random, count: [
                f"{brand} {random.choice((22, 32, 46, 68, 150, 220))}"
                for brand in random.sample(
                    "Brakol Zelmar Tovina Hydrel Quastol Mirofin Pendrox Velubra Gorlin Astrofil".split(), count
                )
            ],
        ),
        Attribute(
            "bay",
            ("{s} stands in bay {v}.", "The place of {s} is bay {v}.", "Bay {v} belongs to {s}."),
            ("It stands in bay {v}.", "Its place is bay {v}.", "Bay {v} belongs to it."),
            "In which bay does {s} stand?",
            "{s} stands in bay {v}.",
            ("I have a delivery for {s}. Where on the floor do I take it?", "At what spot in the hall do I find {s}?"),
            lambda random, count: [
                f"{letter}{random.randint(11, 79)}" for letter in random.sample("BCDEFGHJKLMP", count)
            ],
        ),
        Attribute(
            "speed",
            (
                "The shaft of {s} turns at {v} revolutions a minute.",
                "The rated speed of {s} is {v} revolutions a minute.",
                "{s} is run at {v} revolutions a minute.",
            ),
            (
                "Its shaft turns at {v} revolutions a minute.",
                "Its rated speed is {v} revolutions a minute.",
                "It is run at {v} revolutions a minute.",
            ),
            "What is the rated speed of {s}?",
            "The rated speed of {s} is {v} revolutions a minute.",
            ("How quickly does {s} spin, in rpm?", "What should the tachometer on {s} show?"),
            _numbers(1013, 4987),
        ),
        Attribute(
            "reset",
            (
                "To clear a fault on {s}, enter `{v}`.",
                "A fault on {s} is cleared with `{v}`.",
                "The command that clears a fault on {s} is `{v}`.",
            ),
            (
                "To clear a fault on it, enter `{v}`.",
                "A fault is cleared with `{v}`.",
                "The command that clears a fault is `{v}`.",
            ),
            "Which command clears a fault on {s}?",
            "A fault on {s} is cleared with `{v}`.",
            ("The red lamp on {s} is lit. What do I key in?", "{s} has tripped. How do I get it going again?"),
            _commands,
        ),
        Attribute(
            "inspection",
            (
                "{s} is inspected daily at {v}.",
                "The daily check of {s} is at {v}.",
                "At {v} each day, {s} is inspected.",
            ),
            ("It is inspected daily at {v}.", "Its daily check is at {v}.", "At {v} each day, it is inspected."),
            "At what time is {s} inspected?",
            "{s} is inspected at {v}.",
            ("I want to be there when somebody looks over {s}. When?", "What hour is set for the round at {s}?"),
            _times,
        ),
    ),
    filler=(
        "Its guard rails were painted last autumn.",
        "The manual lies in the red cabinet.",
        "Trainees work on it only in pairs.",
        "It came from a mill that was closed.",
        "Ear protection is worn nearby.",
        "Its foundation was cast anew when the hall was extended.",
        "Chips are collected at the end of a shift.",
        "A spare belt hangs on the wall behind it.",
    ),
    near=(
        "What is a lathe?",
        "What does rpm mean?",
        "Who invented the steam engine?",
        "Which oil should I use in a lawn mower?",
        "How do I clear a paper jam in a printer?",
        "What does a tachometer measure?",
        "How fast does the motor of a washing machine spin?",
        "What is preventive maintenance?",
        "What does a mechanic do?",
        "How often should the oil of a car be changed?",
        "What is a loading bay?",
        "Which command shuts down a Windows computer?",
        "What is a gearbox for?",
        "How do I sharpen a drill?",
        "What is a good time for a tea break?",
        "Who built the first assembly line?",
    ),
)

DOMAINS = (HUTS, MACHINES)
"""Documents take them in turn."""
