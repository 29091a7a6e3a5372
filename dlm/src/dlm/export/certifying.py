"""The certificate of an export: what training left and the exported files, asked the same and read on the same texts.

The trained version answers in its own backend, the files in the program that will serve them. One text after the other
goes through both, so that never more than one text's distributions are held.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import RuntimeMissing
from .certificate import Certificate, Check, PartFigures
from .diagnosis import figures_checks
from .parity import (
    agreement,
    aside,
    compare,
    effect_kept,
    effect_size,
    mean_divergence,
    strength,
    tail_divergence,
)
from .spoken import prompt_check, recall_check, recall_of, start_check, stop_check, text_check, texts_of
from .texts import general_texts, material_of, reads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..training.backend import Backend
    from .certificate import Verdict
    from .parity import Positions
    from .runtime import Runtime
    from .sink import Request, Sink, Written
    from .spoken import Question
    from .texts import Material, Read

QUESTIONS: Final = 40
"""Of the learning report's, asked again at most."""
ANSWER_TOKENS: Final = 40
"""As in the learning report."""


class Subject(NamedTuple):
    """What is certified, and with what."""

    quant: str | None
    form: str
    material: Material
    questions: tuple[Question, ...]
    seed: int = 0


def certify(request: Request, written: Written, folder: Path, sink: Sink, backend: Backend) -> Certificate | None:
    """The certificate of what lies in ``folder``; ``None`` for a target whose weights are the version's own files.

    Without the program that serves them, nothing can be told.

    Raises:
        ExportFailed: the files cannot be loaded.
        AdapterMismatch: the version's adapter does not fit its base.
    """
    from .questions import questions_of

    try:
        opening = sink.runtime(folder)
        if opening is None:
            return None
        with opening as exported:
            request.say(f"certifying: {exported.name} reads what was written")
            questions = questions_of(request, backend, QUESTIONS)
            subject = Subject(written.quant, written.form, material_of(request), questions)
            with backend.runtime(request.base, request.chosen.adapter, request.system_prompt) as reference:
                return measure(subject, reference, exported)
    except RuntimeMissing as problem:
        return Certificate("could not tell", (str(problem),), "none", "", written.quant, written.form)


def measure(subject: Subject, reference: Runtime, exported: Runtime) -> Certificate:
    """Everything that is asked of ``exported``, held against ``reference``."""
    started = time.perf_counter()
    checks = _tokens(subject, reference, exported)
    recall, ended, spoken = None, None, []
    if checks[0].found != "it makes no prompt" and subject.questions:
        asked = list(texts_of(subject.questions))
        said = list(exported.answers(asked, ANSWER_TOKENS))
        recall, ended = recall_of(subject.questions, said), sum(answer.complete for answer in said)
        spoken = [stop_check(reference, exported, said, asked), recall_check(recall)]
    texts = reads(subject.material, reference)
    found = [_compared(one, reference, exported) for one in texts]
    answers = [one for one in found if one.part == "answers"]
    figures = {
        "divergence": mean_divergence(found, subject.seed),
        "tail": tail_divergence(found, subject.seed),
        "agreement": agreement(found, subject.seed),
        "effect_kept": effect_kept(answers, subject.seed),
        "strength": strength(answers, subject.seed),
    }
    parts = _parts(found, subject.seed)
    checks += figures_checks(subject.quant, figures, effect_size(answers), aside(answers), parts)
    checks += spoken
    verdict = _verdict(checks)
    return Certificate(
        verdict=verdict,
        reasons=tuple(dict.fromkeys(check.why for check in checks if check.why)),
        runtime=exported.name,
        reference=reference.name,
        quant=subject.quant,
        form=subject.form,
        checks=tuple(checks),
        positions=sum(map(len, found)),
        parts=parts,
        effect=effect_size(answers),
        recall=recall,
        ended=ended,
        texts_digest=_digest(texts),
        seconds=round(time.perf_counter() - started, 1),
        divergence=figures["divergence"],
        tail=figures["tail"],
        agreement=figures["agreement"],
        effect_kept=figures["effect_kept"],
        strength=figures["strength"],
    )


def _tokens(subject: Subject, reference: Runtime, exported: Runtime) -> list[Check]:
    questions = [one.text for one in subject.questions[:8]]
    prompts = prompt_check(reference, exported, questions)
    found = [prompts]
    if prompts.found != "it makes no prompt":
        found.append(start_check(reference, exported))
    return [*found, text_check(reference, exported, (*general_texts(), *subject.material.prose[:20]))]


def _compared(one: Read, reference: Runtime, exported: Runtime) -> Positions:
    base = reference.untouched_log_probs(one.ids, one.start) if one.part == "answers" else None
    return compare(one.part, reference.log_probs(one.ids, one.start), base, exported.log_probs(one.ids, one.start))


def _parts(found: Sequence[Positions], seed: int) -> dict[str, PartFigures]:
    parts = {}
    for name in dict.fromkeys(one.part for one in found):
        some = [one for one in found if one.part == name]
        parts[name] = PartFigures(len(some), sum(map(len, some)), mean_divergence(some, seed), agreement(some, seed))
    return parts


def _verdict(checks: Sequence[Check]) -> Verdict:
    found = {check.verdict for check in checks}
    if "failed" in found:
        return "failed"
    return "could not tell" if "could not tell" in found else "passed"


def _digest(texts: Sequence[Read]) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(texts).encode()).hexdigest()
