"""A file becomes a :class:`~dlm.document.model.Document`, or a list of every mistake in it."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..collecting import nothing_to_collect
from ..errors import DocumentError, UsageProblem
from .fences import ADAPTER_RULE, valid_adapter
from .findings import Findings
from .identity import digest, section_id
from .mapping import Places, read_mapping
from .markers import take_markers
from .model import Block, Document, Pair, Section
from .scan import Framed, RawSection, decode, frame, normalise, sections
from .validate import validate
from .words import RESERVED, InstalledTypes, unknown_word

if TYPE_CHECKING:
    from ..corpus.records import Record
    from ..errors import Finding
    from .frontmatter import Frontmatter
    from .types import SectionType

_LOG = logging.getLogger(__name__)
_TEXT = "<text>"
LARGEST = 256 * 2**20
"""Bytes of a document. Longer texts are read file by file, as sources."""
_WEIGHT = "weight"
_NUMBER = re.compile(r"[0-9]{0,20}(?:[0-9]|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_FRONTMATTER = 256 * 2**10


def read(path: Path) -> Document:
    """The document in the file ``path``.

    Raises:
        UsageProblem: the file cannot be read at all.
        DocumentError: with every mistake in it.
    """
    found = inspect(path)
    if found.findings or found.document is None:
        raise DocumentError(found.findings)
    return found.document


class Inspected(NamedTuple):
    """A document with the mistakes in it."""

    document: Document | None
    """As far as it can be read: without the sections that cannot. ``None`` when the frontmatter cannot be read."""
    findings: tuple[Finding, ...]


def inspect(path: Path) -> Inspected:
    """As :func:`read`, for who has more to say about a document with mistakes than its mistakes.

    Raises:
        UsageProblem: the file cannot be read at all.
    """
    from ..plugins import manager

    findings = Findings(str(path))
    text = decode(_bytes(path), findings.report)
    with nothing_to_collect():
        document = None if text is None else _parse(text, str(path), None, findings)
    if document is not None and not findings.sorted():
        manager().notify("dlm_document_parsed", _LOG.warning, path=path, document=document)
    return Inspected(document, tuple(findings.sorted()))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than may be there: what grows meanwhile, or has no size, is refused too.
            too_large = os.fstat(file.fileno()).st_size > LARGEST
            data = b"" if too_large else file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UsageProblem(f"{path}: no such file; to begin a document there, run: dlm init {path}") from None
    except IsADirectoryError:
        raise UsageProblem(f"{path}: this is a folder; name the document in it, for example {path / 'x.dlm'}") from None
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if too_large or len(data) > LARGEST:
        what = f"larger than {LARGEST >> 20} MB, the most that a document may hold"
        raise UsageProblem(f"{path}: {what}; put the text into files of its own and name them under training.sources")
    return data


def parse(text: str, path: str = _TEXT, types: Mapping[str, SectionType] | None = None) -> Document:
    """The document that ``text`` is; ``path`` is what messages call it.

    ``types`` are the section types by their word; those that plugins offer when left out.

    Raises:
        DocumentError: with every mistake.
    """
    findings = Findings(path)
    document = _parse(text, path, types, findings)
    findings.raise_if_any()
    if document is None:
        raise AssertionError("a text without a finding is a document")
    return document


def _parse(text: str, path: str, types: Mapping[str, SectionType] | None, findings: Findings) -> Document | None:
    """The document as far as it can be read, with every mistake in ``findings``."""
    original, text = text, normalise(text)
    if not _is_text(text, findings):
        return None
    framed = frame(text, findings.report)
    head = _frontmatter(framed, findings)
    found = _sections(framed, InstalledTypes() if types is None else types, findings)
    if head is None:
        return None
    place = None if path == _TEXT else Path(path)
    title = _title(found) or (place.stem if place else "Untitled")
    document = Document(place, head[0], found, title, digest(text), head[1], original)
    if not findings.sorted():
        _something_to_train(document, framed, types, findings)
    return document


def records(document: Document, types: Mapping[str, SectionType] | None = None) -> Iterator[Record]:
    """Everything that the writer wrote to be trained, in the document's order; probes and weight 0 are not."""
    yield from records_of(document.sections, document, types)


def records_of(
    sections: Iterable[Section], document: Document, types: Mapping[str, SectionType] | None = None
) -> Iterator[Record]:
    """The same of any ``sections`` that are trained as part of ``document``, each record with its section's weight."""
    types = InstalledTypes() if types is None else types
    for section in sections:
        for record in types[section.type].records(document, section) if section.weight else ():
            yield record if section.weight == 1 else replace(record, weight=record.weight * section.weight)


def _is_text(text: str, findings: Findings) -> bool:
    """Whether ``text`` can be written as UTF-8 and is no binary file; reports what cannot."""
    try:
        bad = text.find("\0")
        text.encode()
    except UnicodeEncodeError as error:
        bad = error.start
    if bad >= 0:
        before = text[:bad].split("\n")
        what = f"the character U+{ord(text[bad]):04X} does not belong in a text file"
        findings.report(len(before), len(before[-1]) + 1, what, "remove it")
    return bad < 0


def _frontmatter(framed: Framed, findings: Findings) -> tuple[Frontmatter, Places] | None:
    if framed.frontmatter is None:
        return None
    if len(framed.frontmatter) > _LONGEST_FRONTMATTER:
        what = f"the frontmatter is longer than {_LONGEST_FRONTMATTER >> 10} kB"
        findings.report(1, 1, what, "what the model shall learn belongs below the second `---`")
        return None
    mapping = read_mapping(framed.frontmatter, 2, findings.report)
    if mapping is None:
        return None
    frontmatter = validate(*mapping, findings.report)
    return None if frontmatter is None else (frontmatter, mapping[1])


def _sections(framed: Framed, types: Mapping[str, SectionType], findings: Findings) -> tuple[Section, ...]:
    raw_sections = sections(framed.body, framed.body_line, {*types, *RESERVED}, findings.report)
    found = tuple(section for raw in raw_sections if (section := _section(raw, types, findings)) is not None)
    _probes_are_not_trained(found, findings)
    return found


def _section(raw: RawSection, types: Mapping[str, SectionType], findings: Findings) -> Section | None:
    if raw.fence is None and raw.blank:
        return None
    word = raw.fence.word if raw.fence else "prose"
    if raw.fence and word not in types:
        findings.report(raw.fence_line, 1, *unknown_word(raw.fence, types))
        return None
    kind = types[word]
    attributes, weight = _attributes(raw, kind, findings)
    adapter = _adapter(raw, findings)
    if raw.blank and word == "prose":
        return None
    marked = take_markers(word, raw.lines, raw.line, findings.report)
    line = raw.line + marked.taken
    content = "\n".join(marked.lines)
    return Section(
        type=word,
        content=content,
        line=line,
        id=section_id(word, adapter, attributes, content),
        body=kind.parse(content, line, findings.report),
        fence=raw.fence_line,
        adapter=adapter,
        attributes=attributes,
        provenance=marked.provenance,
        weight=weight,
    )


def _adapter(raw: RawSection, findings: Findings) -> str | None:
    name = raw.fence.adapter if raw.fence else None
    if name is not None and raw.fence and not valid_adapter(name):
        what = f"`{name}` is no name for an adapter" if name else "no adapter after the `#`"
        findings.report(raw.fence_line, len(raw.fence.word) + 4, what, f"write {ADAPTER_RULE}, or remove the `#`")
        return None
    return name


def _attributes(raw: RawSection, kind: SectionType, findings: Findings) -> tuple[dict[str, str], float]:
    """What stands in the fence for the type, and the section's weight."""
    if not raw.fence or not (raw.fence.attributes or kind.required_attributes):
        return {}, 1.0
    given: dict[str, str] = {}
    weight = 1.0
    known = kind.required_attributes | kind.optional_attributes
    for key, value, col in raw.fence.attributes:
        if key in given:
            findings.report(raw.fence_line, col, f"the attribute `{key}` is written twice", "keep one of the two")
        elif key == _WEIGHT:
            weight = _weight(value, raw.fence_line, col, findings)
        elif key not in known:
            fix = f"the attributes of ::{kind.name}:: are {', '.join(sorted({*known, _WEIGHT}))}"
            findings.report(raw.fence_line, col, f"::{kind.name}:: has no attribute `{key}`", fix)
        given.setdefault(key, value)
    for key in sorted(key for key in kind.required_attributes if not given.get(key, "").strip()):
        what = f"the attribute `{key}` is empty" if key in given else f"::{kind.name}:: needs the attribute `{key}`"
        findings.report(raw.fence_line, 1, what, f'write ::{kind.name} {key}="..."::')
    given.pop(_WEIGHT, None)
    return given, weight


def _weight(value: str, line: int, col: int, findings: Findings) -> float:
    weight = float(value) if _NUMBER.fullmatch(value) else math.nan
    if math.isfinite(weight):
        return weight
    shown = value if len(value) <= 40 else value[:37] + "..."
    fix = "write a number from 0, such as 2 or 0.5; 0 leaves the section out of training"
    findings.report(line, col, f'the weight is "{shown}"', fix)
    return 1.0


def _probes_are_not_trained(found: tuple[Section, ...], findings: Findings) -> None:
    """A probe that is also trained would measure memory of its own words, not learning."""
    trained: dict[tuple[str, ...], int] = {}
    probes: list[tuple[Pair, tuple[str, ...]]] = []
    for section in found:
        for pair in _pairs(section):
            said = tuple(_folded(turn) for turns in pair.before for turn in turns)
            asked = [(*said, _folded(question)) for question in pair.questions]
            if pair.probe:
                probes += ((pair, question) for question in asked)
            elif section.weight:
                trained |= dict.fromkeys(asked, pair.line)
    for pair, question in probes:
        if question in trained:
            what = f"this probe asks in the same words as the trained question on line {trained[question]}"
            findings.report(pair.line, 1, what, "word it differently, or remove one of the two")


def _pairs(section: Section) -> Iterator[Pair]:
    body = section.body if isinstance(section.body, tuple) else ()
    return (item for item in body if isinstance(item, Pair))


def _folded(question: str) -> str:
    return " ".join(question.casefold().split())


def _title(found: tuple[Section, ...]) -> str:
    blocks = (block for section in found if section.type == "prose" for block in section.body)
    return next((b.headings[-1] for b in blocks if isinstance(b, Block) and b.level == 1 and b.headings[-1]), "")


def _something_to_train(
    document: Document, framed: Framed, types: Mapping[str, SectionType] | None, findings: Findings
) -> None:
    if document.frontmatter.training.sources or any(True for _ in records(document, types)):
        return
    fix = "write some text below the second `---`, or an ::instruction:: section with `### Q` and `### A`"
    what = "there is nothing to train on: only probes or headings" if document.sections else "the document has no text"
    findings.report(framed.body_line, 1, what, fix)
