"""Questions about a clause: about its subject, its object, and each time, place, amount, agent and reason it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import copulas, phrases, verbs
from .clauses import Clause
from .tokens import DETERMINERS, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTERS = DETERMINERS | frozenset("both all many several most more children people we".split())
_OWN = frozenset("its their his her".split())
_AGENT_VERBS = frozenset(
    "own lead manage maintain write sign teach repair answer borrow order approve build lend check paint open close "
    "clean feed cook bake drive collect buy sell send tell pay organise organize oversee supervise found design direct "
    "run edit review invent discover conduct train water hire plan".split()
)
_BEING_SOMEWHERE = frozenset(
    "lie live stand sit hang keep store hold put place park meet sing happen occur grow sleep stay locate find install "
    "mount archive hide leave take meet serve sell build bury record work publish post wait run work bear".split()
)
_GOING = frozenset("send deliver export upload copy go travel move ship forward post fly sail report".split())
_COMING = frozenset("come buy fetch collect obtain import receive get order draw depart leave start arrive".split())
_TAKING_OBJECTS = frozenset(
    "use need make produce release absorb reflect contain split sell store hold eat drink wear carry bring own require "
    "include measure print list return show count pack unpack write sign borrow build emit accept cover offer publish "
    "collect control monitor check prevent protect support serve pump bind generate lend repair teach separate bake "
    "grow provide record remove supply drive feed read buy mean keep".split()
)
_PUTTING = frozenset("keep store hold put place".split())
_LEANING = frozenset(
    {(verb, "on") for verb in ("depend", "rely")}
    | {(verb, "to") for verb in ("belong", "connect", "lead", "point", "refer", "link", "respond", "apply", "attach")}
)
_TWO_OBJECTS = frozenset("show offer lend sell pay teach bring make serve feed read".split())
_RELATIVE = frozenset("that which who whose whom where what".split())
_BESIDE = frozenset("door window gate entrance wall river sea lake road fire pool stairs exit station".split())
"""What is stood by, not acted by."""
_MEANS = frozenset("hand train bus ferry boat car bicycle bike plane post email mail phone telephone tram".split())
_STATIVE = frozenset(
    "be have mean stand come need require hold contain lie appear exist belong include consist cost last follow".split()
)
_MONEY = frozenset("euros euro pounds dollars cents pence kroner francs".split())
_CURRENCY = re.compile(r"[€$£]\d[\d.,]*|\d[\d.,]*[€$£]")
_COMMAND = re.compile(r"`[a-z][\w.-]*(?: [^`]+)`")


def questions(clause: Clause, front: list[str]) -> Iterator[list[str]]:
    """``front`` is a setting that opened the sentence; it ends each question."""
    if phrases.amount(clause.subject) and (clause.base or clause.helper not in verbs.BE):
        made = [*_about_subject(clause)]
    elif clause.base or clause.helper not in verbs.BE:
        made = [*_reasons(clause), *_about_chunks(clause), *_about_object(clause), *_about_subject(clause)]
    else:
        made = [*_reasons(clause), *copulas.about(clause)]
    for words in made:
        yield [*words, *front]
    timed = any(words[0] in {"When", "At"} for words in made) or phrases.amount(clause.subject)
    if front and clause.base and not timed:
        yield from _setting(clause, front)


def _setting(clause: Clause, front: list[str]) -> Iterator[list[str]]:
    chunk = Chunk(front[0], tuple(front[1:]))
    if phrases.is_time(chunk) and chunk.prep in {"on", "in", "at"}:
        yield ["When", *_inverted(clause, list(clause.object))]


def is_command(code: str) -> bool:
    """Whether inline code is a shell command with its arguments."""
    return bool(_COMMAND.fullmatch(code)) and not re.search(r"`[\w.]+ (?:=|\+|-|\*|/|in|is|and|or|not) ", code)


def existence(words: list[str], front: list[str]) -> Iterator[list[str]]:
    """``There are eleven gauges in the network``."""
    cut = next((at for at, word in enumerate(words) if word in {",", ";", ":", "that", "which", "who"}), len(words))
    starts = next((at for at in range(2, cut) if words[at] in {"in", "on", "at"}), cut)
    found = phrases.amount(tuple(words[2:starts])) if words[1] in {"are", "were"} else None
    if found:
        yield ["How many", *found.noun, words[1], "there", *words[starts:cut], *front]


def _inverted(clause: Clause, kept: list[str]) -> list[str]:
    """The clause in the order of a question: ``does the service listen``."""
    subject, rest = list(clause.subject), list(clause.rest)
    if clause.helper:
        return [clause.helper, *subject, *rest, *kept]
    if rest and rest[0].endswith(":"):
        return [_do(clause), *subject, rest[0][:-1], *rest[1:], *kept]
    return [_do(clause), *subject, clause.base, *rest, *kept]


def _do(clause: Clause) -> str:
    return {"past": "did", "base": "do"}.get(clause.tense, "does")


def _finite(clause: Clause, *, many: bool = False) -> list[str]:
    """The verb group as a new subject takes it: ``who`` is singular."""
    rest = list(clause.rest)
    if clause.helper:
        swap = {"are": "is", "were": "was", "have": "has"} if not many else {}
        return [swap.get(clause.helper, clause.helper), *rest]
    if rest and rest[0].endswith(":"):
        base, rest = rest[0][:-1], rest[1:]
    else:
        base = clause.base
    if clause.tense == "past":
        return [verbs.past(base), *rest]
    return [base if many else verbs.third(base), *rest]


def _kept(clause: Clause, upto: int) -> list[str]:
    """The object and the chunks before ``upto`` that tell no time."""
    words = list(clause.object)
    for chunk in clause.chunks[:upto]:
        timed = phrases.is_time(chunk) or phrases.is_frequency(chunk) or phrases.is_duration(chunk.words)
        if not timed:
            words += chunk.all
    return words


def _reasons(clause: Clause) -> Iterator[list[str]]:
    """What a subordinate clause at the end answers."""
    timed = any(phrases.is_time(c) or phrases.is_frequency(c) or c.words == ("once",) for c in clause.chunks)
    if clause.tail and not (timed and clause.tail == "when"):
        words = [word for chunk in clause.chunks for word in chunk.all]
        yield [clause.tail.capitalize(), *_inverted(clause, [*clause.object, *words])]


def _about_chunks(clause: Clause) -> Iterator[list[str]]:
    for at, chunk in enumerate(clause.chunks):
        if phrases.is_frequency(chunk):
            yield ["How often", *_inverted(clause, _kept(clause, at))]
            if at + 1 == len(clause.chunks) and not clause.tail and phrases.has_weekday(chunk):
                yield ["When", *_inverted(clause, _kept(clause, at))]
        elif phrases.is_time(chunk):
            yield from _times(clause, at, chunk)
        elif phrases.is_duration(chunk.words):
            yield from _durations(clause, at, chunk)
        elif chunk.prep == "by":
            yield from _by(clause, at, chunk)
        else:
            yield from _values(clause, at, chunk)
            yield from _places(clause, at, chunk)


def _times(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    asked = _inverted(clause, _kept(clause, at))
    if chunk.prep in {"by", "until", "since"}:
        yield [f"{chunk.prep.capitalize()} when", *asked]
        return
    if chunk.prep == "before" or (chunk.prep == "from" and not {"to", "until", "till"} & set(chunk.words)):
        return
    yield ["When", *asked]
    if phrases.has_clock(chunk) and chunk.prep == "at":
        yield ["At what time", *asked]
        yield ["What time", *asked]
    elif phrases.has_weekday(chunk) and chunk.prep == "on" and len(chunk.words) == 1:
        yield ["On which day", *asked]


def _durations(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    asked = _inverted(clause, _kept(clause, at))
    found = phrases.amount(chunk.words)
    if chunk.prep == "for":
        yield ["How long", *asked]
        yield ["For how long", *asked]
    if found and chunk.prep in {"for", "within", "after"}:
        yield [f"{chunk.prep.capitalize()} how many", *found.noun, *asked]


def _by(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    first = chunk.words[0]
    if verbs.gerund_base(first) or (len(chunk.words) == 1 and first in _MEANS):
        yield ["How", *_inverted(clause, _kept(clause, at))]
        return
    given = first.lower() in DETERMINERS or first[0].isupper() or first == "whoever" or phrases.can_act(chunk.words)
    if not clause.passive or not given or _OWN & {word.lower() for word in (*clause.object, *clause.rest)}:
        return
    who = first == "whoever" or phrases.can_act(chunk.words)
    beside = bool(_BESIDE & set(chunk.words)) or any(other.prep and other.prep != "in" for other in clause.chunks[:at])
    thing = first.lower() in {"the", "a", "an"} and chunk.words[-1].islower() and not who and not beside
    if not who and not thing:
        return
    rest = _kept(clause, at)
    active = [*_active(clause), *clause.subject, *rest]
    yield ["Who" if who else "What", *active]
    yield ["Who" if who else "What", *_inverted(clause, rest), "by"]
    if who:
        yield ["By whom", *_inverted(clause, rest)]
        if chunk.words[-1] == "team" and first.lower() == "the":
            yield ["Which team", *active]


def _active(clause: Clause) -> list[str]:
    """The verb of a passive clause as its agent's: ``owns`` for ``is owned``."""
    be = [word for word in clause.rest if word in {"be", "been", "being"}]
    done = clause.rest[len(be)]
    particle = list(clause.rest[len(be) + 1 :])
    if clause.helper in verbs.MODALS:
        return [clause.helper, clause.base, *particle]
    if clause.helper in verbs.HAVE:
        return ["has", done, *particle]
    if clause.helper in {"was", "were"}:
        return [verbs.past(clause.base), *particle]
    return [verbs.third(clause.base), *particle]


def _values(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    """``on port 7413`` and ``on two hosts``."""
    if " " in chunk.prep or not chunk.prep or (chunk.prep == "to" and verbs.is_base(chunk.words[0])):
        return
    asked = _inverted(clause, _kept(clause, at))
    if (found := phrases.named(chunk.words)) and not phrases.is_person(chunk.words):
        yield ["Which", *found.noun, *asked, chunk.prep]
        yield [chunk.prep, "which", *found.noun, *asked]
        yield ["What", *found.noun, *asked, chunk.prep]
    elif chunk.prep == "at" and "degrees" in chunk.words:
        yield ["At what temperature", *asked]
    elif (count := phrases.amount(chunk.words)) and not phrases.amount(clause.object):
        yield ["How many", *count.noun, *asked, chunk.prep]
        yield [chunk.prep, "how many", *count.noun, *asked]
    elif (clause.base, chunk.prep) in _LEANING and not clause.object and not phrases.is_person(chunk.words):
        yield ["What", *asked, chunk.prep]


def _places(clause: Clause, at: int, chunk: Chunk) -> Iterator[list[str]]:
    asked = _inverted(clause, _kept(clause, 0))
    happens = clause.base == "take" and clause.rest[-1:] == ("place",)
    bare = happens and chunk.prep == "in" and len(chunk.words) == 1
    if (phrases.is_place(chunk) or bare) and (clause.base in _BEING_SOMEWHERE or _pulled(clause)):
        if clause.base != "take" or happens:
            yield ["Where", *asked]
    elif chunk.prep == "to" and clause.base in _GOING and not verbs.is_base(chunk.words[0]):
        who = phrases.is_person(chunk.words)
        yield ["Who", *asked, "to"] if who else ["Where", *asked]
    elif chunk.prep == "from" and clause.base in _COMING and chunk.words[0].lower() in DETERMINERS:
        yield ["Where", *asked, "from"]


def _pulled(clause: Clause) -> bool:
    return clause.passive and clause.base in {"pull", "connect", "attach", "hold", "fix"}


def _about_object(clause: Clause) -> Iterator[list[str]]:
    words = clause.object
    if not words and not (clause.base == "mean" and clause.cut):
        return
    if clause.passive:
        yield from _called(clause)
        return
    purpose = [w for c in clause.chunks[:1] if c.prep == "to" and verbs.is_base(c.words[0]) for w in c.all]
    asked = _inverted(clause, [])
    if phrases.is_duration(words) and clause.base in {"take", "last"}:
        yield ["How long", *asked, *purpose]
    if clause.base in {"cost", "weigh"} and (phrases.amount(words) or _CURRENCY.fullmatch(words[-1])):
        yield ["How much", *asked]
        return
    if found := phrases.amount(words):
        timed = phrases.is_duration(words)
        after = [word for chunk in clause.chunks for word in chunk.all]
        single = not clause.cut and "and" not in after
        kept = _kept(clause._replace(object=()), len(clause.chunks)) if single else []
        yield ["How many", *found.noun, *asked, *(purpose if timed else kept)]
    elif found_name := phrases.named(words):
        yield ["Which", *found_name.noun, *asked]
    elif clause.base in _TAKING_OBJECTS and _is_object(clause):
        place = clause.chunks[0].all if clause.base in _PUTTING and clause.chunks else ()
        yield ["Who" if phrases.is_person(words) else "What", *asked, *place]
    elif clause.base == "become" and words[0][0] in '"“' and clause.subject[0][0] in '"“':
        yield ["What", *asked]


def _called(clause: Clause) -> Iterator[list[str]]:
    if clause.base in {"call", "name"} and clause.rest == ("called",) and clause.helper in verbs.BE:
        yield ["What", *_inverted(clause, [])]
        if clause.helper == "is":
            yield ["What is the name of", *clause.subject]


def _is_object(clause: Clause) -> bool:
    """Whether the words after the verb are one noun phrase that it takes."""
    if clause.base == "mean":
        return True
    first, last = clause.object[0], clause.object[-1]
    second_article = any(word in {"the", "a", "an"} for word in clause.object[1:])
    if clause.base in _TWO_OBJECTS and second_article and "and" not in clause.object and "of" not in clause.object:
        return False
    if first.lower() in DETERMINERS:
        return first.lower() not in {"this", "that", "these", "those", "no"} and len(clause.object) > 1
    adjective = first.lower() in {"free", "well", "open", "early", "late", "as", "more", "less", "upright", "only"}
    return not adjective and (last[0] in '`"“#' or first[0].isupper() or last[0].isupper() or last.isalpha())


def _about_subject(clause: Clause) -> Iterator[list[str]]:
    subject = clause.subject
    predicate = [*clause.object, *(word for chunk in clause.chunks for word in chunk.all)]
    if len(subject) == 1 and subject[0][0] == "`" and not clause.helper:
        yield from _about_code(clause, predicate)
        return
    if _OWN & {word.lower() for word in predicate} or clause.tail or clause.cut in _RELATIVE:
        return
    if found := phrases.amount(subject):
        if not clause.chunks and not clause.object:
            return
        yield ["How many", *found.noun, *_finite(clause, many=True), *predicate]
    elif _acts(clause):
        yield ["Who", *_finite(clause), *predicate]
        if subject[-1] == "team" and subject[0] == "the":
            yield ["Which team", *_finite(clause), *predicate]
    elif _asks_for_thing(clause):
        yield ["What", *_finite(clause), *predicate]


def _about_code(clause: Clause, predicate: list[str]) -> Iterator[list[str]]:
    if clause.base in _STATIVE or not (predicate or clause.cut):
        return
    yield ["What does", clause.subject[0], "do"]
    own = _OWN & set(predicate)
    if is_command(clause.subject[0]) and not clause.cut and not own:
        yield ["Which command", *_finite(clause), *predicate]


def _acts(clause: Clause) -> bool:
    """Whether the subject is a person who does something."""
    if not clause.object or clause.passive or not phrases.can_act(clause.subject):
        return False
    return clause.base in _AGENT_VERBS or not phrases.is_name(clause.subject)


def _asks_for_thing(clause: Clause) -> bool:
    first = clause.subject[0]
    thing = first == "the" and len(clause.subject) > 1 and not phrases.is_role(clause.subject)
    lies = clause.base in {"lie", "hang"} and any(phrases.is_place(chunk) for chunk in clause.chunks)
    done = clause.passive and any(phrases.is_frequency(c) or phrases.is_time(c) for c in clause.chunks)
    agent = any(chunk.prep == "by" for chunk in clause.chunks)
    return thing and not agent and (lies or done)
