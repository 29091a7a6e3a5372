"""``sway autogen``: a suite written from what there is to test, for people to read, change and keep.

Each plugin drafts the entries of its own probes; here they are checked, put in order and written down.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from .._plugkit.errors import PluginError
from ..errors import SwayError
from .provenance import own_version

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..drafts import Draft
    from .target import Target

_WIDTH: Final = 100_000
"""A question stays on its line, however long: folded text is hard to edit."""
_ABOUT: Final = (
    "This file says what training must achieve: check it in, change its thresholds, add entries.",
    "Drafting again replaces it. `sway gate` runs it and turns its verdicts into an exit code.",
)


@dataclass(frozen=True)
class Elsewhere:
    """What was trained, in files of another kind than the target's own: an export of it, say."""

    models: Mapping[str, Mapping[str, str]]
    """``models`` of the suite: ``base`` and ``ft``; an ``ft`` without an adapter is a whole model."""
    name: str
    """Of those files, for the suite's head."""
    sections: str | None = None
    """A file beside the suite that holds what was taught, instead of the document."""


def autogen(ref: str, out: Path, manager: PluginManager) -> str:
    """The text of a suite for ``ref``, to be written to ``out``: paths in it count from there.

    Raises:
        TargetError: ``ref`` cannot be resolved, or was not trained yet.
        SwayError: nobody drafts an entry for it.
    """
    from .check import resolve

    return suite_for(resolve(ref, manager), f"sway autogen {Path(ref).name}", out, manager)


def suite_for(target: Target, by: str, out: Path, manager: PluginManager, elsewhere: Elsewhere | None = None) -> str:
    """As :func:`autogen`; ``by`` is the command that asked for it.

    With ``elsewhere`` the same is asked of other files that hold the target. Probes that call what their backend does
    not give are left out with the reason.

    Raises:
        SwayError: nobody drafts an entry for it.
        UnknownName: no installed plugin offers the backend of ``elsewhere``.
    """
    drafts = sorted(drafted(target, manager), key=lambda draft: (draft.order, draft.name))
    if elsewhere is not None:
        drafts = list(_askable(drafts, elsewhere.models["ft"]["kind"], manager))
    entries = [draft for draft in drafts if draft.keys or not draft.missing]
    if not entries:
        raise SwayError(f"{target.name}: no installed plugin drafts an entry for it: pip install dlm-sway-probes")
    shared = {"models": _models(target, out), **_shared(target, out)}
    if elsewhere is not None:
        target = replace(target, name=f"{target.name}, {elsewhere.name}")
        shared["models"] = {side: dict(spec) for side, spec in elsewhere.models.items()}
        shared |= {"dlm_source": elsewhere.sections} if elsewhere.sections else {}
        if "adapter" not in elsewhere.models["ft"]:
            shared["defaults"]["differential"] = False
    parts = [*_head(target, by, [draft for draft in drafts if draft not in entries], manager)]
    parts.append(_yaml({"version": 1, **shared}))
    parts.append("suite:\n")
    parts += [_entry(draft) for draft in entries]
    return "".join(parts)


def drafted(target: Target, manager: PluginManager) -> Iterator[Draft]:
    """Every plugin's drafts; one whose own keys are refused is left out with the reason."""
    for drafts in manager.hook.dlm_sway_draft_suite(target=target):
        for draft in drafts:
            fault = _fault(draft, manager) if draft.keys or not draft.missing else ""
            yield replace(draft, keys={}, missing=fault) if fault else draft


def _fault(draft: Draft, manager: PluginManager) -> str:
    try:
        probe = manager.resolve("dlm_sway_probes", draft.kind)
        probe.spec_type.model_validate({"name": draft.name, "kind": draft.kind, **draft.keys})
    except PluginError as error:
        return str(error).splitlines()[0]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"its draft is refused: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return ""


def _askable(drafts: Iterable[Draft], backend: str, manager: PluginManager) -> Iterator[Draft]:
    """``drafts``, those without keys whose probe calls what ``backend`` does not give."""
    gives: frozenset[str] = getattr(manager.entry("dlm_sway_backends", backend).entry, "gives", frozenset())
    for draft in drafts:
        lacks = sorted(_needs(draft.kind, manager) - gives)
        reason = f"the backend {backend} does not give {', '.join(lacks)}"
        yield replace(draft, keys={}, missing=reason) if lacks else draft


def _needs(kind: str, manager: PluginManager) -> frozenset[str]:
    """What the probe calls; nothing for one that nobody offers, which has been reported."""
    offers = manager.offers("dlm_sway_probes").get(kind, ())
    return frozenset().union(*(getattr(offer.entry, "needs", frozenset()) for offer in offers))


def _head(target: Target, by: str, left_out: Sequence[Draft], manager: PluginManager) -> Iterator[str]:
    facts = target.provenance
    yield f"# Drafted by `{by}`, sway {own_version()}.\n#\n"
    rows = {
        "tests": target.name,
        "document": facts.get("document_digest"),
        "dlm_id": facts.get("dlm_id"),
        "base": facts.get("base") or target.models.base.base,
    }
    yield from (f"# {key + ':':<9} {value}\n" for key, value in rows.items() if value)
    yield "#\n"
    yield from (f"# {line}\n" for line in _ABOUT)
    lines = [f"# skipped: {draft.kind} ({draft.missing})\n" for draft in left_out]
    lines += [f"# skipped: {kind} (not installed: {how})\n" for kind, how in _absent(left_out, manager)]
    if lines:
        yield f"#\n# Probes left out: {len(lines)}\n"
        yield from lines


def _absent(left_out: Iterable[Draft], manager: PluginManager) -> list[tuple[str, str]]:
    """Probes that first-party plugins offer and nobody here does, with the command that installs each."""
    from .._known import INSTALLS

    offered = {*manager.offers("dlm_sway_probes"), *(draft.kind for draft in left_out)}
    return [(name, how) for (hook, name), how in INSTALLS.items() if hook == "dlm_sway_probes" and name not in offered]


def _models(target: Target, out: Path) -> dict[str, Any]:
    """Both sides; a document stands for its own base and its current version, so that training again moves both."""
    pair = target.models
    if target.document is not None:
        document = _document(target, target.document, out)
        return {
            "base": {"kind": pair.base.kind, "base": document},
            "ft": {"kind": pair.ft.kind, "base": document, "adapter": document},
        }
    ft = {"kind": pair.ft.kind, "base": pair.ft.base}
    if pair.ft.adapter is not None:
        ft["adapter"] = _path(pair.ft.adapter, out)
    return {"base": {"kind": pair.base.kind, "base": pair.base.base}, "ft": ft}


def _shared(target: Target, out: Path) -> dict[str, Any]:
    defaults: dict[str, Any] = {"seed": 0, "alpha": 0.05, "multiplicity": "holm"}
    if not target.models.differential:
        defaults["differential"] = False
    if target.system_prompt is not None:
        defaults["system_prompt"] = target.system_prompt
    found: dict[str, Any] = {"defaults": defaults}
    if target.document is not None:
        found["dlm_source"] = _document(target, target.document, out)
    return found


def _document(target: Target, document: Path, out: Path) -> str:
    """The document from the folder of ``out``, with the adapter that is tested where it has several."""
    adapter = target.provenance.get("adapter")
    return _path(document, out) + (f"#{adapter}" if adapter else "")


def _path(path: Path, out: Path) -> str:
    """``path`` from the folder of ``out`` when it lies below, so that both can move together; else absolute."""
    path, folder = path.resolve(), out.resolve().parent
    return f"./{path.relative_to(folder).as_posix()}" if path.is_relative_to(folder) else str(path)


def _entry(draft: Draft) -> str:
    data: dict[str, Any] = {"name": draft.name, "kind": draft.kind}
    comments = [draft.intent] if draft.intent else []
    if draft.missing:
        data["enabled"] = False
        comments.append(f"Disabled: {draft.missing}.")
    notes = "".join(f"\n  # {line}" for line in comments)
    text = _yaml([{**data, **draft.keys}])
    return f"{notes}\n" + "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def _yaml(data: Any) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4 if isinstance(data, dict) else 2, offset=2 if isinstance(data, dict) else 0)
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
