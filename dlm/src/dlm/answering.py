"""Ask a document's model, or its untouched base, with or without the document in the context."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .chosen import UNTOUCHED, Wanted, choose_adapter
from .corpus.records import Message
from .errors import AdapterMismatch, NotTrained, UsageProblem
from .training.backend import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .bases import LocalBase
    from .chosen import Weighed
    from .document import Document
    from .document.model import Section
    from .grounding import Grounded, Grounds
    from .store.version import Version
    from .training.backend import Answer, Answerer, Backend

OPEN_BOOK = "Read this text.\n\n{text}\n\nAnswer from the text: {question}"


@dataclass(frozen=True)
class AskOptions:
    """Which model answers, and how."""

    base: bool = False
    """The untouched base, without any adapter."""
    with_doc: bool = False
    """The untouched base with the document's text before each question: the open-book reference."""
    version: int | None = None
    """A version other than the current one."""
    sampling: Sampling = field(default_factory=Sampling)
    accept_licence: bool = False
    """The caller has read the base's licence and accepts it."""
    grounded: bool = False
    """Hold every answer against the document and its sources."""
    wanted: Wanted = field(default_factory=Wanted)
    """Which of a version's adapters."""
    backend: str | None = None
    """Name of the backend that answers; by default what suits this machine."""

    def __post_init__(self) -> None:
        if not (self.base or self.with_doc):
            return
        if self.version is not None:
            raise UsageProblem("the untouched base has no versions: leave out the version, or --base and --with-doc")
        if self.wanted.anything:
            what = "--adapter, --adapter-mix and --gate"
            raise UsageProblem(f"the untouched base has no adapters: leave out {what}, or --base and --with-doc")


class Reply(NamedTuple):
    """A question with its answer."""

    question: str
    answer: Answer
    grounded: Grounded | None = None
    """What the document says about the answer, when that was asked for."""
    adapters: Weighed | None = None
    """Which of several adapters answered; ``None`` for an adapter without a name, and for the base."""


def ask(
    path: Path | str,
    questions: Sequence[str],
    *,
    home: Path | None = None,
    options: AskOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Reply]:
    """Answer ``questions`` in order with one loaded model. ``say`` hears notes worth a line.

    Raises:
        DocumentError: the document cannot be read.
        NotTrained: it has no version yet.
        AdapterMismatch: the version was trained on another base than the one found.
        BaseModelError: the base cannot be had.
        LicenceNotAccepted: nobody has agreed to the base's licence.
        UsageProblem: no question, an empty one, or one too long for the base.
    """
    options = options or AskOptions()
    if not questions or not all(question.strip() for question in questions):
        raise UsageProblem('the question is empty: dlm prompt DOC "..."')
    from .document import read
    from .store import layout
    from .store.using import using
    from .training.choose import choose

    document, root = read(Path(path)), layout.home(home)
    untouched = options.base or options.with_doc
    version = None if untouched else version_of(document, root, options.version, say)
    backend = choose("generate", options.backend)
    chosen = choose_adapter(version, options.wanted) if version else UNTOUCHED
    base = base_of(document, root, backend, version, say, accept=options.accept_licence, adapter=chosen.first)
    if chosen.note:
        say(chosen.note)
    book = book_text(document) if options.with_doc else None
    grounds = _grounds(document, root) if options.grounded else None
    conversations = [[Message("user", _prompt(question, book))] for question in questions]
    with using(version), backend.answerer(base, chosen.adapter, document.frontmatter.system_prompt) as answerer:
        weights = chosen.weigh(answerer, questions)
        answers = _answers(answerer, conversations, options.sampling, weights)
        for number, (question, answer) in enumerate(zip(questions, answers, strict=True)):
            found = grounds.check(question, answer.text) if grounds else None
            yield Reply(question, answer, found, chosen.weighed(weights[number] if weights else None))


def _answers(
    answerer: Answerer,
    conversations: Sequence[Sequence[Message]],
    sampling: Sampling,
    weights: Sequence[tuple[float, ...]] | None,
) -> Iterator[Answer]:
    if weights is None:
        return answerer.answer(conversations, sampling)
    return answerer.answer(conversations, sampling, weights)


def _grounds(document: Document, root: Path) -> Grounds:
    from .corpus.sources import gather
    from .grounding import Grounds

    return Grounds(document, gather(document, home=root).sections)


def book_text(document: Document) -> str:
    """The document as a reader sees it, its probes left out: they are what it is examined with."""
    return "\n\n".join(text for section in document.sections if (text := _readable(section)))


def read_questions(text: str, name: str) -> list[str]:
    """Questions from JSON Lines: an object with ``question`` (other keys are passed over), or a string, a line.

    Raises:
        UsageProblem: lines that are neither, every one named as ``name:line``; or no question at all.
    """
    found, mistakes = [], []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip():
            continue
        question = _question(line)
        if question is None:
            mistakes.append(f'{name}:{number}: not a question: write {{"question": "..."}} or "..." on the line')
        else:
            found.append(question)
    if mistakes:
        raise UsageProblem("\n".join(mistakes))
    if not found:
        raise UsageProblem(f'{name} has no question: write one {{"question": "..."}} a line')
    return found


def _question(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    question = entry.get("question") if isinstance(entry, dict) else entry
    return question if isinstance(question, str) and question.strip() else None


def _prompt(question: str, book: str | None) -> str:
    return question if book is None else OPEN_BOOK.format(text=book, question=question)


def _readable(section: Section) -> str:
    from .document.model import Pair

    pairs = [part for part in section.body if isinstance(part, Pair)] if isinstance(section.body, tuple) else []
    if not pairs:
        return section.content.strip()
    return "\n\n".join(f"Q: {pair.questions[0]}\nA: {pair.answer}" for pair in pairs if not pair.probe)


def version_of(document: Document, root: Path, number: int | None, say: Callable[[str], None]) -> Version:
    """The version ``number``, or the current one; ``say`` hears of a document that was changed since.

    Raises:
        NotTrained: there is no version yet.
        UsageProblem: there is no such version.
    """
    from .store import Store

    store = Store(root, document.frontmatter.dlm_id)
    version = store.current() if number is None else store.version(number)
    if version is None:
        raise NotTrained(f"{document.location} has no trained version: run `dlm train {document.location}` first")
    if version.facts.get("document_digest") not in (None, document.digest):
        say(f"note: {document.location} was changed after {version.name} was trained: `dlm train` brings it up to date")
    return version


def base_of(
    document: Document,
    root: Path,
    backend: Backend,
    version: Version | None,
    say: Callable[[str], None],
    *,
    accept: bool,
    adapter: str | None = None,
) -> LocalBase:
    """The document's base, and the one that ``version`` was trained on, its weights held as they were for ``adapter``.

    Raises:
        AdapterMismatch: it was trained on another.
        BaseModelError: the base cannot be had.
    """
    from .bases.cache import ensure
    from .bases.quantised import for_document, for_version
    from .bases.resolve import resolve
    from .store import Store

    agreed = Store(root, document.frontmatter.dlm_id).licence_acceptance()
    wanted = resolve(document.frontmatter.base_model, document.folder)
    base = ensure(wanted, root, backend, say, accept=accept, acceptance=agreed)
    trained_on = version.facts.get("base", {}) if version else {}
    if version and trained_on.get("digest") not in (None, base.digest):
        theirs = f"{trained_on.get('key')} ({trained_on.get('source')}, {str(trained_on.get('digest'))[:19]})"
        raise AdapterMismatch(
            f"{version.name} was trained on {theirs}, but the base found is {base.key} ({base.source}, "
            f"{base.digest[:19]}): its answers would mean nothing. Run `dlm train {document.location}` to train on "
            "this base, or set base_model back"
        )
    return for_version(base, version, adapter) if version else for_document(base, document)
