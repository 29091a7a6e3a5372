"""One target of ``dlm export``, such as GGUF: what it refuses, what it writes, and what reads its files back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ..bases import BaseModel, LocalBase
    from ..chosen import Chosen
    from ..document import Document
    from ..store.version import Version
    from .runtime import Runtime

Judged = Mapping[str, Mapping[str, str]]
Form = Literal["merged", "adapter"]
"""``merged``: one model, the adapter's updates added to the base's weights. ``adapter``: the updates alone, put on
the base by whatever serves it."""


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line or in the document; ``None`` leaves it to the sink."""

    quant: str | None = None
    """As the target names it, such as ``Q8_0``."""
    form: Form | None = None
    name: str | None = None
    """What the model is called where it is served."""
    template: bool = True
    """Put the conversation template in."""
    dequantize: bool = False
    """Merge an adapter that was trained on a quantised base into the full weights all the same."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What only this target knows, each by the name that its entry declares."""


@dataclass(frozen=True)
class Request:
    """One export: a version's adapter, or a mix of several, on its base, for one target."""

    document: Document
    version: Version
    base: LocalBase
    chosen: Chosen
    """Which of the version's adapters: its ``adapter`` is a folder in PEFT layout, or a mix."""
    wishes: Wishes
    cache: Path
    """A folder for what need not be made twice, shared by all exports. What lies there is found by the content it was
    made from and by the version of what made it, and written atomically."""
    say: Callable[[str], None]

    @property
    def model(self) -> BaseModel:
        """What is known of its base: its sources, its licence. A folder that dlm fetched counts as what it was fetched
        as: another name for a base is no way around its licence."""
        from ..bases.resolve import resolve
        from .origin import key_of

        return resolve(key_of(self.base) or self.document.frontmatter.base_model, self.document.folder)

    @property
    def system_prompt(self) -> str | None:
        """The document's."""
        return self.document.frontmatter.system_prompt


@dataclass(frozen=True)
class Written:
    """What a sink has written."""

    quant: str | None
    """That it took; ``None`` where weights are as they are."""
    form: Form
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For the manifest: what produced it, what fell back to another type, names of the model."""
    next_steps: tuple[str, ...] = ()
    """Commands that use it, for people; ``{folder}`` stands for where it lies in the end."""
    judged: Judged | Callable[[Path], Judged] | None = None
    """How dlm-sway loads it: ``models`` of a suite in its folder, with a ``base`` and an ``ft`` side. ``{base}`` stands
    for the folder of the base on this machine. A function is given the folder, and called when a suite is wanted: it
    may write what only a suite needs into a folder of its own there."""


class Sink(ABC):
    """Writes one kind of export. Made without arguments; importing its module loads nothing heavy."""

    @abstractmethod
    def folder_name(self, request: Request) -> str:
        """The export's folder inside ``exports/``: the target and what distinguishes its exports, such as
        ``gguf-Q8_0``."""

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        """Why no base with this ``config.json`` can be exported, in a clause for people; ``None`` when one can.

        Takes no time and no network. ``config`` may hold ``model_type`` alone, for a base that is not on this disk:
        what is not there counts as usual for that type.
        """
        return None

    @abstractmethod
    def check(self, request: Request) -> None:
        """Refuse before any work what would fail, or would come out wrong.

        Raises:
            ExportRefused: says what does not fit, and the way out.
        """

    @abstractmethod
    def write(self, request: Request, folder: Path) -> Written:
        """Write the export into ``folder``, which is empty and not yet in its place. No path of this machine goes into
        a file.

        Raises:
            ExportFailed: it cannot be written. What is in ``folder`` is then removed by the caller.
        """

    @abstractmethod
    def runtime(self, folder: Path) -> AbstractContextManager[Runtime] | None:
        """The program that will serve the files in ``folder``, or the nearest one here, with them loaded; ``None`` for
        a target whose weights are the version's own files.

        Raises:
            RuntimeMissing: no such program is installed; names the command that installs one.
            ExportFailed: the files cannot be loaded.
        """

    def finish(self, request: Request, folder: Path) -> tuple[str, ...]:
        """After the export passed and lies in its place: hand it to whoever serves it, such as ``ollama create``. Lines
        for people.

        Raises:
            ExportFailed: the files are fine, and stay; the one who serves them would not take them.
        """
        return ()
