"""A ``.dlm`` document as something sway can test: its trained model, and the questions it keeps for judging."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm._plugkit.errors import PluginError
from dlm.errors import DlmError
from dlm_sway.errors import TargetError

if TYPE_CHECKING:
    from dlm.bases import LocalBase
    from dlm.corpus.records import Record, StudySet
    from dlm.document import Document
    from dlm.store import Version
    from dlm.training.material import Material
    from dlm_sway.suite.target import ModelPair, Target

DOCUMENT = ".dlm"


class Learned(NamedTuple):
    """One adapter of a version, and the document as it was trained from it."""

    document: Document
    version: Version
    """Its facts are those of the adapter."""
    folder: Path
    """Where the adapter lies."""
    adapter: str | None
    """Its name, if it has one."""
    more: Material


def parted(ref: str) -> tuple[Path, str | None] | None:
    """The path and the adapter that ``ref`` names, ``DOC.dlm`` or ``DOC.dlm#name``; ``None`` for anything else."""
    before, mark, name = ref.rpartition("#")
    if mark and "/" not in name and before.lower().endswith(DOCUMENT) and not Path(ref).expanduser().is_file():
        return Path(before).expanduser(), name
    return (Path(ref).expanduser(), None) if ref.lower().endswith(DOCUMENT) else None


def of_version(path: Path, adapter: str | None, number: int) -> Target:
    """A version of the document at ``path`` that need not be the current one.

    Raises:
        DlmError: it cannot be read.
        TargetError: it cannot be judged; says why.
    """
    return _target(path, adapter, number)


def resolve(ref: str) -> Target:
    """What ``sway check ref`` tests.

    Raises:
        TargetError: the document cannot be read, has no trained version or no such adapter, or its base is not on this
            disk.
    """
    path, adapter = parted(ref) or (Path(ref), None)
    if not path.is_file():
        raise TargetError(f"{path}: no such document: check the path, or start one with `dlm init {path}`")
    try:
        return _target(path, adapter)
    except (DlmError, PluginError) as error:
        # sway prints only its own errors without a traceback.
        raise TargetError(str(error)) from error


def _target(path: Path, adapter: str | None, number: int | None = None) -> Target:
    from dlm.store import home
    from dlm_sway.suite.target import Target

    from .sections import items, sections

    found = learned(path, adapter, number)
    if found is None:
        raise TargetError(f"{path}: nothing has been trained from this document yet: run `dlm train {path}`")
    document, version = found.document, found.version
    _kept(version.path)
    base = _base(_fact(version, "base", "key"), home())
    study = studied(found)
    name = f"{path.name} {version.name}"
    return Target(
        name=name if found.adapter is None else f"{name} {found.adapter}",
        models=_models(base, found),
        held_out=tuple(items(study.probes)),
        taught=tuple(items(record for record in study.train if record.kind == "qa")),
        document=path,
        sections=sections((*document.sections, *found.more.change.sources), study.probes, turned(found, study)),
        system_prompt=document.frontmatter.system_prompt,
        provenance=_provenance(path, found, base),
    )


@cache
def _kept(folder: Path) -> None:
    """Have ``dlm gc`` leave the version in ``folder`` alone until this process ends: sway reads its files when it comes
    to them, and says to nobody when it is done."""
    from dlm.store.using import reading

    held = ExitStack()
    held.enter_context(reading(folder))
    atexit.register(held.close)


def learned(path: Path, adapter: str | None = None, number: int | None = None) -> Learned | None:
    """The adapter of the current version of the document at ``path``, or of the version with that number; without a
    name the only one, or the first that the document declares. ``None`` before the first training.

    Raises:
        DlmError: the document cannot be read, or its version has no such adapter.
        TargetError: the document does not declare the adapter any more.
    """
    from dlm.document import read
    from dlm.document.routing import declared, sections_of, view
    from dlm.store import Store, home
    from dlm.training.material import collect

    document = read(path)
    store = Store(home(), document.frontmatter.dlm_id)
    version = store.current() if number is None else store.version(number)
    if version is None:
        return None
    folder = version.folder_of(adapter)
    name = adapter or next(iter(version.adapters), None)
    version = replace(version, facts=version.facts_of(name))
    # The same seed as the run: it decides which wordings were held out.
    material = collect(document, home(), _fact(version, "recipe", "seed"))
    if name is None:
        return Learned(document, version, folder, None, material)
    if name not in (names := declared(document)):
        has = ", ".join(names) or "none"
        raise TargetError(f"{path} does not declare the adapter {name!r} any more ({has}): run `dlm train {path}`")
    change = replace(material.change, sources=sections_of(material.change.sources, names, name))
    replayed = sections_of(material.replayed, names, name)
    return Learned(view(document, name), version, folder, name, replace(material, change=change, replayed=replayed))


def studied(found: Learned) -> StudySet:
    """Everything that the adapter was trained on, and what was left out."""
    from dlm.corpus.study import build
    from dlm.training.continued import read_first
    from dlm.training.heard import heard_by, unheard

    facts = found.version.facts
    seed = _fact(found.version, "recipe", "seed")
    study = build(found.document, seed, found.more.more, text_first=read_first(facts))
    return unheard(study, heard_by(found.folder))


def turned(found: Learned, study: StudySet) -> tuple[Record, ...]:
    """The held-out questions of ``study`` asked backwards, as training asks its own; without what training asked."""
    from dlm.corpus.makers import question
    from dlm.corpus.reverse import reverse
    from dlm.corpus.study import lay_out, primary_records

    seed = _fact(found.version, "recipe", "seed")
    lesson = lay_out(found.document, tuple(primary_records(found.document, found.more.more)), seed)
    wanted = {record.group for record in study.probes}
    asked = {question(record).casefold() for record in study.train if record.messages}
    made = reverse((*lesson.questions, *study.probes), lesson.blocks, seed)
    return tuple(one for one in made if one.group in wanted and question(one).casefold() not in asked)


def _fact(version: Version, *keys: str) -> Any:
    """One fact of ``version.json``."""
    value: Any = version.facts
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise TargetError(
                f"{version.path / 'version.json'} does not say {'.'.join(keys)}: the version cannot be judged; train "
                "the document again with `dlm train DOC`"
            )
        value = value[key]
    return value


def _base(key: str, home: Path) -> LocalBase:
    from dlm.bases.cache import find
    from dlm.bases.resolve import resolve as resolve_base

    base = find(resolve_base(key), home)
    if base is None:
        raise TargetError(f"the base model {key!r} is not on this disk: run `dlm base pull {key}`")
    return base


def _models(base: LocalBase, found: Learned) -> ModelPair:
    from dlm_sway.spec.models import ModelSpec
    from dlm_sway.suite.target import ModelPair

    return ModelPair(
        base=ModelSpec(kind="hf", base=str(base.path)),
        ft=ModelSpec(kind="hf", base=str(base.path), adapter=found.folder),
    )


def _provenance(path: Path, found: Learned, base: LocalBase) -> dict[str, str]:
    document, version = found.document, found.version
    facts = {
        "document": str(path),
        "document_digest": document.digest,
        "dlm_id": document.frontmatter.dlm_id,
        "version": version.name,
        **({"adapter": found.adapter} if found.adapter else {}),
        "adapter_sha256": _fact(version, "adapter_sha256"),
        "base": base.key,
        "base_digest": base.digest,
        "base_digest_at_training": _fact(version, "base", "digest"),
    }
    trained = set(_fact(version, "section_ids"))
    there = {section.id for section in (*document.sections, *found.more.more)}
    if _fact(version, "document_digest") != document.digest or trained != there:
        facts["note"] = (
            f"the document or its sources changed after {version.name} was trained, sections new or edited: "
            f"{len(there - trained)}, gone: {len(trained - there)}. Questions about what is new judge what was never "
            f"taught; run `dlm train {path}` to teach it"
        )
    return facts
