"""What a suite of somebody else may name: files of its pack, models of a hub, and nothing of this machine.

What a suite means, and which of its values are paths, its probes say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from .._plugkit.errors import PluginError
from ..errors import PackError, SpecError
from ..spec.fields import FOLDER, ROOT, Elsewhere
from ..spec.load import leaves
from ..spec.models import ModelSpec, Suite
from ..spec.paths import SIDES
from ..spec.source import read
from .manifest import ADAPTERS, BASE, SECTIONS, SUITE

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager

_HUB_NAME: Final = re.compile(r"\w[\w.:@-]*(/\w[\w.:@-]*)?")
_OUTWARD: Final = re.compile(r"[/\\~]\S*|[A-Za-z]:[/\\]\S*|(\S*[/\\])?\.\.([/\\]\S*)?")
"""Text that would be a path to another place, were it a path."""


def check(pack: Path, folder: Path, manager: PluginManager, *, endpoint: bool) -> None:
    """Whether the suite unpacked in ``folder`` names nothing of the machine that it comes to, nor, unless ``endpoint``,
    a server.

    Raises:
        PackError: it does.
    """
    try:
        suite = Suite.model_validate(read(folder / SUITE).data)
    except (SpecError, ValidationError) as error:
        raise PackError(f"{pack}: its {SUITE} is no suite that sway can read: pack it again") from error
    for given in _outside(suite, folder, manager):
        raise PackError(f"{pack}: refused: its suite names {given!r}, which is no part of the pack")
    asked = {side.endpoint for side in (suite.models.base, suite.models.ft)} - {None}
    if asked and not endpoint:
        what = f"its suite sends questions, and your API key, to {', '.join(map(repr, sorted(map(str, asked))))}"
        raise PackError(f"{pack}: refused: {what}: unpack with --allow-endpoint if you know that server")


def _outside(suite: Suite, folder: Path, manager: PluginManager) -> Iterator[str]:
    """Everything that the suite names and the pack does not hold."""
    for side in SIDES:
        yield from _of_model(getattr(suite.models, side))
    if suite.dlm_source not in (None, f"./{SECTIONS}"):
        yield str(suite.dlm_source)
    for entry in suite.suite:
        yield from _of_entry(entry, folder, manager)


def _of_model(model: ModelSpec) -> Iterator[str]:
    named = _HUB_NAME.fullmatch(model.base) and not model.base.lower().endswith(".dlm")
    if not named and not re.fullmatch(BASE, model.base):
        yield model.base
    if model.adapter is not None and model.adapter not in map(Path, ADAPTERS):
        yield str(model.adapter)
    if model.entry_point is not None:
        yield model.entry_point


def _of_entry(entry: Mapping[str, Any], folder: Path, manager: PluginManager) -> Iterator[str]:
    """Of one entry. Where no installed plugin knows its kind, everything that looks like a path counts as one."""
    try:
        kind = manager.resolve("dlm_sway_probes", str(entry.get("kind"))).spec_type
        spec = kind.model_validate(dict(entry), context={FOLDER: folder, ROOT: folder})
    except PluginError:
        yield from (text for text in _texts(entry) if _OUTWARD.fullmatch(text))
    except ValidationError as error:
        # What else is wrong here, such as a library that is missing, a run will say.
        for one in error.errors():
            given = one["input"]
            cause = one.get("ctx", {}).get("error")
            if isinstance(cause, Elsewhere) or (isinstance(given, str) and _OUTWARD.fullmatch(given)):
                yield str(given)
    else:
        yield from map(str, leaves(spec, folder))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
