"""What a push puts on the hub beside the pack: the adapter as PEFT reads it, its tokenizer, and what the card tells.

Everything is taken from the pack itself, so that whoever loads the repository and whoever pulls the pack have the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm._plugkit.errors import PluginError
from dlm.bases.licence import licence_name
from dlm.bases.model import HubSource
from dlm.bases.resolve import resolve
from dlm.errors import TransferRefused, UsageProblem
from dlm.export.manifest import MANIFEST_FILE, read_manifest
from dlm.export.origin import Published, parse_published
from dlm.learning.report import load as load_report
from dlm.share.members import DOCUMENT
from dlm.store.layout import VERSIONS, version_name
from dlm.store.version import read_version
from dlm.training.mixing import precision_of_base
from dlm_serving.plain import config_of

from .card import Facts
from .layout import has_tokenizer, write_adapter, write_template, write_tokenizer
from .licences import licence_keys
from .plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dlm.bases import BaseModel
    from dlm.share.manifest import PackManifest
    from dlm.store.version import Version

_COMMIT_DIGITS = 40


@dataclass(frozen=True)
class Contents:
    """A pack that was unpacked to be looked into."""

    folder: Path
    manifest: PackManifest
    version: Version
    model: BaseModel | None
    """``None`` for a base that only its maker has."""
    base: Published
    system_prompt: str | None

    @property
    def adapters(self) -> tuple[tuple[str | None, Path], ...]:
        """By name, each with its folder; one without a name where the version has but one."""
        return tuple((name, self.version.folder_of(name)) for name in self.version.adapters or (None,))


def look_into(folder: Path, manifest: PackManifest, settings: Mapping[str, str]) -> Contents:
    """What :func:`dlm.share.receiving.receive` has written into ``folder``.

    Raises:
        UsageProblem: nobody knows by which repository others have the base.
        DocumentError: the document of the pack cannot be read.
        StoreError: its version cannot be.
    """
    from dlm.document import read

    version = read_version(folder / "store" / VERSIONS / version_name(manifest.version), manifest.version)
    front = read(folder / DOCUMENT).frontmatter
    model = _model(manifest.base.key or front.base_model)
    base = _published(version.facts.get("base") or {}, model, settings.get("base"))
    return Contents(folder, manifest, version, model, base, front.system_prompt)


def _model(key: str) -> BaseModel | None:
    if key.startswith("path:"):
        return None
    try:
        return resolve(key)
    except (UsageProblem, PluginError):
        return None  # of a plugin that only who trained it has: --set base says what it is


def _published(facts: Mapping[str, Any], model: BaseModel | None, wanted: str | None) -> Published:
    if wanted is not None:
        return parse_published(wanted)
    hub = next((one for one in model.sources if isinstance(one, HubSource)), None) if model else None
    if hub is None:
        raise UsageProblem(
            "an adapter on the hub names its base by a repository there, and none is known for the base of this pack: "
            "give --set base=ORG/NAME@COMMIT with the same weights"
        )
    fetched = facts.get("revision")
    if isinstance(fetched, str) and len(fetched) == _COMMIT_DIGITS:
        return Published(hub.repo, fetched, True)
    return Published(hub.repo, hub.revision, False)


def require_passable(contents: Contents) -> None:
    """Refuse to publish weights that their licence does not let everybody pass on.

    An adapter is not among them: every licence that dlm knows lets a derived work be published under its own terms,
    which the card names.

    Raises:
        TransferRefused: the pack holds such weights.
    """
    model = contents.model
    if model is None or model.licence is None or model.redistributable:
        return
    for path in sorted((contents.folder / "store" / "exports").glob(f"*/{MANIFEST_FILE}")):
        found = read_manifest(path.parent)
        if found is not None and found.merged:
            raise TransferRefused(
                f"the pack holds exports/{path.parent.name}, the weights of {model.key} merged with the adapter, and "
                f"the {licence_name(model)} licence limits passing those on ({model.licence_url}): pack it without "
                "--include-exports"
            )


def terms(contents: Contents) -> tuple[str, ...]:
    """What to tell whoever publishes an adapter of a base whose licence asks for more than its name."""
    model = contents.model
    if model is None or model.licence is None or model.redistributable:
        return ()
    return (
        f"note: the {licence_name(model)} licence of {model.key} binds what is made from it, this adapter too, and may "
        f"ask for notices or a certain name: {model.licence_url}",
    )


def write_repository(contents: Contents, folder: Path) -> None:
    """The files for PEFT and transformers: one adapter at the root, several each in a folder of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in contents.adapters:
        place = folder / name if name else folder
        place.mkdir(exist_ok=True)
        write_adapter(source, place, contents.base)
    sources = tuple(source for _, source in contents.adapters if has_tokenizer(source))
    if sources:
        write_tokenizer(sources[0], folder)
        write_template(sources, folder, contents.system_prompt)


def card_facts(contents: Contents, folder: Path, name: str) -> Facts:
    """What the card of the repository ``name`` tells of the files that :func:`write_repository` wrote."""
    version = contents.version
    own = version.facts_of()
    names = version.adapters
    config = config_of(folder / names[0] if names else folder)
    return Facts(
        name=name,
        base=contents.base,
        base_source=_source(version.facts),
        licence=licence_keys(contents.model) if contents.model else {},
        kind="DoRA" if config.get("use_dora") else "LoRA",
        rank=int(config.get("r", 0)),
        held=precision_of_base(own),
        document=contents.manifest.dlm_id,
        document_digest=plain(version.facts.get("document_digest", "not recorded")),
        version=version.name,
        created=plain(version.facts.get("created_at", "not recorded")),
        system_prompt=contents.system_prompt is not None,
        made_by=made_by(version.facts.get("versions")) or plain(contents.manifest.created_by),
        report=load_report(version.path) if len(names) < 2 else None,
        adapters=names,
        here=name,
    )


def _source(facts: Mapping[str, Any]) -> str:
    """Where the base came from, without a folder of somebody's machine."""
    found = plain((facts.get("base") or {}).get("source") or "elsewhere")
    return "a folder" if found.startswith("folder") else found


def made_by(versions: Any) -> str:
    """The programs that made a version, for people; empty where it does not say."""
    known = versions if isinstance(versions, dict) else {}
    wanted = ("dlm", "dlm-hf", "peft", "transformers", "torch")
    return ", ".join(f"{name} {plain(known[name])}" for name in wanted if name in known)
