"""Names that a document does not hold, of the shape of one that it does: another person, another hut, another pump.

They come from a packaged list, half made up and half real but not famous: of what everybody knows, the base has
something better to say than that a document does not mention it. Half of the list is reserved for evaluation.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Literal

from .known import like_a_person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from .known import Known

Use = Literal["training", "evaluation"]
Kind = Literal["given", "family", "single"]
_NUMBER = re.compile(r"\d+(?!.*\d)")
_TRIES = 60


def replacements(name: str, known: Known, random: Random, count: int, use: Use = "training") -> list[str]:
    """Up to ``count`` different names like ``name`` that ``known`` holds no part of. None for an abbreviation."""
    return list(islice(dict.fromkeys(n for n in _shaped(name, known, random, use) if _new(n, name, known)), count))


def _shaped(name: str, known: Known, random: Random, use: Use) -> Iterator[str]:
    words = name.split(" ")
    if match := _NUMBER.search(name):
        yield from (name[: match.start()] + number + name[match.end() :] for number in _numbers(match[0], random, use))
    elif name.isupper() and len(name) < 6:
        return
    elif like_a_person(name):
        given, family = _drawn("given", random, use), _drawn("family", random, use)
        yield from (f"{one} {other}" for one, other in zip(given, family, strict=False))
    else:
        # "Granite Hut" is a hut: so is what it is mistaken for.
        kind: Kind = "given" if known.is_person(name) else "single"
        yield from (" ".join([single, *words[1:]]) for single in _drawn(kind, random, use))


def _numbers(number: str, random: Random, use: Use) -> Iterator[str]:
    """Numbers about as long: even ones for training, odd ones for evaluation."""
    low, high = (10 ** (len(number) - 1), 10 ** len(number)) if len(number) > 1 else (2, 30)
    for _ in range(_TRIES):
        drawn = random.randrange(low, high) // 2 * 2 + (use == "evaluation")
        if low <= drawn < high:
            yield str(drawn)


def _new(candidate: str, name: str, known: Known) -> bool:
    """Whether nothing in the document could be taken for ``candidate``, but for the part it shares with ``name``."""
    if match := _NUMBER.search(candidate):
        return not known.says(candidate) and (len(match[0]) < 3 or match[0] not in known.words)
    kept = set(name.split(" "))
    return not any(known.resembles(word) for word in candidate.split(" ") if word not in kept)


@cache
def _names(kind: Kind) -> tuple[str, ...]:
    text = files(__package__).joinpath("names.txt").read_text(encoding="utf-8")
    return tuple(text.partition(f"[{kind}]")[2].partition("[")[0].split())


def _of_use(kind: Kind, use: Use) -> tuple[str, ...]:
    return _names(kind)[use == "evaluation" :: 2]


def _drawn(kind: Kind, random: Random, use: Use) -> list[str]:
    return random.sample(_of_use(kind, use), len(_of_use(kind, use)))


def _listed(use: Use) -> tuple[str, ...]:
    people = zip(_of_use("given", use), _of_use("family", use), strict=False)
    return (*_of_use("single", use), *(f"{given} {family}" for given, family in people))


TRAINED_NAMES = _listed("training")
RESERVED_NAMES = _listed("evaluation")
"""Never trained, in no part: for questions to which the right answer is that the document does not say."""
