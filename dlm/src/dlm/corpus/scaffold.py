"""A folder of text gets a document that names it: ``DIR/.dlm/corpus.dlm``, so that ``dlm train DIR`` can train it."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import DlmError, UsageProblem
from .sources.config import FOLDER, pattern_mistakes

if TYPE_CHECKING:
    from ..document.frontmatter import Source
    from ..document.model import Document

Policy = Literal["strict", "permissive"]
DEFAULT_NAME = "corpus"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TEXT = """\
---
dlm_id: {id}
dlm_version: 15
base_model: {base}
# The model learns the text files of the folder that holds {folder}/. What to leave out can also be written into
# {folder}/ignore, by the rules of .gitignore. Text, questions and probes of your own go below the second `---`.
training:
  sources_policy: {policy}
  sources:
    - path: .
      include: {include}
      exclude: {exclude}
---
"""


@dataclass(frozen=True)
class Scaffold:
    """What the document of a folder shall say. ``None`` and nothing leave the choice to us."""

    base: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    recursive: bool | None = None
    name: str | None = None
    """Of the document, without ``.dlm``."""
    policy: Policy | None = None
    rescaffold: bool = False
    """Write the folder's source anew in a document that exists."""

    def flags(self) -> list[str]:
        """The flags that would change a document, as they are written."""
        given = {
            "--base": self.base is not None,
            "--include": bool(self.include),
            "--exclude": bool(self.exclude),
            "--recursive": self.recursive is True,
            "--no-recursive": self.recursive is False,
            "--policy": self.policy is not None,
        }
        return [flag for flag, is_given in given.items() if is_given]


class Scaffolded(NamedTuple):
    """The document of a folder."""

    path: Path
    done: Literal["written", "rewritten", "found"]


def scaffold(folder: Path, wanted: Scaffold) -> Scaffolded:
    """The document that trains ``folder``, written when there is none.

    Raises:
        UsageProblem: it cannot be told which document is meant, or what it shall say.
        DocumentError: the document to rewrite has mistakes.
        DlmError: it cannot be written.
    """
    _check_patterns(wanted)
    path = _document(folder, wanted)
    if not path.exists():
        _refuse_secrets(folder)
        _write(folder, path, wanted)
        return Scaffolded(path, "written")
    if wanted.rescaffold:
        _rewrite(folder, path, wanted)
        return Scaffolded(path, "rewritten")
    if flags := wanted.flags():
        raise UsageProblem(
            f"{' '.join(flags)}: {path} exists and says what to train: edit it, or add --rescaffold to write its "
            "source anew (its dlm_id, its text and its other keys stay)"
        )
    return Scaffolded(path, "found")


def _refuse_secrets(folder: Path) -> None:
    """Write nothing into a folder of keys, which would never be trained."""
    from .sources.names import folder_kind

    for part in (*folder.absolute().parts, *folder.resolve().parts):
        if folder_kind(part) == "secret":
            raise UsageProblem(f"{folder}: what lies in `{part}` is secret and never trained; choose another folder")


def refuse_for_file(path: str, wanted: Scaffold) -> None:
    """Say that the flags of a folder mean nothing for a document.

    Raises:
        UsageProblem: one is given.
    """
    flags = wanted.flags()
    flags += ["--name"] * (wanted.name is not None) + ["--rescaffold"] * wanted.rescaffold
    if flags:
        raise UsageProblem(f"{' '.join(flags)}: only for a folder, and {path} is none: edit the document instead")


def _check_patterns(wanted: Scaffold) -> None:
    for flag, patterns in (("--include", wanted.include), ("--exclude", wanted.exclude)):
        for _, what, fix in pattern_mistakes(patterns):
            raise UsageProblem(f"{flag}: {what}: {fix}")


def _document(folder: Path, wanted: Scaffold) -> Path:
    """Where the document of ``folder`` is or will be.

    Raises:
        UsageProblem: there are several, or the name is none.
    """
    name = (DEFAULT_NAME if wanted.name is None else wanted.name).removesuffix(".dlm")
    if not _NAME.fullmatch(name):
        raise UsageProblem(f"--name {wanted.name}: not a name for a file: write letters, digits, `-`, `_` and `.`")
    inside = folder / FOLDER
    if inside.exists() and not inside.is_dir():
        raise UsageProblem(f"{inside}: this must be a folder, and is a file: move it away")
    path = inside / f"{name}.dlm"
    found = sorted(inside.glob("*.dlm")) if inside.is_dir() else []
    if wanted.name is not None or path in found or not found:
        return path
    if len(found) > 1:
        names = ", ".join(f"--name {one.stem}" for one in found)
        raise UsageProblem(f"{inside} holds several documents: say which one to train: {names}")
    return found[0]


def _write(folder: Path, path: Path, wanted: Scaffold) -> None:
    from ..bases.resolve import resolve
    from ..document.starter import scalar
    from ..document.ulid import new_ulid
    from ..document.write import write_new
    from ..store.files import disk_errors

    if wanted.base is None:
        command = f"dlm train {shlex.quote(str(folder))} --base smollm2-135m"
        more = "`dlm base list` shows others"
        raise UsageProblem(f"{folder} has no document yet, and a new one needs a base model: {command} ({more})")
    base = _base(wanted.base, path)
    resolve(base, path.parent)
    source = _entry(wanted)
    text = _TEXT.format(
        id=new_ulid(),
        base=scalar(base),
        folder=FOLDER,
        policy=wanted.policy or "strict",
        include=_flow(source["include"]),
        exclude=_flow(source["exclude"]),
    )
    with disk_errors(path.parent, DlmError):
        path.parent.mkdir(exist_ok=True)
    write_new(path, text)


def _rewrite(folder: Path, path: Path, wanted: Scaffold) -> None:
    """Put the source, and what else was asked for, into the frontmatter; every other character stays."""
    from ..bases.resolve import resolve
    from ..document.edit import set_keys
    from ..document.read import read
    from ..document.write import replace_text

    document = read(path)
    values: dict[tuple[str | int, ...], Any] = {("training", "sources"): _entries(document, folder, wanted)}
    if wanted.policy:
        values["training", "sources_policy"] = wanted.policy
    if wanted.base is not None:
        base = _base(wanted.base, path)
        resolve(base, path.parent)
        values["base_model",] = base
    replace_text(path, document.text, set_keys(document.text, values, str(path)))


def _entries(document: Document, folder: Path, wanted: Scaffold) -> list[dict[str, Any]]:
    """The sources of ``document`` with that of ``folder`` as wanted; its caps and the other sources stay."""
    sources = document.frontmatter.training.sources or ()
    entries = [_written(source) for source in sources]
    own = next((index for index, source in enumerate(sources) if _is_folder(source, folder)), None)
    if own is None:
        return [_entry(wanted), *entries]
    entries[own] = {**entries[own], **_entry(wanted)}
    return entries


def _written(source: Source) -> dict[str, Any]:
    return source.model_dump(mode="json", exclude_unset=True)


def _is_folder(source: Source, folder: Path) -> bool:
    """Whether ``source`` is the folder itself, or was when the prior trainer wrote down its whole path."""
    path = Path(source.path)
    if path.is_absolute() and not path.exists():
        return True
    return (folder / path).resolve() == folder.resolve()


def _entry(wanted: Scaffold) -> dict[str, Any]:
    """The source that ``wanted`` describes."""
    below = ("*/",) if wanted.recursive is False else ()
    return {
        "path": ".",
        "include": list(wanted.include or ("**/*",)),
        "exclude": list(dict.fromkeys((*below, *wanted.exclude))),
    }


def _base(base: str, path: Path) -> str:
    """``base`` as the document must write it: a relative folder is meant from here, and read from its own place."""
    kind, colon, place = base.partition(":")
    if kind != "path" or not colon or Path(place).is_absolute() or place.startswith("~"):
        return base
    return f"path:{Path(os.path.relpath(place, path.parent)).as_posix()}"


def _flow(patterns: list[str]) -> str:
    import json

    return json.dumps(patterns, ensure_ascii=False)
