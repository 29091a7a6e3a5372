"""The base's files as members of a pack, for a receiver without a network: which they are, and who may pass them on.

Where the receiver puts them is in :mod:`.placing`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._plugkit.errors import PluginError
from ..bases.cache import CARD, on_disk, origin_of
from ..bases.contents import VOLATILE, decides, digest_of, is_settings
from ..bases.licence import licence_name
from ..bases.model import FolderSource
from ..bases.resolve import resolve
from ..errors import PackRefused, UsageProblem
from ..export.origin import key_of
from ..store.encoding import canonical
from .members import BASE, LIMITS, is_base_file
from .redacting import without_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..bases import BaseModel, LocalBase
    from ..document.model import Document
    from ..store import Version

_WITHIN = re.compile(r"[A-Za-z0-9_][\w.+@ -]*(?:/[A-Za-z0-9_][\w.+@ -]*){0,7}")
_LEAVE_OUT = "leave --include-base out, and who unpacks gets it themselves"


@dataclass(frozen=True)
class Included:
    """A base that travels."""

    base: LocalBase
    licence: str | None
    licensee: str | None
    """Address of the terms under which somebody may pass it on whom its licence does not let."""
    origin: dict[str, Any] | None

    @property
    def members(self) -> Iterator[tuple[str, Path | bytes]]:
        """Its files by their names in the pack; settings as bytes, without where they once lay."""
        for path in sorted(self.base.path.iterdir()):
            if path.is_file() and is_base_file(path.name) and path.name != CARD:
                yield BASE + path.name, _settled(path) if is_settings(path.name) else path


def include(document: Document, version: Version, home: Path, licensee: str | None) -> Included:
    """The base of ``document``, to be packed with ``version``.

    Raises:
        PackRefused: it may not be passed on, is not on this disk, is not the one that was trained on, or lies where a
            receiver cannot put it.
        UsageProblem: ``licensee`` is no address.
    """
    _require_address(licensee)
    ref = document.frontmatter.base_model
    model = resolve(ref, document.folder)
    if ref.startswith("path:") and not is_within(ref.removeprefix("path:")):
        raise PackRefused(
            f"{document.location}: base_model: {ref} lies outside of the document's folder, so a receiver has no place "
            f"for its files: name the base by its key, keep it beside the document, or {_LEAVE_OUT}"
        )
    if isinstance(model.sources[0], FolderSource) and not ref.startswith("path:"):
        raise PackRefused(f"the files of the base {ref} are part of the plugin that offers it: {_LEAVE_OUT}")
    base = on_disk(model, home)
    if base is None:
        raise PackRefused(f"the base {ref} is not on this disk: fetch it with `dlm base pull {ref}`, or {_LEAVE_OUT}")
    if (version.facts.get("base") or {}).get("digest") not in (None, base.digest):
        raise PackRefused(
            f"{version.name} was trained on another base than the one in {base.path}: train again, or {_LEAVE_OUT}"
        )
    known = _published(base, model)
    if not (known and known.redistributable) and licensee is None:
        raise PackRefused(_refusal(ref, known))
    _require_members(base)
    return Included(base, known.licence if known else None, licensee, origin_of(model, home))


def require_same(included: Included, digests: Mapping[str, str]) -> None:
    """See to it that the files are those that the base's digest was taken of. ``digests`` are SHA-256 by member.

    Raises:
        PackRefused: they have changed since.
    """
    files = {name.removeprefix(BASE): digest for name, digest in digests.items() if name.startswith(BASE)}
    folder = included.base.path
    found = digest_of(
        {name: digest for name, digest in files.items() if decides(name)},
        lambda name: (folder / name).read_bytes(),
        str(folder),
    )
    if found != included.base.digest:
        raise PackRefused(
            f"the files in {folder} are not those of the base any more: fetch it again (move that folder away, then "
            f"`dlm base pull {included.base.key}`), or {_LEAVE_OUT}"
        )


def is_within(folder: str) -> bool:
    """Whether ``folder``, as a document writes it, is a plain path below the document's own folder."""
    return _WITHIN.fullmatch(folder) is not None


def _require_address(licensee: str | None) -> None:
    if licensee is None:
        return
    try:
        parts = urlsplit(licensee)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not licensee.isprintable() or "@" in parts.netloc:
        raise UsageProblem(f"--i-am-the-licensee {licensee} is no address of terms: write https://...")


def _published(base: LocalBase, model: BaseModel) -> BaseModel | None:
    """The model whose licence is known: ``model``, or the one that dlm fetched into a folder that it names."""
    if not isinstance(model.sources[0], FolderSource):
        return model if model.licence else None
    key = key_of(base)
    try:
        found = resolve(key) if key else None
    except (UsageProblem, PluginError):
        return None
    return found if found and found.licence and _as_fetched(base) else None


def _as_fetched(base: LocalBase) -> bool:
    """Whether its files are still those that the card was written about."""
    try:
        return bool(json.loads((base.path / CARD).read_bytes())["digest"] == base.digest)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refusal(ref: str, known: BaseModel | None) -> str:
    way_out = f"{_LEAVE_OUT}; or, if you may pass it on, say under which terms with --i-am-the-licensee URL"
    if known is None:
        return f"nobody knows under which licence {ref} may be passed on, so a pack does not take it: {way_out}"
    return f"the {licence_name(known)} licence of {ref} limits passing its weights on ({known.licence_url}): {way_out}"


def _require_members(base: LocalBase) -> None:
    """See to it that everything which decides what the base says can travel."""
    for path in sorted(base.path.iterdir()):
        if decides(path.name) and not is_base_file(path.name):
            raise PackRefused(f"{path} has a name that no pack holds: rename it, or {_LEAVE_OUT}")
        if is_settings(path.name) and path.stat().st_size > LIMITS.list:
            raise PackRefused(f"{path} is larger than any settings are: {_LEAVE_OUT}")


def _settled(path: Path) -> bytes:
    """Settings without the place that they were once loaded from, which has no part in the base's digest."""
    data = path.read_bytes()
    try:
        found = json.loads(data)
    except ValueError:
        return data
    named = [key for key in VOLATILE if isinstance(found, dict) and found.get(key) != without_paths(found.get(key))]
    return canonical({**found, **{key: without_paths(found[key]) for key in named}}).encode() if named else data
