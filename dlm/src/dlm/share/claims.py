"""``claims.json``: what a pack says of how its version was made and tested, in numbers and digests, without any text.

Most of it stands in other members too, and :func:`derive` reads it there: when the pack is made, and again whenever one
is read, so that no claim can say something else than the files that it is about. What cannot be found there, such as
the verdict of a tester, is the word of whoever made the pack; a signature over the pack covers it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..export.manifest import ExportManifest
from ..learning.report import State
from ..store.encoding import canonical, jsonable
from ..store.layout import VERSIONS, version_name
from ..store.lock_file import LOCK_FILE
from ..store.version import FACTS_FILE, REPORT_FILE
from .exported import is_manifest
from .members import CLAIMS, DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLAIMS_FORMAT: Literal[1] = 1
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, Field(max_length=40)]
Digest = Annotated[str, Field(max_length=80)]
Estimate = tuple[Finite, Finite, Finite]
"""A number, and both ends of its 95% interval."""


class _Part(BaseModel):
    # A newer dlm may claim more; what it claims beyond this is its maker's word.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ClaimedDocument(_Part):
    """The document inside, and the one that was trained."""

    digest: str
    trained: str | None = None
    """Digest of the document that the version was trained from."""


class ClaimedBase(_Part):
    """The base that was trained on."""

    key: str | None = None
    revision: str | None = None
    digest: str | None = None


class ClaimedRecipe(_Part):
    """The numbers of the training."""

    digest: str
    """Of all phases of all adapters."""
    seed: int | None = None


class Counted(_Part):
    """Answers before and after training."""

    asked: Count
    before: Count
    after: Count


class ClaimedFacts(Counted):
    """Right answers to questions about the document."""

    facts: Count
    share: Share
    low: Share
    high: Share


class ClaimedLearning(_Part):
    """The learning report's numbers."""

    state: State
    total: ClaimedFacts | None = None
    general: Counted
    bleed: Counted
    confabulation: Counted


class ClaimedExport(_Part):
    """What an export's certificate says of its parity."""

    folder: str
    version: int
    """Which one was exported."""
    target: str
    quant: str | None = None
    form: str
    certified: str
    effect_kept: Estimate | None = None


class Judged(_Part):
    """The verdict of dlm-sway on one adapter of the version."""

    adapter: str
    """Its name; empty for one without."""
    adapter_sha256: Digest
    conclusion: Word
    outcome: Word
    """Of the gate."""
    score: Finite | None = None
    band: Word = ""
    verdicts: dict[Word, Count] = {}
    """How many probes ended with which."""
    document: Digest | None = None
    """Digest of the document as it was when it was judged."""
    report: Digest
    """Digest of the report's file, which is not inside."""
    sway: Word = ""
    """Version of dlm-sway."""


class Claims(_Part):
    """The whole file."""

    claims_format: int = Field(default=CLAIMS_FORMAT, ge=1)
    dlm_id: str
    version: int
    document: ClaimedDocument
    base: ClaimedBase
    adapters: dict[str, str]
    """SHA-256 of the weights by name; empty for one without."""
    recipe: ClaimedRecipe
    lock: str | None = None
    """Digest of the version's ``dlm.lock``."""
    learning: ClaimedLearning | None = None
    exports: tuple[ClaimedExport, ...] = ()
    judged: Annotated[tuple[Judged, ...], Field(max_length=64)] = ()


class Unclear(Exception):
    """What the members say cannot be claimed, or is not said at all."""


def derive(dlm_id: str, version: int, small: Mapping[str, bytes]) -> Claims:
    """What the members say. ``small`` holds those of :func:`members_of` that there are.

    Raises:
        Unclear: one of them is not what it should be.
    """
    from ..document.identity import digest

    folder = f"store/{VERSIONS}/{version_name(version)}"
    facts = _json(small, f"{folder}/{FACTS_FILE}")
    base = facts.get("base") if isinstance(facts.get("base"), dict) else {}
    lock = small.get(f"{folder}/{LOCK_FILE}")
    try:
        return Claims(
            dlm_id=dlm_id,
            version=version,
            document=ClaimedDocument(digest=digest(small[DOCUMENT].decode()), trained=facts.get("document_digest")),
            base=ClaimedBase.model_validate(base),
            adapters={name: own["adapter_sha256"] for name, own in _adapters(facts).items()},
            recipe=_recipe(facts),
            lock=None if lock is None else sha256(lock),
            learning=learning_of(small.get(f"{folder}/{REPORT_FILE}")),
            exports=tuple(_exports(small)),
        )
    except ValidationError as problem:
        first = problem.errors()[0]
        raise Unclear(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from problem
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise Unclear(f"{type(problem).__name__}: {problem}") from problem


def is_read(name: str, version: int) -> bool:
    """Whether :func:`derive` reads the member ``name``."""
    folder = f"store/{VERSIONS}/{version_name(version)}"
    own = (DOCUMENT, CLAIMS, *(f"{folder}/{file}" for file in (FACTS_FILE, LOCK_FILE, REPORT_FILE)))
    return name in own or is_manifest(name)


def learning_of(report: bytes | None) -> ClaimedLearning | None:
    """The numbers of a learning report.

    Raises:
        Unclear: it is none.
    """
    try:
        return None if report is None else ClaimedLearning.model_validate_json(report)
    except (ValidationError, RecursionError) as problem:
        raise Unclear(f"{REPORT_FILE} is no learning report") from problem


def sha256(data: bytes) -> str:
    """``sha256:...`` of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def dump(claims: Claims) -> bytes:
    """The bytes of ``claims.json``."""
    return canonical(jsonable(claims.model_dump(mode="json"))).encode()


def schema() -> str:
    """Text of ``contracts/pack-claims.schema.json``."""
    described: dict[str, Any] = Claims.model_json_schema()
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


def _json(small: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        found = json.loads(small[name])
    except (KeyError, ValueError, RecursionError) as problem:
        raise Unclear(f"{name} is missing, or no JSON") from problem
    if not isinstance(found, dict):
        raise Unclear(f"{name} is no JSON object")
    return found


def _adapters(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    named = facts.get("adapters")
    return dict(named) if isinstance(named, dict) and named else {"": dict(facts)}


def _recipe(facts: Mapping[str, Any]) -> ClaimedRecipe:
    """Recipes by adapter and phase: a version of several phases has one for each."""
    recipes = {
        name: [phase.get("recipe") for phase in own["phases"]] if own.get("phases") else [own.get("recipe")]
        for name, own in _adapters(facts).items()
    }
    first = next((one for of in recipes.values() for one in of if isinstance(one, dict)), {})
    return ClaimedRecipe(digest=sha256(canonical(recipes).encode()), seed=first.get("seed"))


def _exports(small: Mapping[str, bytes]) -> Iterator[ClaimedExport]:
    for name in sorted(small):
        if not is_manifest(name):
            continue
        export = ExportManifest.model_validate_json(small[name])
        yield ClaimedExport(
            folder=name.split("/")[2],
            version=export.adapter_version,
            target=export.target,
            quant=export.quant,
            form=export.form,
            certified=export.certified,
            effect_kept=(export.certificate or {}).get("effect_kept"),
        )
