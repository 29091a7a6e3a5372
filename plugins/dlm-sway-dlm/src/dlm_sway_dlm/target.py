"""A ``.dlm`` document as something sway can test: its trained model, and the questions it keeps for judging."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm._plugkit.errors import PluginError
from dlm.errors import DlmError
from dlm_sway.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm.bases import LocalBase
    from dlm.corpus.records import StudySet
    from dlm.document import Document, Section
    from dlm.store import Version
    from dlm.training.material import Material
    from dlm_sway.suite.target import ModelPair, Target


def resolve(ref: str) -> Target:
    """What ``sway check ref`` tests.

    Raises:
        TargetError: the document cannot be read, has no trained version, or its base is not on this disk.
    """
    path = Path(ref).expanduser()
    if not path.is_file():
        raise TargetError(f"{ref}: no such document: check the path, or start one with `dlm init {ref}`")
    try:
        return _target(path)
    except (DlmError, PluginError) as error:
        # sway prints only its own errors without a traceback.
        raise TargetError(str(error)) from error


def _target(path: Path) -> Target:
    from dlm.document import read
    from dlm.store import Store, home
    from dlm_sway.suite.target import Target

    from .sections import items, sections

    document = read(path)
    version = Store(home(), document.frontmatter.dlm_id).current()
    if version is None:
        raise TargetError(f"{path}: nothing has been trained from this document yet: run `dlm train {path}`")
    base = _base(_fact(version, "base", "key"), home())
    material, study = studied(document, version)
    more = material.more
    return Target(
        name=f"{path.name} {version.name}",
        models=_models(base, version),
        held_out=tuple(items(study.probes)),
        taught=tuple(items(record for record in study.train if record.kind == "qa")),
        document=path,
        sections=sections((*document.sections, *material.change.sources), study.probes),
        system_prompt=document.frontmatter.system_prompt,
        provenance=_provenance(path, document, more, version, base),
    )


def studied(document: Document, version: Version) -> tuple[Material, StudySet]:
    """What the version learned from beside the text of ``document``, and everything it trained on or left out."""
    from dlm.corpus.study import build
    from dlm.store import home
    from dlm.training.continued import read_first
    from dlm.training.heard import heard_by, unheard
    from dlm.training.material import collect

    # The same seed as the run: it decides which wordings were held out.
    seed = _fact(version, "recipe", "seed")
    material = collect(document, home(), seed)
    study = build(document, seed, material.more, text_first=read_first(version.facts))
    return material, unheard(study, heard_by(version.path))


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


def _models(base: LocalBase, version: Version) -> ModelPair:
    from dlm_sway.spec.models import ModelSpec
    from dlm_sway.suite.target import ModelPair

    return ModelPair(
        base=ModelSpec(kind="hf", base=str(base.path)),
        ft=ModelSpec(kind="hf", base=str(base.path), adapter=version.path),
    )


def _provenance(
    path: Path, document: Document, more: Sequence[Section], version: Version, base: LocalBase
) -> dict[str, str]:
    found = {
        "document": str(path),
        "document_digest": document.digest,
        "dlm_id": document.frontmatter.dlm_id,
        "version": version.name,
        "adapter_sha256": _fact(version, "adapter_sha256"),
        "base": base.key,
        "base_digest": base.digest,
        "base_digest_at_training": _fact(version, "base", "digest"),
    }
    trained, there = set(_fact(version, "section_ids")), {section.id for section in (*document.sections, *more)}
    if _fact(version, "document_digest") != document.digest or trained != there:
        found["note"] = (
            f"the document or its sources changed after {version.name} was trained, sections new or edited: "
            f"{len(there - trained)}, gone: {len(trained - there)}. Questions about what is new judge what was never "
            f"taught; run `dlm train {path}` to teach it"
        )
    return found
