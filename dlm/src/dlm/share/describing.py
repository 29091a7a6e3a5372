"""Whether a pack is what ``pack.json`` says to people: its profile, its versions, its adapters, its exports, its base.

``dlm verify`` prints these lines, and the hub keeps packs of the profile ``full`` from the public by one of them. So
none may say something else than the members do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import PackInvalid
from ..store.layout import VERSIONS, version_name
from ..store.version import FACTS_FILE
from .exported import EXPORTS
from .members import NOT_TOUCHED, PACK, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .manifest import PackManifest

_OWN_EYES = ("store/logs/", "store/trackers/", "store/augmented/")
"""Folders that only the profile ``full`` takes along."""
_HEARD = "/heard.bin"
_STUB_LACKS = ("store/replay/", EXPORTS)
"""What goes with a document's text, and so not with ``adapter-only``."""


def require_described(
    place: str, manifest: PackManifest, members: Collection[str], small: Mapping[str, bytes], base_model: str | None
) -> None:
    """See to it that ``manifest`` describes the pack whose ``members`` these are, and whose document has that
    ``base_model``.

    Raises:
        PackInvalid: it does not; says in what.
    """
    facts = json.loads(small[f"store/{VERSIONS}/{version_name(manifest.version)}/{FACTS_FILE}"])
    for what in (
        *_profile(manifest, members),
        *_versions(manifest),
        *_adapters(manifest, facts),
        *_exports(manifest, members),
        *_base(manifest, facts, base_model),
    ):
        raise PackInvalid(f"{place}: {PACK} says {what}. {NOT_TOUCHED}")


def _profile(manifest: PackManifest, members: Collection[str]) -> Iterator[str]:
    profile = manifest.profile
    if manifest.document.whole == (profile == "adapter-only"):
        yield f"that its profile is {profile}, and of the document another part than that"
    if profile == "full":
        return
    if manifest.versions != (manifest.version,):
        yield f"that its profile is {profile}, and it holds more than the current version"
    kept = _OWN_EYES + (_STUB_LACKS if profile == "adapter-only" else ())
    for name in members:
        if name.startswith(kept) or name.endswith(_HEARD):
            yield f"that its profile is {profile}, which takes no {shown(name)} along"


def _versions(manifest: PackManifest) -> Iterator[str]:
    if list(manifest.versions) != sorted(set(manifest.versions)):
        yield "a version twice, or out of order"


def _adapters(manifest: PackManifest, facts: Mapping[str, Any]) -> Iterator[str]:
    own = facts.get("adapters") or {}
    if not all(type(one.get("number")) is int for one in own.values()):
        yield "which adapters there are, and its version does not say in which order"
    elif list(manifest.adapters) != sorted(own, key=lambda name: (own[name]["number"], name)):
        yield f"{_listed(manifest.adapters)} of its adapters, and its version has {_listed(own)}"


def _exports(manifest: PackManifest, members: Collection[str]) -> Iterator[str]:
    there = {name.split("/")[2] for name in members if name.startswith(EXPORTS)}
    if sorted(manifest.exports) != sorted(there):
        yield f"{_listed(manifest.exports)} of its exports, and it holds {_listed(sorted(there))}"


def _base(manifest: PackManifest, facts: Mapping[str, Any], base_model: str | None) -> Iterator[str]:
    said, found = manifest.base, facts.get("base")
    trained = found if isinstance(found, dict) else {}
    if said.key not in (base_model, trained.get("key")):
        yield f"that its base is {shown(str(said.key))}, and neither its document nor its version does"
    if said.revision != trained.get("revision"):
        yield "another revision of its base than its version"
    if not said.included and (said.licence, said.licensee, said.origin) != (None, None, None):
        yield "under which terms its base may be passed on, and holds none"


def _listed(names: Collection[str]) -> str:
    return shown(", ".join(names) or "none")
