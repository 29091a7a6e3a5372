"""``dlm pull hf:org/name``: the pack of a commit and its signatures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm.errors import TransferRefused
from dlm.share.transport import PACK_FILE, SIDECARS, Fetched

from .client import asking
from .downloading import Remote, chunks, download

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from huggingface_hub import HfApi, ModelInfo

    from dlm.share.transport import Progress

    from .address import Place

_SIDECAR = 2**20
"""Bytes that a signature may have."""
_LOOK = 30.0
"""Seconds for the list of files."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def fetch(api: HfApi, place: Place, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
    """The pack at ``place``, in ``folder``.

    A branch is looked up once, so that the pack and its signatures are of one commit.

    Raises:
        TransferRefused: the repository is closed to us, or holds no pack.
        TransferFailed: the hub or the way there broke; what has arrived is kept.
        StoreError: the disk is full or closed to us.
    """
    with asking(place, say):
        files = listed(api, place)
        commit = files.place.revision
        pack = download(api, files.require_pack(), folder, progress)
        sidecars = dict(_sidecars(api, files, folder))
    notes = (f"{place.address} is at commit {commit}",) if place.revision != commit else ()
    return Fetched(pack, sidecars, notes=notes)


def head(api: HfApi, place: Place, count: int) -> bytes:
    """The first ``count`` bytes of the pack at ``place``.

    Raises:
        TransferRefused: the repository is closed to us, or holds no pack.
        TransferFailed: the hub or the way there broke.
    """
    data = b""
    with asking(place):
        remote = listed(api, place).require_pack()
        for chunk in chunks(api, remote, 0, None, end=count):
            data += chunk
            if len(data) >= count:
                break
    return data[:count]


class Listed:
    """The files of one commit."""

    def __init__(self, place: Place, files: Mapping[str, Remote | None]) -> None:
        self.place = place
        """At the commit."""
        self.files = files
        """By name; ``None`` for one whose size the hub does not tell."""

    def require_pack(self) -> Remote:
        """The pack.

        Raises:
            TransferRefused: there is none; says what is there instead.
        """
        if (found := self.files.get(PACK_FILE)) is not None:
            return found
        raise TransferRefused(f"{self.place.address} holds no {PACK_FILE}, {self._instead()}")

    def _instead(self) -> str:
        repo, names = self.place.repo, self.files
        if any(Path(name).name == "adapter_config.json" for name in names):
            return (
                "but a PEFT adapter that did not come with `dlm push`: load it with PEFT, or ask who published it to "
                f"run `dlm push DOC --to hf:{repo}`"
            )
        if "config.json" in names:
            return f"but a model: name it in a document with `base_model: hf:{repo}`, and train that"
        return f"so there is nothing to pull: it has {', '.join(sorted(names)[:4]) or 'no files'}"


def look_up(api: HfApi, place: Place, **options: Any) -> ModelInfo:
    """What the hub says of the repository. Within :func:`~.client.asking`.

    Raises:
        TransferRefused: who answers is no hub.
    """
    try:
        return api.model_info(place.repo, timeout=_LOOK, **options)
    except (TypeError, KeyError, AttributeError) as problem:
        raise TransferRefused(f"{place.address}: what answers at {api.endpoint} is no hub ({problem!r})") from problem


def listed(api: HfApi, place: Place) -> Listed:
    """What lies at ``place``, at the commit that it stands for now. Within :func:`~.client.asking`."""
    info = look_up(api, place, revision=place.revision, files_metadata=True)
    commit = str(info.sha or "")
    here = place._replace(revision=commit)
    if not here.is_commit:
        raise TransferRefused(f"{place.address}: the hub names no commit for it, so nothing can be fetched from there")
    found: dict[str, Remote | None] = {}
    for one in info.siblings or ():
        oid = one.lfs.sha256 if one.lfs else one.blob_id
        size = one.lfs.size if one.lfs else one.size
        known = isinstance(size, int) and size >= 0 and _OID.fullmatch(str(oid))
        found[one.rfilename] = Remote(here, one.rfilename, int(size or 0), str(oid)) if known else None
    return Listed(here, found)


def _sidecars(api: HfApi, files: Listed, folder: Path) -> Iterator[tuple[str, Path]]:
    for ending in SIDECARS:
        remote = files.files.get(f"{PACK_FILE}{ending}")
        if remote is None:
            # Of an earlier attempt, when another commit was there.
            (folder / f"{PACK_FILE}{ending}").unlink(missing_ok=True)
        elif remote.size > _SIDECAR:
            raise TransferRefused(f"{files.place.address}: {remote.name} has {remote.size:,} bytes and is no signature")
        else:
            yield ending, download(api, remote, folder, lambda done, total: None)
