"""Reading versions: what lies in the folders, and which one is current. Nothing is written here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StoreError, UsageProblem
from .files import disk_errors, sha256
from .layout import ADAPTERS, VERSIONS, Layout, is_adapter, is_partial, parse_rejected, parse_version, version_name

if TYPE_CHECKING:
    from pathlib import Path

ADAPTER_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
FACTS_FILE = "version.json"
_WAY_OUT = "go back with `dlm use DOC vN`, or train again with `dlm train DOC`"
REPORT_FILE = "learning.json"
"""What it learned, with questions about the text it was trained on; see :mod:`dlm.learning.report`."""


@dataclass(frozen=True)
class Version:
    """What one run made: an adapter, or several that the document names."""

    number: int
    path: Path
    """Folder with ``version.json``. Where an adapter and its tokenizer lie, :meth:`folder_of` knows."""
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

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of its adapters, as the document declared them; empty for a version of one adapter without a name."""
        found = self.facts.get("adapters") or {}
        return tuple(sorted(found, key=lambda name: (found[name]["number"], name)))

    def folder_of(self, name: str | None = None) -> Path:
        """Where the adapter ``name`` lies: PEFT layout, tokenizer, what it was asked. Without a name that of the only
        adapter, or of the first declared one.

        Raises:
            UsageProblem: it has no adapter of that name; says which it has.
        """
        names = self.adapters
        if name is None:
            return self.path / ADAPTERS / names[0] if names else self.path
        if name not in names:
            has = f"it has {', '.join(names)}" if names else "it has one adapter, without a name: name none"
            raise UsageProblem(f"{self.name} has no adapter {name!r}: {has}")
        return self.path / ADAPTERS / name

    def facts_of(self, name: str | None = None) -> dict[str, Any]:
        """What ``version.json`` says of the adapter ``name``, together with what is true of all: ``adapter_sha256``,
        ``recipe``, ``plan``, ``phases``, ``outcome``, ``section_ids``.

        Raises:
            UsageProblem: as :meth:`folder_of`.
        """
        self.folder_of(name)
        shared = {key: value for key, value in self.facts.items() if key != "adapters"}
        own = name or next(iter(self.adapters), None)
        return shared if own is None else {**shared, **self.facts["adapters"][own]}

    def verify(self) -> None:
        """Check every adapter against the digest taken when it was written.

        Raises:
            StoreError: a file changed since, or is gone.
        """
        for name in self.adapters or (None,):
            self._verify(self.folder_of(name) / ADAPTER_FILE, self.facts_of(name).get("adapter_sha256"))

    def _verify(self, file: Path, written: Any) -> None:
        try:
            found = sha256(file)
        except OSError as problem:
            raise StoreError(f"{file} cannot be read ({problem}): {_WAY_OUT}") from problem
        if found != written:
            raise StoreError(f"{file} is damaged (SHA-256 {found}, written {written}): {_WAY_OUT}")


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
    if not _named(facts.get("adapters")):
        raise StoreError(f"{folder / FACTS_FILE} is damaged, it names no adapters under `adapters`: {_WAY_OUT}")
    version = Version(number, folder, facts)
    for name in version.adapters or (None,):
        if not (place := version.folder_of(name) / ADAPTER_FILE).is_file():
            raise StoreError(f"{place.parent} has no {ADAPTER_FILE}: {_WAY_OUT}")
    return version


def _named(adapters: Any) -> bool:
    """Whether ``adapters`` of ``version.json`` may be trusted: absent, or a map from names to facts."""
    if adapters is None:
        return True
    return isinstance(adapters, dict) and all(
        is_adapter(name) and isinstance(facts, dict) and isinstance(facts.get("number"), int)
        for name, facts in adapters.items()
    )


def read_facts(folder: Path) -> dict[str, Any]:
    """``version.json`` of a committed or rejected version.

    Raises:
        StoreError: it is missing or no JSON object.
    """
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise StoreError(f"{folder / FACTS_FILE} cannot be read ({problem}): {_WAY_OUT}") from problem
    if not isinstance(facts, dict):
        raise StoreError(f"{folder / FACTS_FILE} is not a JSON object: {_WAY_OUT}")
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
