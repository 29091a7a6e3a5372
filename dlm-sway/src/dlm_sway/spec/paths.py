"""The models and files a suite names: do they exist, and can an installed backend load them?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._plugkit.errors import PluginError
from ..errors import TargetError
from .faults import unusable
from .fields import inside

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..errors import Fault
    from ..sections import SectionData
    from ..suite.target import ModelPair
    from .source import Place, Source

SIDES = ("base", "ft")
DOCUMENT = ".dlm"
_HUB_ID = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}")
_OWNERS_KEYS = ("endpoint", "entry_point", "trust_remote_code")
"""What only the owner of the machine may set: they name code to run and servers to call."""


def resolve_models(source: Source, manager: PluginManager, found: list[Fault]) -> dict[str, Any]:
    """``models`` with its paths made absolute; adds to ``found`` what cannot be used.

    A key of the wrong type is left alone: the models of the keys have reported it.
    """
    models = source.data.get("models")
    if not isinstance(models, Mapping):
        return {}
    resolved: dict[str, Any] = dict(models)
    documents = Documents(source, manager, found)
    models = _kinds(models, source, manager, found)
    for side in SIDES:
        if isinstance(models.get(side), Mapping):
            spec = dict(models[side])
            documented = documents.stand_for(spec, side)
            resolved[side] = _side(spec, ("models", side), source, manager, found, documented)
    _same_base(resolved, source, found)
    return resolved


def _kinds(models: Mapping[str, Any], source: Source, manager: PluginManager, found: list[Fault]) -> dict[str, Any]:
    """``models`` with each side's kind, where one leaves it to the other; two that differ must be able to meet."""
    sides = {side: models[side] for side in SIDES if isinstance(models.get(side), Mapping)}
    given = {side: spec["kind"] for side, spec in sides.items() if isinstance(spec.get("kind"), str)}
    filled = {side: {"kind": next(iter(given.values()), "hf"), **spec} for side, spec in sides.items()}
    if len(set(given.values())) > 1:
        base, ft = (given[side] for side in SIDES)
        if _differential(source):
            what = f"{base!r} is another kind than models.ft.kind {ft!r}, and an adapter shares its base"
            fix = "name one kind on both sides, or set `defaults.differential: false` to compare two models"
            found.append(source.fault(("models", "base", "kind"), what, fix))
        else:
            found += [fault for side in SIDES if (fault := _not_alone(side, given[side], source, manager))]
    return {**models, **filled}


def _not_alone(side: str, kind: str, source: Source, manager: PluginManager) -> Fault | None:
    try:
        offer = manager.entry("dlm_sway_backends", kind)
    except PluginError:
        return None  # reported with the side
    if getattr(offer.entry, "alone", False):
        return None
    what = f"{kind!r} compares two models of its own kind only"
    return source.fault(("models", side, "kind"), what, "name one kind on both sides")


def _differential(source: Source) -> bool:
    defaults = source.data.get("defaults")
    return defaults.get("differential", True) is True if isinstance(defaults, Mapping) else True


class Documents:
    """Documents in the place of models: a document stands for the base it was trained on and for its current version,
    so that a suite goes on judging what was trained last."""

    def __init__(self, source: Source, manager: PluginManager, found: list[Fault]) -> None:
        self._source, self._manager, self._found = source, manager, found
        self._seen: dict[str, ModelPair | None] = {}

    def stand_for(self, spec: dict[str, Any], side: str) -> frozenset[str]:
        """Put into ``spec`` the model that a document stands for, in the place of its path; the keys that changed."""
        changed = set()
        for key in ("base", "adapter"):
            given = spec.get(key)
            if not isinstance(given, str) or not parted(given)[0].lower().endswith(DOCUMENT):
                continue
            found = located(given, self._source)
            if found is None:
                continue  # reported as any other path that is not there
            if (pair := self._pair(found, ("models", side, key))) is not None:
                spec[key] = pair.ft.base if key == "base" else str(pair.ft.adapter)
                changed.add(key)
        return frozenset(changed)

    def _pair(self, ref: str, place: Place) -> ModelPair | None:
        if ref not in self._seen:
            self._seen[ref] = None
            try:
                target = self._manager.hook.dlm_sway_resolve_target(ref=ref)
            except TargetError as error:
                what, _, fix = str(error).rpartition(": ")
                self._found.append(self._source.fault(place, what or fix, fix))
                return None
            if target is None:
                fix = "pip install 'dlm-sway[dlm]', or name folders"
                self._found.append(self._source.fault(place, "no installed plugin reads documents", fix))
                return None
            self._seen[ref] = target.models
        return self._seen[ref]


def resolve_source(
    source: Source, manager: PluginManager, found: list[Fault]
) -> tuple[Any, tuple[SectionData, ...] | None]:
    """``dlm_source`` as an absolute path, after ``#`` the adapter that it names if any, and the sections in it."""
    from ..section_file import read_sections

    given = source.data.get("dlm_source")
    if not isinstance(given, str):
        return given, None
    path = located(given, source)
    if path is None:
        found.append(source.fault(("dlm_source",), f"no such document: {given}", "correct the path, or remove the key"))
        return given, None
    try:
        return path, read_sections(Path(path), manager)
    except TargetError as error:
        what, _, fix = str(error).rpartition(": ")
        found.append(source.fault(("dlm_source",), what, fix))
        return given, None


def parted(given: str) -> tuple[str, str]:
    """A path, and the adapter that is named after it: ``DOC.dlm#name``. Without one the second is empty."""
    path, mark, name = given.rpartition("#")
    return (path, name) if mark and "/" not in name and path.lower().endswith(DOCUMENT) else (given, "")


def located(given: str, source: Source) -> str | None:
    """``given`` as :func:`locate` finds it, with the adapter that it names."""
    if (whole := locate(given, source)) is not None:
        return str(whole)
    path, name = parted(given)
    found = locate(path, source) if name else None
    return None if found is None else f"{found}#{name}"


def locate(given: str, source: Source) -> Path | None:
    """``given`` as an existing absolute path: ``~`` expanded, counted from the suite's folder, then from the working
    folder. Where ``source`` has a root, only what lies in it is found."""
    if source.root is not None:
        return inside(given, source.root)
    path = Path(given).expanduser()
    for start in (source.folder, Path.cwd()):
        if start is not None and (start / path).exists():
            return (start / path).resolve()
    return None


def _side(
    spec: dict[str, Any],
    place: Place,
    source: Source,
    manager: PluginManager,
    found: list[Fault],
    documented: frozenset[str],
) -> dict[str, Any]:
    """One side with its paths made absolute. Those that a document led to may lie anywhere."""
    if source.root is not None:
        for key in _OWNERS_KEYS:
            if spec.get(key) and not (key == "endpoint" and addressed(spec) in source.endpoints):
                what = f"{key} cannot be set from outside"
                found.append(source.fault((*place, key), what, "remove the key"))
    trusted = replace(source, root=None)
    kind = spec.get("kind", "hf")
    served = files = False
    if isinstance(kind, str):
        try:
            entry = manager.entry("dlm_sway_backends", kind).entry
            served, files = getattr(entry, "served", False), getattr(entry, "adapter_files", False)
        except PluginError as error:
            what, fix = unusable(error, kind, list(manager.offers("dlm_sway_backends")))
            found.append(source.fault((*place, "kind"), what, fix))
    if isinstance(base := spec.get("base"), str) and not served:
        spec["base"] = _base(base, (*place, "base"), trusted if "base" in documented else source, found)
    if isinstance(adapter := spec.get("adapter"), str):
        where = trusted if "adapter" in documented else source
        spec["adapter"] = _adapter(adapter, (*place, "adapter"), where, found, files=files)
    return spec


def addressed(spec: Mapping[str, Any]) -> str | None:
    """The server that a side names, as addresses are compared."""
    found = spec.get("endpoint")
    return found.rstrip("/") if isinstance(found, str) and found else None


def _base(given: str, place: Place, source: Source, found: list[Fault]) -> str:
    """A folder if there is one, or a file that is named by a path; else ``given`` as it is, for the backend to look up
    on a hub. Whether a file will do is the backend's to say."""
    path = locate(given, source)
    if path is not None and (path.is_dir() or "/" in given or source.root is not None):
        return str(path)
    if source.root is not None and (not _HUB_ID.fullmatch(given) or Path(given).exists()):
        what = f"no such folder among those that are served: {given}"
        found.append(source.fault(place, what, "correct the path of the base model; it counts from the served folder"))
        return given
    if given.startswith((".", "/", "~")):
        found.append(source.fault(place, f"no such folder: {given}", "correct the path of the base model"))
    return given


def _adapter(given: str, place: Place, source: Source, found: list[Fault], *, files: bool) -> str:
    path = locate(given, source)
    if path is None and source.root is not None:
        what = f"no such folder among those that are served: {given}"
        found.append(source.fault(place, what, "correct the path; it counts from the served folder"))
        return given
    if path is None:
        looked = " nor in ".join(str(start) for start in (source.folder, Path.cwd()) if start is not None)
        what = f"no such folder: {given} (neither in {looked})" if source.folder else f"no such folder: {given}"
        found.append(source.fault(place, what, "train the adapter, or correct the path"))
        return given
    if not (path.is_dir() or files):
        found.append(source.fault(place, f"{given} is not a folder", "name the folder that holds adapter_config.json"))
    return str(path)


def _same_base(models: dict[str, Any], source: Source, found: list[Fault]) -> None:
    """With one model loaded and the adapter switched, two different bases cannot both be meant."""
    names = [models[side].get("base") if isinstance(models.get(side), Mapping) else None for side in SIDES]
    if _differential(source) and all(isinstance(name, str) for name in names) and names[0] != names[1]:
        what = f"the adapter's base {names[1]!r} is not models.base.base {names[0]!r}"
        fix = "name the same base twice, or set `defaults.differential: false` to compare two models"
        found.append(source.fault(("models", "ft", "base"), what, fix))
