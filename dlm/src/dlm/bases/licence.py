"""Who has agreed to which base's licence: once, in ``$DLM_HOME/licences.json``, honoured by every command.

An agreement holds for one base and the terms at one address; it never travels in a document. How a licence reads, and
whether to agree, is the user's business: nothing here agrees on its own.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from ..errors import BaseModelError, LicenceNotAccepted
from ..store.encoding import canonical, now
from ..store.files import disk_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .model import BaseModel

FILE = "licences.json"
SCHEMA_VERSION = 1
_WAIT = 30
"""Seconds to wait for another process that is writing the file."""

Via = Literal["cli_flag", "interactive"]


@dataclass(frozen=True)
class Acceptance:
    """One agreement. The fields are those of ``license_acceptance`` in a store's manifest."""

    base: str
    license_spdx: str | None
    license_url: str | None
    accepted_at: str
    via: str

    @classmethod
    def read(cls, base: str, data: Mapping[str, Any]) -> Self | None:
        """From plain data; ``None`` when it is none."""
        when = data.get("accepted_at")
        if not isinstance(when, str) or not isinstance(data.get("license_url"), str):
            return None
        return cls(base, data.get("license_spdx"), data["license_url"], when, str(data.get("via", "")))


def licence_name(base: BaseModel) -> str:
    """The licence for people."""
    return spoken(base.licence) or "publisher's"


def spoken(spdx: str | None) -> str | None:
    """An SPDX identifier as people say it: ``Llama 3.2`` for ``LicenseRef-Llama-3.2``."""
    own = spdx is not None and spdx.startswith("LicenseRef-")
    return spdx.removeprefix("LicenseRef-").replace("-", " ") if spdx is not None and own else spdx


def accepted(base: BaseModel, home: Path, manifest: Mapping[str, Any] | None = None) -> Acceptance | None:
    """The agreement to the terms of ``base``: recorded under ``home``, or in ``manifest``.

    ``manifest`` is ``license_acceptance`` of the document's own store; it counts when its address is that of the
    base's terms today. ``None`` when nobody has agreed, and for a base that asks for no agreement.

    Raises:
        BaseModelError: the file of agreements is damaged.
    """
    if not base.requires_acceptance:
        return None
    for entry in _load(home):
        found = Acceptance.read(base.key, entry)
        if found and entry.get("base") == base.key and found.license_url == base.licence_url:
            return found
    found = Acceptance.read(base.key, manifest) if manifest else None
    return found if found and found.license_url == base.licence_url else None


def accept(base: BaseModel, home: Path, via: Via) -> Acceptance | None:
    """Record that the user agrees, unless it is recorded already; ``None`` when the base asks for no agreement.

    Raises:
        BaseModelError: the file of agreements is damaged or cannot be written.
    """
    if not base.requires_acceptance:
        return None
    return accepted(base, home) or _record(home, Acceptance(base.key, base.licence, base.licence_url, now(), via))


def require(
    base: BaseModel,
    home: Path,
    manifest: Mapping[str, Any] | None = None,
    ask: Callable[[str], bool | None] | None = None,
) -> None:
    """Go on only when ``base`` asks for no agreement, or has one; an agreement of the manifest's is kept for later.

    ``ask`` shows the licence and returns the answer, ``None`` when there is nobody to ask; by default the terminal.

    Raises:
        LicenceNotAccepted: nobody has agreed; says with which command to.
        BaseModelError: the file of agreements is damaged or cannot be written.
    """
    if not base.requires_acceptance:
        return
    if (found := accepted(base, home, manifest)) is not None:
        if accepted(base, home) is None:
            _record(home, found)
        return
    answer = (ask or ask_on_terminal)(question(base))
    if answer:
        accept(base, home, "interactive")
        return
    raise LicenceNotAccepted(refusal(base))


def question(base: BaseModel) -> str:
    """What to agree to."""
    return f"{base.key} is under the {licence_name(base)} licence:\n  {base.licence_url}\nAccept and continue?"


def refusal(base: BaseModel) -> str:
    """Why the base is not used, and the way out."""
    return (
        f"the licence of {base.key} has not been accepted on this machine ({licence_name(base)}):\n"
        f"  {base.licence_url}\n"
        f"  read it, then run `dlm base accept {base.key}`, or add --i-accept-license to the command"
    )


def manifest_entry(base: BaseModel, home: Path) -> dict[str, Any] | None:
    """What a store's manifest keeps as ``license_acceptance``; ``None`` for a base that asks for no agreement."""
    found = accepted(base, home)
    return None if found is None else {key: value for key, value in asdict(found).items() if key != "base"}


def ask_on_terminal(text: str) -> bool | None:
    """Ask whoever sits at the terminal; ``None`` when nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    import click

    return click.confirm(text, default=False, err=True)


def _record(home: Path, acceptance: Acceptance) -> Acceptance:
    from filelock import FileLock, Timeout

    path = home / FILE
    with disk_errors(path, BaseModelError):
        home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / f".{FILE}.lock", timeout=_WAIT):
            others = [entry for entry in _load(home) if entry.get("base") != acceptance.base]
            entries = sorted([*others, asdict(acceptance)], key=lambda entry: str(entry.get("base")))
            write_atomic(path, canonical({"schema_version": SCHEMA_VERSION, "accepted": entries}), BaseModelError)
    except Timeout as problem:
        raise BaseModelError(f"another process has kept {path} locked for {_WAIT} seconds: try again") from problem
    return acceptance


def _load(home: Path) -> list[dict[str, Any]]:
    """Every entry, those of newer versions too, so that a rewrite keeps them."""
    path = home / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as problem:
        raise BaseModelError(_damaged(path, str(problem))) from problem
    entries = data.get("accepted") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BaseModelError(_damaged(path, "it is no list of agreements"))
    if data.get("schema_version") != SCHEMA_VERSION:
        raise BaseModelError(f"{path} was written by a newer dlm: pip install -U dlm")
    return entries


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}): move it away with `mv '{path}' '{path}.damaged'` and accept the licences again "
        "with `dlm base accept KEY`"
    )
