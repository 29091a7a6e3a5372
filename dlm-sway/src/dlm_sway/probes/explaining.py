"""What a probe asks, how, and what follows, from the probe's own words: its module, its class, its keys.

Nothing about one kind stands here, so a third party's probe is explained as well as it is documented.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticUndefined

from .base import Probe, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..entries import ProbeEntry


@dataclass(frozen=True)
class Key:
    """One key that a suite entry of this kind may have."""

    name: str
    default: str
    """As it would be written; ``required`` where there is none."""
    about: str


@dataclass(frozen=True)
class Explanation:
    """A probe in words. Empty where its author wrote nothing."""

    kind: str
    offered_by: str
    asks: str
    how: str
    judged: str
    category: str
    seeks: str
    needs: tuple[str, ...]
    calibrated: bool
    verdicts: Mapping[str, str]
    keys: tuple[Key, ...]


COMMON: Final = {
    "inconclusive": "The numbers are too few to say. Give it more items (cases, prompts, sections), each about "
    "something else; `mde` in a report is the effect that the items at hand would find four times in five.",
    "skip": "It was not asked: switched off, nothing to ask, or the backend cannot do it. The message says which.",
    "error": "It could not be run, so nothing is known; a gate fails. Repair what the message names.",
}
"""What a verdict means whatever a probe looks for."""

_CHANGE: Final = {
    "pass": "What training was meant to do is there: large enough, and beyond chance.",
    "fail": "It is not there, too small, or no more than chance. Train longer, or on more data; ask the "
    "training questions too, to tell a model that did not learn from one that does not generalise.",
}
_HARM: Final = {
    "pass": "Harm is shown to stay within the margin. That is more than not having seen any.",
    "fail": "Harm beyond the margin, or a broken file; no score makes up for it. Train less (fewer steps, smaller rank "
    "or rate), mix in other data, or repair what the message names; widen the margin only if the harm is acceptable.",
}
_NEITHER: Final = {
    "pass": "As it should be.",
    "fail": "Not as it should be; the message says what is wrong.",
}
_MEANINGS: Final = {"change": _CHANGE, "harm": _HARM, "neither": _NEITHER}


def explain(probe_type: type[Probe[Any]], entry: ProbeEntry, offered_by: str) -> Explanation:
    """The probe in words."""
    module = inspect.getdoc(inspect.getmodule(probe_type)) or ""
    measures = probe_type.measure is not Probe.measure
    return Explanation(
        kind=entry.name,
        offered_by=offered_by,
        asks=_question(module, entry.name) or entry.summary,
        how=" ".join(filter(None, (_words(probe_type), _own(probe_type, "measure")))),
        judged=_own(probe_type, "judge" if measures else "run"),
        category=entry.category,
        seeks=entry.seeks,
        needs=tuple(sorted(entry.needs)),
        calibrated=probe_type.calibrated,
        verdicts={**(_MEANINGS[entry.seeks] if measures else _NEITHER), **COMMON},
        keys=tuple(_keys(probe_type.spec_type)),
    )


def advice(probe: Mapping[str, Any], seeks: str) -> str:
    """What the verdict of a saved entry means; empty for a verdict that nobody here knows."""
    special = _NEITHER if probe["raw"] is None else _MEANINGS.get(probe["seeks"] or seeks, _NEITHER)
    return {**special, **COMMON}.get(probe["verdict"], "")


def entries(result: Mapping[str, Any], probe: str) -> list[dict[str, Any]]:
    """The entries of a saved result that ``probe`` names, by their kind or by their own name."""
    return [one for one in result["probes"] if probe in (one["kind"], one["name"])]


def _question(module: str, kind: str) -> str:
    """The module's first paragraph where it is about this kind, without the kind's name before it."""
    first = " ".join(module.partition("\n\n")[0].split())
    for head in (f"``{kind}``: ", f"``{kind}``, "):
        if first.startswith(head):
            rest = first.removeprefix(head)
            return _plain(rest[:1].upper() + rest[1:])
    return ""


def _words(documented: Any) -> str:
    """A docstring's first paragraph as one line."""
    return _plain(" ".join((documented.__doc__ or "").strip().partition("\n\n")[0].split()))


def _own(probe_type: type[Probe[Any]], method: str) -> str:
    """What the probe says about a method; nothing where it is the interface's own."""
    found = getattr(probe_type, method)
    return "" if found is getattr(Probe, method) else _words(found)


def _plain(text: str) -> str:
    """Without the marks of a docstring."""
    return text.replace("``", "").replace(":class:", "").replace(":func:", "").replace(":meth:", "")


def _keys(spec_type: type[ProbeSpec]) -> list[Key]:
    """The keys beyond those that every entry has, with the sentences under them in the source."""
    about = _sentences(spec_type)
    return [
        Key(name, _default(field), field.description or about.get(name, ""))
        for name, field in spec_type.model_fields.items()
        if name not in ProbeSpec.model_fields
    ]


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return ""
    return "none" if value is None else str(list(value) if isinstance(value, tuple) else value)


def _sentences(spec_type: type[ProbeSpec]) -> dict[str, str]:
    found: dict[str, str] = {}
    for cls in reversed(spec_type.__mro__):
        if issubclass(cls, ProbeSpec) and cls is not ProbeSpec:
            found |= _under_fields(cls)
    return found


def _under_fields(cls: type) -> dict[str, str]:
    """Name -> the string that stands below it in the class."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}  # a class without source on the disk is explained without its sentences
    body: Sequence[ast.stmt] = getattr(tree, "body", [])
    found = {}
    for above, below in pairwise(body):
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                found[above.target.id] = _plain(" ".join(text.split()))
    return found
