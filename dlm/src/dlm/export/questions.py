"""The questions of the learning report, with what the trained model says to them: asked again of the export."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .spoken import Question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..learning.expected import Expected
    from ..learning.report import Item
    from ..training.backend import Backend
    from .sink import Request


def questions_of(request: Request, backend: Backend, limit: int) -> tuple[Question, ...]:
    """At most ``limit``: of the version's learning report; where there is none, or several adapters are mixed, made
    anew and put to the trained model."""
    return _of_report(request, limit) or _asked_anew(request, backend, limit)


def _of_report(request: Request, limit: int) -> tuple[Question, ...]:
    from ..learning.report import load

    names = request.chosen.names
    report = load(request.version.path) if len(names) < 2 else None
    if report is None or request.chosen.gate is not None:
        return ()
    name = names[0] if names else ""
    found = [item for item in report.items if item.kind == "fact" and item.adapter == name]
    found = sorted(found, key=lambda item: _luck(item.question))[:limit]
    return tuple(Question(item.question, _expected(item), item.said_after, item.fact) for item in found)


def _asked_anew(request: Request, backend: Backend, limit: int) -> tuple[Question, ...]:
    from ..corpus.records import Message
    from ..training.backend import Sampling
    from .certifying import ANSWER_TOKENS

    found = sorted(_anew(request), key=lambda one: _luck(one.text))[:limit]
    if not found:
        return ()
    conversations = [[Message("user", one.text)] for one in found]
    with backend.answerer(request.base, request.chosen.adapter, request.system_prompt) as answerer:
        said = answerer.answer(conversations, Sampling(max_new_tokens=ANSWER_TOKENS))
        return tuple(one._replace(said=answer.text) for one, answer in zip(found, said, strict=True))


def _anew(request: Request) -> Iterator[Question]:
    from ..learning.measure import LearnOptions, seed_of
    from ..learning.sittings import exams_of
    from ..training.material import collect

    version, names = request.version, request.chosen.names
    seed = seed_of(version, names[0] if names else None)
    more = collect(request.document, version.layout.root.parents[1], seed).more
    numbers: dict[tuple[str, ...], int] = {}
    for name, exam in exams_of(request.document, more, version, seed, LearnOptions()).items():
        if name is None or name in names:
            for one in exam.paper.facts:
                yield Question(one.question, one.expected, "", numbers.setdefault(one.fact, len(numbers) + 1))


def _expected(item: Item) -> Expected:
    from ..learning.expected import Expected

    if item.judged == "words":
        return Expected((), words=item.expected)
    return Expected(item.expected, loose=item.judged == "any")


def _luck(question: str) -> bytes:
    """Which of too many are asked depends on each alone."""
    return hashlib.sha256(f"certificate\n{question}".encode()).digest()
