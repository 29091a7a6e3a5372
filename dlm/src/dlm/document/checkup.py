"""Everything that can be said about a document before any model is loaded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._plugkit.errors import PluginError
from ..errors import DlmError, DocumentError, Finding
from .model import Document, probes
from .read import read, records
from .starter import starter_lines
from .unsupported import unsupported

_NO_PROBES = "(to keep a question for judging, write it as `### Q !probe`)"
ENOUGH_PROBES = 4
"""The evaluator draws no conclusion from fewer questions."""


@dataclass(frozen=True)
class Checkup:
    """What was found. ``document`` is ``None`` when it cannot be read as one."""

    path: Path
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    document: Document | None = None

    @property
    def title(self) -> str:
        """The document's title, empty when it cannot be read."""
        return self.document.title if self.document else ""

    @property
    def base_model(self) -> str:
        """The base as the document names it."""
        return self.document.frontmatter.base_model if self.document else ""

    def summary(self) -> list[str]:
        """What will be trained, a line each, for people."""
        if self.document is None:
            return []
        document, counts = self.document, _counts(self.document)
        types = Counter(section.type for section in document.sections)
        held_out = f"never trained: `sway check {self.path}` asks them" if counts["probes"] else _NO_PROBES
        if 0 < counts["probes"] < ENOUGH_PROBES:
            held_out = f"never trained; too few for `sway check` to conclude from: keep at least {ENOUGH_PROBES}"
        return [
            "sections   " + ", ".join(f"{number} {name}" for name, number in sorted(types.items())),
            f"texts      {counts['texts']} with {counts['words']} words",
            f"questions  {counts['questions']} wordings for {counts['answers']} answers",
            f"probes     {counts['probes']} {held_out}",
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        findings = [{"line": f.line, "col": f.col, "what": f.what, "fix": f.fix} for f in self.findings]
        head = {"path": str(self.path), "ok": not findings, "findings": findings, "notes": list(self.notes)}
        if self.document is None:
            return head
        document = self.document
        sections = [{"id": s.id, "type": s.type, "line": s.line, "adapter": s.adapter} for s in document.sections]
        facts = {"title": document.title, "digest": document.digest, "base_model": self.base_model}
        dlm_id = document.frontmatter.dlm_id
        return {**head, "dlm_id": dlm_id, **facts, "sections": sections, "will_train": _counts(document)}


def examine(path: Path) -> Checkup:
    """Read the file ``path`` and say everything that would keep it from being trained as written.

    Raises:
        UsageProblem: the file cannot be read at all.
    """
    try:
        document = read(path)
    except DocumentError as error:
        return Checkup(path, error.findings)
    findings = (*unsupported(document), *_base(document))
    ordered = tuple(sorted(findings, key=lambda finding: (finding.line, finding.col)))
    lines = starter_lines(document)
    notes = (f"the sample text of `dlm init` is still on line {lines[0]}: replace it by your own",) if lines else ()
    return Checkup(path, ordered, notes, document)


def _base(document: Document) -> list[Finding]:
    """Whether the base is one that can be named; it is not looked up on disk or hub."""
    from ..bases.resolve import resolve

    try:
        resolve(document.frontmatter.base_model, document.folder)
    except (DlmError, PluginError) as error:
        what = str(error).removeprefix("base_model: ").splitlines()[0]
        fix = "`dlm base list` shows what is offered; a folder is path:DIR, a hub repository hf:org/name"
        return [Finding(document.location, *document.places.place(("base_model",)).value, what, fix)]
    return []


def _counts(document: Document) -> dict[str, int]:
    found = list(records(document))
    texts = [record.text for record in found if record.text]
    return {
        "records": len(found),
        "texts": len(texts),
        "words": sum(len(text.split()) for text in texts),
        "questions": sum(1 for record in found if record.messages),
        "answers": len({record.group for record in found if record.messages}),
        "probes": len(probes(document)),
    }
