"""What is found out about a pack's signatures, and how much is asked for. Words only; :mod:`.trusting` decides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from ..errors import UsageProblem

if TYPE_CHECKING:
    from .signer import Identity

Policy = Literal["off", "warn", "enforce"]
"""``off``: signatures are not looked at. ``warn``: one that is wrong stops everything, none or a stranger's is told of.
``enforce``: nothing goes without one by a key that counts here."""

Status = Literal["trusted", "recorded", "unknown-signer", "unsigned", "unchecked"]
"""``trusted``: by a key in the trust store, or by one that was asked for. ``recorded``: by the key that signed this
document when it first came. ``unknown-signer``: it holds, and nobody here knows the key. ``unchecked``: there is a
signature, and nothing here that could tell whether it holds."""

VARIABLE = "DLM_SIGNATURE_POLICY"
DEFAULT: Policy = "warn"
COUNTS = ("trusted", "recorded")
"""What ``enforce`` asks for, one of them."""


@dataclass(frozen=True)
class Rules:
    """What is asked of a pack's signatures."""

    policy: Policy = DEFAULT
    first_use: bool = False
    """Remember a key that nobody knew, and take it, also under ``enforce``."""
    keys: tuple[Path, ...] = ()
    """Public keys, one of which has to be among the signers, whatever else is trusted here."""
    identity: Identity | None = None
    """Who has to be among the signers."""


@dataclass(frozen=True)
class Checked:
    """One signature."""

    file: Path
    signer: str
    """Of the format: the name of its entry."""
    status: Status
    by: str = ""
    """What the key, or its holder, is called here."""
    fingerprint: str = ""
    public: Path | None = None
    """The file beside the pack that holds the key."""
    note: str = ""
    """Why it is no better."""
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """What the signatures of a pack are worth, together. None that is wrong is among them."""

    status: Status
    by: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    """For people, one line each."""
    sha256: str | None = None
    """In hex, of the file that the signatures are of; ``None`` where no signature was held against it."""
    signatures: tuple[Checked, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it is what ``enforce`` asks for."""
        return self.status in COUNTS


NOT_LOOKED_AT = Standing("unchecked", notes=("its signatures were not looked at, as the policy is off",))


def policy_of(option: str | None = None) -> Policy:
    """``option``, else ``$DLM_SIGNATURE_POLICY``, else ``warn``.

    Raises:
        UsageProblem: it is none of the three.
    """
    given, source = (option, "--policy") if option is not None else (os.environ.get(VARIABLE) or DEFAULT, VARIABLE)
    if given not in get_args(Policy):
        raise UsageProblem(f"{source}={given} is no policy on signatures: {', '.join(get_args(Policy))}")
    return cast("Policy", given)


def short(fingerprint: str) -> str:
    """The beginning of a fingerprint, enough to tell two of them apart at a glance."""
    return fingerprint[: len("sha256:") + 16]
