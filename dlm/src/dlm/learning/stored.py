"""Reports of versions that are there: read again, or made anew; and the questions alone. What ``dlm report`` does."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CouldNotTell, DlmError, NotLearned
from .measure import Exam, LearnOptions, examine_version, learn_report, seed_of
from .report import load
from .verdict import LEAST_FACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..document import Document
    from ..store.version import Version
    from ..training.observer import Observer, TrainReport
    from .report import LearningReport

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportOptions:
    """Which version is reported on, and how."""

    version: int | None = None
    """Left out: the current one."""
    again: bool = False
    """Ask anew, the base too, although the version has a report."""
    asked: LearnOptions = field(default_factory=LearnOptions)
    accept_licence: bool = False
    """The caller has read the base's licence and accepts it."""


def report_on(path: Path | str, *, home: Path | None, options: ReportOptions, observer: Observer) -> LearningReport:
    """The report of a version of ``path``: the one beside it, or a new one that replaces it.

    Raises:
        DocumentError: the document cannot be read.
        NotTrained: it has no version yet.
        UsageProblem: there is no such version, or the user's own questions cannot be read.
        StoreError: the version, or its report, is damaged.
        AdapterMismatch: the version was trained on another base than the one found.
        BaseModelError: the base cannot be had.
    """
    from ..answering import base_of, version_of
    from ..document import read
    from ..store import base_answers, layout
    from ..training.choose import choose

    document, root = read(Path(path)), layout.home(home)
    version = version_of(document, root, options.version, observer.say)
    default = options.asked == LearnOptions()
    if default and not options.again and (found := load(version.path)):
        return found
    if options.again:
        base_answers.take(version.layout.base_answers)
    exams = _exams(document, root, version, options.asked)
    backend = choose("generate")
    base = base_of(document, root, backend, version, observer.say, accept=options.accept_licence)
    return examine_version(document, base, backend, version, exams, observer)


def exams_for(path: Path | str, *, home: Path | None, options: ReportOptions) -> dict[str | None, Exam]:
    """What each adapter of a version of ``path`` would be asked; without a version, of the next one. Needs no model.

    Raises:
        DlmError: as :func:`report_on`, but for what concerns the base.
    """
    from ..document import read
    from ..store import Store, layout

    document, root = read(Path(path)), layout.home(home)
    store = Store(root, document.frontmatter.dlm_id)
    version = store.current() if options.version is None else store.version(options.version)
    return _exams(document, root, version, options.asked)


def report_after(trained: TrainReport, options: LearnOptions, observer: Observer) -> LearningReport | None:
    """The report of what a training has just made; ``None``, with a note, when it cannot be made.

    The version is safe by then: whatever happens here must not turn a good run into a failed one.
    """
    return _tried(lambda: learn_report(trained, options, observer), trained.document, trained.version, observer)


def report_before(
    document: Document, version: Version, options: LearnOptions, home: Path, observer: Observer
) -> LearningReport | None:
    """The report of a version that was not trained again: the one beside it, or a new one where there is none or the
    user's own questions are asked; ``None``, with a note, when it cannot be made."""
    asked = ReportOptions(version.number, asked=options)

    def make() -> LearningReport:
        return report_on(document.location, home=home, options=asked, observer=observer)

    return _tried(make, document, version.number, observer)


def _tried(
    make: Callable[[], LearningReport], document: Document, version: int, observer: Observer
) -> LearningReport | None:
    try:
        return make()
    except Exception as problem:
        _LOG.debug("the learning report failed", exc_info=True)
        what = str(problem) if isinstance(problem, DlmError) else f"{type(problem).__name__}: {problem}"
        again = f"`dlm report {document.location}` tries again"
        observer.say(f"note: v{version} is stored, but its learning report could not be made: {what}: {again}")
        return None


def require(report: LearningReport | None, least: float) -> None:
    """See to it that at least the share ``least`` of all questions is answered.

    Raises:
        NotLearned: fewer are. The version is kept, and current.
        CouldNotTell: there is no report, or it asks about too few facts.
    """
    if report is None:
        raise CouldNotTell("whether the document was learned could not be measured: see the note above")
    total, kept = report.total, f"v{report.version} is stored and current all the same"
    if total is None or total.facts < LEAST_FACTS:
        count = total.facts if total else 0
        raise CouldNotTell(
            f"{least:.0%} were to be learned, but only {count} facts can be asked for, and {LEAST_FACTS} are needed to "
            f"tell: write `### Q !probe` pairs or a questions.jsonl. {kept}"
        )
    if total.after < least * total.asked:
        raise NotLearned(
            f"{least:.0%} were to be learned, and {total.after} of {total.asked} questions in other words are answered "
            f"({total.share:.0%}). {kept}: `dlm use` goes back to another version; `dlm train --effort thorough`, or "
            "more wordings of each question, teach more"
        )


def _exams(document: Document, root: Path, version: Version | None, options: LearnOptions) -> dict[str | None, Exam]:
    from ..training.material import collect
    from ..training.resolve import TrainOptions, recipe_for
    from .sittings import exams_of

    seed = seed_of(version) if version else recipe_for(document.frontmatter, TrainOptions()).seed
    return exams_of(document, collect(document, root, seed).more, version, seed, options)
