"""A suite for a server on this machine's files: its paths absolute, so that they mean there what they mean here.

Documents stay documents: the server finds the version that was trained last, as a run here would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    for place, path in entry_paths(loaded):
        _put(data, place, str(path))
    return data


def entry_paths(loaded: LoadedSuite) -> Iterator[tuple[Place, Path]]:
    """Every path that a person wrote in an entry, and where it stands."""
    starts = (Path(loaded.source).resolve().parent, Path.cwd())
    for index, planned in enumerate(loaded.probes):
        yield from _paths(planned.probe.spec, loaded.suite.suite[index], ("suite", index), starts)


def _paths(value: Any, given: Any, place: Place, starts: Sequence[Path]) -> Iterator[tuple[Place, Path]]:
    """Paths in ``value``, which an entry's model made of ``given``."""
    if isinstance(value, Path):
        yield place, value
    elif isinstance(value, str):
        if isinstance(given, str) and _became_path(value, given, starts):
            yield place, Path(value)
    elif isinstance(value, BaseModel):
        for name in sorted(value.model_fields_set):
            yield from _paths(getattr(value, name), _part(given, name), (*place, name), starts)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _paths(item, _part(given, key), (*place, key), starts)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _paths(item, _part(given, index), (*place, index), starts)


def _became_path(value: str, given: str, starts: Sequence[Path]) -> bool:
    """Whether a key that takes a name as well as a folder found the folder ``value`` for ``given``."""
    if value == given or not Path(value).is_absolute():
        return False
    return any((start / Path(given).expanduser()).resolve() == Path(value) for start in starts)


def _part(given: Any, key: Any) -> Any:
    try:
        return given[key]
    except (TypeError, LookupError):
        return None


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
