"""Sections as a JSON file (contracts/sway-sections.schema.json): a document can be judged where its tool is not.

Reading a document itself is a plugin's work: the hook ``dlm_sway_read_sections``. Both ways of ``dlm_source`` start at
:func:`read_sections`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import TargetError
from .scoring.types import Item
from .sections import Kind, SectionData, SectionPair, SectionPreference

if TYPE_CHECKING:
    from ._plugkit.plugins import PluginManager

SCHEMA_VERSION: Final = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PairEntry(_Strict):
    """One answer and every wording of its question."""

    questions: tuple[str, ...] = Field(min_length=1)
    answer: str
    probe: bool = False
    group: str = ""


class PreferenceEntry(_Strict):
    """A better and a worse answer to one prompt."""

    prompt: str
    chosen: str
    rejected: str


class ItemEntry(_Strict):
    """A question that training never saw."""

    prompt: str
    reference: str = ""
    group: str = ""


class SectionEntry(_Strict):
    """One section."""

    id: str
    kind: Kind
    text: str
    tag: str | None = None
    headings: tuple[str, ...] = ()
    pairs: tuple[PairEntry, ...] = ()
    preferences: tuple[PreferenceEntry, ...] = ()
    held_out: tuple[ItemEntry, ...] = ()
    reversed: tuple[ItemEntry, ...] = ()
    """Held-out questions asked backwards."""


class SectionFile(_Strict):
    """A whole file."""

    schema_version: Literal[1] = SCHEMA_VERSION
    document: str = ""
    """Name of the document, for people."""
    document_digest: str | None = None
    sections: tuple[SectionEntry, ...]


def read_sections(path: Path, manager: PluginManager) -> tuple[SectionData, ...]:
    """The sections in ``path``: a file of this format, or a document that a plugin can read.

    Raises:
        TargetError: nobody can read it, or it holds mistakes.
    """
    found: Sequence[SectionData] | None = manager.hook.dlm_sway_read_sections(path=path)
    if found is None:
        raise TargetError(f"{path}: no installed plugin reads this kind of document: pip install 'dlm-sway[dlm]'")
    return tuple(found)


def load(path: Path) -> tuple[SectionData, ...]:
    """The sections in the JSON file ``path``.

    Raises:
        TargetError: it cannot be read, or does not follow the schema.
    """
    try:
        data = SectionFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}: check the path of the section file") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise TargetError(
            f"{path}: {place}: {first['msg']}: write the file again with the tool it came from"
        ) from error
    return tuple(_section(entry) for entry in data.sections)


def dump(sections: Sequence[SectionData], document: str, digest: str | None = None) -> str:
    """``sections`` as the text of such a file."""
    entries = [_entry(section) for section in sections]
    data = SectionFile(document=document, document_digest=digest, sections=tuple(entries))
    return json.dumps(data.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the file; ``python -m dlm_sway.section_file`` prints the published copy."""
    found = SectionFile.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "The sections of a document, as sway's probes see them, version 1"
    return found


def _section(entry: SectionEntry) -> SectionData:
    return SectionData(
        entry.id,
        entry.kind,
        entry.text,
        entry.tag,
        entry.headings,
        tuple(SectionPair(pair.questions, pair.answer, pair.probe, pair.group) for pair in entry.pairs),
        tuple(SectionPreference(one.prompt, one.chosen, one.rejected) for one in entry.preferences),
        tuple(Item(item.prompt, item.reference, item.group) for item in entry.held_out),
        tuple(Item(item.prompt, item.reference, item.group) for item in entry.reversed),
    )


def _entry(section: SectionData) -> SectionEntry:
    return SectionEntry(
        id=section.id,
        kind=section.kind,
        text=section.text,
        tag=section.tag,
        headings=section.headings,
        pairs=tuple(PairEntry(**pair._asdict()) for pair in section.pairs),
        preferences=tuple(PreferenceEntry(**one._asdict()) for one in section.preferences),
        held_out=tuple(ItemEntry(prompt=i.prompt, reference=i.reference, group=i.group) for i in section.held_out),
        reversed=tuple(ItemEntry(prompt=i.prompt, reference=i.reference, group=i.group) for i in section.reversed),
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(json.dumps(schema(), indent=2, sort_keys=True) + "\n")
