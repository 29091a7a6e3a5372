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

from .nouns import counted, singular, with_article

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from .known import Known

Use = Literal["training", "evaluation"]
_NUMBER = re.compile(r"\d+(?!.*\d)")
_TRIES = 60


def replacements(name: str, known: Known, random: Random, count: int, use: Use = "training") -> list[str]:
    """Up to ``count`` different names like ``name`` that ``known`` holds no part of. None for an abbreviation."""
    return list(islice(dict.fromkeys(n for n in _shaped(name, random, use) if _new(n, name, known)), count))


def other_nouns(known: Known, random: Random, count: int) -> list[str]:
    """Up to ``count`` counted nouns that ``known`` does not hold, with their article."""
    nouns = sorted(counted())
    random.shuffle(nouns)
    return [with_article(noun) for noun in islice((n for n in nouns if not known.resembles(n)), count)]


def _shaped(name: str, random: Random, use: Use) -> Iterator[str]:
    words = name.split(" ")
    if match := _NUMBER.search(name):
        yield from (name[: match.start()] + number + name[match.end() :] for number in _numbers(match[0], random, use))
    elif name.isupper() and len(name) < 6:
        return
    elif len(words) == 2 and not any(singular(word.casefold()) for word in words):
        given, family = _drawn("given", random, use), _drawn("family", random, use)
        yield from (f"{one} {other}" for one, other in zip(given, family, strict=False))
    else:
        # "Granite Hut" is a hut: so is what it is mistaken for.
        yield from (" ".join([single, *words[1:]]) for single in _drawn("single", random, use))


def _numbers(number: str, random: Random, use: Use) -> Iterator[str]:
    """Numbers with as many digits: even ones for training, odd ones for evaluation."""
    low = 10 ** (len(number) - 1) if len(number) > 1 else 1
    for _ in range(_TRIES):
        drawn = random.randrange(low, 10 ** len(number)) // 2 * 2 + (use == "evaluation")
        if len(str(drawn)) == len(number) and drawn:
            yield str(drawn)


def _new(candidate: str, name: str, known: Known) -> bool:
    """Whether nothing in the document could be taken for ``candidate``, but for the part it shares with ``name``."""
    if match := _NUMBER.search(candidate):
        return match[0] not in known.words and candidate.casefold().replace("-", "") not in known.words
    kept = set(name.split(" "))
    return not any(known.resembles(part) for word in candidate.split(" ") if word not in kept for part in [word])


@cache
def _names(kind: str) -> tuple[str, ...]:
    text = files(__package__).joinpath("names.txt").read_text(encoding="utf-8")
    return tuple(text.partition(f"[{kind}]")[2].partition("[")[0].split())


def _of_use(kind: str, use: Use) -> tuple[str, ...]:
    return _names(kind)[use == "evaluation" :: 2]


def _drawn(kind: str, random: Random, use: Use) -> list[str]:
    return random.sample(_of_use(kind, use), len(_of_use(kind, use)))


def _listed(use: Use) -> tuple[str, ...]:
    people = zip(_of_use("given", use), _of_use("family", use), strict=False)
    return (*_of_use("single", use), *(f"{given} {family}" for given, family in people))


TRAINED_NAMES = _listed("training")
RESERVED_NAMES = _listed("evaluation")
"""Never trained, in no part: for questions to which the right answer is that the document does not say."""
