"""What the format knows and this version does not act on. Training stops on it rather than quietly leaving it out.

Keys that cannot change a training result, such as ``export`` and ``training.cache``, are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import Finding
from .words import RESERVED, InstalledTypes, installing, untrained_word

if TYPE_CHECKING:
    from .mapping import Path
    from .model import Document

_WHAT = "this version of dlm does not act on"


def unsupported(document: Document) -> list[Finding]:
    """Every key and section of ``document`` that is valid but that training would ignore, in the order of the file.

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
        if section.adapter is not None:
            what = f"{_WHAT} sections of an adapter of their own (#{section.adapter})"
            col = len(section.type) + 3
            fix = f"write the fence without #{section.adapter}: all sections train one adapter"
            found.append(Finding(document.location, section.fence, col, what, fix))
    return sorted(found, key=lambda finding: (finding.line, finding.col))


def _keys(document: Document) -> Iterator[tuple[Path, str]]:
    training = document.frontmatter.training
    remove = "remove it"
    if training.adapter != "lora":
        yield ("training", "adapter"), f"`{training.adapter}` is not trained yet: write `adapter: lora`, or remove it"
    if training.optimizer != "adamw_torch":
        yield ("training", "optimizer"), "write `optimizer: adamw_torch`, or remove it"
    if training.adapters:
        yield ("training", "adapters"), "remove it: all sections train one adapter"
    if training.gate.enabled:
        yield ("training", "gate", "enabled"), remove
    if training.cpt.schedule not in ("auto", "sft"):
        yield ("training", "cpt", "schedule"), "write `schedule: auto`, or remove it"
    if training.cpt.embed_warmup_steps:
        yield ("training", "cpt", "embed_warmup_steps"), remove
    if training.preference.enabled and not InstalledTypes().trains("preference"):
        command = installing("preference")
        yield ("training", "preference", "enabled"), f"install dlm-preference ({command}), or remove it"
    if training.audio.auto_resample:
        yield ("training", "audio", "auto_resample"), remove
