"""What follows the first helper of a question or a statement, as a clause."""

from __future__ import annotations

from ..asking import verbs
from . import subjects, tokens
from .clause import BE, DO, Clause, joined

PROPERTIES = frozenset(
    "colour color size time age shape height length width depth weight day date year month kind type sort price "
    "temperature nationality language make model format speed".split()
)
_NO_SUBJECT = frozenset(
    "to if when while because use write run type yes no in on at for from by after before without there it this that "
    "these those what how why who and but so".split()
)


def statement(text: str) -> Clause | None:
    """A plain statement in its parts, without a wh-phrase: ``Kittiwake`` ``does`` ``listen`` ``on port 7413``."""
    words = tokens.split(text.rstrip(". "))
    if len(words) < 3 or len(words) > 40 or words[0].lower() in _NO_SUBJECT or words[0].lower() in subjects.PRONOUNS:
        return None
    if verbs.is_base(words[0].lower()) and words[1] not in subjects.HELPERS:
        return None
    for at in range(1, min(len(words), 12)):
        word, before = words[at], words[at - 1]
        if word in {",", ":", ";", "if", "when", "that", "which", "who", "because"}:
            return None
        if before.lower() in subjects.NO_VERB_BEFORE:
            continue
        if word in subjects.HELPERS:
            return _stated(words, at)
        if form := subjects.finite(word, before):
            helper = {"third": "does", "past": "did", "base": "do"}[form.tense]
            return Clause("", " ".join(words[:at]), helper, form.base, rest=joined(" ".join(words[at + 1 :])))
    return None


def after_helper(
    prep: str, wh: str, helper: str, tail: list[str], answer: str, *, subject: bool = False
) -> Clause | None:
    if not tail:
        return None
    if helper in BE:
        return _after_be(prep, wh, helper, tail, answer, subject=subject)
    if helper in verbs.HAVE and (wh or tail[0].lower() not in subjects.PRONOUNS) and not _perfect(tail):
        done = {"has": "does", "have": "do", "had": "did"}[helper]
        return Clause(wh, "", done, "have", rest=" ".join(tail)) if wh else None
    first = wh.partition(" ")[0]
    open_subject = wh.startswith("how many") or (not prep and first in {"who", "what", "which", "whose"})
    verb_first = open_subject and subjects.is_verb(tail[0], helper) and not subjects.is_pronoun(tail)
    size = 0 if subject or verb_first else subjects.size(tail, helper, answer)
    if size is None:
        return Clause(wh, "", helper, "do", rest=" ".join(tail)) if helper in DO and wh == "who" else None
    return _predicate(prep, wh, " ".join(tail[:size]), helper, tail[size:])


def _predicate(prep: str, wh: str, subject: str, helper: str, words: list[str]) -> Clause | None:
    """The rest after the subject: asides, more helpers, the verb."""
    while words and words[0].lower() in subjects.ASIDE and len(words) > 1 and words[0].lower() != "first":
        helper, words = f"{helper} {words[0].lower()}", words[1:]
    if not words:
        return None
    first, more = words[0].lower(), words[1:]
    if helper.split()[0] in verbs.HAVE:
        base = verbs.participle_base(first)
        if first == "been" and more and (base := verbs.participle_base(more[0])):
            return Clause(wh, subject, f"{helper} been", base, "participle", " ".join(more[1:]), prep)
        return Clause(wh, subject, helper, base, "participle", " ".join(more), prep) if base else None
    if first == "be":
        base = verbs.participle_base(more[0]) if more else ""
        kept = " ".join(more[1:] if base else more)
        return Clause(wh, subject, f"{helper} be", base, "participle" if base else "base", kept, prep)
    return Clause(wh, subject, helper, first, rest=" ".join(more), prep=prep) if first.isalpha() else None


def _described(prep: str, wh: str, subject: str, helper: str, words: list[str]) -> Clause | None:
    """What follows *be* and the subject: a participle, a description or nothing."""
    while len(words) > 1 and words[0].lower() in subjects.ASIDE - {"first"}:
        helper, words = f"{helper} {words[0].lower()}", words[1:]
    base = verbs.participle_base(words[0]) if words and words[0].islower() else ""
    if base and words[0].lower() not in {"born", "lost", "gone"}:
        return Clause(wh, subject, helper, base, "participle", " ".join(words[1:]), prep)
    gerund = verbs.gerund_base(words[0]) if words and len(subject.split()) else ""
    if gerund:
        return Clause(wh, subject, helper, gerund, "gerund", " ".join(words[1:]), prep)
    return Clause(wh, subject, helper, rest=" ".join(words), prep=prep) if wh or words else None


def _stated(words: list[str], at: int) -> Clause | None:
    subject, helper, more = " ".join(words[:at]), words[at], words[at + 1 :]
    if helper in BE:
        return _described("", "", subject, helper, more)
    if helper in verbs.HAVE and not (more and verbs.participle_base(more[0])):
        done = {"has": "does", "have": "do", "had": "did"}[helper]
        return Clause("", subject, done, "have", rest=" ".join(more))
    return _predicate("", "", subject, helper, more)


def _after_be(prep: str, wh: str, helper: str, tail: list[str], answer: str, *, subject: bool) -> Clause | None:
    first = wh.split()[0] if wh else ""
    described = subjects.describes(tail[0]) and not subjects.is_pronoun(tail)
    if subject or (described and wh and first != "how" and first not in {"when", "where", "why"}) or _counted(wh, tail):
        return _described(prep, wh, "", helper, tail)
    size = subjects.size_before_be(tail, helper, answer)
    if size == len(tail) and first in {"", "why"}:
        size = subjects.two_nouns(tail)
    if first in {"which", "what", "whose"} and " " in wh and size == len(tail) and not prep:
        if first == "whose" or wh.split()[-1].lower() in PROPERTIES:
            return Clause(wh, " ".join(tail), helper)
        return Clause(wh, "", helper, rest=" ".join(tail))
    if not wh and size == len(tail):
        return None
    return _described(prep, wh, " ".join(tail[:size]), helper, tail[size:])


def _perfect(tail: list[str]) -> bool:
    return any(verbs.participle_base(word) for word in tail)


def _counted(wh: str, tail: list[str]) -> bool:
    """``How many people are at the telephone``: the wh-phrase has its noun and is the subject."""
    return wh.startswith(("how many ", "how much ")) and subjects.describes(tail[0]) and tail[0].lower() != "there"
