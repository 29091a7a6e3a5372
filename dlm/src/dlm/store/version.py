"""Reading versions: what lies in the folders, and which one is current. Nothing is written here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StoreError
from .files import disk_errors, sha256
from .layout import VERSIONS, Layout, is_partial, parse_rejected, parse_version, version_name

if TYPE_CHECKING:
    from pathlib import Path

ADAPTER_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
FACTS_FILE = "version.json"
REPORT_FILE = "learning.json"
"""What it learned, with questions about the text it was trained on; see :mod:`dlm.learning.report`."""


@dataclass(frozen=True)
class Version:
    """One trained adapter."""

    number: int
    path: Path
    """Folder with the adapter (PEFT layout), the tokenizer and ``version.json``."""
    facts: dict[str, Any]
    """``version.json``: how, when and from what it was made."""

    @property
    def name(self) -> str:
        """``v0003``."""
        return version_name(self.number)

    @property
    def layout(self) -> Layout:
        """The store that it lies in."""
        return Layout(self.path.parents[len(PurePosixPath(VERSIONS).parts)])

    def verify(self) -> None:
        """Check the adapter against the digest taken when it was written.

        Raises:
            StoreError: the file changed since.
        """
        found = sha256(self.path / ADAPTER_FILE)
        if found != (written := self.facts.get("adapter_sha256")):
            raise StoreError(
                f"{self.path / ADAPTER_FILE} is damaged (SHA-256 {found}, written {written}): go back with "
                "`dlm use DOC vN`, or train again with `dlm train DOC`"
            )


class Contents(NamedTuple):
    """What lies in ``adapter/versions``, ascending."""

    versions: tuple[Version, ...]
    damaged: tuple[Path, ...]
    """Folders named like a version that are not one."""
    rejected: tuple[Path, ...]
    partial: tuple[Path, ...]

    def highest(self) -> int:
        """The highest number ever given to a folder that is still there; 0 for none."""
        names = [folder.name for folder in (*self.damaged, *self.rejected)]
        numbers = [parse_version(name) or parse_rejected(name) or 0 for name in names]
        return max([0, *numbers, *(version.number for version in self.versions)])


def read_version(folder: Path, number: int) -> Version:
    """The version in ``folder``. Its content is not hashed: see :meth:`Version.verify`.

    Raises:
        StoreError: files are missing or unreadable.
    """
    facts = read_facts(folder)
    if not (folder / ADAPTER_FILE).is_file():
        raise StoreError(
            f"{folder} has no {ADAPTER_FILE}: go back with `dlm use DOC vN`, or train again with `dlm train DOC`"
        )
    return Version(number, folder, facts)


def read_facts(folder: Path) -> dict[str, Any]:
    """``version.json`` of a committed or rejected version.

    Raises:
        StoreError: it is missing or no JSON object.
    """
    way_out = "go back with `dlm use DOC vN`, or train again with `dlm train DOC`"
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise StoreError(f"{folder / FACTS_FILE} cannot be read ({problem}): {way_out}") from problem
    if not isinstance(facts, dict):
        raise StoreError(f"{folder / FACTS_FILE} is not a JSON object: {way_out}")
    return facts


def contents(layout: Layout) -> Contents:
    """Sort the folders by what they are. A store that does not exist is empty."""
    versions: list[Version] = []
    damaged: list[Path] = []
    rejected: list[Path] = []
    partial: list[Path] = []
    for folder in sorted(layout.versions.iterdir()) if layout.versions.is_dir() else []:
        if is_partial(folder.name):
            partial.append(folder)
        elif parse_rejected(folder.name) is not None:
            rejected.append(folder)
        elif (number := parse_version(folder.name)) is not None:
            try:
                versions.append(read_version(folder, number))
            except StoreError:
                damaged.append(folder)
    versions.sort(key=lambda version: version.number)
    return Contents(tuple(versions), tuple(damaged), tuple(rejected), tuple(partial))


def drop_reports(layout: Layout) -> None:
    """Remove every version's learning report: it quotes what it asks about; ``dlm report`` makes another.

    Raises:
        StoreError: a file cannot be removed.
    """
    for path in sorted(layout.versions.glob(f"*/{REPORT_FILE}")):
        with disk_errors(path):
            path.unlink(missing_ok=True)


def current(layout: Layout) -> Version | None:
    """The version that readers use; ``None`` before the first commit.

    Safe at any moment, also while another process commits: the pointer is replaced in one step, and only after what it
    names is whole.

    Raises:
        StoreError: the pointer, or what it names, was damaged from outside.
    """
    try:
        text = layout.pointer.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"{layout.pointer} cannot be read ({problem}): check its permissions") from problem
    folder, _, name = text.rpartition("/")
    number = parse_version(name)
    if folder != VERSIONS or number is None:
        raise StoreError(f"{layout.pointer} does not name a version ({text!r}): choose one with `dlm use DOC vN`")
    return read_version(layout.versions / name, number)
