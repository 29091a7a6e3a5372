"""A suite for a server on this machine's files: its paths absolute, so that they mean there what they mean here.

Documents stay documents: the server finds the version that was trained last, as a run here would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .paths import SIDES, located
from .source import Place, Source, read

if TYPE_CHECKING:
    from .load import LoadedSuite


def absolute(spec: Path, loaded: LoadedSuite) -> dict[str, Any]:
    """The data of the suite file ``spec``, which was loaded as ``loaded``, with every path in it absolute.

    Raises:
        SpecError: the file cannot be read any more.
    """
    source = read(spec)
    data: dict[str, Any] = source.data
    for place, given in _named(source):
        found = located(given, source)
        # A base that is no path is the name of a model on a hub.
        if found is not None and (place[-1] != "base" or Path(found).is_dir() or "/" in given):
            _put(data, place, found)
    for index, planned in enumerate(loaded.probes):
        for place, path in paths_in(planned.probe.spec, ("suite", index)):
            _put(data, place, str(path))
    return data


def paths_in(value: Any, place: Place) -> Iterator[tuple[Place, Path]]:
    """Every path that a person set in a suite entry's model, and where it stands."""
    if isinstance(value, Path):
        yield place, value
    elif isinstance(value, BaseModel):
        for name in sorted(value.model_fields_set):
            yield from paths_in(getattr(value, name), (*place, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from paths_in(item, (*place, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from paths_in(item, (*place, index))


def _named(source: Source) -> Iterator[tuple[Place, str]]:
    """Models, adapters and the document that the suite names."""
    places: list[Place] = [("models", side, key) for side in SIDES for key in ("base", "adapter")]
    for place in (*places, ("dlm_source",)):
        value = source.data
        for part in place:
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield place, value


def _put(data: Any, place: Place, value: str) -> None:
    for part in place[:-1]:
        data = data[part]
    data[place[-1]] = value
