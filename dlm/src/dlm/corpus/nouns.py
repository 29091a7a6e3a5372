"""Ordinary English nouns: which words are some, whether they are counted, and how the plural is written.

The list is short and plain on purpose. A word that is not in it is taken for no noun: better to miss one than to call a
verb or somebody's name a noun.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_IRREGULAR = {
    "bookshelf": "bookshelves", "calf": "calves", "child": "children", "crisis": "crises", "criterion": "criteria",
    "deer": "deer", "diagnosis": "diagnoses", "echo": "echoes", "fish": "fish", "foot": "feet", "fungus": "fungi",
    "goose": "geese", "grandchild": "grandchildren", "half": "halves", "hero": "heroes", "hypothesis": "hypotheses",
    "knife": "knives", "larva": "larvae", "leaf": "leaves", "life": "lives", "loaf": "loaves", "louse": "lice",
    "mango": "mangoes", "matrix": "matrices", "mosquito": "mosquitoes", "mouse": "mice", "person": "people",
    "potato": "potatoes",
    "quiz": "quizzes", "salmon": "salmon", "scarf": "scarves", "sheep": "sheep", "shelf": "shelves",
    "spectrum": "spectra", "squid": "squid", "thesis": "theses", "thief": "thieves", "tomato": "tomatoes",
    "tooth": "teeth", "tornado": "tornadoes", "volcano": "volcanoes", "wife": "wives", "wolf": "wolves",
}  # fmt: skip
_SOUNDS_LIKE_YOU = ("uni", "use", "usu", "uti", "eu", "one", "ure")
_SILENT_H = frozenset(("hour", "heir", "honour"))


@cache
def counted() -> frozenset[str]:
    """Nouns that take ``a`` and have a plural."""
    return _section("counted")


@cache
def uncounted() -> frozenset[str]:
    """Nouns that do not: ``water``, ``advice``."""
    return _section("uncounted")


def plural(noun: str) -> str:
    """Of a counted noun."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("man") and noun not in ("human", "caiman"):
        return f"{noun[:-3]}men"
    if noun.endswith(("s", "x", "z", "ch", "sh")) and noun not in ("stomach", "monarch"):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"


def singular(word: str) -> str:
    """The noun of which ``word``, lower case, is the singular or the plural; empty when it is none that is known."""
    return word if word in counted() or word in uncounted() else _singulars().get(word, "")


def with_article(noun: str) -> str:
    """``a port``, ``an hour``; an uncounted noun stays bare."""
    if noun in uncounted():
        return noun
    silent = noun in _SILENT_H or (noun[0] in "aeiou" and not noun.startswith(_SOUNDS_LIKE_YOU))
    return f"{'an' if silent else 'a'} {noun}"


@cache
def _singulars() -> dict[str, str]:
    return {plural(noun): noun for noun in sorted(counted())}


@cache
def _section(name: str) -> frozenset[str]:
    text = files(__package__).joinpath("nouns.txt").read_text(encoding="utf-8")
    return frozenset(text.partition(f"[{name}]")[2].partition("[")[0].split())
