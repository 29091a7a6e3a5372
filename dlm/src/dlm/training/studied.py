"""A study set made ready for one base: anchors get the base's own answers, and a base that cannot teach is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import TrainingRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..corpus.records import Record, StudySet
    from .backend import Workbench

FEW_ANCHORS = 240
"""Of a quick run, which has room for no more of them: what the base is not asked need not be waited for."""
LEAST_GAIN = 0.5
LEAST_OPENED = -0.35
"""Nats a token: what reading must add, and how likely it must make the answer (7 in 10 a token), before a base is worth
learning from. SmolLM2-135M, for which distilling was no better than ``study``, gains three and reaches -0.6 to -0.7."""


def studied(
    study: StudySet, bench: Workbench, home: Path, say: Callable[[str], None], *, few: bool = False
) -> StudySet:
    """``study`` as it is encoded.

    Raises:
        TrainingRefused: its teacher, the base with the section in its context, reads too badly.
    """
    lessons = [record for record in study.train if record.objective == "distill"]
    if lessons:
        _check_teacher(bench, lessons, say)
    train = _some(study.train) if few else study.train
    return replace(study, train=tuple(bench.complete(train, home / "cache" / "own-answers", say)))


def _check_teacher(bench: Workbench, lessons: list[Record], say: Callable[[str], None]) -> None:
    gap = bench.open_book_gap(sorted(lessons, key=_luck)[:64])
    gain = gap.opened - gap.closed
    measured = (
        f"the base gives an answer {gap.closed:.2f} nats a token from the question alone and {gap.opened:.2f} with the "
        f"section before it: a gain of {gain:.2f}"
    )
    if gain < LEAST_GAIN or gap.opened < LEAST_OPENED:
        raise TrainingRefused(
            f"recipe distill: {measured}. A teacher needs {LEAST_OPENED} or more with the section, and a gain of "
            f"{LEAST_GAIN}: this base reads too badly to teach itself. Write `recipe: study`, or name a larger base"
        )
    say(f"teacher: {measured}")


def _some(train: tuple[Record, ...]) -> tuple[Record, ...]:
    """All but the anchors beyond ``FEW_ANCHORS``, drawn by chance: their shares stay."""
    anchors = sorted((record for record in train if record.objective == "anchor"), key=_luck)
    dropped = {id(record) for record in anchors[FEW_ANCHORS:]}
    return tuple(record for record in train if id(record) not in dropped)


def _luck(record: Record) -> bytes:
    said = record.messages[0].content if record.messages else record.text
    return hashlib.sha256(f"{record.group}\n{said}".encode()).digest()
