"""Properties: which questions, answers and sentences speak of the same, and what each thing has for a value."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from .looks import Look
from .pairs import LONGEST_VALUE, OPEN, PHRASE, Lesson, Pattern, ends_phrase
from .rows import question_of, sentence_of
from .templates import NAMED, VALUE, Template
from .words import ARTICLES, agree, form, key, shape, stem, stems, telling, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .rows import Row
    from .statements import Statement
    from .things import Thing


class Match(NamedTuple):
    """A statement read by a pattern."""

    statement: Statement
    value: str


@dataclass(frozen=True)
class Way:
    """A question with the answers that pairs give to it."""

    question: Template
    answers: tuple[tuple[Template, Look], ...]
    """With the look of the values that pairs put into each; the most usual one first."""
    shared: frozenset[tuple[str, ...]]
    """Keys of the answers that two things have at least."""
    things: frozenset[Thing]
    """Those that are asked about in this way."""

    @property
    def general(self) -> bool:
        """Whether the question names nothing that may hold for the one thing only that it was asked about."""
        text = self.question.text
        return len(self.things) > 1 or not any(
            word.low[0] in "`#@" or any(map(str.isdigit, word.low)) or (word.start and text[word.start].isupper())
            for word in words(text)
        )


@dataclass(frozen=True, eq=False)
class Attribute:
    """One property, with everything known about how it is said."""

    ways: list[Way] = field(default_factory=list)
    """The most usual one first."""
    patterns: dict[Pattern, list[Match]] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)


def matched(statements: Iterable[Statement], patterns: Iterable[Pattern]) -> dict[Pattern, list[Match]]:
    """What each of ``patterns`` reads."""
    by_first: dict[str, list[Pattern]] = defaultdict(list)
    by_last: dict[str, list[Pattern]] = defaultdict(list)
    found: dict[Pattern, list[Match]] = {}
    for pattern in patterns:
        found[pattern] = []
        if pattern.before:
            by_first[pattern.before[0]].append(pattern)
        elif pattern.after:
            by_last[pattern.after[-1]].append(pattern)
    for statement in statements:
        if statement.said:
            first, last = statement.said[0].form, statement.said[-1].form
            for pattern in (*by_first.get(first, ()), *by_last.get(last, ())):
                found[pattern] += [Match(statement, value) for value in _read(statement, pattern)]
    return found


def fitting(pattern: Pattern, found: Sequence[Match], taught: Look) -> list[Match]:
    """Those of ``found`` whose value looks like the taught ones; where a phrase may follow, of the very same shape."""
    right = [match for match in found if taught.fits(match.value)]
    if pattern.after != OPEN:
        return right
    first: dict[int, Match] = {}
    for match in right:
        if shape(match.value) in taught.shapes:
            first.setdefault(id(match.statement), match)
    return list(first.values())


def _read(statement: Statement, pattern: Pattern) -> Iterator[str]:
    """What may be the value in ``statement`` if it is of this pattern; shorter ones first."""
    forms = tuple(said.form for said in statement.said)
    first = len(pattern.before)
    if forms[:first] != pattern.before or first >= len(forms):
        return
    if statement.row:
        if pattern == pattern_of(statement.row):
            yield statement.row.value
    elif statement.said[first].preposition == pattern.preposition:
        for last in _ends(statement, pattern, forms):
            if 0 < last - first <= LONGEST_VALUE:
                yield _value(statement, first, last)


def _ends(statement: Statement, pattern: Pattern, forms: tuple[str, ...]) -> Iterator[int]:
    """Where the value may end."""
    if pattern.after == OPEN:
        first = len(pattern.before) + 1
        yield from (at for at in range(first, len(forms)) if statement.said[at].preposition in PHRASE)
        yield len(forms)
    else:
        last = len(forms) - len(pattern.after)
        if forms[last:] == pattern.after:
            yield last


def _value(statement: Statement, first: int, last: int) -> str:
    """The words ``first:last``, with their article, without the capital that only starts the sentence."""
    start, end = statement.said[first].start, statement.said[last - 1].end
    split = statement.words
    at, stop = (
        next(i for i, word in enumerate(split) if word.start == place)
        for place in (start, statement.said[last - 1].start)
    )
    if at and split[at - 1].low in ARTICLES and ends_phrase(split, stop + 1):
        start = split[at - 1].start
    value = statement.text[start:end]
    return value if start or not _plain_start(value) else value[0].lower() + value[1:]


def _plain_start(value: str) -> bool:
    """Whether a value's capital may be due to the sentence that it starts: the words after it have none."""
    split = [value[word.start : word.end] for word in words(value) if not word.grey]
    return len(split) > 1 and all(word.islower() for word in split[1:]) and split[0][1:].islower()


def pattern_of(row: Row) -> Pattern:
    """How the sentence of ``row`` states its value."""
    around = sentence_of(row).replace(NAMED, "").replace(VALUE, "")
    return Pattern(tuple(form(word.low) for word in words(around) if not word.grey), "", ())


def attributes(lessons: Sequence[Lesson], statements: Sequence[Statement]) -> list[Attribute]:
    """Every property that pairs, lists and tables teach."""
    by_question: dict[tuple[str, ...], list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        by_question[lesson.asked.question.key].append(lesson)
    labels = _labels(statements)
    patterns = {pattern: None for lesson in lessons for _, pattern in lesson.stated} | dict.fromkeys(labels)
    matches = matched(statements, patterns)
    nodes = [_attribute(found, matches) for found in by_question.values()]
    nodes += [_of_label(row, pattern, matches[pattern]) for pattern, row in labels.items()]
    return _joined(nodes)


def _labels(statements: Iterable[Statement]) -> dict[Pattern, Row]:
    found: dict[Pattern, Row] = {}
    for statement in statements:
        if statement.row and (pattern := pattern_of(statement.row)).before:
            found.setdefault(pattern, statement.row)
    return found


def _of_label(row: Row, pattern: Pattern, matches: list[Match]) -> Attribute:
    answer = Template(sentence_of(row))
    taught = Look(match.value for match in matches if match.statement.row)
    read = [match for match in matches if match.statement.row or taught.fits(match.value)]
    things = frozenset(match.statement.thing for match in read)
    way = Way(Template(question_of(row)), ((answer, taught),), frozenset({answer.key}), things)
    return Attribute([way], {pattern: read})


def _attribute(lessons: list[Lesson], matches: dict[Pattern, list[Match]]) -> Attribute:
    """What all pairs with one wording of a question teach."""
    taught = Look(lesson.value for lesson in lessons)
    answered: dict[Thing, list[str]] = defaultdict(list)
    for lesson in lessons:
        answered[lesson.asked.thing].append(lesson.value)
    linked = dict.fromkeys(pattern for lesson in lessons for _, pattern in lesson.stated)
    read = {pattern: fitting(pattern, matches[pattern], taught) for pattern in linked}
    about = frozenset().union(*(stems(f"{lesson.asked.question.text} {lesson.answer.text}") for lesson in lessons))
    sound = {pattern: found for pattern, found in read.items() if _is_sound(pattern, found, read, answered, about)}
    return Attribute([_way(lessons)], sound, lessons)


def _is_sound(
    pattern: Pattern,
    found: Sequence[Match],
    read: dict[Pattern, list[Match]],
    answered: dict[Thing, list[str]],
    about: frozenset[str],
) -> bool:
    """Whether a pattern that states a value for one thing states this property for others.

    It does when pairs about two things say so. Of one pair, a plain word or a small number may stand there by chance,
    unless the question has all the other words; and a form that shares no word with the question is trusted only when
    no thing has another sentence with another value.
    """
    right: set[Thing] = set()
    wrong: set[Thing] = set()
    for match in found:
        if match.statement.thing in answered:
            same = all(agree(match.value, value) for value in answered[match.statement.thing])
            (right if same else wrong).add(match.statement.thing)
    around = {stem(low) for low in (*pattern.before, *pattern.after)}
    if len(wrong) > len(right) or (len(wrong) == len(right) and not around <= about):
        return False
    if len(right) > 1 or around <= about:
        return True
    chance = any(len(key(match.value)) < 2 and not telling(match.value) for match in found)
    return not chance and (bool(about & around) or not _conflict({pattern: list(found)}, read))


def _conflict(some: dict[Pattern, list[Match]], others: dict[Pattern, list[Match]]) -> bool:
    """Whether two patterns give one thing different values."""
    values: dict[Thing, list[str]] = defaultdict(list)
    for found in some.values():
        for match in found:
            values[match.statement.thing].append(match.value)
    return any(
        not agree(match.value, value)
        for pattern, found in others.items()
        if pattern not in some
        for match in found
        for value in values.get(match.statement.thing, ())
    )


def _way(lessons: Sequence[Lesson]) -> Way:
    by_form: dict[tuple[str, ...], list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        by_form[lesson.answer.key].append(lesson)
    things = {key: {lesson.asked.thing for lesson in found} for key, found in by_form.items()}
    usual = sorted(by_form, key=lambda key: -len(things[key]))
    answers = tuple((by_form[key][0].answer, Look(lesson.value for lesson in by_form[key])) for key in usual)
    shared = frozenset(key for key, found in things.items() if len(found) > 1)
    return Way(lessons[0].asked.question, answers, shared, frozenset().union(*things.values()))


def _joined(nodes: Sequence[Attribute]) -> list[Attribute]:
    """Join what speaks of the same property: wordings of one pair, and questions that one sentence answers.

    A sentence with several facts joins nothing, and no two that give one thing different values are joined.
    """
    whole: list[Attribute | None] = list(nodes)
    home = list(range(len(nodes)))
    holders: dict[object, list[int]] = defaultdict(list)
    for at, node in enumerate(nodes):
        for lesson in node.lessons:
            holders["pair", lesson.asked.record.group].append(at)
        for pattern, found in node.patterns.items():
            if not any(_compound(match) for match in found):
                holders[pattern].append(at)
    for members in holders.values():
        for member in members[1:]:
            into, gone = home[members[0]], home[member]
            one, other = whole[into], whole[gone]
            if into != gone and one and other and not _apart(one, other):
                whole[into], whole[gone] = _merged(one, other), None
                home = [into if at == gone else at for at in home]
    return [replace(one, ways=sorted(one.ways, key=lambda way: -len(way.things))) for one in whole if one]


def _compound(match: Match) -> bool:
    around = match.statement.text.replace(match.value, " ").rstrip(".!?")
    return any(word.low in ("and", ",", ";", ":") for word in words(around))


def _merged(one: Attribute, other: Attribute) -> Attribute:
    patterns = {pattern: list(found) for pattern, found in one.patterns.items()}
    for pattern, found in other.patterns.items():
        known = patterns.setdefault(pattern, [])
        known += [match for match in found if match not in known]
    return Attribute([*one.ways, *other.ways], patterns, [*one.lessons, *other.lessons])


def _apart(one: Attribute, other: Attribute) -> bool:
    """Whether the two give one thing different values."""
    said: dict[Thing, list[str]] = defaultdict(list)
    for lesson in one.lessons:
        said[lesson.asked.thing].append(lesson.value)
    differ = any(
        not agree(lesson.value, value) for lesson in other.lessons for value in said.get(lesson.asked.thing, ())
    )
    return differ or _conflict(one.patterns, other.patterns) or _conflict(other.patterns, one.patterns)
