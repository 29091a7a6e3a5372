"""What is taken out of a store's files before they are shared: where things lay, who agreed to what, and every text
that the document itself does not say.

The document is never changed: what it says that should not travel is an error, see :mod:`.secrets`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..store.ledger import Ledger

if TYPE_CHECKING:
    from ..store.manifest import Manifest
    from ..store.version import Version

_WHOLE = re.compile(r"(?:(?:path:|folder )?)(?:~?/(?!/)|~?\\|[A-Za-z]:[\\/])")
_WITHIN = re.compile(r"(?<![\w/.<:])(?:~?/[\w.~+@-]+(?:/[^\s\"'<>|,;:]*)?|[A-Za-z]:\\[^\s\"'<>|,;]*)")
_KEPT_RUN = frozenset(
    (
        *("run_id", "started_at", "ended_at", "status", "adapter_version", "adapter_name", "base_model"),
        *("base_model_revision", "document_digest", "seed", "steps", "final_train_loss", "final_val_loss"),
        *("pinned_versions", "weight_distribution"),
    )
)


def without_paths(value: Any) -> Any:
    """``value``, plain data, with the last part alone of every absolute path in it."""
    if isinstance(value, str):
        return _last(value)
    if isinstance(value, dict):
        return {_last(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return value


def _last(text: str) -> str:
    if found := _WHOLE.match(text):
        begin = found[0].rstrip("~/\\")
        begin = "" if re.fullmatch(r"[A-Za-z]:", begin) else begin
        return begin + re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    return _WITHIN.sub(lambda match: re.split(r"[/\\]", match[0].rstrip("/\\"))[-1], text)


def version_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """``version.json`` for others."""
    return without_paths({key: value for key, value in facts.items() if key != "source_path"})  # type: ignore[no-any-return]


def lock_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """``dlm.lock`` for others: without the names of the sources' files, and without who agreed to a licence."""
    return without_paths({**facts, "sources": {}, "license_acceptance": None})  # type: ignore[no-any-return]


def manifest_facts(manifest: Manifest, version: Version, exports: tuple[str, ...]) -> dict[str, Any]:
    """``manifest.json`` for others: the one run that made ``version``, and the ``exports`` that travel, by folder."""
    plain = manifest.model_dump(mode="json")
    made = [run for run in plain["training_runs"] if run["run_id"] == version.facts.get("run_id")]
    return without_paths(  # type: ignore[no-any-return]
        {
            **plain,
            "source_path": None,
            "license_acceptance": None,
            "training_runs": [{key: run[key] for key in run if key in _KEPT_RUN} for run in made],
            "exports": [entry for entry in plain["exports"] if entry.get("folder") in exports],
        }
    )


def ledger_of(ledger: Ledger, section_ids: frozenset[str]) -> Ledger:
    """``ledger`` with the sections of the document alone, without any text, and without traces of what is gone."""
    entries = [entry for entry in ledger.entries if entry.id in section_ids and entry.kept is None and not entry.origin]
    return ledger.model_copy(
        update={
            "entries": tuple(entry.model_copy(update={"text": None, "prior": ()}) for entry in entries),
            "tombstones": (),
            "before": tuple(one for one in ledger.before if one in section_ids),
        }
    )


def report_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """A learning report for others: without the questions that its user brought along."""
    items = [item for item in facts.get("items", ()) if item.get("source") != "user"]
    own = {item["question"] for item in facts.get("items", ()) if item.get("source") == "user"}
    kept = {
        name: [one for one in facts.get(name, ()) if one.get("question") not in own]
        for name in ("not_learned", "not_asked")
    }
    return without_paths({**facts, "items": items, **kept})  # type: ignore[no-any-return]
