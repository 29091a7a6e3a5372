"""What stood before the subject: ``In winter``, ``If it rains``, ``To restart the pump``. Asked for, or kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import phrases, subjects, verbs
from .order import inverted
from .parts import Chunk, Clause, Tail
from .words import POSSESSIVES, PRONOUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

_TELLERS = frozenset("run execute type enter write use press call send open say".split())
_COMMANDS = frozenset("run execute type enter use".split())
_CONDITIONS = frozenset({"when", "if", "whenever", "once", "as soon as", "in case"})
_UNCLEAR = frozenset("it they them its their he she him this that these those his her".split())
_CONCESSIONS = frozenset(
    {"although", "though", "while", "whereas", "even if", "even though", "unlike", "despite", "except", "apart from"}
)
WEATHER = frozenset("rains snows freezes raining snowing freezing dark light wet cold hot windy icy late".split())
_REASONS = frozenset({"because", "since", "because of", "due to", "as"})
_AIMS = frozenset({"to", "in order to", "so as to"})


def kept(clause: Clause) -> list[str] | None:
    """The settings as words that may end a question; ``None`` when they cannot be taken out of their sentence."""
    words: list[str] = []
    for setting in clause.front:
        name = setting.word if isinstance(setting, Tail) else setting.prep
        if name in _CONCESSIONS or name in _REASONS:
            continue
        if setting.words[-1:] in {("not",), ("so",)}:
            return None
        if _UNCLEAR & {word.lower() for word in setting.words} and not _is_weather(setting.words):
            return None
        words += setting.all
    return words


def _is_weather(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[0] == "it" and words[-1] in WEATHER


def about(clause: Clause) -> Iterator[list[str]]:
    """Questions that the settings answer."""
    others = [*clause.object, *(word for chunk in clause.chunks for word in chunk.all)]
    whole = inverted(clause, others)
    for setting in clause.front:
        if isinstance(setting, Chunk) and setting.prep in _AIMS and setting.words and verbs.is_base(setting.words[0]):
            yield from _aims(clause, setting)
        elif isinstance(setting, Chunk):
            yield from _times(clause, setting, whole)
            if ordered(clause) and setting.prep in {"after", "before", "in case of", "during"}:
                yield ["What should I", *(["not"] if clause.group.negative else []), "do", *setting.all]
        elif setting.word in _CONDITIONS and (
            not _UNCLEAR & {word.lower() for word in setting.words} or _is_weather(setting.words)
        ):
            yield from _conditions(clause, setting, whole)
        elif setting.word in {"because", "since"}:
            yield ["Why", *whole]


def ordered(clause: Clause) -> bool:
    """Whether the clause is a command."""
    return clause.subject == ("I",) and clause.group.helper == "should"


def _times(clause: Clause, chunk: Chunk, whole: list[str]) -> Iterator[list[str]]:
    timed = any(phrases.is_time(other) for other in clause.chunks)
    often = chunk.prep in {"every", "each"} and phrases.is_frequency(Chunk("", chunk.all))
    dated = chunk.prep in {"on", "in", "at", "after", "before", "during"} and phrases.is_time(chunk)
    if often or (dated and not timed):
        yield ["When", *whole]
    elif phrases.is_sure_place(chunk) and chunk.prep in {"in", "on", "at", "under", "behind", "next to", "near"}:
        yield ["Where", *whole] if not any(phrases.is_place(other) for other in clause.chunks) else []
    elif chunk.prep in {"since", "until"} and phrases.is_time(chunk):
        yield [f"{chunk.prep.capitalize()} when", *whole]
    elif chunk.prep in {"because of", "due to"}:
        yield ["Why", *whole]


def _conditions(clause: Clause, tail: Tail, whole: list[str]) -> Iterator[list[str]]:
    if ordered(clause):
        yield ["What should I", *(["not"] if clause.group.negative else []), "do", *tail.all]
    else:
        yield ["What happens", *tail.all]
    if tail.word != "in case" and not clause.tail and clause.group.base not in {"", "be"} and len(whole) > 3:
        yield ["When", *whole]


def _aims(clause: Clause, aim: Chunk) -> Iterator[list[str]]:
    """``To restart Kittiwake, run `x```: the aim, and the order that serves it."""
    words = list(aim.words)
    if (_UNCLEAR | (POSSESSIVES - {"your", "my"})) & {word.lower() for word in words}:
        return
    if not ordered(clause):
        return
    yield ["How do I", *words]
    verb = clause.group.base
    code = clause.object[0] if clause.object and clause.object[0][0] == "`" else ""
    if code and verb in _TELLERS:
        yield ["What do I", verb, "to", *words]
    if code and verb in _COMMANDS and "and" not in words and subjects.is_command(code):
        yield ["Which command", verbs.third(words[0]), *words[1:]]
    if not code and clause.object and clause.object[0] not in PRONOUNS:
        yield ["What should I do to", *words]
