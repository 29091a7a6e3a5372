"""Questions with a word replaced by one that the base itself takes for similar.

Which words are similar comes from outside, see :mod:`dlm.bases.similar`: nothing here knows a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from .sentences import FUNCTION_WORDS

Similar = Mapping[str, tuple[str, ...]]
"""Lower-case words, each with those that are used as it is, the nearest first."""
NONE: Similar = MappingProxyType({})
NEAREST = 5
"""Of which one is drawn for a word of a fragment."""
_CORE = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def swap(word: str, similar: Similar, random: Random) -> str:
    """A similar word, or ``word`` when it is a name or none is known."""
    near = similar.get(word, ())
    return random.choice(near[:NEAREST]) if near else word


def swapped(question: str, similar: Similar, random: Random, most: int) -> list[str]:
    """At most ``most`` wordings of ``question``, each with one of its words replaced. Names, numbers and the first word
    stay."""
    words = question.split()
    found = []
    for index, word in enumerate(words[1:], start=1):
        core = _CORE.search(word)
        if core and core[0].islower() and core[0] not in FUNCTION_WORDS:
            for near in similar.get(core[0], ()):
                found.append(" ".join((*words[:index], word.replace(core[0], near, 1), *words[index + 1 :])))
    random.shuffle(found)
    return found[:most]
