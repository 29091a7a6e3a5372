"""What goes into a pack: the suite with its paths rewritten, what was taught, the result, the null answers, adapters.

Base models stay out: they are large, and anybody can fetch them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ..errors import PackError
from ..report.document import read, to_dict
from ..report.json import render
from ..section_file import dump
from ..spec.load import load
from ..spec.sending import entry_paths
from ..suite.provenance import own_version
from ..suite.run import run
from . import archive
from .manifest import MANIFEST, NULLS, RESULT, SECTIONS, SUITE, Manifest, Pack, PackedAdapter, PackedFile
from .recording import Recording, lines
from .rewriting import rewritten

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..scoring.backend import Backend
    from ..spec.load import LoadedSuite
    from ..spec.source import Place

    Files = dict[str, bytes | Path]

_ADAPTERS: Final[dict[str, Literal["./adapter", "./base-adapter"]]] = {"ft": "./adapter", "base": "./base-adapter"}
"""Side -> where its adapter lies in the pack."""
_PICKLED: Final = frozenset({".bin", ".ckpt", ".pkl", ".pt", ".pth"})
"""Nobody opens these: opening one may run code."""


def gather(
    spec: Path,
    out: Path,
    manager: PluginManager,
    *,
    result: Path | None = None,
    adapter: bool = True,
    cap: int,
    say: Callable[[str], None] = lambda _: None,
) -> Pack:
    """Write the pack of the suite ``spec`` to ``out``.

    The suite is run, which asks nothing that an earlier run asked, to learn which answers of null adapters it needs;
    ``result``, a saved result of it, is packed instead of this run's. Without ``adapter`` only digests of adapters go
    in. ``cap`` is the most bytes that a pack may hold.

    Raises:
        SpecError: the suite cannot be run.
        PackError: the file is there already, is too large, or ``result`` is of another suite.
    """
    if out.exists():
        raise PackError(f"{out}: refusing to overwrite: choose another path with -o, or delete it")
    loaded = load(spec, manager)
    document, recorded = _asked(loaded, manager, say)
    if result is not None:
        document = _fitting(result, loaded)
    return _written(spec, out, loaded, document, recorded, adapter, cap)


def _asked(
    loaded: LoadedSuite, manager: PluginManager, say: Callable[[str], None]
) -> tuple[dict[str, Any], Mapping[bytes, str]]:
    """The result of running the suite, and the null answers that it took."""
    made: list[Recording] = []

    def memory(backend: Backend, told: Callable[[str], None]) -> Recording:
        made.append(Recording(backend, told))
        return made[-1]

    document = to_dict(run(loaded, manager=manager, cache=memory, say=say))
    return document, made[0].nulls


def _fitting(path: Path, loaded: LoadedSuite) -> dict[str, Any]:
    document = read(path)
    if document["provenance"].get("spec_digest") != loaded.digest:
        what = f"the result of another suite than {loaded.source}, or of this one before it was edited"
        raise PackError(f"{path}: {what}: run `sway run {loaded.source} --json {path}` again")
    return document


def _written(
    spec: Path,
    out: Path,
    loaded: LoadedSuite,
    document: dict[str, Any],
    nulls: Mapping[bytes, str],
    adapter: bool,
    cap: int,
) -> Pack:
    files: Files = {}
    paths: dict[Place, str] = {}
    missing = _bases(loaded, paths)
    adapters = _adapters(loaded, files, paths, adapter)
    _others(loaded, files, paths)
    if loaded.sections is not None:
        files[SECTIONS], paths["dlm_source",] = dump(loaded.sections, document=SECTIONS).encode(), f"./{SECTIONS}"
    files[SUITE] = rewritten(spec.read_text(encoding="utf-8-sig"), paths).encode()
    files[RESULT] = render(_moved(document, _places(loaded, paths))).encode()
    files[NULLS] = lines(nulls)
    manifest = Manifest(
        sway_version=own_version(),
        spec_filename=spec.name,
        suite_digest=loaded.digest,
        models_digest=str(document["provenance"].get("models_digest") or ""),
        null_stats_count=len(nulls),
        adapters=adapters,
        missing=missing,
        files={name: _packed(content) for name, content in sorted(files.items())},
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
    size = archive.size(files)
    if size > cap:
        what = f"{size / 1e6:,.1f} MB exceeds the cap of {cap / 1e6:,.1f} MB"
        raise PackError(f"{out}: {what}: leave the adapter out with --no-adapter, or raise --max-size")
    archive.write(out, {**files, MANIFEST: f"{text}\n".encode()})
    return Pack(out, manifest, size)


def _bases(loaded: LoadedSuite, paths: dict[Place, str]) -> dict[str, str]:
    """Rewrite bases that lie on this machine; what stands in their place -> their name here."""
    models, found = loaded.suite.models, {}
    for side in ("base", "ft"):
        given = Path(getattr(models, side).base)
        here = given.is_absolute() and given.exists()
        name = "base" if getattr(models, side).base == models.base.base else "ft-base"
        paths["models", side, "base"] = f"./{name}{given.suffix if given.is_file() else ''}" if here else str(given)
        if here:
            found[paths["models", side, "base"]] = given.name
    return found


def _adapters(loaded: LoadedSuite, files: Files, paths: dict[Place, str], packed: bool) -> tuple[PackedAdapter, ...]:
    found = []
    for side, name in _ADAPTERS.items():
        folder: Path | None = getattr(loaded.suite.models, side).adapter
        if folder is None:
            continue
        inside = _folder(folder, name.removeprefix("./"))
        if packed:
            files.update(inside)
        paths["models", side, "adapter"] = name
        digest = folder_digest(folder)
        found.append(PackedAdapter(path=name, digest=digest, bytes=archive.size(inside), packed=packed))
    return tuple(found)


def _others(loaded: LoadedSuite, files: Files, paths: dict[Place, str]) -> None:
    """Files and folders that suite entries name."""
    named = list(entry_paths(loaded))
    names = {path: f"files/{number:03}-{path.name}" for number, path in enumerate(dict.fromkeys(p for _, p in named))}
    for place, path in named:
        files.update({names[path]: path} if path.is_file() else _folder(path, names[path]))
        paths[place] = f"./{names[path]}"


def _folder(folder: Path, name: str) -> Files:
    """The files in ``folder``, as they are called in the pack."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in _PICKLED and not path.name.startswith(".")
    }


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and digests of the files that a pack of ``folder`` would hold."""
    rows = [f"{name} {_packed(content).sha256}\n" for name, content in sorted(_folder(folder, ".").items())]
    return f"sha256:{hashlib.sha256(''.join(rows).encode()).hexdigest()}"


def _packed(content: bytes | Path) -> PackedFile:
    if isinstance(content, bytes):
        return PackedFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    with content.open("rb") as file:
        return PackedFile(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=content.stat().st_size)


def _places(loaded: LoadedSuite, paths: Mapping[Place, str]) -> dict[str, str]:
    """What this machine calls things -> what the pack calls them."""
    models, source = loaded.suite.models, loaded.suite.dlm_source
    found = {loaded.source: SUITE, str(Path(loaded.source).resolve()): SUITE}
    if source is not None:
        found[source] = f"./{SECTIONS}"
    for side in ("base", "ft"):
        for key in ("base", "adapter"):
            here = getattr(getattr(models, side), key)
            if here is not None and ("models", side, key) in paths:
                found[str(here)] = paths["models", side, key]
    return found | {str(path): paths[place] for place, path in entry_paths(loaded)}


def _moved(value: Any, names: Mapping[str, str]) -> Any:
    """``value`` with each text that is one of ``names`` replaced."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: _moved(item, names) for key, item in value.items()}
    return [_moved(item, names) for item in value] if isinstance(value, list) else value
