"""Whether the parts of a pack agree: one document, one store, versions whose weights are those that they name.

Digests tell that a pack arrived as it was made; this tells that what was made is a trained document.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from ..bases.contents import WEIGHTS, decides, digest_of, is_settings
from ..errors import BaseModelError, PackInvalid
from ..store.layout import ADAPTERS, VERSIONS, version_name
from ..store.ledger import Ledger
from ..store.manifest import Manifest
from ..store.version import ADAPTER_FILE, FACTS_FILE, REPORT_FILE
from . import claims as claiming
from .describing import require_described
from .exported import contradictions, is_manifest
from .members import BASE, CLAIMS, DOCUMENT, NOT_TOUCHED, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .claims import Claims
    from .manifest import PackManifest

STORY = "store/manifest.json"
POINTER = "store/adapter/current.txt"
LEDGER = "store/replay/ledger.json"
_SMALL = re.compile(rf"{DOCUMENT}|{STORY}|{POINTER}|{LEDGER}|store/{VERSIONS}/v\d+/{FACTS_FILE}".replace(".", r"\."))


class Claimed(NamedTuple):
    """What a pack claims of its version."""

    claims: Claims
    checked: tuple[str, ...]
    """Names of those that its own files say, too."""
    told: tuple[str, ...]
    """Names of those that only its maker says."""


def is_small(name: str, version: int) -> bool:
    """Whether the content of this member is looked into, in a pack whose current version is ``version``."""
    settings = name.startswith(BASE) and is_settings(name.removeprefix(BASE))
    return settings or _SMALL.fullmatch(name) is not None or claiming.is_read(name, version)


def check(place: str, manifest: PackManifest, sums: dict[str, str], small: dict[str, bytes]) -> Claimed | None:
    """See to it that everything in a pack is about one document. ``small`` are the contents of :func:`is_small`; the
    result is ``None`` for a pack that claims nothing.

    Raises:
        PackInvalid: it is not; says what contradicts what.
    """
    for name in (DOCUMENT, STORY, POINTER):
        if name not in small:
            raise PackInvalid(f"{place} has no {name}. {NOT_TOUCHED}")
    _document(place, manifest, small[DOCUMENT])
    _story(place, manifest, small)
    _versions(place, manifest, sums, small)
    _base(place, manifest, sums, small)
    require_described(place, manifest, sums, small, front_value(small[DOCUMENT], "base_model"))
    exports = {name: data for name, data in small.items() if is_manifest(name)}
    # A whole store keeps exports of versions that were removed since.
    of = None if manifest.profile == "full" else manifest.versions
    for what in contradictions(exports, sums, manifest.dlm_id, of):
        raise PackInvalid(f"{place}: {what}. {NOT_TOUCHED}")
    return _claims(place, manifest, small) if CLAIMS in small else None


def _claims(place: str, manifest: PackManifest, small: dict[str, bytes]) -> Claimed:
    """Held against what :func:`.claims.derive` finds in the members."""
    claims = _read_claims(place, small[CLAIMS])
    try:
        found = claiming.derive(manifest.dlm_id, manifest.version, small)
    except claiming.Unclear as problem:
        raise PackInvalid(f"{place}: its claims cannot be checked ({problem}). {NOT_TOUCHED}") from problem
    told = tuple(_told(claims, small))
    checked = tuple(name for name in type(claims).model_fields if name not in (*told, "claims_format", "judged"))
    said, is_ = claims.model_dump(mode="json"), found.model_dump(mode="json")
    for name in checked:
        if said[name] != is_[name]:
            what = f"claims another {name} than its files have ({_short(said[name])}, and not {_short(is_[name])})"
            raise PackInvalid(f"{place} {what}. {NOT_TOUCHED}")
    for one in claims.judged:
        if claims.adapters.get(one.adapter) != one.adapter_sha256:
            raise PackInvalid(f"{place} claims a verdict on another adapter than its own. {NOT_TOUCHED}")
    return Claimed(claims, tuple(name for name in checked if getattr(claims, name)), told)


def _read_claims(place: str, data: bytes) -> Claims:
    try:
        found = claiming.Claims.model_validate_json(data)
    except (ValidationError, RecursionError) as problem:
        raise PackInvalid(f"{place}: its {CLAIMS} cannot be read ({_first(problem)}). {NOT_TOUCHED}") from problem
    if found.claims_format > claiming.CLAIMS_FORMAT:
        raise PackInvalid(f"{place} was made by a newer dlm (claims {found.claims_format}): pip install -U dlm")
    return found


def _told(claims: Claims, small: dict[str, bytes]) -> Iterator[str]:
    """What nothing inside can tell: a verdict, and the numbers of a report that did not travel."""
    if claims.learning is not None and not any(name.endswith(f"/{REPORT_FILE}") for name in small):
        yield "learning"
    if claims.judged:
        yield "judged"


def _short(value: Any) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def front_of(data: bytes) -> dict[str, Any]:
    """The frontmatter of the document that ``data`` is, as it is written; empty when it is none. Sections need not be
    understood here."""
    from ..document.mapping import read_mapping
    from ..document.scan import decode, frame, normalise

    mistakes: list[str] = []

    def report(line: int, col: int, what: str, fix: str) -> None:
        mistakes.append(what)

    text = decode(data, report)
    head = None if text is None else frame(normalise(text), report)[0]
    found = None if head is None or mistakes else read_mapping(head, 2, report)
    return found[0] if found else {}


def front_value(data: bytes, key: str) -> str | None:
    """What :func:`front_of` has under ``key``; ``None`` where that is no text."""
    given = front_of(data).get(key)
    return given if isinstance(given, str) else None


def _document(place: str, manifest: PackManifest, data: bytes) -> None:
    from ..document.identity import digest

    found = front_value(data, "dlm_id")
    if found != manifest.dlm_id:
        said = f"the document says {found!r}" if found else "the document cannot be read"
        raise PackInvalid(f"{place} is of {manifest.dlm_id}, and {said}. {NOT_TOUCHED}")
    if manifest.document.digest not in (None, digest(data.decode())):
        raise PackInvalid(f"{place}: the document is not the one that pack.json describes. {NOT_TOUCHED}")


def _story(place: str, manifest: PackManifest, small: dict[str, bytes]) -> None:
    try:
        story = Manifest.model_validate_json(small[STORY])
        if LEDGER in small:
            Ledger.model_validate_json(small[LEDGER])
    except (ValidationError, RecursionError) as problem:
        raise PackInvalid(f"{place}: its store's manifest or ledger cannot be read ({_first(problem)})") from problem
    if story.dlm_id != manifest.dlm_id:
        raise PackInvalid(f"{place} is of {manifest.dlm_id}, and its store of {story.dlm_id!r}. {NOT_TOUCHED}")
    wanted = f"{VERSIONS}/{version_name(manifest.version)}"
    if small[POINTER].decode("utf-8", "replace").strip() != wanted:
        raise PackInvalid(f"{place}: its current version is not {wanted}, as pack.json says. {NOT_TOUCHED}")
    if manifest.version not in manifest.versions:
        raise PackInvalid(f"{place}: the current version is not among its versions. {NOT_TOUCHED}")


def _versions(place: str, manifest: PackManifest, sums: dict[str, str], small: dict[str, bytes]) -> None:
    there = {name.split("/")[3] for name in sums if name.startswith(f"store/{VERSIONS}/")}
    if there != {version_name(number) for number in manifest.versions}:
        raise PackInvalid(f"{place} holds other versions than pack.json says. {NOT_TOUCHED}")
    for number in manifest.versions:
        folder = f"store/{VERSIONS}/{version_name(number)}"
        facts = _facts(place, small.get(f"{folder}/{FACTS_FILE}"))
        adapters = facts.get("adapters") or {"": facts}
        if not isinstance(adapters, dict) or not all(isinstance(one, dict) for one in adapters.values()):
            raise PackInvalid(f"{place}: {version_name(number)} names no adapters. {NOT_TOUCHED}")
        for name, own in adapters.items():
            file = f"{folder}/{ADAPTERS}/{name}/{ADAPTER_FILE}" if name else f"{folder}/{ADAPTER_FILE}"
            if sums.get(file) is None or sums[file] != own.get("adapter_sha256"):
                raise PackInvalid(f"{place}: {file} is not the adapter that its version was made with. {NOT_TOUCHED}")


def _base(place: str, manifest: PackManifest, sums: dict[str, str], small: dict[str, bytes]) -> None:
    """The base inside is the one that the current version was trained on."""
    files = {name.removeprefix(BASE): digest for name, digest in sums.items() if name.startswith(BASE)}
    if bool(files) != manifest.base.included:
        raise PackInvalid(f"{place}: pack.json does not say whether the base is inside. {NOT_TOUCHED}")
    facts = _facts(place, small.get(f"store/{VERSIONS}/{version_name(manifest.version)}/{FACTS_FILE}"))
    trained = facts.get("base")
    if isinstance(trained, dict) and trained.get("digest") not in (None, manifest.base.digest):
        raise PackInvalid(f"{place}: its version was trained on another base than pack.json says. {NOT_TOUCHED}")
    if not files:
        return
    if not {"config.json", "tokenizer.json"} <= set(files) or not any(name.endswith(WEIGHTS) for name in files):
        raise PackInvalid(f"{place}: the base in it lacks its weights, settings or tokenizer. {NOT_TOUCHED}")
    deciding = {name: digest for name, digest in files.items() if decides(name)}
    try:
        found = digest_of(deciding, lambda name: small[BASE + name], BASE.rstrip("/"))
    except (BaseModelError, RecursionError, ValueError) as problem:
        raise PackInvalid(f"{place}: the base in it has settings that cannot be read. {NOT_TOUCHED}") from problem
    if found != manifest.base.digest:
        raise PackInvalid(f"{place}: the base in it is not the one that its version was trained on. {NOT_TOUCHED}")


def _facts(place: str, data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"", parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not _workable(found):
        raise PackInvalid(f"{place}: a version in it does not say how it was made. {NOT_TOUCHED}")
    return found


def _workable(facts: dict[str, Any]) -> bool:
    """Whether what a store goes by is of the kind that it takes it for."""
    sections = facts.get("section_ids") or []
    listed = isinstance(sections, list) and all(isinstance(one, str) for one in sections)
    parts = all(isinstance(facts.get(key) or {}, dict) for key in ("base", "outcome", "plan", "recipe", "versions"))
    return listed and parts and type(facts.get("run_id", 1)) is int and _moment(facts.get("created_at"))


def _moment(text: Any) -> bool:
    try:
        return text is None or datetime.fromisoformat(text) is not None
    except (ValueError, TypeError):
        return False


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _first(problem: Exception) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem).splitlines()[0]
    first = problem.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{shown(where)}: {first['msg']}" if where else str(first["msg"])
