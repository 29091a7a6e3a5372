"""From what a document's ``base_model`` says to a :class:`~dlm.bases.BaseModel`. Touches neither disk nor network."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .._plugkit.errors import UnknownName
from ..errors import UsageProblem
from .model import BaseModel, FolderSource, HubSource
from .registry import MEDIA, of_repository

_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>.*))?")
_COMMIT = re.compile(r"[0-9a-f]{10,40}")


def resolve(ref: str, beside: Path | None = None) -> BaseModel:
    """The base that ``ref`` names: a key, ``path:DIR``, or ``hf:org/name`` with an optional ``@commit``.

    A relative ``DIR`` is looked up in ``beside``, by default the working directory.

    Raises:
        UsageProblem: nobody offers the key, or the reference is malformed.
        PluginError: the key is offered by two plugins, or by one that cannot be imported.
    """
    if ref.startswith("path:"):
        return _folder(ref.removeprefix("path:"), beside or Path.cwd())
    if ref.startswith("hf:"):
        return _hub(ref)
    from ..plugins import manager

    try:
        found = manager().resolve("dlm_bases", ref)
    except UnknownName as problem:
        if ref in MEDIA:
            raise UsageProblem(
                f"base_model: {ref!r} takes {MEDIA[ref]} beside text, and no installed plugin trains it: choose "
                "another base; `dlm base list` shows them"
            ) from problem
        raise UsageProblem(
            f"base_model: {problem}\n  or name a folder (base_model: path:DIR) or a hub repository "
            "(base_model: hf:org/name); `dlm base list` shows what is offered"
        ) from problem
    if not isinstance(found, BaseModel):
        raise UsageProblem(f"base_model: what {ref!r} stands for is no BaseModel: report this to the plugin's authors")
    return found


def _folder(text: str, beside: Path) -> BaseModel:
    if not text:
        raise UsageProblem("base_model: path: names no folder: write base_model: path:DIR")
    path = (beside / Path(text).expanduser()).absolute()
    return BaseModel(key=f"path:{path}", sources=(FolderSource(path),), summary=f"The folder {path}.")


def _hub(ref: str) -> BaseModel:
    found = _HUB.fullmatch(ref)
    if found is None:
        raise UsageProblem(f"base_model: {ref!r} names no hub repository: write base_model: hf:org/name")
    repo, revision = found["repo"], found["revision"]
    if revision is not None and not _COMMIT.fullmatch(revision):
        raise UsageProblem(
            f"base_model: {revision!r} is no commit of 10 to 40 hexadecimal digits, and a branch or tag may move: copy "
            f"the commit from the repository's history, or write base_model: hf:{repo} to pin what is fetched first"
        )
    source, summary = HubSource(repo, revision), f"{repo} from the Hugging Face Hub."
    if (known := of_repository(repo)) is not None:
        # Another name for it is no way around its licence.
        return replace(known, key=ref, sources=(source,), summary=summary)
    return BaseModel(key=ref, sources=(source,), summary=summary)
