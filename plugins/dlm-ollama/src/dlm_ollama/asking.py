"""The document's own questions to a model in a running Ollama: does it answer as what was trained would?"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm.document.model import Pair
from dlm.learning.expected import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlm.document import Document

    from .client import Ollama

MOST = 5
"""Questions: a look at the model, not an exam, which the certificate is."""
_GREEDY = {"temperature": 0, "seed": 0, "num_predict": 96}
_LONGEST = 200


class Reply(NamedTuple):
    """What the model said to one question."""

    question: str
    answer: str
    right: bool | None
    """``None`` where nothing tells."""


def ask(ollama: Ollama, name: str, document: Document) -> list[Reply]:
    """The model's greedy answers to the document's first questions; to ``Hello.`` where it has none."""
    return [_asked(ollama, name, question, answer) for question, answer in _questions(document)]


def first_line(text: str) -> str:
    """For a line of people's."""
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _asked(ollama: Ollama, name: str, question: str, wanted: str | None) -> Reply:
    body: dict[str, Any] = {"model": name, "messages": [{"role": "user", "content": question}], "options": _GREEDY}
    message = ollama.chat(body).get("message")
    answer = message.get("content") if isinstance(message, dict) else None
    said = answer.strip() if isinstance(answer, str) else ""
    judged = expected(question, wanted) if wanted is not None else None
    return Reply(question, said, judged.met(said) if judged is not None else None)


def _questions(document: Document) -> list[tuple[str, str | None]]:
    return [*islice(_taught(document), MOST)] or [("Hello.", None)]


def _taught(document: Document) -> Iterator[tuple[str, str | None]]:
    """One wording of each pair that stands alone."""
    for section in document.sections:
        for pair in section.body if isinstance(section.body, tuple) else ():
            if isinstance(pair, Pair) and not pair.before and not pair.probe:
                yield pair.questions[0], pair.answer
