"""Which files of a store travel under which profile: each as it is, or as bytes that were made for the pack."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bases.contents import WEIGHTS
from ..errors import PackRefused
from ..store import ledger as ledgers
from ..store import lock_file
from ..store.encoding import canonical, jsonable
from ..store.layout import VERSIONS
from ..store.version import FACTS_FILE, REPORT_FILE
from . import claims, redacting, secrets
from .members import CLAIMS, DOCUMENT, LIMITS, allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..document.model import Document
    from ..store import Store, Version
    from ..store.manifest import Manifest
    from .basing import Included
    from .claims import Judged
    from .manifest import Profile

_NO_TEXT = "The text that this adapter was trained on is not in this file."
_HEARD = "heard.bin"
_TEXTS = (".json", ".jsonl", ".txt", ".md", ".jinja", ".lock", ".sh", ".yaml", ".yml", ".dlm")


@dataclass(frozen=True)
class Piece:
    """One member to be."""

    name: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


@dataclass
class Chosen:
    """What goes in, and what to tell of it."""

    pieces: list[Piece] = field(default_factory=list)
    versions: tuple[Version, ...] = ()
    exports: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What is to be packed. Hold the store's lock."""

    store: Store
    document: Document
    data: bytes
    """Of the document's file."""
    version: Version
    manifest: Manifest
    profile: Profile
    exports: bool
    home: Path
    judged: tuple[Judged, ...] = ()
    """What a tester said of the version."""
    base: Included | None = None
    """The base, if it is to travel."""

    @property
    def pure(self) -> bool:
        """The version was trained from just this document, so nothing in its files says more than the document."""
        kept = any(entry.kept for entry in ledgers.load(self.store.layout).entries)
        same = self.version.facts.get("document_digest") == self.document.digest
        return same and not kept and not self.document.frontmatter.training.sources and not self._warm

    @property
    def _warm(self) -> bool:
        names = self.version.adapters or (None,)
        return any(self.version.facts_of(name).get("warm_from") for name in names)


def choose(wanted: Wanted) -> Chosen:
    """The pieces, by name.

    Raises:
        PackRefused: what would be shared holds an access token or a place on this machine.
        StoreError: the store is damaged.
    """
    found = Chosen()
    if wanted.base is not None:
        found.pieces += [Piece(name, source) for name, source in wanted.base.members]
    if wanted.profile == "full":
        _everything(wanted, found)
        found.pieces.append(_claims(wanted, found))
    else:
        secrets.require_portable(wanted.document)
        _for_others(wanted, found)
        found.pieces.append(_claims(wanted, found))
        _look_once_more(wanted, found)
    found.pieces.sort(key=lambda piece: piece.name)
    return found


def _claims(wanted: Wanted, found: Chosen) -> Piece:
    """What the other pieces say, and what only we can say."""
    number = wanted.version.number
    small = {piece.name: _bytes(piece) for piece in found.pieces if claims.is_read(piece.name, number)}
    report = wanted.version.path / REPORT_FILE
    try:
        made = claims.derive(wanted.document.frontmatter.dlm_id, number, small)
        told = claims.learning_of(report.read_bytes() if report.is_file() else None)
    except claims.Unclear as problem:
        raise PackRefused(f"{wanted.version.name} cannot be described ({problem}): train it again") from problem
    more = {"judged": wanted.judged, "learning": made.learning or told}
    return Piece(CLAIMS, claims.dump(made.model_copy(update=more)))


def _everything(wanted: Wanted, found: Chosen) -> None:
    layout = wanted.store.layout
    found.versions = wanted.store.versions()
    found.pieces += [
        Piece(DOCUMENT, wanted.data),
        Piece("store/manifest.json", canonical(jsonable(wanted.manifest.model_dump(mode="json"))).encode()),
        Piece("store/adapter/current.txt", f"{VERSIONS}/{wanted.version.name}\n".encode()),
    ]
    for path in (layout.ledger, lock_file.root_lock(layout)):
        if path.is_file():
            found.pieces.append(Piece(_name(path, layout.root), path))
    for version in found.versions:
        _take(version.path, layout.root, found)
    for folder in (layout.logs, layout.trackers, layout.augmented):
        _take(folder, layout.root, found)
    for folder in _exports(wanted):
        _take_export(folder, wanted, found)


def _for_others(wanted: Wanted, found: Chosen) -> None:
    layout, version = wanted.store.layout, wanted.version
    found.versions = (version,)
    if wanted.profile == "adapter-only":
        found.pieces.append(Piece(DOCUMENT, stub(wanted.document)))
    else:
        found.pieces += [Piece(DOCUMENT, wanted.data), Piece("store/replay/ledger.json", _ledger(wanted))]
    files = Chosen()
    _take(version.path, layout.root, files)
    found.notes += files.notes
    found.pieces += [made for piece in files.pieces if (made := _cleaned(piece, wanted)) is not None]
    _share_exports(wanted, found)
    recorded = tuple(f"exports/{name}" for name in found.exports)
    manifest = redacting.manifest_facts(wanted.manifest, version, recorded)
    found.pieces += [
        Piece("store/manifest.json", canonical(manifest).encode()),
        Piece("store/adapter/current.txt", f"{VERSIONS}/{version.name}\n".encode()),
    ]
    lock = next((piece for piece in found.pieces if piece.name.endswith(f"{version.name}/{lock_file.LOCK_FILE}")), None)
    if lock is not None:
        found.pieces.append(Piece("store/dlm.lock", lock.source))
    found.notes += _warnings(wanted)


def _ledger(wanted: Wanted) -> bytes:
    ids = frozenset(section.id for section in wanted.document.sections)
    return ledgers.dump(redacting.ledger_of(ledgers.load(wanted.store.layout), ids)).encode()


def _cleaned(piece: Piece, wanted: Wanted) -> Piece | None:
    """A file of the version as others may have it; ``None`` when they may not."""
    name = piece.name.rsplit("/", 1)[-1]
    if name == _HEARD or (name == REPORT_FILE and (wanted.profile == "adapter-only" or not wanted.pure)):
        return None
    clean = {
        FACTS_FILE: redacting.version_facts,
        lock_file.LOCK_FILE: redacting.lock_facts,
        REPORT_FILE: redacting.report_facts,
        "adapter_config.json": redacting.without_paths,
        "tokenizer_config.json": redacting.without_paths,
    }.get(name)
    return piece if clean is None else Piece(piece.name, canonical(clean(_read(piece))).encode())


def _share_exports(wanted: Wanted, found: Chosen) -> None:
    places = secrets.private_places(wanted.home, wanted.document.path or Path())
    for folder in _exports(wanted):
        files = Chosen()
        _take(folder, wanted.store.layout.root, files)
        if not wanted.pure:
            found.notes.append(f"left out exports/{folder.name}: the document has changed since, `dlm train` it first")
        elif named := next((piece.name for piece in files.pieces if _names_place(piece, places)), None):
            found.notes.append(f"left out exports/{folder.name}: {named.rpartition('/')[2]} names a place on this disk")
        else:
            _take_export(folder, wanted, found)


def _take_export(folder: Path, wanted: Wanted, found: Chosen) -> None:
    """All of it that a pack may hold; one of which nothing may travel is not named either."""
    before = len(found.pieces)
    _take(folder, wanted.store.layout.root, found)
    if len(found.pieces) > before:
        found.exports.append(folder.name)


def _exports(wanted: Wanted) -> Iterator[Path]:
    """Whole exports; under a profile for others those of the current version."""
    from ..export.manifest import read_manifest

    folder = wanted.store.layout.exports
    if not wanted.exports or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_dir() or (manifest := read_manifest(path)) is None:
            continue
        if wanted.profile == "full" or manifest.adapter_version == wanted.version.number:
            yield path


def _take(folder: Path, root: Path, found: Chosen) -> None:
    """Every file below ``folder`` that a pack may hold; the others are told of. Links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            member = _name(path, root)
            if path.is_symlink() or not path.is_file() or not allowed(member):
                found.notes.append(f"left out {member}: a pack holds no such file")
            else:
                found.pieces.append(Piece(member, path))


def _look_once_more(wanted: Wanted, found: Chosen) -> None:
    places = secrets.private_places(wanted.home, wanted.document.path or Path())
    for piece in found.pieces:
        if (data := _readable(piece)) is None:
            continue
        if piece.name == DOCUMENT:
            way_out = "take it out and train again, or --profile full packs everything as it is"
            secrets.require_no_token(data, wanted.document.location, way_out)
            continue
        secrets.require_no_token(data, piece.name, "take it out of the document and train again")
        if place := secrets.place_in(data, places):
            raise PackRefused(f"{piece.name} names {place}, a place on this machine: --profile full packs it as it is")


def _readable(piece: Piece) -> bytes | None:
    """What of a piece may hold words: a text, or the head of weights; ``None`` where nothing does."""
    if piece.name.endswith(WEIGHTS) and isinstance(piece.source, Path):
        with piece.source.open("rb") as file:
            return file.read(min(int.from_bytes(file.read(8), "little"), LIMITS.text))
    return _bytes(piece) if piece.name.endswith(_TEXTS) and not _is_vocabulary(piece.name) else None


def _is_vocabulary(name: str) -> bool:
    """Made by who made the base, and full of what looks like anything."""
    return name.rsplit("/", 1)[-1] in ("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt")


def _names_place(piece: Piece, places: tuple[str, ...]) -> bool:
    data = _readable(piece)
    return data is not None and secrets.place_in(data, places) is not None


def _bytes(piece: Piece) -> bytes:
    if isinstance(piece.source, bytes):
        return piece.source
    if piece.size > LIMITS.text:
        raise PackRefused(f"{piece.source} is {piece.size:,} bytes of text, too many to be looked through")
    return piece.source.read_bytes()


def _read(piece: Piece) -> Any:
    return json.loads(_bytes(piece))


def _name(path: Path, root: Path) -> str:
    return f"store/{path.relative_to(root).as_posix()}"


def _warnings(wanted: Wanted) -> Iterator[str]:
    """What the weights may know that is not in the document any more."""
    name = wanted.version.name
    kept = sum(1 for entry in ledgers.load(wanted.store.layout).entries if entry.kept)
    if wanted.version.facts.get("document_digest") != wanted.document.digest:
        yield (
            f"note: the document has changed since {name} was trained: it is packed as it is now, and the weights "
            "learned it as it was. Train again to bring them together"
        )
    if kept:
        what = "1 section" if kept == 1 else f"{kept} sections"
        yield f"note: {name} learned {what} that the document no longer has: no such text is packed"
    if wanted.document.frontmatter.training.sources and wanted.profile == "share":
        yield "note: the files under training.sources are not packed: a training elsewhere needs them"


def stub(document: Document) -> bytes:
    """The document without its text: what it takes to ask the adapter."""
    from ..document.dump import entry_lines

    front = document.frontmatter
    kept = {"dlm_id": front.dlm_id, "dlm_version": front.dlm_version, "base_model": front.base_model}
    lines = [line for key, value in kept.items() for line in entry_lines(key, value)]
    if front.system_prompt is not None:
        lines += entry_lines("system_prompt", front.system_prompt)
    return "\n".join(["---", *lines, "---", _NO_TEXT, ""]).encode()
