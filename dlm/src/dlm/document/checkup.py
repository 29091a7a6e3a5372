"""Everything that can be said about a document before any model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._plugkit.errors import PluginError
from ..errors import DlmError, DocumentError, Finding
from .model import Document, probes
from .read import read, records
from .remarks import Remark, Remarks, remarks
from .starter import starter_lines
from .unsupported import unsupported

if TYPE_CHECKING:
    from ..corpus.forecast import Forecast
    from ..corpus.lengths import Lengths

ENOUGH_PROBES = 4
"""The evaluator draws no conclusion from fewer questions."""


@dataclass(frozen=True)
class BaseState:
    """The base model that a document names, as far as this disk knows it."""

    key: str
    folder: Path | None
    """Where it lies, ``None`` when it has to be fetched first."""

    @property
    def tokenizer(self) -> Path | None:
        """Its tokenizer's file, where it lies on this disk."""
        return self.folder / "tokenizer.json" if self.folder else None


@dataclass(frozen=True)
class Checkup:
    """What was found. ``document`` is ``None`` when it cannot be read as one."""

    path: Path
    remarks: tuple[Remark, ...]
    """In the order of files and lines."""
    notes: tuple[str, ...] = ()
    document: Document | None = None
    base: BaseState | None = None
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
        found = list(records(self.document))
        texts = [record.text for record in found if record.text]
        return {
            "records": len(found),
            "texts": len(texts),
            "words": sum(len(text.split()) for text in texts),
            "questions": sum(1 for record in found if record.messages),
            "answers": len({record.group for record in found if record.messages}),
            "probes": len(probes(self.document)),
        }

    @cached_property
    def section_types(self) -> dict[str, int]:
        """Sections of the document by type."""
        return (
            dict(sorted(Counter(section.type for section in self.document.sections).items())) if self.document else {}
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        findings = [{"file": f.path, "severity": severity, **_plain(f)} for severity, f in self.remarks]
        head = {"path": str(self.path), "ok": not self.errors, "findings": findings, "notes": list(self.notes)}
        if self.document is None:
            return head
        document = self.document
        sections = [{"id": s.id, "type": s.type, "line": s.line, "adapter": s.adapter} for s in document.sections]
        base = document.frontmatter.base_model
        facts = {"title": document.title, "digest": document.digest, "base_model": base, "base": _base_json(self.base)}
        more = {"sections": sections, "will_train": {**self.counts, **_numbers(self.forecast)}}
        return {**head, "dlm_id": document.frontmatter.dlm_id, **facts, **more}


def examine(path: Path, home: Path | None = None) -> Checkup:
    """Read the file ``path`` and say everything that would keep it from being trained as it is written.

    Raises:
        UsageProblem: the file cannot be read at all.
    """
    from ..store import layout

    try:
        document = read(path)
    except DocumentError as error:
        return Checkup(path, tuple(Remark("error", finding) for finding in error.findings))
    base, refused = _base(document, layout.home(home))
    lengths = _lengths(document, base)
    found = Remarks(tuple(Remark("error", finding) for finding in (*unsupported(document), *refused)))
    found += remarks(document) + Remarks(_too_long(document, lengths), tuple(_notes(document)))
    ordered = tuple(sorted(found.remarks, key=lambda remark: (remark.finding.path, *remark.finding[1:3])))
    sound = all(severity != "error" for severity, _ in ordered)
    return Checkup(path, ordered, found.notes, document, base, _forecast(document, lengths) if sound else None)


def _base(document: Document, home: Path) -> tuple[BaseState | None, list[Finding]]:
    """The base on this disk, or why it cannot be one; the network is not asked."""
    from ..bases.cache import find, folder_of
    from ..bases.contents import require_base
    from ..bases.model import FolderSource
    from ..bases.resolve import resolve

    try:
        base = resolve(document.frontmatter.base_model, document.folder)
        if isinstance(source := base.sources[0], FolderSource):
            require_base(source.path)
            return BaseState(base.key, source.path), []
        there = find(base, home) is not None
        return BaseState(base.key, folder_of(base, home) if there else None), []
    except (DlmError, PluginError) as error:
        what = str(error).removeprefix("base_model: ").splitlines()[0]
        fix = "`dlm base list` shows what is offered; a folder is path:DIR, a hub repository hf:org/name"
        return None, [Finding(document.location, *document.places.place(("base_model",)).value, what, fix)]


def _lengths(document: Document, base: BaseState | None) -> Lengths:
    from ..corpus.forecast import COUNTED_BYTES
    from ..corpus.lengths import Lengths

    counted = base is not None and len(document.text) <= COUNTED_BYTES
    return Lengths(base.tokenizer if base and counted else None, document.frontmatter.system_prompt)


def _too_long(document: Document, lengths: Lengths) -> tuple[Remark, ...]:
    from ..corpus.forecast import too_long

    return tuple(too_long(document, lengths))


def _forecast(document: Document, lengths: Lengths) -> Forecast:
    from ..corpus.forecast import forecast

    return forecast(document, lengths)


def _notes(document: Document) -> Iterator[str]:
    if lines := starter_lines(document):
        yield f"the sample text of `dlm init` is still on line {lines[0]}: replace it by your own"
    if (count := len(probes(document))) < ENOUGH_PROBES:
        have = "1 probe is" if count == 1 else f"{count or 'no'} probes are"
        yield (
            f"{have} too few for `sway check` to conclude from: keep at least {ENOUGH_PROBES} questions out of "
            "training, written as `### Q !probe`"
        )


def _plain(finding: Finding) -> dict[str, Any]:
    return {"line": finding.line, "col": finding.col, "what": finding.what, "fix": finding.fix}


def _base_json(base: BaseState | None) -> dict[str, Any] | None:
    return None if base is None else {"key": base.key, "folder": str(base.folder) if base.folder else None}


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
