"""A pack as a folder: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from ..errors import PackError
from ..scoring.cache import NULLS as NULL_FILE
from ..scoring.cache import CacheFile
from ..spec.source import read
from . import archive
from .foreign import check
from .gather import folder_digest
from .manifest import MANIFEST, NULL_CACHE, NULLS, RESULT, SECTIONS, SUITE, VERSION, Manifest, Pack, PackedAdapter
from .recording import parsed
from .rewriting import rewritten

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..spec.source import Place

_FILES: Final = frozenset({SUITE, SECTIONS, RESULT, NULLS})
_FOLDERS: Final = ("adapter/", "base-adapter/", "files/")
_INTO: Final = "choose another with --into, or delete it"


def unpack(
    path: Path,
    into: Path,
    *,
    base: Path | None = None,
    adapter: Path | None = None,
    endpoint: bool = False,
    cap: int,
    manager: PluginManager | None = None,
) -> Pack:
    """Put the content of the pack ``path`` into the new folder ``into``.

    ``base`` is the base model's folder and ``adapter`` the adapter's, where the pack holds none; with ``endpoint`` its
    suite may name a server. Null answers go into a cache of the folder's own, never into the user's: they are as
    trustworthy as whoever packed them.

    Raises:
        PackError: the pack is not one, is damaged, forged or too large, its suite names something of this machine, or
            ``adapter`` is another one than was packed.
    """
    if manager is None:
        from ..plugins import manager as installed

        manager = installed()
    if into.exists():
        raise PackError(f"{into}: refusing to overwrite: {_INTO}")
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name}."))
    except OSError as error:
        raise PackError(f"{into}: cannot be made: {error.strerror}: choose another with --into") from error
    try:
        archive.extract(path, aside, cap)
        manifest = _checked(path, aside)
        check(path, aside, manager, endpoint=endpoint)
        _given(path, aside, manifest, base, adapter)
        _null_cache(path, aside)
        aside.chmod(0o777 & ~archive.umask())
        aside.rename(into)
    except OSError as error:
        raise PackError(f"{into}: cannot be made: {error.strerror}: {_INTO}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Pack(into, manifest, sum(one.bytes for one in manifest.files.values()))


def _checked(path: Path, folder: Path) -> Manifest:
    """The manifest, once the files in ``folder`` are those that it names."""
    try:
        text = (folder / MANIFEST).read_bytes()
    except FileNotFoundError as error:
        raise PackError(f"{path}: missing {MANIFEST}: this is not a pack that sway wrote") from error
    try:
        data = json.loads(text)
        version = data.get("swaypack_version") if isinstance(data, dict) else None
        if version != VERSION:
            what = f"unsupported swaypack_version={version}"
            raise PackError(f"{path}: {what}: this sway reads version {VERSION}; pack it again with a sway like this")
        manifest = Manifest.model_validate(data)
    except (ValidationError, ValueError, RecursionError) as error:
        raise PackError(f"{path}: {MANIFEST} is not one that sway wrote: pack it again") from error
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()} - {MANIFEST}
    if odd := sorted(there ^ set(manifest.files)):
        raise PackError(f"{path}: {odd[0]!r} is only in the manifest or only beside it: the pack is damaged or forged")
    if odd := sorted(name for name in there if name not in _FILES and not name.startswith(_FOLDERS)):
        raise PackError(f"{path}: refused: {odd[0]!r} is nothing that a pack holds")
    for name, told in sorted(manifest.files.items()):
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != told.sha256:
                raise PackError(f"{path}: {name!r} has another digest than its manifest says: fetch the pack again")
    if not {SUITE, NULLS} <= there:
        raise PackError(f"{path}: the manifest names no {SUITE} or no {NULLS}: this is not a pack that sway wrote")
    for one in manifest.adapters:
        if one.packed and folder_digest(folder / Path(one.path)) != one.digest:
            raise PackError(f"{path}: {one.path} is not the adapter that the manifest names: fetch the pack again")
    return manifest


def _given(path: Path, folder: Path, manifest: Manifest, base: Path | None, adapter: Path | None) -> None:
    """Put what the pack lacks and the caller has into the suite."""
    if base is None and adapter is None:
        return
    models = read(folder / SUITE).data["models"]
    stands: dict[str, Path] = {}
    if base is not None:
        named = next((name for name in sorted(manifest.missing) if name.startswith("./base")), None)
        if named is None:
            raise PackError(f"{path}: its suite names its base model by itself: leave out --base")
        stands[named] = base
    if adapter is not None:
        wanted = next((one for one in manifest.adapters if one.path == "./adapter"), None)
        _same_adapter(path, wanted, adapter)
        stands["./adapter"] = adapter
    places: dict[Place, str] = {
        ("models", side, key): str(stands[given].resolve())
        for side, spec in models.items()
        for key, given in spec.items()
        if key in ("base", "adapter") and given in stands
    }
    text = rewritten((folder / SUITE).read_text(encoding="utf-8"), places)
    (folder / SUITE).write_text(text, encoding="utf-8")


def _same_adapter(path: Path, wanted: PackedAdapter | None, given: Path) -> None:
    if wanted is None or wanted.packed:
        raise PackError(f"{path}: {'holds its adapter' if wanted else 'names no adapter'}: leave out --adapter")
    if not given.is_dir():
        raise PackError(f"{given}: not a folder: name the one that holds adapter_config.json")
    if (found := folder_digest(given)) != wanted.digest:
        raise PackError(f"{given}: not the adapter that was packed ({found[:19]}, wanted {wanted.digest[:19]})")


def _null_cache(path: Path, folder: Path) -> None:
    try:
        found = parsed((folder / NULLS).read_bytes())
    except (ValueError, RecursionError) as error:
        raise PackError(f"{path}: {NULLS}: {error}: the pack is damaged or forged") from error
    cache = CacheFile(folder / NULL_CACHE / NULL_FILE)
    cache.put(found)
    cache.close()
