"""``dlm pack``: a trained document becomes one file."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import NotTrained, PackRefused, UsageProblem
from ..store import Store
from ..store.files import disk_errors, replacing
from ..store.layout import home as home_of
from .basing import include, require_same
from .choosing import Chosen, Wanted, choose
from .exported import contradictions, is_manifest
from .manifest import (
    PackedBase,
    PackedDocument,
    PackManifest,
    PackMember,
    digest_of,
    dump,
    is_document_name,
    sums_text,
)
from .members import DOCUMENT, LIMITS, PACK, SUMS
from .tape import CHUNK, writing
from .verdicts import read_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..document.model import Document
    from .choosing import Piece
    from .manifest import Profile
    from .transport import Progress

SUFFIX = ".pack"


@dataclass(frozen=True)
class PackOptions:
    """What goes in, and where it is written."""

    profile: Profile = "share"
    exports: bool = False
    out: Path | None = None
    """By default ``<document>.pack``, so ``runbook.dlm.pack``."""
    force: bool = False
    """Replace a file that is there."""
    sway: tuple[Path, ...] = ()
    """Results of dlm-sway whose verdicts the pack claims."""
    base: bool = False
    """Put the base's files in."""
    licensee: str | None = None
    """Address of the terms under which a base may be passed on whose licence does not let everybody."""


class Packed(NamedTuple):
    """What was made."""

    path: Path
    manifest: PackManifest
    digest: str
    size: int
    notes: tuple[str, ...]


class _Hashed(NamedTuple):
    piece: Piece
    size: int
    digest: str
    stamp: tuple[int, int] | None
    """Of a file: what tells that nobody wrote it since."""


def pack(path: Path, options: PackOptions, *, home: Path | None = None, progress: Progress | None = None) -> Packed:
    """Make a pack of the document in ``path`` and what was trained from it. ``progress`` hears of what is written, in
    bytes before they are compressed.

    The same content gives the same bytes, on any day and any machine with the same zstd.

    Raises:
        DocumentError: the document cannot be read.
        NotTrained: it has no version yet.
        UsageProblem: options contradict each other, or a result of a tester is none.
        PackRefused: something in it must not be shared, or there is a file where the pack would be.
        StoreLocked: a training runs.
        StoreError: the store is damaged, or the disk cannot be written.
    """
    from ..document import read

    if options.licensee is not None and not options.base:
        raise UsageProblem("--i-am-the-licensee is about the base: it goes with --include-base only")
    if options.exports and options.profile == "adapter-only":
        raise UsageProblem(
            "an export's certificate quotes the document: --include-exports goes with share and full only"
        )
    document, data = read(path), path.read_bytes()
    out = _place(path, options.out)
    if out.exists() and not options.force:
        raise PackRefused(f"{out} exists: choose another name with --out FILE, or replace it with --force")
    root = home_of(home)
    store = Store(root, document.frontmatter.dlm_id)
    if store.current() is None:
        raise NotTrained(f"{path} has no trained version, so there is nothing to pack: run `dlm train {path}` first")
    store.settle()
    with store.lock("pack"):
        wanted = _wanted(store, document, data, options, root)
        chosen = choose(wanted)
        hashed = _hash(chosen.pieces)
        if wanted.base is not None:
            require_same(wanted.base, {one.piece.name: one.digest for one in hashed})
        _require_as_exported(wanted, chosen, hashed)
        manifest = _manifest(wanted, chosen, hashed)
        sums = _write(out, manifest, hashed, progress)
    return Packed(out, manifest, digest_of(sums), out.stat().st_size, tuple(chosen.notes))


def _place(path: Path, out: Path | None) -> Path:
    """The file to write: ``out``, the usual name in the folder ``out``, or beside the document."""
    usual = path.name + SUFFIX
    place = (path.with_name(usual) if out is None else out / usual if out.is_dir() else out).absolute()
    if not place.parent.is_dir():
        raise UsageProblem(f"{place.parent} is no folder: make it first, with mkdir -p, or correct --out")
    return place


def _wanted(store: Store, document: Document, data: bytes, options: PackOptions, home: Path) -> Wanted:
    version = store.current()
    if version is None:
        raise NotTrained("the version that was current has gone meanwhile: run the command again")
    version.verify()
    from ..store.manifest import fresh

    manifest = store.manifest() or fresh(store.dlm_id)
    base = include(document, version, home, options.licensee) if options.base else None
    judged = tuple(read_verdict(path, version, Path(document.location)) for path in options.sway)
    return Wanted(store, document, data, version, manifest, options.profile, options.exports, home, judged, base)


def _hash(pieces: list[Piece]) -> list[_Hashed]:
    """Every piece with its digest; files are read in parallel."""
    if len(pieces) > LIMITS.members:
        raise PackRefused(f"{len(pieces):,} files are too many for a pack, which holds {LIMITS.members:,}")
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_hash_one, pieces))


def _hash_one(piece: Piece) -> _Hashed:
    if isinstance(piece.source, bytes):
        return _Hashed(piece, len(piece.source), hashlib.sha256(piece.source).hexdigest(), None)
    with disk_errors(piece.source), piece.source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        facts = os.fstat(file.fileno())
    return _Hashed(piece, facts.st_size, digest, (facts.st_size, facts.st_mtime_ns))


def _require_as_exported(wanted: Wanted, chosen: Chosen, hashed: list[_Hashed]) -> None:
    """See to it that every export is as it was certified: a pack with another one would be refused wherever it comes.

    Raises:
        PackRefused: one is not.
    """
    pieces = [one.piece for one in hashed if is_manifest(one.piece.name)]
    manifests = {one.name: one.source if isinstance(one.source, bytes) else one.source.read_bytes() for one in pieces}
    digests = {one.piece.name: one.digest for one in hashed}
    numbers = None if wanted.profile == "full" else [version.number for version in chosen.versions]
    for what in contradictions(manifests, digests, wanted.store.dlm_id, numbers):
        raise PackRefused(f"{what}: export it again with `dlm export`, or leave --include-exports out")


def _manifest(wanted: Wanted, chosen: Chosen, hashed: list[_Hashed]) -> PackManifest:
    from importlib.metadata import version as version_of

    from ..document.identity import digest

    facts, front = wanted.version.facts, wanted.document.frontmatter
    base = facts.get("base") or {}
    whole = wanted.profile != "adapter-only"
    stub = next(piece.source for piece in chosen.pieces if piece.name == DOCUMENT)
    text = wanted.document.digest if whole or not isinstance(stub, bytes) else digest(stub.decode())
    key = front.base_model if wanted.profile != "full" else base.get("key")
    return PackManifest(
        profile=wanted.profile,
        dlm_id=front.dlm_id,
        created_at=_moment(wanted),
        created_by=f"dlm {version_of('dlm')}",
        document=PackedDocument(name=_name_of(wanted.document), digest=text, whole=whole),
        base=_base(wanted, key if isinstance(key, str) else None),
        version=wanted.version.number,
        versions=tuple(version.number for version in chosen.versions),
        adapters=wanted.version.adapters,
        exports=tuple(chosen.exports),
        members=tuple(PackMember(path=one.piece.name, size=one.size) for one in hashed),
    )


def _base(wanted: Wanted, key: str | None) -> PackedBase:
    trained, inside = wanted.version.facts.get("base") or {}, wanted.base
    named = PackedBase(key=key, revision=trained.get("revision"), digest=trained.get("digest"))
    if inside is None:
        return named
    more = {"licence": inside.licence, "licensee": inside.licensee, "origin": inside.origin, "included": True}
    return named.model_copy(update={**more, "digest": inside.base.digest})


def _name_of(document: Document) -> str:
    name = document.path.name if document.path else "document"
    named = name if name.endswith(".dlm") else f"{name}.dlm"
    if not is_document_name(named):
        raise PackRefused(
            f"{document.location!a} has a name that not everybody can have in a folder: rename it, to printable "
            "characters that do not begin with a dot or a minus sign, at most 120"
        )
    return named


def _moment(wanted: Wanted) -> str:
    """``SOURCE_DATE_EPOCH``, else when the version was made: nothing that differs from one packing to the next."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        try:
            moment = datetime.fromtimestamp(int(given), UTC)
        except (ValueError, OverflowError, OSError) as problem:
            raise UsageProblem(f"SOURCE_DATE_EPOCH={given} is no number of seconds since 1970") from problem
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(wanted.version.facts.get("created_at") or "1970-01-01T00:00:00Z")


def _write(out: Path, manifest: PackManifest, hashed: list[_Hashed], progress: Progress | None) -> bytes:
    """Write the pack beside ``out`` and move it there; what its ``SHA256SUMS`` says."""
    head = dump(manifest)
    sums = sums_text({PACK: hashlib.sha256(head).hexdigest(), **{one.piece.name: one.digest for one in hashed}})
    with replacing(out) as file, writing(file, _seconds(manifest.created_at)) as tape:
        tape.add(SUMS, len(sums), iter([sums]))
        tape.add(PACK, len(head), iter([head]))
        done = 0
        for one in hashed:
            tape.add(one.piece.name, one.size, _told(_content(one), done, manifest.bytes, progress))
            done += one.size
    return sums


def _told(chunks: Iterator[bytes], done: int, total: int, progress: Progress | None) -> Iterator[bytes]:
    """The same ``chunks``; ``progress`` hears of each."""
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            progress(done, total)


def _seconds(moment: str) -> int:
    return max(0, min(8**11 - 1, int(datetime.fromisoformat(moment).timestamp())))


def _content(one: _Hashed) -> Iterator[bytes]:
    source = one.piece.source
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
        facts = os.fstat(file.fileno())
    if (facts.st_size, facts.st_mtime_ns) != one.stamp:
        raise PackRefused(f"{source} was changed while it was packed: run the command again")
