"""``pack.json`` and ``SHA256SUMS``: what a pack says of itself. They come first, so that nothing is taken unawares.

``SHA256SUMS`` lists every other member, ``pack.json`` among them, as ``sha256sum -c`` reads it. Its own SHA-256 is the
digest of the pack, which stands for all of the content and is what a signature has to cover.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..errors import PackInvalid, StoreError
from ..store.encoding import canonical, jsonable
from ..store.layout import store_layout
from .members import LIMITS, NOT_TOUCHED, PACK, require_name, shown

PACK_FORMAT: Literal[2] = 2
PRIOR_FORMAT = 1
Profile = Literal["share", "full", "adapter-only"]
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_NAME = r"^[^-./\\\x00-\x1f\x7f-\x9f][^/\\\x00-\x1f\x7f-\x9f]{0,119}\.dlm$"
_LONGEST_NAME = 200
"""Bytes: file systems take 255, and endings are put behind it."""
_DEEPEST = 6


def _printable(name: str) -> str:
    if not name.isprintable() or len(name.encode()) > _LONGEST_NAME:
        raise ValueError("no name for a document: printable characters, and not more of them than a folder takes")
    return name


def _shallow(origin: dict[str, Any]) -> dict[str, Any]:
    """Nothing that could not be printed again: no endless nesting, no number that is none."""
    left: list[tuple[Any, int]] = [(origin, 1)]
    while left:
        value, depth = left.pop()
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if depth > _DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError("nested too deeply, or with a number that is none")
        left += [(one, depth + 1) for one in inner]
    return origin


DocumentName = Annotated[str, Field(pattern=_NAME), AfterValidator(_printable)]


class _Part(BaseModel):
    # Keys of newer versions are no harm: what they name has to be a member all the same.
    model_config = ConfigDict(frozen=True, extra="ignore")


class PackMember(_Part):
    """One file of the pack. Its digest is in ``SHA256SUMS``."""

    path: str
    size: int = Field(ge=0, le=LIMITS.member)


class PackedDocument(_Part):
    """The document inside."""

    name: DocumentName
    """What its file is called: visible, and plain wherever it is put."""
    digest: str | None = None
    """Of its text, as ``dlm`` takes it everywhere; ``None`` in a pack of the prior trainer."""
    whole: bool = True
    """False for frontmatter alone."""


class PackedBase(_Part):
    """The base that the version was trained on."""

    key: str | None = None
    revision: str | None = None
    digest: str | None = None
    licence: str | None = None
    """SPDX identifier, where the base is inside and its licence is known."""
    included: bool = False
    """Its files are inside, under ``base/``."""
    origin: Annotated[dict[str, Any], AfterValidator(_shallow)] | None = None
    """Where they were fetched from, as the card beside a base says it; ``None`` for a folder of the maker's."""
    licensee: str | None = None
    """Address of the terms under which its maker may pass them on, by their own word, where the licence alone does not
    let them."""


class PackManifest(_Part):
    """The whole of ``pack.json``."""

    pack_format: Literal[2] = PACK_FORMAT
    profile: Profile
    dlm_id: str
    created_at: Annotated[str, Field(max_length=40)]
    """When the version was made, or ``SOURCE_DATE_EPOCH``; never when the pack was."""
    created_by: Annotated[str, Field(max_length=60)]
    document: PackedDocument
    base: PackedBase = PackedBase()
    version: int = Field(ge=1)
    """The current one."""
    versions: tuple[int, ...] = ()
    adapters: tuple[str, ...] = ()
    """Names of the current version's; empty for one without a name."""
    exports: tuple[str, ...] = ()
    """Their folders."""
    members: tuple[PackMember, ...]
    """By name; all but ``pack.json`` and ``SHA256SUMS``."""

    @property
    def bytes(self) -> int:
        """Of all members."""
        return sum(member.size for member in self.members)


def is_document_name(name: str) -> bool:
    """Whether a document inside a pack may be called so."""
    try:
        TypeAdapter(DocumentName).validate_python(name)
    except ValidationError:
        return False
    return True


def dump(manifest: PackManifest) -> bytes:
    """The bytes of ``pack.json``."""
    return canonical(jsonable(manifest.model_dump(mode="json"))).encode()


def parse(data: bytes, place: str) -> PackManifest:
    """What ``pack.json`` says.

    Raises:
        PackInvalid: it is no such file, is of a newer dlm, or names what no pack holds.
    """
    try:
        plain = json.loads(data)
        found = plain.get("pack_format") if isinstance(plain, dict) else None
        if isinstance(found, int) and found > PACK_FORMAT:
            raise PackInvalid(f"{place} was made by a newer dlm (pack format {found}): pip install -U dlm")
        manifest = PackManifest.model_validate(plain)
    except ValidationError as problem:
        first = problem.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise PackInvalid(f"{place}: its {PACK} is not one ({what}). {NOT_TOUCHED}") from problem
    except (ValueError, RecursionError) as problem:
        raise PackInvalid(f"{place}: its {PACK} is no JSON ({problem}). {NOT_TOUCHED}") from problem
    require_id(manifest.dlm_id, place)
    _check_members(manifest, place)
    return manifest


def require_id(dlm_id: str, place: str) -> None:
    """See to it that ``dlm_id`` may become the name of a store's folder.

    Raises:
        PackInvalid: it may not.
    """
    try:
        store_layout(Path(), dlm_id)
    except StoreError as problem:
        raise PackInvalid(f"{place}: {shown(dlm_id)} is not a document id. {NOT_TOUCHED}") from problem


def _check_members(manifest: PackManifest, place: str) -> None:
    names = [member.path for member in manifest.members]
    if len(names) > LIMITS.members:
        raise PackInvalid(f"{place} holds {len(names):,} members, and may hold {LIMITS.members:,}. {NOT_TOUCHED}")
    for name in names:
        require_name(name, place)
    folded = [name.casefold() for name in names]
    if len(set(folded)) < len(folded):
        raise PackInvalid(f"{place} lists a member twice. {NOT_TOUCHED}")
    folders = {name[:end] for name in folded for end in (at for at, char in enumerate(name) if char == "/")}
    if folders & set(folded):
        raise PackInvalid(f"{place} lists a member that is a file and a folder. {NOT_TOUCHED}")
    if names != sorted(names):
        raise PackInvalid(f"{place} lists its members out of order. {NOT_TOUCHED}")
    if manifest.bytes > LIMITS.total:
        raise PackInvalid(f"{place} says that it holds {manifest.bytes:,} bytes, too many for a pack. {NOT_TOUCHED}")


def sums_text(digests: dict[str, str]) -> bytes:
    """The bytes of ``SHA256SUMS``: ``digests`` in hex by member, in their order."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def parse_sums(data: bytes, place: str) -> dict[str, str]:
    """Hex digests by member. What is read back as other bytes is refused, so no bit of it is free.

    Raises:
        PackInvalid: it is no such list.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n")[:-1], start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise PackInvalid(f"{place}: line {number} of its SHA256SUMS is no digest, or a second one. {NOT_TOUCHED}")
        found[match[2]] = match[1]
    if not found or sums_text(found) != data:
        raise PackInvalid(f"{place}: its SHA256SUMS is no list of digests. {NOT_TOUCHED}")
    return found


def digest_of(sums: bytes) -> str:
    """The digest of the pack whose ``SHA256SUMS`` these are."""
    return f"sha256:{hashlib.sha256(sums).hexdigest()}"


def schema() -> str:
    """Text of ``contracts/pack-manifest.schema.json``."""
    described: dict[str, Any] = PackManifest.model_json_schema()
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})
