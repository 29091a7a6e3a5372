"""What the format knows and this version does not act on. Training stops on it rather than quietly leaving it out.

Keys that cannot change a training result, such as ``export`` and ``training.cache``, are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..bases.quantised import without_quantiser
from ..errors import Finding
from ..training.recipe import QUANTISATIONS
from .routing import misrouted
from .words import RESERVED, InstalledTypes, installing, untrained_word

if TYPE_CHECKING:
    from ..training.recipe import AdapterKind
    from .mapping import Path
    from .model import Document

_WHAT = "this version of dlm does not act on"


def unsupported(document: Document) -> list[Finding]:
    """Every key and section of ``document`` that is valid but that training would ignore, every section for an adapter
    that is not declared, and a gate over adapters that cannot be summed; in the order of the file.

    Sections of weight 0 are not among them: the writer has left them out.
    """
    found = [
        Finding(document.location, *document.places.place(path).key, f"{_WHAT} `{'.'.join(map(str, path))}`", fix)
        for path, fix in _keys(document)
    ]
    types = InstalledTypes()
    wanted = document.frontmatter.training.preference
    left_out = {"preference"} if "enabled" in wanted.model_fields_set and not wanted.enabled else set()
    for section in (section for section in document.sections if section.weight):
        if section.type in RESERVED and section.type not in left_out and not types.trains(section.type):
            found.append(Finding(document.location, section.fence, 1, *untrained_word(section.type)))
    found += (*misrouted(document), *_no_gate(document))
    return sorted(found, key=lambda finding: (finding.line, finding.col))


def _keys(document: Document) -> Iterator[tuple[Path, str]]:
    training = document.frontmatter.training
    remove = "remove it"
    kinds: dict[Path, AdapterKind] = {("training", "adapter"): training.adapter}
    kinds |= {("training", "adapters", name, "adapter"): one.adapter for name, one in (training.adapters or {}).items()}
    for path, kind in kinds.items():
        if kind in QUANTISATIONS and (way_out := without_quantiser(QUANTISATIONS[kind])):
            yield path, way_out
    if training.optimizer != "adamw_torch":
        why = "GaLore is for whole weights" if "galore" in training.optimizer else "8 bits save little on an adapter"
        yield ("training", "optimizer"), f"write `optimizer: adamw_torch`, or remove it: {why}"
    if training.preference.enabled and not InstalledTypes().trains("preference"):
        command = installing("preference")
        yield ("training", "preference", "enabled"), f"install dlm-preference ({command}), or remove it"
    if training.audio.auto_resample:
        yield ("training", "audio", "auto_resample"), remove


def _no_gate(document: Document) -> Iterator[Finding]:
    """A gate sums its adapters, and not all can be."""
    training = document.frontmatter.training
    if not training.gate.enabled:
        return
    held = {QUANTISATIONS.get(one.adapter) for one in (training.adapters or {}).values()}
    path: Path
    if len(held) > 1:
        path, what = ("training", "gate", "enabled"), "a gate cannot sum adapters of 4-bit and of full weights"
        fix = "write `adapter: qlora` for all of them or for none, or remove the gate"
    elif training.cpt.embed_warmup_steps:
        path, what = ("training", "cpt", "embed_warmup_steps"), "a gate cannot sum adapters that hold embeddings"
        fix = "remove it, or remove the gate"
    else:
        return
    yield Finding(document.location, *document.places.place(path).key, what, fix)
