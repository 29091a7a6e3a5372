"""A question to its parts. Where subject and verb cannot be told apart, nothing is found: a wrong wording teaches worse
than none. The answer helps: it mostly begins with the subject, and says the verb again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..asking import verbs
from . import words as tokens
from .clause import BE, DO, MODALS, Attribute, Clause, joined, plural

WH = frozenset("who whom whose what which when where why how".split())
PRONOUNS = frozenset("i we you he she it they there somebody someone anybody everybody".split())
_DEMONSTRATIVES = frozenset("one this that these those".split())
_DEEMED = frozenset("considered deemed found kept left declared regarded called".split())
_HELPERS = BE | DO | MODALS | verbs.HAVE
_ASIDE = frozenset("not usually normally always ever also still first now really actually currently".split())
_TAKING = frozenset("need want get have take require offer use provide give cause like know make let help".split())
_PROPERTIES = frozenset(
    "colour color size time age shape height length width depth weight day date year month kind type sort price "
    "temperature nationality language make model format speed".split()
)
_ADJECTIVES = frozenset(
    "able absent accountable afraid allergic available aware awake big busy called capable careful cheap clean closed "
    "cold compatible correct due different difficult dirty down easy eligible empty enough equal essential expensive "
    "false familiar far fast free full good guilty happy hard heavy high hot important included interested large late "
    "legal liable like likely local long loud low mandatory missing near necessary new normal obligatory off old on "
    "online offline open optional out over possible present public ready red related relevant responsible rich right "
    "safe same shut sick similar small special strong sufficient suitable sure tall true unable up useful valid visible "
    "warm weak wet wide worth wrong young".split()
)
_NEED_NOUN = frozenset("which whose how many much two three other plain own".split())
_NO_SUBJECT = frozenset(
    "to if when while because use write run type yes no in on at for from by after before without there it this that "
    "these those what how why who and but so".split()
)
_NO_VERB_BEFORE = tokens.DETERMINERS | tokens.PREPOSITIONS | {"of", "to", "and", "or", "very", "most", "new", "old"}
_ASKING = re.compile(
    r"(?:(?:please|and|so|but|then|now|hi|hello|ok)[,:]? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell|show|give) me|(?:tell|show|give|remind) me|name|state|explain|"
    r"(?:i )?(?:would|'d) like to know|i (?:want|need|have) to know|do you (?:happen to )?know|i wonder|find out|say) ",
    re.I,
)
_SENTENCE = re.compile(r"[.!?:] (?=[A-Z`\"])")
_CONDITION = re.compile(
    r"(?:if|when|once|after|before|while|during|for|in) [^,?]+, (?=(?:who|wh[aeioy]|how|can|do|is|are)\w* )", re.I
)
_TYPED = re.compile(r"((?:[A-Z][\w-]+ )*[A-Z][\w-]+) ([a-z]{3,}(?: [a-z]{3,}){0,2})")
_LEAD = re.compile(r"\A(?:(?:please|and|so|but|then|ok|well|exactly)[,:]? )+(?=\w)", re.I)
_OF = re.compile(r"(?:the|a|an) ([\w' -]+?) (of|for) (.+)", re.I)
_GENITIVE = re.compile(r"(.+?)(?:'s|(?<=s)') ([\w -]+)")


class Asked(NamedTuple):
    """One question, after what was said before it."""

    before: str
    """Sentences in front, with the space behind them."""
    clause: Clause


def parse(question: str, answer: str) -> Asked | None:
    """``question`` in its parts, ``None`` where they cannot be told apart."""
    text = " ".join(question.split())
    cut = max((found.end() for found in _SENTENCE.finditer(text)), default=0)
    cut = cut or (found.end() if (found := _CONDITION.match(text)) else 0)
    before, asked = text[:cut], _LEAD.sub("", text[cut:].rstrip("?. "), count=1)
    if "?" in before:
        return None
    clause = _order(asked, answer) or _question(tokens.split(asked), answer) or _typed(asked)
    return Asked(before, clause) if clause and _sound(clause) else None


def attribute(clause: Clause) -> Attribute | None:
    """What is asked for when it has a name of its own: ``owner`` of ``Kittiwake``."""
    if clause.rest or not clause.copular or not clause.subject or clause.wh not in {"what", "who", "which"}:
        return None
    if found := _OF.fullmatch(clause.subject):
        return Attribute(found[1], found[3], found[2]) if len(found[1].split()) <= 4 else None
    if found := _GENITIVE.fullmatch(clause.subject):
        return Attribute(found[2], found[1]) if len(found[2].split()) <= 4 else None
    return None


def statement(text: str) -> Clause | None:
    """A plain statement in its parts, without a wh-phrase: ``Kittiwake`` ``does`` ``listen`` ``on port 7413``."""
    words = tokens.split(text.rstrip(". "))
    if len(words) < 3 or len(words) > 40 or words[0].lower() in _NO_SUBJECT or words[0].lower() in PRONOUNS:
        return None
    for at in range(1, min(len(words), 12)):
        word, before = words[at], words[at - 1]
        if before.lower() in _NO_VERB_BEFORE or word in {",", ":", ";"}:
            if word in {",", ":", ";"}:
                return None
            continue
        if word in _HELPERS:
            return _stated(words, at)
        if form := _finite(word, before):
            helper = {"third": "does", "past": "did", "base": "do"}[form.tense]
            return Clause("", " ".join(words[:at]), helper, form.base, rest=joined(" ".join(words[at + 1 :])))
    return None


def _stated(words: list[str], at: int) -> Clause | None:
    subject, helper, more = " ".join(words[:at]), words[at], words[at + 1 :]
    if helper in BE:
        return _described("", "", subject, helper, more)
    if helper in verbs.HAVE and not (more and verbs.participle_base(more[0])):
        done = {"has": "does", "have": "do", "had": "did"}[helper]
        return Clause("", subject, done, "have", rest=" ".join(more))
    return _predicate("", "", subject, helper, more)


def _order(asked: str, answer: str) -> Clause | None:
    """``Tell me which team owns Kittiwake``, ``Name the owner of Kittiwake``."""
    found = _ASKING.match(asked)
    if not found:
        return None
    words = tokens.split(asked[found.end() :])
    if words and words[0].lower() in {"the", "all"} and not {"that", "which", "who", ","} & {*words}:
        return Clause("what", " ".join(words), "are" if plural(" ".join(words)) else "is")
    return _statement(words, answer)


def _typed(asked: str) -> Clause | None:
    """``Kittiwake port number``, as typed into a search box."""
    found = _TYPED.fullmatch(asked)
    if not found or any(verbs.finite(word) for word in found[2].split()[:1]):
        return None
    return Clause("what", f"the {found[2]} of {found[1]}", "are" if plural(found[2]) else "is")


def _statement(words: list[str], answer: str) -> Clause | None:
    """An indirect question: the wh-phrase, then the order of a statement."""
    start = 1 if words and words[0].lower() in tokens.PREPOSITIONS and len(words) > 1 else 0
    if len(words) < start + 2 or words[start].lower() not in WH:
        return None
    return _about_subject(words, start, answer)


def _question(words: list[str], answer: str) -> Clause | None:
    if len(words) < 2 or len(words) > 40:
        return None
    first = words[0].lower()
    if first in _HELPERS and first not in {"may", "will"} | verbs.HAVE or first in {"may", "will", "has"}:
        return _after_helper("", "", first, words[1:], answer)
    start = 1 if first in tokens.PREPOSITIONS and words[1].lower() in WH else 0
    if words[start].lower() not in WH or len(words) < start + 2:
        return None
    at = next((n for n in range(start + 1, min(len(words), start + 8)) if words[n].lower() in _HELPERS), None)
    if at is None or (at == start + 1 and words[start].lower() in {"which", "whose"} and at + 1 == len(words)):
        return _about_subject(words, start, answer)
    early = _about_subject(words[: at + 1], start, answer) if at > start + 2 else None
    if early and early.verb and early.rest:
        return _about_subject(words, start, answer)
    prep, wh = " ".join(words[:start]).lower(), _wh(words[start:at])
    return _after_helper(prep, wh, words[at].lower(), words[at + 1 :], answer)


def _wh(words: list[str]) -> str:
    return " ".join([words[0].lower(), *words[1:]])


def _about_subject(words: list[str], start: int, answer: str) -> Clause | None:
    """``Who owns Kittiwake``, ``Which part of the cell carries out photosynthesis``: the verb follows the wh-phrase."""
    if start or words[0].lower() not in {"who", "what", "which", "whose", "how"}:
        return None
    for at in range(1, min(len(words), 8)):
        word = words[at]
        if word.lower() in _HELPERS and at > 0:
            return _after_helper("", _wh(words[:at]), word.lower(), words[at + 1 :], answer, subject=True)
        if words[at - 1].lower() in _NEED_NOUN:
            continue
        if (form := _finite(word, words[at - 1])) and len(words) > at:
            helper = {"third": "does", "past": "did", "base": "do"}[form.tense]
            return Clause(_wh(words[:at]), "", helper, form.base, rest=" ".join(words[at + 1 :]))
    return None


def _finite(word: str, before: str) -> verbs.Form | None:
    """``word`` as the verb of ``before``, which must agree with it."""
    if not word.islower() or before.lower() in _NO_VERB_BEFORE:
        return None
    forms = [form for form in verbs.finite(word) if form.tense != "base" or tokens.is_plural(before)]
    if not forms and before.lower() in {"who", "what"} and re.fullmatch(r"[a-z]{2,}[^s]s", word):
        return verbs.Form(word[:-3] + "y" if word.endswith("ies") else word[:-1], "third")
    return forms[0] if forms else None


def _after_helper(
    prep: str, wh: str, helper: str, tail: list[str], answer: str, *, subject: bool = False
) -> Clause | None:
    if not tail:
        return None
    if helper in BE:
        return _after_be(prep, wh, helper, tail, answer, subject=subject)
    if helper in verbs.HAVE and (wh or tail[0].lower() not in PRONOUNS) and not _perfect(tail):
        done = {"has": "does", "have": "do", "had": "did"}[helper]
        return Clause(wh, "", done, "have", rest=" ".join(tail)) if wh else None
    open_subject = not prep and wh and wh.split()[0] not in {"why", "when", "where", "how"} or wh.startswith("how many")
    verb_first = open_subject and _is_verb(tail[0], helper) and not _subject_pronoun(tail)
    size = 0 if subject or verb_first else _subject_size(tail, helper, answer)
    if size is None:
        return Clause(wh, "", helper, "do", rest=" ".join(tail)) if helper in DO and wh == "who" else None
    return _predicate(prep, wh, " ".join(tail[:size]), helper, tail[size:])


def _perfect(tail: list[str]) -> bool:
    return any(verbs.participle_base(word) for word in tail)


def _subject_pronoun(tail: list[str]) -> bool:
    low = tail[0].lower()
    return low in PRONOUNS or (low in _DEMONSTRATIVES and len(tail) > 1 and _is_verb(tail[1], "do"))


def _is_verb(word: str, helper: str) -> bool:
    low = word.lower()
    if helper in verbs.HAVE:
        return bool(verbs.participle_base(low)) or low == "been"
    return word.islower() and (verbs.is_base(low) or low in {"be", "have", "do"})


def _predicate(prep: str, wh: str, subject: str, helper: str, words: list[str]) -> Clause | None:
    """The rest after the subject: asides, more helpers, the verb."""
    while words and words[0].lower() in _ASIDE and len(words) > 1 and words[0].lower() != "first":
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


def _after_be(prep: str, wh: str, helper: str, tail: list[str], answer: str, *, subject: bool) -> Clause | None:
    first = wh.split()[0] if wh else ""
    described = _describes(tail[0]) and not _subject_pronoun(tail)
    if subject or (described and wh and first != "how" and first not in {"when", "where", "why"}) or _counted(wh, tail):
        return _described(prep, wh, "", helper, tail)
    size = _be_subject_size(tail, helper, answer)
    if size == len(tail) and first in {"", "why"}:
        size = _two_nouns(tail)
    if first in {"which", "what", "whose"} and " " in wh and size == len(tail) and not prep:
        if first == "whose" or wh.split()[-1].lower() in _PROPERTIES:
            return Clause(wh, " ".join(tail), helper)
        return Clause(wh, "", helper, rest=" ".join(tail))
    if not wh and size == len(tail):
        return None
    return _described(prep, wh, " ".join(tail[:size]), helper, tail[size:])


def _counted(wh: str, tail: list[str]) -> bool:
    """``How many people are at the telephone``: the wh-phrase has its noun and is the subject."""
    return wh.startswith(("how many ", "how much ")) and _describes(tail[0]) and tail[0].lower() != "there"


def _describes(word: str) -> bool:
    low = word.lower()
    if not word[:1].islower():
        return False
    return bool(verbs.participle_base(low) or low in _ADJECTIVES or low in tokens.PREPOSITIONS)


def _described(prep: str, wh: str, subject: str, helper: str, words: list[str]) -> Clause | None:
    """What follows *be* and the subject: a participle, a description or nothing."""
    while len(words) > 1 and words[0].lower() in _ASIDE - {"first"}:
        helper, words = f"{helper} {words[0].lower()}", words[1:]
    base = verbs.participle_base(words[0]) if words and words[0].islower() else ""
    if base and words[0].lower() not in {"born", "lost", "gone"}:
        return Clause(wh, subject, helper, base, "participle", " ".join(words[1:]), prep)
    gerund = verbs.gerund_base(words[0]) if words and len(subject.split()) else ""
    if gerund:
        return Clause(wh, subject, helper, gerund, "gerund", " ".join(words[1:]), prep)
    return Clause(wh, subject, helper, rest=" ".join(words), prep=prep) if wh or words else None


def _be_subject_size(tail: list[str], helper: str, answer: str) -> int:
    if _subject_pronoun(tail) or (len(tail) > 1 and tail[0] == "`"):
        return 1
    said, lowered = _plain(answer), [_bare(word) for word in tail]
    for size in range(len(tail) - 1, 0, -1):
        if said[:size] == lowered[:size] and said[size : size + 1] == [helper] and lowered[size] in said[size:]:
            return size
    for at in range(1, len(tail)):
        low, before = tail[at].lower(), tail[at - 1].lower()
        if before in _NO_VERB_BEFORE or not tail[at].islower():
            continue
        participle = (_participle(low) or low in _DEEMED) and not _reduced(low, tail[at + 1 :], tail[:at])
        described = low in _ADJECTIVES - tokens.PREPOSITIONS - {"new", "old", "same", "right"}
        working = verbs.gerund_base(low) and (said[at:].count(low) and said[said.index(low) - 1] in BE)
        if participle or described or working or low in _ASIDE - {"first"}:
            return at
    last = tail[-1].lower()
    return len(tail) - 1 if len(tail) > 1 and last in tokens.PREPOSITIONS and tail[-2].lower() != last else len(tail)


def _participle(word: str) -> bool:
    return bool(verbs.participle_base(word) or (word.startswith("re") and verbs.participle_base(word[2:])))


def _two_nouns(tail: list[str]) -> int:
    """Where the second noun phrase of ``a list a bad argument`` starts, or a place: ``the pattern in quotes``."""
    for at in range(1, len(tail)):
        before = tail[at - 1].lower()
        if tail[at].lower() in tokens.DETERMINERS and before not in _NO_VERB_BEFORE | tokens.DETERMINERS:
            return at
    return next((at for at in range(1, len(tail)) if tail[at].lower() in {"in", "on", "at", "under"}), len(tail))


def _reduced(word: str, after: list[str], before: list[str]) -> bool:
    """``the database named saltmarsh``: a participle that only describes its noun."""
    if word in _DEEMED and after and after[0].islower():
        return False
    described = {other for other in after if other.islower()}
    return len(before) > 1 and any(verbs.participle_base(other) or other in _ADJECTIVES for other in described)


def _subject_size(tail: list[str], helper: str, answer: str) -> int | None:
    """How many words of ``tail`` come before its verb."""
    if _subject_pronoun(tail):
        return 1
    said = _plain(answer)
    fits = [at for at in range(1, len(tail)) if _may_be_verb(tail, at, helper)]
    told = [at for at in fits if any(_same_verb(tail[at], word, helper) for word in said)]
    at = _of_several(tail, told or fits)
    while at and at > 1 and tail[at - 1].lower() in _ASIDE:
        at -= 1
    return at


def _of_several(tail: list[str], fits: list[int]) -> int | None:
    """The verb among words that could be one: in a run of them the last, unless the first takes a noun."""
    if not fits:
        return None
    if bound := [at for at in fits if tail[at] in {"have", "need", "want"} and tail[at + 1 : at + 2] == ["to"]]:
        return bound[0]
    at = fits[0]
    while at + 1 in fits and tail[at] not in _TAKING and tail[at - 1].islower() and not tokens.is_plural(tail[at - 1]):
        at += 1
    doubtful = verbs.is_base(tail[at - 1].lower()) and at > 1 and any(other > at + 1 for other in fits)
    return None if doubtful else at


def _may_be_verb(tail: list[str], at: int, helper: str) -> bool:
    if tail[at - 1].lower() in _NO_VERB_BEFORE:
        return False
    return _is_verb(tail[at], helper) or (tail[at] == "be" and helper in MODALS)


def _same_verb(word: str, other: str, helper: str) -> bool:
    """Whether the answer's ``other`` is the verb ``word``; after *does* the same word is more likely a noun."""
    return (
        other == word
        if helper != "does" and other == word
        else any(form.base == word for form in verbs.finite(other) if form.tense != "base")
    )


def _sound(clause: Clause) -> bool:
    words = joined(clause.wh, clause.subject, clause.rest).split()
    return bool(clause.wh or clause.subject) and len(words) <= 40


def _plain(text: str) -> list[str]:
    return [_bare(word) for word in text.split()]


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()`").casefold()
