"""From a suite file, or a suite made in code, to probes that are ready to run. Finds every mistake before it stops."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from .._plugkit.errors import PluginError
from ..errors import Fault, SpecError
from .faults import faults, unusable
from .fields import FOLDER, ROOT
from .models import Suite
from .paths import resolve_models, resolve_source
from .source import Source, kind_of, read

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..entries import ProbeEntry
    from ..probes.base import Probe
    from ..sections import SectionData


class PlannedProbe(NamedTuple):
    """One suite entry: the probe, and the registration that says what it needs and seeks."""

    entry: ProbeEntry
    source: str
    """``distribution version`` that offers it."""
    probe: Probe[Any]


@dataclass(frozen=True)
class LoadedSuite:
    """A suite without mistakes."""

    suite: Suite
    """Paths in it are resolved."""
    probes: tuple[PlannedProbe, ...]
    source: str
    digest: str
    sections: tuple[SectionData, ...] | None = None
    """What ``dlm_source`` holds; ``None`` without it."""
    notes: tuple[str, ...] = ()
    """What the file asks for that changes nothing, for people to read."""


def load(path: Path, manager: PluginManager) -> LoadedSuite:
    """The suite in the file ``path``.

    Raises:
        SpecError: with every mistake in the file.
    """
    return _load(read(path), manager)


def plan(suite: Suite, manager: PluginManager, name: str) -> LoadedSuite:
    """A suite made in code, checked like a file. Relative paths count from the working folder.

    Raises:
        SpecError: with every mistake; lines are 0.
    """
    digest = _digest(suite.model_dump(mode="json"))
    # Only what the author set: defaults are not requests that deserve a note.
    return _load(Source(name, suite.model_dump(mode="json", exclude_unset=True), digest=digest), manager)


def received(
    data: Mapping[str, Any],
    manager: PluginManager,
    name: str,
    root: Path,
    endpoints: frozenset[str] = frozenset(),
) -> LoadedSuite:
    """A suite of somebody who may name nothing but what lies in ``root``, no code, and no server but ``endpoints``.

    Paths count from ``root``. A ``.dlm`` document in it may lead to a model that lies elsewhere.

    Raises:
        SpecError: with every mistake; lines are 0.
    """
    loaded = _load(Source(name, dict(data), digest=_digest(data), root=root, endpoints=endpoints), manager)
    # A plugin's key may be a plain path, which no validation has held against the root.
    at = [index for index, planned in enumerate(loaded.probes) if any(leaves(planned.probe.spec, root))]
    if at:
        source = Source(name, data)
        fix = "name something in the served folder"
        raise SpecError([source.fault(("suite", index), "a path leads out of what is served", fix) for index in at])
    return loaded


def _digest(data: Any) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def leaves(value: Any, root: Path) -> Iterator[Path]:
    """The paths in a suite entry's model that do not lie in ``root``."""
    if isinstance(value, Path):
        if not value.resolve().is_relative_to(root.resolve()):
            yield value
    elif isinstance(value, BaseModel):
        for name in sorted(value.model_fields_set):  # defaults are the plugin's
            yield from leaves(getattr(value, name), root)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item, root)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from leaves(item, root)


def _load(source: Source, manager: PluginManager) -> LoadedSuite:
    found: list[Fault] = []
    suite = None
    try:
        suite = Suite.model_validate(source.data)
    except ValidationError as error:
        found += faults(error, Suite, source)
    entries = source.data.get("suite")
    planned = list(_entries(entries if isinstance(entries, (list, tuple)) else [], source, manager, found))
    models = resolve_models(source, manager, found)
    document, sections = resolve_source(source, manager, found)
    if found or suite is None:
        raise SpecError(sorted(set(found), key=lambda fault: (fault.line, fault.where, fault.what)))
    suite = Suite.model_validate({**source.data, "models": models, "dlm_source": document})
    return LoadedSuite(suite, tuple(planned), source.name, source.digest, sections, tuple(_notes(suite)))


def _entries(entries: Any, source: Source, manager: PluginManager, found: list[Fault]) -> Iterator[PlannedProbe]:
    if not entries and not any(fault.where.startswith("suite") for fault in found):
        found.append(source.fault(("suite",), "no probe to run", "add at least one entry under `suite:`"))
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            continue  # reported with the root's keys
        if (planned := _entry(index, entry, source, manager, found)) is None:
            continue
        name = planned.probe.spec.name
        if name in seen:
            what = f"the name {name!r} is taken by suite[{seen[name]}] on line {source.line(('suite', seen[name]))}"
            found.append(source.fault(("suite", index, "name"), what, "give each entry a name of its own"))
        seen.setdefault(name, index)
        yield planned
    found += _too_many_nulls(entries, source)


def _entry(
    index: int, entry: Mapping[str, Any], source: Source, manager: PluginManager, found: list[Fault]
) -> PlannedProbe | None:
    place = ("suite", index)
    kind = entry.get("kind")
    if not isinstance(kind, str):
        what = "required, but not there" if "kind" not in entry else f"expected text, got {kind_of(kind)}"
        found.append(source.fault((*place, "kind"), what, "name a probe; `sway list-probes` shows them"))
        return None
    try:
        offer = manager.entry("dlm_sway_probes", kind)
        probe_type = manager.resolve("dlm_sway_probes", kind)
    except PluginError as error:
        found.append(source.fault((*place, "kind"), *unusable(error, kind, list(manager.offers("dlm_sway_probes")))))
        return None
    try:
        spec = probe_type.spec_type.model_validate(dict(entry), context={FOLDER: source.folder, ROOT: source.root})
    except ValidationError as error:
        found += faults(error, probe_type.spec_type, source, place)
        return None
    return PlannedProbe(offer.entry, offer.source, probe_type(spec))  # type: ignore[arg-type]


def _too_many_nulls(entries: Any, source: Source) -> list[Fault]:
    at = [
        index
        for index, entry in enumerate(entries)
        if isinstance(entry, Mapping) and entry.get("kind") == "null_adapter" and entry.get("enabled", True) is True
    ]
    what = "a second null_adapter entry: it is unclear which one calibrates"
    return [source.fault(("suite", index), what, "keep one, or set `enabled: false` on the others") for index in at[1:]]


def _notes(suite: Suite) -> Iterator[str]:
    given = suite.defaults.model_fields_set
    # A served model shows only its likeliest tokens, so there the number counts.
    if "top_k" in given and suite.models.ft.endpoint is None:
        yield "defaults.top_k changes nothing: divergences are computed over the whole vocabulary"
    if suite.defaults.concurrent_probes > 1:
        yield "defaults.concurrent_probes changes nothing: probes run one after another and batch their own work"
