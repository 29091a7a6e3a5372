"""Other wordings of a question, made by rule: indirect questions, relative clauses, possessives, echoes, synonyms.

English. The answer helps to see where the subject ends: "Which port does Kittiwake listen on?" is answered by "Kittiwake
listens on port 7413", so the subject is "Kittiwake" and the verb in a statement is "listens". Where neither the answer
nor the form of the question tells, nothing is made: a wrong wording teaches worse than none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

BE = frozenset({"is", "are", "was", "were"})
DO = frozenset({"do", "does", "did"})
MODAL = frozenset({"can", "could", "should", "would", "will", "must", "may", "might", "has", "have", "had"})
_AUXILIARY = BE | DO | MODAL
_PREPOSITIONS = frozenset(
    "in on at by with from to for under into through after before until of about over behind within".split()
)
_WH = re.compile(r"(?:(?P<prep>[A-Za-z]+) )?(?P<wh>who|whom|whose|what|which|when|where|why|how)\b", re.I)
_OF = re.compile(r"(?P<article>the|a|an) (?P<noun>[\w' -]+?) (?:of|for) (?P<owner>.+)", re.I)
_POSSESSIVE = re.compile(r"(?P<owner>.+?)(?:'s|s') (?P<noun>[\w -]+)")

INDIRECT = (
    "Tell me {i}.",
    "Can you tell me {i}?",
    "I need to know {i}.",
    "Do you know {i}?",
    "I would like to know {i}.",
    "Please say {i}.",
    "I am trying to find out {i}.",
)
NOUN = ("{n}?", "Tell me {n}.", "I need {n}.", "Give me {n}.", "Name {n}.", "What is {n}?", "I am looking for {n}.")

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("how often", "how frequently", "at what interval"),
    ("is located", "lies", "can be found"),
    ("begin", "start"),
    ("begins", "starts"),
    ("owns", "is responsible for"),
    ("the owner of", "the person responsible for"),
    ("is in charge of", "is responsible for"),
    ("kept", "stored", "held"),
    ("keep", "store", "hold"),
    ("keeps", "stores", "holds"),
    ("called", "named"),
    ("computed", "calculated", "worked out"),
    ("compute", "calculate", "work out"),
    ("sent", "delivered"),
    ("use", "rely on", "work with"),
    ("uses", "relies on", "works with"),
    ("repair", "fix", "mend"),
    ("buy", "purchase"),
    ("ask", "contact", "turn to"),
    ("built", "made", "constructed"),
    ("closed", "shut"),
    ("allowed", "permitted"),
    ("happens", "takes place", "occurs"),
    ("happen", "take place", "occur"),
    ("cleaned", "washed"),
    ("delete", "remove"),
)
"""Words that may stand for one another in a question about most things. Whichever of a group is found is replaced by
each of the others."""


class Form(NamedTuple):
    """A question in its parts: ``which port`` ``Kittiwake`` ``listens on``."""

    prep: str
    wh: str
    """With its noun: ``which port``, ``how many gauges``, ``who``."""
    subject: str
    """Empty when the wh-phrase is the subject itself: ``who owns Kittiwake``."""
    predicate: str
    """As a statement would say it; begins with the verb."""


def reword(question: str, answer: str) -> list[str]:
    """Other wordings of ``question``, which ``answer`` answers; the plainest first, without repetition."""
    asked = " ".join(question.split()).rstrip("?. ")
    form = parse(asked, answer)
    found = dict.fromkeys(_all(asked, form)) if form else {}
    more = [other for wording in (f"{asked}?", *found) for other in synonyms(wording)]
    plain = {_key(question)}
    wordings = []
    for wording in (*found, *more):
        if _key(wording) not in plain:
            plain.add(_key(wording))
            wordings.append(wording)
    return wordings


def synonyms(wording: str) -> Iterator[str]:
    """``wording`` with one word or phrase replaced, for each that has another."""
    for group in SYNONYMS:
        for word in group:
            pattern = re.compile(rf"\b{re.escape(word)}\b", re.I)
            if pattern.search(wording):
                for other in group:
                    if other != word:
                        yield _sentence(pattern.sub(other, wording, count=1))
                break


def parse(asked: str, answer: str) -> Form | None:
    """``asked``, without its question mark, in its parts; ``None`` where they cannot be told apart."""
    found = _WH.match(asked)
    if found is None or (found["prep"] and found["prep"].lower() not in _PREPOSITIONS):
        return None
    words = asked.split()
    start = 1 if found["prep"] else 0
    at = next((n for n in range(start + 1, min(len(words), start + 7)) if words[n].lower() in _AUXILIARY), None)
    prep, kind = (found["prep"] or "").lower(), found["wh"].lower()
    if at is None:
        return _subject_question(words, kind) if not prep else None
    wh, auxiliary, tail = _kept_case(words[start:at]), words[at].lower(), words[at + 1 :]
    if not tail:
        return None
    return _inverted(prep, wh, auxiliary, tail, _words(answer))


def _subject_question(words: list[str], kind: str) -> Form | None:
    """``Who owns Kittiwake``, ``Which team owns Kittiwake``: the verb follows at once."""
    size = 1 if kind == "who" else 2 if kind in ("which", "what", "whose") else 0
    if not size or len(words) < size + 2 or not re.fullmatch(r"[a-z]+(?:s|ed)", words[size]):
        return None
    return Form("", _kept_case(words[:size]), "", " ".join(words[size:]))


def _inverted(prep: str, wh: str, auxiliary: str, tail: list[str], answer: list[str]) -> Form | None:
    size = _subject_size(tail, auxiliary, answer)
    if size is None or size == 0:
        return None
    subject, rest = " ".join(tail[:size]), tail[size:]
    if auxiliary in DO:
        verb = _finite(rest[0], auxiliary, answer) if rest else None
        return Form(prep, wh, subject, " ".join([verb, *rest[1:]])) if verb else None
    return Form(prep, wh, subject, " ".join([auxiliary, *rest]))


def _subject_size(tail: list[str], auxiliary: str, answer: list[str]) -> int | None:
    """How many words of ``tail`` are the subject: those with which the answer begins, before its verb."""
    lowered = [_bare(word) for word in tail]
    for size in range(len(tail), 0, -1):
        if (
            answer[:size] == lowered[:size]
            and len(answer) > size
            and _verb_follows(answer[size], auxiliary, lowered[size:])
        ):
            return size
    if auxiliary in BE and _OF.fullmatch(" ".join(tail)):
        return len(tail)
    if len(tail) > 1 and tail[0][:1].isupper() and auxiliary in DO | MODAL:
        # A name of one word or several, then the verb in lower case.
        size = next((n for n, word in enumerate(tail) if not word[:1].isupper()), 0)
        return size or None
    return None


def _verb_follows(word: str, auxiliary: str, rest: list[str]) -> bool:
    if auxiliary in DO:
        return bool(rest) and word[:3] == rest[0][:3]
    return word == auxiliary


def _finite(verb: str, auxiliary: str, answer: list[str]) -> str | None:
    """The verb as a statement has it."""
    if not verb.isalpha():
        return None
    if auxiliary == "do":
        return verb
    for word in answer:
        if word != verb and word[:3] == verb[:3] and word.endswith(("s", "d", "t", "n", "ed")):
            return word
    if auxiliary == "did":
        return None
    if verb in ("have", "be", "go", "do"):
        return {"have": "has", "be": "is", "go": "goes", "do": "does"}[verb]
    if re.search(r"(?:s|x|z|ch|sh)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


def _all(asked: str, form: Form) -> Iterator[str]:
    yield from _fronted(form)
    indirect = " ".join(part for part in (form.prep, form.wh, form.subject, form.predicate) if part)
    for frame in INDIRECT[:4]:
        yield _sentence(frame.format(i=indirect))
    yield from _swapped(asked)
    yield from _relative(form)
    yield from _noun_phrases(form)
    yield from _persons(form)
    yield from _echo(form)
    for frame in INDIRECT[4:]:
        yield _sentence(frame.format(i=indirect))


def _fronted(form: Form) -> Iterator[str]:
    """``On which port does Kittiwake listen?`` for ``Which port does Kittiwake listen on?``, and back."""
    last = form.predicate.rsplit(" ", 1)[-1].lower()
    if form.subject and not form.prep and last in _PREPOSITIONS and form.wh.split()[0] in ("which", "what", "whom"):
        body = _question_body(form._replace(predicate=form.predicate.rsplit(" ", 1)[0]))
        if body:
            yield _sentence(f"{last} {form.wh} {body}?")
    if form.subject and form.prep and form.wh.split()[0] in ("which", "what", "whom"):
        body = _question_body(form)
        if body:
            wh = "who" if form.wh == "whom" else form.wh
            yield _sentence(f"{wh} {body} {form.prep}?")


def _question_body(form: Form) -> str:
    """Auxiliary, subject and the rest, in the order of a question; empty where the base form is not known."""
    verb, _, rest = form.predicate.partition(" ")
    if verb in BE | MODAL:
        return " ".join(part for part in (verb, form.subject, rest) if part)
    base = base_form(verb)
    return " ".join(part for part in ("does", form.subject, base, rest) if part) if base else ""


def base_form(verb: str) -> str:
    """``listen`` for ``listens``; empty when it is no third person."""
    if verb == "has":
        return "have"
    if not verb.endswith("s") or verb.endswith("ss"):
        return ""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if re.search(r"(?:[sx]|ch|sh|z|o)es$", verb) else verb[:-1]


def _swapped(asked: str) -> Iterator[str]:
    """Which and what, when and at what time."""
    swaps = (
        (r"^which (?=\w+ (?:is|are|was|were|do|does|did|can|should|must|has|have)\b)", "what "),
        (r"^what (?=[a-z]+ (?:is|are|was|were|do|does|did|can|should|must|has|have)\b)", "which "),
        (r"^(in|on|at|from|to|with) which\b", r"\1 what"),
        (r"^(in|on|at|from|to|with) what\b", r"\1 which"),
        (r"^how many ", "what number of "),
        (r"^how long ", "for how long "),
        (r"^where (?=is|are|was|were)", "in what place "),
        (r"^who is ", "who exactly is "),
    )
    for pattern, other in swaps:
        if re.search(pattern, asked, re.I):
            yield _sentence(re.sub(pattern, other, asked, count=1, flags=re.I) + "?")


def _relative(form: Form) -> Iterator[str]:
    """``the port that Kittiwake listens on``, for a wh-phrase with a noun."""
    first, _, noun = form.wh.partition(" ")
    if first not in ("which", "what") or not noun:
        return
    if not form.subject:
        phrase = f"the {noun} that {form.predicate}"
    elif form.prep:
        phrase = f"the {noun} {form.prep} which {form.subject} {form.predicate}"
    else:
        phrase = f"the {noun} that {form.subject} {form.predicate}"
    for frame in NOUN:
        yield _sentence(frame.format(n=phrase))


def _noun_phrases(form: Form) -> Iterator[str]:
    """``Kittiwake's technical lead`` for ``Who is the technical lead of Kittiwake?``, and back."""
    if form.wh not in ("what", "who", "which") or form.predicate.split()[0] not in BE or " " in form.predicate:
        return
    found = _OF.fullmatch(form.subject)
    if found:
        noun, owner = found["noun"], found["owner"]
        phrases = [f"{owner}'s {noun}", f"{found['article']} {noun} of {owner}"] if _short(owner) else []
    elif (found := _POSSESSIVE.fullmatch(form.subject)) is not None:
        noun, owner = found["noun"], found["owner"]
        phrases = [f"the {noun} of {owner}", f"{owner}'s {noun}"]
    else:
        return
    verb = form.predicate
    for phrase in phrases:
        yield _sentence(f"{form.wh} {verb} {phrase}?")
        for frame in NOUN[:-2]:
            yield _sentence(frame.format(n=phrase))
    if form.wh != "who" and phrases:
        yield _sentence(f"which {noun} does {owner} have?")
    if phrases:
        yield _sentence(f"{owner}: {noun}?")


def _short(owner: str) -> bool:
    """Whether a possessive ``'s`` reads well behind it."""
    return len(owner.split()) <= 3 and not owner.endswith("s")


def _persons(form: Form) -> Iterator[str]:
    """``the person who owns Kittiwake`` for ``Who owns Kittiwake?``"""
    if form.wh == "who" and not form.subject:
        yield _sentence(f"tell me the name of whoever {form.predicate}.")
        yield _sentence(f"which person or team {form.predicate}?")
        yield _sentence(f"who is it that {form.predicate}?")
    if form.wh == "who" and form.subject and form.predicate.split()[0] in BE and " " not in form.predicate:
        yield _sentence(f"what is the name of {form.subject}?")
        yield _sentence(f"name {form.subject}.")


def _echo(form: Form) -> Iterator[str]:
    """``Kittiwake listens on which port?``"""
    if form.subject and not form.wh.startswith("why"):
        middle = f"{form.prep} {form.wh}" if form.prep else form.wh
        yield _sentence(f"{form.subject} {form.predicate} {middle}?")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _kept_case(words: list[str]) -> str:
    """The wh-phrase with its first word in lower case and names as they are."""
    return " ".join([words[0].lower(), *words[1:]])


def _words(text: str) -> list[str]:
    return [_bare(word) for word in text.split()]


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()`").casefold()


def _key(text: str) -> str:
    return " ".join(text.casefold().strip("?. ").split())
