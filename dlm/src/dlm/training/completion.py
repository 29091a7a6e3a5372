"""General questions answered by the untouched base: asked once a base, kept in a file, cut where a sentence ends.

What the answers are drawn from is the backend's; what they are used for is the plan's.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..corpus.records import Message
from ..errors import StoreError
from ..store.files import disk_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..corpus.records import Record
    from .backend import Workbench

Conversation = tuple[Message, ...]
PATIENCE = 5.0
"""Seconds after which people are told how long it will take."""
_SENTENCE_END = re.compile(r"(?m)(?<!^\d)(?<!^\d\d)[.!?…][\"'”’)\]*]*(?=\s|$)|[。！？]|\n")
"""Not the full stop of a list's number."""


def completed(
    bench: Workbench, records: Sequence[Record], folder: Path | None, say: Callable[[str], None]
) -> list[Record]:
    """See :meth:`dlm.training.backend.Workbench.complete`."""
    questions = sorted({record.messages for record in records if _open(record)})
    if not questions:
        return list(records)
    file = None if folder is None else folder / f"{bench.answers_scope}.jsonl"
    answers = _read(file)
    missing = [question for question in questions if question not in answers]
    if missing:
        answers |= _asked(bench, missing, file, say)
    return [
        replace(record, messages=(*record.messages, Message("assistant", answers[record.messages])))
        if _open(record)
        else record
        for record in records
        if not _open(record) or answers.get(record.messages)
    ]


def kept(bench: Workbench, folder: Path | None) -> dict[Conversation, str]:
    """The answers that earlier runs left in ``folder``; empty for a question that the base has nothing to say to."""
    return _read(None if folder is None else folder / f"{bench.answers_scope}.jsonl")


def shortened(text: str) -> str:
    """An answer that was cut off, up to its last whole sentence, else to its last whole word."""
    text = text.strip()
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return text[: ends[-1]].strip()
    words = text.rsplit(None, 1)
    return words[0] if len(words) > 1 else text


def _open(record: Record) -> bool:
    return bool(record.messages) and record.messages[-1].role == "user"


def _asked(
    bench: Workbench, questions: Sequence[Conversation], file: Path | None, say: Callable[[str], None]
) -> dict[Conversation, str]:
    kept = "" if file is None else ", once: its answers are kept"
    say(f"asking the base {len(questions)} general questions{kept}")
    found: dict[Conversation, str] = {}
    started, told = time.perf_counter(), False
    try:
        for made in bench.own_answers(questions):
            found |= {
                questions[answer.asked]: answer.text.strip() if answer.ended else shortened(answer.text)
                for answer in made
            }
            elapsed = time.perf_counter() - started
            if found and not told and elapsed > PATIENCE:
                told = True
                say(f"about {elapsed / len(found) * (len(questions) - len(found)):.0f} s to go")
        found = dict.fromkeys(questions, "") | found
    finally:
        # Also when stopped: no answer depends on another, so the next run goes on from here.
        _keep(file, found, say)
    return found


def _read(file: Path | None) -> dict[Conversation, str]:
    """The answers kept so far. A line that cannot be read is asked for again."""
    if file is None or not file.is_file():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            found[tuple(Message(role, content) for role, content in entry["messages"])] = str(entry["answer"])
        except (ValueError, TypeError, KeyError):
            continue
    return found


def _keep(file: Path | None, found: Mapping[Conversation, str], say: Callable[[str], None]) -> None:
    if file is None or not found:
        return
    # Read anew: another run may have added to it.
    together = {**_read(file), **found}
    lines = [json.dumps({"messages": question, "answer": answer}) for question, answer in sorted(together.items())]
    try:
        with disk_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, "\n".join(lines) + "\n")
    except StoreError as problem:
        say(f"the base's answers are not kept, and will be asked for again: {problem}")
