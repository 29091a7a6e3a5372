"""An export looked at again: whether its files are those that were written, and what they say now. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..chosen import Wanted, choose_adapter
from ..errors import ExportFailed, ExportRefused, UsageProblem
from ..store.files import disk_errors, sha256
from .manifest import MANIFEST_FILE, read_manifest
from .sink import Request, Wishes, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..store.version import Version
    from ..training.backend import Backend
    from .certificate import Certificate
    from .manifest import ExportManifest
    from .sink import Sink


@dataclass(frozen=True)
class Verified:
    """What was found."""

    folder: Path
    manifest: ExportManifest
    differences: tuple[Difference, ...]
    certificate: Certificate | None = None
    """``None`` where nothing was measured: files differ, only files were asked about, or the target's weights are the
    version's own."""


class Difference(NamedTuple):
    """A file that is not as the manifest has it."""

    path: str
    what: str


def added(folder: Path, manifest: ExportManifest) -> list[str]:
    """Files that the export did not list, such as a suite, or what somebody put there. No fault of the export."""
    known = {one.path for one in manifest.artifacts} | {MANIFEST_FILE}
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir())
    return [name for name in names if name not in known]


def open_export(folder: Path) -> ExportManifest:
    """The manifest of the export in ``folder``.

    Raises:
        UsageProblem: there is none.
        StoreError: it is damaged.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UsageProblem(f"{folder} holds no export: give the folder that `dlm export` printed")
    return manifest


def differences(folder: Path, manifest: ExportManifest) -> list[Difference]:
    """Files that were changed or are gone. Reads every byte.

    Raises:
        ExportFailed: something in ``folder`` cannot be read.
    """
    found = []
    with disk_errors(folder, ExportFailed):
        for one in manifest.artifacts:
            path = folder / one.path
            if path.is_symlink() or not path.is_file():
                found.append(Difference(one.path, "is gone"))
            elif path.stat().st_size != one.size_bytes or sha256(path) != one.sha256:
                found.append(Difference(one.path, "was changed since it was written"))
    return found


def verify(
    folder: Path,
    document: Path | None,
    *,
    home: Path,
    accept_licence: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Verified:
    """Look at the export in ``folder``. With the ``document`` that it was made from, its certificate is measured again.

    Raises:
        UsageProblem: there is no export, or it was made from another document.
        NotTrained: the version that it was made from is gone.
        AdapterMismatch: the base is another one by now.
    """
    from ..store.using import using
    from ..training.choose import choose
    from .certifying import certify

    manifest = open_export(folder)
    found = Verified(folder, manifest, tuple(differences(folder, manifest)))
    if found.differences or document is None:
        return found
    backend = choose("generate")
    request = request_of(manifest, document, home, backend, say, accept=accept_licence)
    written = Written(manifest.quant, manifest.form, manifest.facts)
    with using(request.version):
        certificate = certify(request, written, folder, _sink(manifest.target), backend)
    return Verified(folder, manifest, (), certificate)


def document_of(manifest: ExportManifest, home: Path) -> Path | None:
    """Where the document lay when it was trained last, if it still does."""
    from ..store import Store

    known = Store(home, manifest.dlm_id).manifest()
    path = Path(known.source_path) if known and known.source_path else None
    return path if path is not None and path.is_file() else None


def request_of(
    manifest: ExportManifest,
    document: Path,
    home: Path,
    backend: Backend,
    say: Callable[[str], None],
    *,
    accept: bool = False,
) -> Request:
    """What was asked for when the export was made.

    Raises:
        UsageProblem: ``document`` is another one, or its version is gone.
        ExportRefused: the version's adapters are not those that were exported.
    """
    from ..answering import base_of
    from ..document import read
    from ..store import Store

    found = read(document)
    if found.frontmatter.dlm_id != manifest.dlm_id:
        raise UsageProblem(f"the export was made from the document {manifest.dlm_id}, and {document} is another one")
    version = Store(home, manifest.dlm_id).version(manifest.adapter_version)
    version.verify()
    chosen = choose_adapter(version, _wanted(manifest, version))
    base = base_of(found, home, backend, version, say, accept=accept, adapter=chosen.first)
    wishes = Wishes(manifest.quant, manifest.form, manifest.name, manifest.template, manifest.dequantized)
    return Request(found, version, base, chosen, wishes, home / "cache" / "export", say)


def _wanted(manifest: ExportManifest, version: Version) -> Wanted:
    """The choice of adapters that the manifest tells of, if ``version`` still has these very adapters."""
    for one in manifest.adapters:
        if version.facts_of(one.name).get("adapter_sha256") != one.sha256:
            raise ExportRefused(
                f"{version.name} is not the version that was exported: its adapter has another digest. Export it again"
            )
    names = [one.name for one in manifest.adapters if one.name]
    if not names:
        return Wanted()
    if manifest.every_adapter:
        return Wanted(gate="off")
    if len(names) == 1 and manifest.adapters[0].weight == 1:
        return Wanted(names[0])
    mix = ",".join(f"{one.name}:{one.weight!r}" for one in manifest.adapters)
    return Wanted(mix=mix, any_precision=manifest.dequantized)


def _sink(target: str) -> Sink:
    from ..plugins import manager
    from .options import sink_entry

    sink_entry(target)
    made: Sink = manager().resolve("dlm_sinks", target)()
    return made
