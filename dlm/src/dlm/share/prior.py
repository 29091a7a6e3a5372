"""Packs of the prior trainer, format 1: what of them is of use here, and how it becomes a store of ours.

Taken over are the document, the manifest, and the current version of every adapter. The text that was replayed, caches,
logs, and files that only ``pickle`` can read are checked against their digests and left out. Such a pack vouches for
less than ours: its manifest is under no digest, so an id in it counts only where document and store say the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..errors import PackInvalid
from ..store.encoding import canonical, jsonable
from ..store.files import disk_errors
from ..store.layout import ADAPTERS, VERSIONS, is_adapter, version_name
from ..store.manifest import Manifest
from ..store.version import ADAPTER_FILE, CONFIG_FILE, FACTS_FILE
from .checking import front_of, front_value
from .manifest import (
    PRIOR_FORMAT,
    PackedBase,
    PackedDocument,
    PackManifest,
    PackMember,
    digest_of,
    parse_sums,
    require_id,
)
from .members import DOCUMENT, LIMITS, NOT_TOUCHED, PRIOR_FIRST, allowed, shown
from .reaching import reaches
from .receiving import Hasher, Received, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .tape import Entry, Reader

HEADER = "PACK_HEADER.json"
STORY = "manifest.json"
STORE_STORY = "store/manifest.json"
_DOCUMENT = re.compile(r"dlm/[^/\\\x00-\x1f\x7f]{1,120}\.dlm")
_POINTER = re.compile(r"store/adapter/(?:([a-z][a-z0-9_]{0,31})/)?current\.txt")
_WEIGHTS = re.compile(r"store/adapter/(?:([a-z][a-z0-9_]{0,31})/)?versions/(v\d{4,9})/([^/]+)")
_CURRENT = re.compile(r"adapter/(?:[a-z][a-z0-9_]{0,31}/)?versions/v(\d{4,9})")
_HELD = "prior"
"""Folder in which everything waits until it is known to be whole."""


@dataclass
class _Seen:
    """What has been read so far."""

    small: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True)
class _Current:
    """The current version of one adapter; ``name`` is empty for the one without a name."""

    name: str
    number: int

    @property
    def folder(self) -> str:
        middle = f"{self.name}/" if self.name else ""
        return f"store/adapter/{middle}versions/{version_name(self.number)}"


def receive_prior(
    path: Path, reader: Reader, folder: Path | None, look: Callable[[PackManifest], None] | None
) -> Received:
    """As :func:`.receiving.receive`, of a pack whose first header was just read.

    Raises:
        PackInvalid: it is damaged or forged, or of a format between the prior one and ours.
        StoreError: the disk is full or closed to us.
    """
    raw = reader.content(LIMITS.list)
    sums = parse_sums(raw, str(path))
    seen = _Seen()
    with Hasher() as hasher:
        while (entry := reader.next()) is not None:
            if not entry.folder:
                _member(path, entry, reader, hasher, seen, folder)
    _require_sums(path, sums, seen)
    manifest, current = _manifest(path, seen)
    if look is not None:
        look(manifest)
    if folder is not None:
        _assemble(folder, manifest, current, seen)
    left = f"left out {seen.left_out} files of the prior trainer: replayed text, caches, logs, optimiser states"
    notes = reaches(front_of(seen.small[f"dlm/{manifest.document.name}"]))
    said = (left, *notes) if seen.left_out else notes
    return Received(manifest, digest_of(raw), path.stat().st_size, PRIOR_FORMAT, said)


def _member(path: Path, entry: Entry, reader: Reader, hasher: Hasher, seen: _Seen, folder: Path | None) -> None:
    name = entry.name
    _require_plain(path, name, seen)
    keep: list[bytes] | None = None
    if name in (HEADER, STORY, STORE_STORY) or _DOCUMENT.fullmatch(name) or _POINTER.fullmatch(name):
        if entry.size > LIMITS.text:
            raise PackInvalid(f"{path}: {shown(name)} is too large for what it is. {NOT_TOUCHED}")
        keep = []
    wanted = folder is not None and _is_weights(name)
    if keep is None and not _is_weights(name):
        seen.left_out += name != "provenance.json"
    place = folder / _HELD / name if folder is not None and wanted else None
    seen.digests[name] = write(reader.chunks(), place, hasher, keep)
    seen.sizes[name] = entry.size
    if keep is not None:
        seen.small[name] = b"".join(keep)
    if len(seen.sizes) > LIMITS.members or sum(seen.sizes.values()) > LIMITS.total:
        raise PackInvalid(f"{path} holds more than any pack does. {NOT_TOUCHED}")


def _is_weights(name: str) -> bool:
    found = _WEIGHTS.fullmatch(name)
    return found is not None and allowed(f"store/{VERSIONS}/{found[2]}/{found[3]}") and found[3] != "heard.bin"


def _require_plain(path: Path, name: str, seen: _Seen) -> None:
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts or "" in parts or not name.isprintable():
        raise PackInvalid(f"{path}: {shown(name)} points outside of the store, or is no plain path. {NOT_TOUCHED}")
    known = name in (HEADER, STORY, "provenance.json") or parts[0] == "store" or _DOCUMENT.fullmatch(name)
    if not known or len(name) > 240 or len(parts) > 12:
        raise PackInvalid(f"{path}: {shown(name)} is nothing that a pack holds. {NOT_TOUCHED}")
    if name.casefold() in {other.casefold() for other in seen.sizes}:
        raise PackInvalid(f"{path}: {shown(name)} comes twice. {NOT_TOUCHED}")


def _require_sums(path: Path, sums: dict[str, str], seen: _Seen) -> None:
    for name, digest in sums.items():
        if seen.digests.get(name) != digest:
            what = "is not what its list says" if name in seen.digests else "is listed and missing"
            raise PackInvalid(f"{path}: {shown(name)} {what}. {NOT_TOUCHED}")
    for name in seen.digests:
        if name not in sums and name != STORY:
            raise PackInvalid(f"{path}: {shown(name)} is not listed in {PRIOR_FIRST}. {NOT_TOUCHED}")


def _manifest(path: Path, seen: _Seen) -> tuple[PackManifest, tuple[_Current, ...]]:
    header, story, store = (_json(path, seen, name) for name in (HEADER, STORY, STORE_STORY))
    if header.get("pack_format_version") != PRIOR_FORMAT:
        raise PackInvalid(f"{path} is of pack format {header.get('pack_format_version')!r}, which nobody made")
    documents = [name for name in seen.small if _DOCUMENT.fullmatch(name)]
    if len(documents) != 1:
        raise PackInvalid(f"{path} holds {len(documents)} documents, and should hold one. {NOT_TOUCHED}")
    given = str(story.get("dlm_id"))
    ids = {given, str(store.get("dlm_id")), str(front_value(seen.small[documents[0]], "dlm_id"))}
    if len(ids) != 1:
        raise PackInvalid(f"{path}: manifest, store and document are of different documents. {NOT_TOUCHED}")
    require_id(given, str(path))
    current = _current(path, seen)
    try:
        return _described(header, store, given, documents[0], current, seen), current
    except ValidationError as problem:
        raise PackInvalid(f"{path}: {str(problem).splitlines()[0]}. {NOT_TOUCHED}") from problem


def _described(
    header: dict[str, Any],
    store: dict[str, Any],
    dlm_id: str,
    document: str,
    current: tuple[_Current, ...],
    seen: _Seen,
) -> PackManifest:
    story = Manifest.model_validate(store)
    number = max(one.number for one in current)
    return PackManifest(
        profile="full",
        dlm_id=dlm_id,
        created_at=str(header.get("created_at", ""))[:40],
        created_by=f"the prior trainer, {str(header.get('tool_version'))[:40]}",
        document=PackedDocument(name=document.removeprefix("dlm/")),
        base=PackedBase(key=story.base_model, revision=story.base_model_revision),
        version=number,
        versions=(number,),
        adapters=tuple(one.name for one in current if one.name),
        members=tuple(PackMember(path=name, size=size) for name, size in sorted(seen.sizes.items())),
    )


def _current(path: Path, seen: _Seen) -> tuple[_Current, ...]:
    found = []
    for name, data in sorted(seen.small.items()):
        if (pointer := _POINTER.fullmatch(name)) is None:
            continue
        number = _CURRENT.fullmatch(data.decode("utf-8", "replace").strip())
        one = _Current(pointer[1] or "", int(number[1])) if number else None
        if one is None or f"{one.folder}/{ADAPTER_FILE}" not in seen.digests:
            raise PackInvalid(f"{path}: {shown(name)} names no version that is there. {NOT_TOUCHED}")
        found.append(one)
    named = [one for one in found if is_adapter(one.name)]
    if not found:
        raise PackInvalid(f"{path} holds no trained version. {NOT_TOUCHED}")
    return tuple(named or found)


def _json(path: Path, seen: _Seen, name: str) -> dict[str, Any]:
    try:
        found = json.loads(seen.small[name])
    except KeyError:
        raise PackInvalid(f"{path} has no {name}. {NOT_TOUCHED}") from None
    except (ValueError, RecursionError) as problem:
        raise PackInvalid(f"{path}: {name} is no JSON ({problem}). {NOT_TOUCHED}") from problem
    if not isinstance(found, dict):
        raise PackInvalid(f"{path}: {name} is no JSON object. {NOT_TOUCHED}")
    return found


def _assemble(folder: Path, manifest: PackManifest, current: tuple[_Current, ...], seen: _Seen) -> None:
    """Make of what waits in ``folder`` what a pack of ours would have left there."""
    import shutil

    version = folder / "store" / VERSIONS / version_name(manifest.version)
    story = Manifest.model_validate_json(seen.small[STORE_STORY])
    with disk_errors(folder):
        for one in current:
            place = version / ADAPTERS / one.name if one.name else version
            place.parent.mkdir(parents=True, exist_ok=True)
            (folder / _HELD / one.folder).rename(place)
        shutil.rmtree(folder / _HELD)
        (folder / DOCUMENT).write_bytes(seen.small[f"dlm/{manifest.document.name}"])
        (version / FACTS_FILE).write_text(canonical(_facts(manifest, story, current, seen)), encoding="utf-8")
        pointer = f"{VERSIONS}/{version_name(manifest.version)}\n"
        (folder / "store" / "adapter" / "current.txt").write_text(pointer, encoding="utf-8")
        told = {**story.model_dump(mode="json"), "exports": (), "adapter_version": manifest.version}
        (folder / STORE_STORY).write_text(canonical(jsonable(told)), encoding="utf-8")


def _facts(manifest: PackManifest, story: Manifest, current: tuple[_Current, ...], seen: _Seen) -> dict[str, Any]:
    """``version.json`` of a version that never had one."""
    shared = {
        "dlm_id": manifest.dlm_id,
        "created_at": story.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "base": {**manifest.base.model_dump(exclude={"licence"}), "source": "the prior trainer"},
        "section_ids": sorted(story.content_hashes),
        "versions": dict(story.pinned_versions),
    }
    own = {one.name: _digests(one, seen) for one in current}
    if not manifest.adapters:
        return {**shared, **own[""]}
    return {**shared, "adapters": {name: {"number": at, **own[name]} for at, name in enumerate(manifest.adapters, 1)}}


def _digests(one: _Current, seen: _Seen) -> dict[str, Any]:
    files = {"adapter_sha256": ADAPTER_FILE, "adapter_config_sha256": CONFIG_FILE}
    return {key: seen.digests.get(f"{one.folder}/{name}") for key, name in files.items()}
