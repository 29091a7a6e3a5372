"""Forgetting on request: which section is meant, what still knows it, and taking it out of everything that is ours.

A forgotten section leaves the ledger with its text, the tokenised cache, the learning reports and the document. The
files of a source are the writer's: they stay where they are and are left out from now on.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..document.model import Block
from ..errors import DlmError, UsageProblem
from ..store.ledger import Entry, Ledger, Tombstone, lineage, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..document.model import Document, Section
    from ..store.store import Store
    from ..store.version import Version

_PREFIX = re.compile(r"[0-9a-f]{4,16}")
SHOWN = 60
"""Characters of a section's text that are shown to tell it from others."""


class Target(NamedTuple):
    """One section to forget."""

    id: str
    type: str
    origin: str
    """The file of a source that it is; empty for a section of the document."""
    line: int
    """Where it stands in the document; 0 when it does not."""
    excerpt: str
    """How its text begins, where that is at hand."""
    lines: int
    """Of that text."""


@dataclass(frozen=True)
class Forgotten:
    """What was done."""

    targets: tuple[Target, ...]
    versions: tuple[Version, ...]
    """Those that were trained on one of the sections, and know it still."""


def find(document: Document, ledger: Ledger, words: Sequence[str]) -> tuple[Target, ...]:
    """The sections that ``words`` name: an id or the beginning of one, the path of a source's file, or a heading.

    Raises:
        UsageProblem: a word names nothing, several sections, or more than it seems to.
        DocumentError: it may be the path of a file, and the sources cannot be listed.
    """
    known = tuple(_known(document, ledger))
    return tuple(dict.fromkeys(target for word in words for target in _named(word, known, document, ledger)))


def forget(store: Store, document: Document, targets: Sequence[Target], now: str) -> Forgotten:
    """Take ``targets`` out of the ledger, the document, the tokenised cache, the learning reports and what the base
    said to them, in this order: whatever is cut short, nothing of them is trained again unseen.

    Raises:
        StoreError: another process works on this document, or the disk cannot be written.
        UsageProblem: the document's file was changed since ``document`` was read; the store has forgotten by then.
    """
    from ..store import base_answers, checkpoint
    from ..store.files import remove_tree
    from ..store.tokens import clear
    from ..store.version import drop_reports

    ids = {target.id for target in targets}
    with store.lock("forget"):
        before = store.ledger()
        family = frozenset[str]().union(*(lineage(before, name) for name in ids))
        store.rewrite_ledger(lambda ledger: _buried(ledger, targets, now))
        _edit(document, [target.id for target in targets if target.line])
        # All of it: records of other sections may hold words of this one, and the cache only saves time.
        clear(store.layout.tokens)
        if store.layout.augmented.exists():
            remove_tree(store.layout.augmented)
        drop_reports(store.layout)
        base_answers.take(store.layout.base_answers)
        checkpoint.clear(store.layout)
    return Forgotten(tuple(targets), tuple(v for v in store.versions() if family & set(v.facts.get("section_ids", ()))))


def undo(store: Store, document: Document, words: Sequence[str]) -> tuple[Tombstone, ...]:
    """Let the forgotten sections that ``words`` name, by id or path, be trained again where they are written.

    Raises:
        UsageProblem: a word names no forgotten section, or several.
        StoreError: as :func:`forget`.
    """
    lifted: list[Tombstone] = []

    def change(ledger: Ledger) -> Ledger:
        lifted.extend(stone for word in words for stone in _stones(word, ledger, document))
        return ledger.model_copy(update={"tombstones": without(ledger.tombstones, (stone.id for stone in lifted))})

    _stones_exist(store.ledger(), words, document)
    with store.lock("forget"):
        store.rewrite_ledger(change)
    return tuple(dict.fromkeys(lifted))


def excerpt(text: str) -> str:
    """How ``text`` begins, on one line: the first words that are no header."""
    lines = (line.strip() for line in text.split("\n"))
    first = next((line for line in lines if line and not line.startswith("###")), "")
    return first if len(first) <= SHOWN else first[: SHOWN - 3].rstrip() + "..."


def _known(document: Document, ledger: Ledger) -> Iterator[Target]:
    """Everything that has an id, the document's sections first."""
    for section in document.sections:
        yield Target(section.id, section.type, "", section.fence or section.line, *_seen(section.content))
    standing = {section.id for section in document.sections}
    for entry in ledger.entries:
        if entry.id not in standing:
            yield _of_entry(entry)


def _of_entry(entry: Entry) -> Target:
    return Target(entry.id, entry.type, entry.origin, 0, *_seen(entry.text.content if entry.text else ""))


def _seen(text: str) -> tuple[str, int]:
    return excerpt(text), sum(1 for line in text.split("\n") if line.strip())


def _named(word: str, known: Sequence[Target], document: Document, ledger: Ledger) -> Sequence[Target]:
    """What one word names. What is named exactly goes before what only begins like it."""
    if exact := [target for target in known if target.id == word]:
        return exact[:1]
    path = word.removeprefix("./")
    if found := [target for target in known if target.origin == path]:
        return found
    if (of_heading := _under_heading(word, document)) is not None:
        return [target for target in known if target.id == of_heading.id][:1]
    begun = {target.id: target for target in known if _PREFIX.fullmatch(word) and target.id.startswith(word)}
    if len(begun) == 1:
        return tuple(begun.values())
    if begun:
        raise UsageProblem(f"{word!r} begins the ids of {len(begun)} sections: write more of it ({_some(begun)})")
    if gone := next((stone for stone in ledger.forgotten() if path in (stone.id, stone.origin)), None):
        raise UsageProblem(f"{path} was forgotten on {gone.at[:10]}: it is not trained any more")
    if unseen := _never_trained(path, document):
        return unseen
    location = shlex.quote(document.location)
    raise UsageProblem(
        f"{word!r} names no section: write a heading, the path of a file of the sources, or an id (or at least 4 "
        f"digits of one) out of `dlm check {location} --json` or `dlm forget {location} --list`"
    )


def _under_heading(word: str, document: Document) -> Section | None:
    """The section that the heading ``word`` opens."""
    found: dict[str, Section] = {}
    for section in document.sections:
        blocks = [block for block in section.body if isinstance(block, Block)] if section.type == "prose" else []
        at = next((i for i, block in enumerate(blocks) if block.level and _same(block.headings[-1], word)), None)
        if at is None:
            continue
        found[section.id] = section
        if len(found) > 1:
            raise UsageProblem(f"the heading {word!r} stands in several sections: name one by its id ({_some(found)})")
        level = blocks[at].level
        if others := [block for i, block in enumerate(blocks) if i < at or (i > at and block.level <= level)]:
            raise UsageProblem(
                f"{document.location}:{blocks[at].line}: {word!r} is one of several parts of section {section.id}, and "
                f"forgetting means a whole section: to forget {len(others) + 1} parts, name it by its id; to forget "
                f"this one, delete it and train again, or put a line ::prose:: before and after it"
            )
    return next(iter(found.values()), None)


def _never_trained(path: str, document: Document) -> tuple[Target, ...]:
    if not document.frontmatter.training.sources:
        return ()
    from .sources import survey

    files = survey(document, remember=False).files
    return tuple(Target(file.id, "prose", file.origin, 0, "", 0) for file in files if file.origin == path)


def _buried(ledger: Ledger, targets: Iterable[Target], now: str) -> Ledger:
    targets = tuple(targets)
    ids, origins = {target.id for target in targets}, {target.origin for target in targets if target.origin}
    stones = [Tombstone(id=target.id, reason="forgotten", at=now, origin=target.origin) for target in targets]
    return ledger.model_copy(
        update={
            "entries": tuple(e for e in ledger.entries if e.id not in ids and e.origin not in origins),
            "tombstones": (*without(ledger.tombstones, ids), *stones),
            "before": tuple(name for name in ledger.before if name not in ids),
        }
    )


def _edit(document: Document, ids: Sequence[str]) -> None:
    """Take the sections ``ids`` out of the document's file."""
    from ..document.edit import remove_section
    from ..document.write import replace_text

    if not ids or document.path is None:
        return
    try:
        replace_text(document.path, document.text, remove_section(document.text, document, *ids))
    except DlmError as problem:
        raise UsageProblem(
            f"{problem}. The store has forgotten {', '.join(ids)} already: delete the section from the file by hand"
        ) from problem


def _stones(word: str, ledger: Ledger, document: Document) -> tuple[Tombstone, ...]:
    forgotten = ledger.forgotten()
    if found := tuple(stone for stone in forgotten if word.removeprefix("./") in (stone.id, stone.origin)):
        return found
    begun = {stone.id: stone for stone in forgotten if _PREFIX.fullmatch(word) and stone.id.startswith(word)}
    if len(begun) > 1:
        raise UsageProblem(f"{word!r} begins the ids of {len(begun)} sections: write more of it ({_some(begun)})")
    if not begun:
        listing = f"dlm forget {shlex.quote(document.location)} --list"
        raise UsageProblem(f"{word!r} names nothing that was forgotten: `{listing}` shows what was")
    return tuple(begun.values())


def _stones_exist(ledger: Ledger, words: Sequence[str], document: Document) -> None:
    """Find mistakes before anything is locked or created."""
    for word in words:
        _stones(word, ledger, document)


def _some(ids: Iterable[str]) -> str:
    names = sorted(ids)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _same(heading: str, word: str) -> bool:
    return " ".join(heading.casefold().split()) == " ".join(word.casefold().split())
