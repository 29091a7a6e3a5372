"""Everything that can be said about a document before any model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._plugkit.errors import PluginError
from ..collecting import nothing_to_collect
from ..errors import DlmError, DocumentError, Finding, StoreError
from .conflicts import conflicts
from .model import Document, probes
from .read import inspect, records
from .remarks import Remark, Remarks, remarks
from .routing import unfed
from .starter import starter_lines
from .unsupported import unsupported

if TYPE_CHECKING:
    from ..bases.state import BaseState
    from ..corpus.forecast import Forecast
    from ..corpus.lengths import Lengths
    from ..corpus.sources import Survey
    from ..export.ability import Ability

ENOUGH_PROBES = 4
"""The evaluator draws no conclusion from fewer questions."""


@dataclass(frozen=True)
class Checkup:
    """What was found. ``document`` is ``None`` when it cannot be read as one."""

    path: Path
    remarks: tuple[Remark, ...]
    """In the order of files and lines."""
    notes: tuple[str, ...] = ()
    document: Document | None = None
    base: BaseState | None = None
    survey: Survey | None = None
    """Of the sources; ``None`` without any."""
    forecast: Forecast | None = None
    """``None`` when there are errors: nothing would be trained."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps the document from being trained as it is written."""
        return tuple(finding for severity, finding in self.remarks if severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What will be trained, but hardly as it was meant."""
        return tuple(finding for severity, finding in self.remarks if severity == "warning")

    @cached_property
    def counts(self) -> dict[str, int]:
        """What the writer wrote, in numbers."""
        if self.document is None:
            return {}
        from ..corpus.preferred import is_pair

        found = list(records(self.document))
        texts = [record.text for record in found if record.text]
        asked = [record for record in found if record.messages and not is_pair(record)]
        return {
            "records": len(found),
            "texts": len(texts),
            "words": sum(len(text.split()) for text in texts),
            "questions": len(asked),
            "answers": len({record.group for record in asked}),
            "pairs": sum(map(is_pair, found)),
            "probes": len(probes(self.document)),
        }

    @cached_property
    def section_types(self) -> dict[str, int]:
        """Sections of the document by type."""
        return (
            dict(sorted(Counter(section.type for section in self.document.sections).items())) if self.document else {}
        )

    @cached_property
    def abilities(self) -> tuple[Ability, ...]:
        """Which installed targets of ``dlm export`` can take the base; empty where nothing is known of it."""
        from ..export.ability import abilities, config_of

        config = config_of(self.base.base, self.base.folder) if self.base else None
        return abilities(config) if config else ()

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        from ..export.ability import as_json

        findings = [{"file": f.path, "severity": severity, **_plain(f)} for severity, f in self.remarks]
        head = {"path": str(self.path), "ok": not self.errors, "findings": findings, "notes": list(self.notes)}
        if self.document is None:
            return head
        document = self.document
        sections = [{"id": s.id, "type": s.type, "line": s.line, "adapter": s.adapter} for s in document.sections]
        base = document.frontmatter.base_model
        facts = {
            "title": document.title,
            "digest": document.digest,
            "base_model": base,
            "base": self.base.as_json() if self.base else None,
            "export": as_json(self.abilities),
        }
        sources = [asdict(summary) for summary in self.survey.summaries] if self.survey else []
        will_train = {**self.counts, **_numbers(self.forecast)}
        more = {"sections": sections, "sources": sources, "will_train": will_train}
        return {**head, "dlm_id": document.frontmatter.dlm_id, **facts, **more}


def examine(path: Path, home: Path | None = None) -> Checkup:
    """Read the file ``path`` and say everything that would keep it from being trained as it is written.

    Raises:
        UsageProblem: the file cannot be read at all.
    """
    with nothing_to_collect():
        return _examine(path, home)


def _examine(path: Path, home: Path | None) -> Checkup:
    from ..store import layout

    document, mistakes = inspect(path)
    found = Remarks(_errors(mistakes))
    if document is None:
        return Checkup(path, found.remarks)
    root = layout.home(home)
    base, refused = _base(document, root)
    lengths = _lengths(document, base)
    # What a source holds is learned by all.
    hungry = [] if document.frontmatter.training.sources else unfed(document)
    found += Remarks(_errors((*unsupported(document), *hungry, *refused))) + _forgotten(document, root)
    long = (*_too_long(document, lengths), *_beyond_context(document, base))
    found += remarks(document) + conflicts(document) + Remarks(long, tuple(_notes(document, base)))
    survey, told = _sources(document)
    found += told
    ordered = tuple(sorted(found.remarks, key=lambda remark: (remark.finding.path, *remark.finding[1:3])))
    sound = all(severity != "error" for severity, _ in ordered)
    numbers = _forecast(document, lengths, root, survey) if sound else None
    notes = (*found.notes, *_budget(numbers))
    return Checkup(path, ordered, notes, document, base, survey, numbers)


def _errors(findings: Iterable[Finding]) -> tuple[Remark, ...]:
    return tuple(Remark("error", finding) for finding in findings)


def _base(document: Document, home: Path) -> tuple[BaseState | None, list[Finding]]:
    """The base on this disk, or why it cannot be one; the network is not asked."""
    from ..bases.state import state_of

    try:
        return state_of(document, home, _acceptance(document, home)), []
    except (DlmError, PluginError) as error:
        what = str(error).removeprefix("base_model: ").splitlines()[0]
        fix = "`dlm base list` shows what is offered; a folder is path:DIR, a hub repository hf:org/name"
        return None, [Finding(document.location, *document.places.place(("base_model",)).value, what, fix)]


def _acceptance(document: Document, home: Path) -> Mapping[str, Any] | None:
    """What the document's store says about a licence; a damaged store is no matter of the document's text."""
    from ..store import Store

    with suppress(StoreError):
        manifest = Store(home, document.frontmatter.dlm_id).manifest()
        return manifest.license_acceptance if manifest else None
    return None


def _forgotten(document: Document, home: Path) -> Remarks:
    """Sections that the store was told to forget, and that stand here again."""
    from ..corpus.replay import forgotten_findings
    from ..store import ledger
    from ..store.layout import store_layout

    try:
        known = ledger.load(store_layout(home, document.frontmatter.dlm_id))
    except StoreError as problem:
        return Remarks(notes=(f"what was forgotten cannot be told: {problem}",))
    return Remarks(_errors(forgotten_findings(known, document)))


def _lengths(document: Document, base: BaseState | None) -> Lengths:
    from ..corpus.forecast import COUNTED_BYTES
    from ..corpus.lengths import Lengths

    counted = base is not None and len(document.text) <= COUNTED_BYTES
    return Lengths(base.tokenizer if base and counted else None, document.frontmatter.system_prompt)


def _too_long(document: Document, lengths: Lengths) -> tuple[Remark, ...]:
    from ..corpus.forecast import too_long

    return tuple(too_long(document, lengths))


def _beyond_context(document: Document, base: BaseState | None) -> Iterator[Remark]:
    """Sequences that the base was never trained on."""
    wanted, context = document.frontmatter.training.sequence_len, base.base.context if base else None
    if wanted and context and wanted > context:
        place = document.places.place(("training", "sequence_len")).value
        what = f"training.sequence_len is {wanted:,}, and the context of {document.frontmatter.base_model} ends at "
        finding = Finding(document.location, *place, f"{what}{context:,} tokens", f"write at most {context}")
        yield Remark("warning", finding)


def _forecast(document: Document, lengths: Lengths, home: Path, survey: Survey | None) -> Forecast | None:
    from ..corpus.forecast import forecast

    # Of a damaged store the notes tell already.
    with suppress(StoreError):
        return forecast(document, lengths, home, survey)
    return None


def _sources(document: Document) -> tuple[Survey | None, Remarks]:
    """The files that ``training.sources`` names, and what is wrong with them."""
    if not document.frontmatter.training.sources:
        return None, Remarks()
    from ..corpus.sources import survey

    try:
        found = survey(document)
    except DocumentError as error:
        return None, Remarks(_errors(error.findings))
    empty = [number for number, source in enumerate(found.summaries) if not source.file_count]
    nothing = len(empty) == len(found.summaries) and not any(True for _ in records(document))
    told = tuple(
        Remark("error" if nothing else "warning", _empty_source(document, number, found.summaries[number].path))
        for number in empty
    )
    return found, Remarks(told, found.notes)


def _empty_source(document: Document, number: int, path: str) -> Finding:
    place = document.places.place(("training", "sources", number, "path")).value
    fix = "look at its include and exclude, and at the files in it; or remove the source"
    return Finding(document.location, *place, f"no file is taken from {path}", fix)


def _notes(document: Document, base: BaseState | None) -> Iterator[str]:
    if base is not None and base.note:
        yield base.note
    if lines := starter_lines(document):
        yield f"the sample text of `dlm init` is still on line {lines[0]}: replace it by your own"
    count = len(probes(document))
    few = "1 probe is too few" if count == 1 else f"{count} probes are too few"
    if count < ENOUGH_PROBES:
        yield (
            f"{few if count else 'without probes there is nothing'} for `sway check` to conclude from: keep at least "
            f"{ENOUGH_PROBES} questions out of training, written as `### Q !probe`"
        )


def _budget(forecast: Forecast | None) -> Iterator[str]:
    plan = forecast.laid_out if forecast else None
    if plan is not None and plan.seen < 1:
        yield (
            f"the budget of {plan.tokens:,} tokens ends when {plan.seen:.0%} of the text was seen: to see all of it, "
            f"write training.token_budget: {round(plan.tokens / plan.seen, -3):.0f}"
        )


def _plain(finding: Finding) -> dict[str, Any]:
    return {"line": finding.line, "col": finding.col, "what": finding.what, "fix": finding.fix}


def _numbers(forecast: Forecast | None) -> dict[str, Any]:
    if forecast is None:
        return {}
    laid_out = forecast.laid_out
    return {
        "tokens": forecast.tokens,
        "tokens_counted": forecast.exact,
        "windows": forecast.windows,
        "sequence_len": forecast.sequence_len,
        "rows": laid_out.rows if laid_out else None,
        "held_out": laid_out.held_out if laid_out else None,
        "steps": laid_out.steps if laid_out else None,
        "step_rows": laid_out.batch_rows if laid_out else None,
        "trained_tokens": laid_out.tokens if laid_out else None,
    }
