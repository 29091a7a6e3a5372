"""Documents and sections as text: the canonical form, which reads back as the same data whatever the data hold.

Text that tools write is model-generated or copied from elsewhere: a line of it may look like a fence or a header, or
open a code block that never ends. What is written here is read again before it is handed out.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UsageProblem
from .code import CodeFences
from .dump import entry_lines
from .fences import loose_fence_word, section_fence
from .findings import Findings
from .formats import TRIPLES, parse_triples
from .headed import Grammar, header_like
from .identity import BLANKS, canonical
from .markers import marker_lines, take_markers
from .migrations import CURRENT
from .pairs import GRAMMAR, parse_pairs
from .scan import sections
from .words import RESERVED, InstalledTypes

if TYPE_CHECKING:
    from .formats import Triple
    from .frontmatter import Frontmatter
    from .model import Document, Pair, Section


def known_words() -> frozenset[str]:
    """Every word that may stand in a fence here."""
    return frozenset({*InstalledTypes(), *RESERVED})


def fence_line(word: str, adapter: str | None = None, attributes: Iterable[tuple[str, str]] = ()) -> str:
    """``::word#adapter key="value"::``."""
    given = "".join(f' {key}="{value}"' for key, value in attributes)
    return f"::{word}{'' if adapter is None else f'#{adapter}'}{given}::"


def section_text(section: Section) -> str:
    """The text of one section, its fence and the comments that sign it included, with LF line ends.

    A code block that the content leaves open is closed, where CommonMark ends it too.

    Raises:
        UsageProblem: the section holds something that cannot be written, such as a quote in an attribute.
    """
    known = known_words()
    content = _closed(_with_line_feeds(section.content)).strip("\n")
    lines = [fence_line(section.type, section.adapter, _attributes(section)), *_signed(section)]
    if content.strip(BLANKS + "\n"):
        lines += ["", *_escaped(content, known)]
    text = "\n".join(lines) + "\n"
    if mistake := _mistake(section, content, text, known):
        raise UsageProblem(f"a ::{section.type}:: section cannot be written: {mistake}")
    return text


def prose_text(content: str) -> str:
    """Text that stands before the first fence of a document, with the escapes it needs."""
    return "\n".join(_escaped(_closed(_with_line_feeds(content)).strip("\n"), known_words())) + "\n"


def pairs_text(pairs: Iterable[Pair]) -> str:
    """The content of an instruction section that holds ``pairs``; :func:`section_text` makes a section of it.

    Raises:
        UsageProblem: a question or answer is empty, or a follow-up does not stand below the turn that it continues.
    """
    above: Pair | None = None
    parts: list[_Part] = []
    for pair in pairs:
        if pair.before and (above is None or pair.before != (*above.before, (above.questions[0], above.answer))):
            question = pair.questions[0]
            raise UsageProblem(f"the follow-up {question!r} cannot be written: it must follow what it continues")
        flags = (" !followup" if pair.before else "") + (" !probe" if pair.probe else "")
        parts += [_part(f"Q{flags}", question, GRAMMAR) for question in pair.questions]
        parts.append(_part("A", pair.answer, GRAMMAR))
        above = pair
    findings = Findings("<pairs>")
    content = _joined(parts, "A")
    found = parse_pairs(content, 1, findings.report)
    texts = [text for pair in found for text in (*pair.questions, pair.answer)]
    return _sound(content, texts, parts, findings)


def triples_text(triples: Iterable[Triple]) -> str:
    """The content of a preference section that holds ``triples``.

    Raises:
        UsageProblem: one of the texts is empty.
    """
    parts = [
        _part(name, text, TRIPLES)
        for triple in triples
        for name, text in zip(TRIPLES.headers, (triple.prompt, triple.chosen, triple.rejected), strict=True)
    ]
    findings = Findings("<triples>")
    content = _joined(parts, "Rejected")
    found = parse_triples(content, 1, findings.report)
    texts = [text for triple in found for text in (triple.prompt, triple.chosen, triple.rejected)]
    return _sound(content, texts, parts, findings)


def render_canonical(document: Document) -> str:
    """The whole document from its data alone: no comments, keys in the order of the format, LF line ends."""
    parts = ["\n".join(["---", *_frontmatter_lines(document.frontmatter), "---", ""])]
    for index, section in enumerate(document.sections):
        bare = index == 0 and section.fence == 0 and _is_plain_prose(section)
        parts.append(prose_text(section.content) if bare else section_text(section))
    return "\n".join(parts)


class _Part(NamedTuple):
    """One header with its text."""

    header: str
    written: str
    means: str
    """What ``written`` reads back as."""


def _part(header: str, text: str, grammar: Grammar) -> _Part:
    means = _with_line_feeds(text).strip()
    code, lines = CodeFences(), list[str]()
    for line in means.split("\n"):
        bare = line.lstrip()
        # Behind a backslash the line is a paragraph, which may continue a list where a header would end it.
        if header_like(bare.lstrip("\\"), grammar) and not deepcopy(code).step(line):
            line = f"{line[: len(line) - len(bare)]}\\{bare}"
        code.step(line)
        lines.append(line)
    end = f"\n{code.mark}" if code.unclosed else ""
    return _Part(header, "\n".join(lines) + end, means + end)


def _joined(parts: list[_Part], last: str) -> str:
    return "\n".join(
        f"### {part.header}\n{part.written}" + ("\n" if part.header == last else "") for part in parts
    ).rstrip("\n")


def _sound(content: str, texts: list[str], parts: list[_Part], findings: Findings) -> str:
    """``content``, if it reads back as ``parts``."""
    if findings.sorted() or texts != [part.means for part in parts]:
        mistakes = "; ".join(finding.what for finding in findings.sorted()) or "they would read back as others"
        raise UsageProblem(f"these questions and answers cannot be written: {mistakes}")
    return content


def _closed(content: str) -> str:
    code = CodeFences()
    for line in content.split("\n"):
        code.step(line)
    return f"{content.rstrip(chr(10))}\n{code.mark}" if code.unclosed else content


def _escaped(content: str, known: frozenset[str]) -> list[str]:
    """The lines of ``content``, those that would be fences behind a backslash more."""
    code = CodeFences()
    return [f"\\{line}" if not code.step(line) and _like_fence(line, known) else line for line in content.split("\n")]


def _like_fence(line: str, known: frozenset[str]) -> bool:
    bare = line.lstrip("\\")
    fence = section_fence(bare)
    return (fence is not None and ("/" not in fence.word or fence.word in known)) or loose_fence_word(bare) in known


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _signed(section: Section) -> list[str]:
    try:
        return list(marker_lines(section.provenance))
    except KeyError as error:
        raise UsageProblem(f"a ::{section.type}:: section cannot be signed: {error.args[0]} is unknown") from None


def _attributes(section: Section) -> list[tuple[str, str]]:
    weight = [] if section.weight == 1 else [("weight", _number(section.weight))]
    return [*section.attributes.items(), *weight]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _is_plain_prose(section: Section) -> bool:
    return section.type == "prose" and section.adapter is None and not _attributes(section) and not section.provenance


def _mistake(section: Section, content: str, text: str, known: frozenset[str]) -> str:
    """What keeps ``text`` from reading back as ``section``; empty when nothing does."""
    if "\0" in text or text.encode("utf-8", "replace").decode() != text:
        return "it holds characters that do not belong in a text file"
    findings = Findings("<section>")
    raw = sections(text.split("\n"), 1, known, findings.report)
    fence = raw[1].fence if len(raw) == 2 else None
    given = [(attribute.key, attribute.value) for attribute in fence.attributes] if fence else []
    if fence is None or (fence.word, fence.adapter, given) != (section.type, section.adapter, _attributes(section)):
        return "in the fence, no value may hold a double quote or a line break"
    marked = take_markers(section.type, raw[1].lines, 2, findings.report)
    if dict(marked.provenance) != dict(section.provenance) or findings.sorted():
        mistakes = [finding.what for finding in findings.sorted()] or ["sections of this type are not signed so"]
        return "; ".join(mistakes)
    return "" if canonical("\n".join(marked.lines)) == canonical(content) else "it would read back as something else"


def _frontmatter_lines(frontmatter: Frontmatter) -> list[str]:
    data: dict[str, Any] = frontmatter.model_dump(mode="json", exclude_unset=True)
    data = {"dlm_id": frontmatter.dlm_id, "dlm_version": CURRENT} | data | {"dlm_version": CURRENT}
    return [line for key, value in data.items() for line in entry_lines(key, value)]
