"""What a plugin adds to the doctor: devices it can see, and rows of the refusal matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from .refusals import RULES, Rule

if TYPE_CHECKING:
    from pathlib import Path

    from ..document import Document
    from .capabilities import Device


def nothing() -> tuple[Device, ...]:
    """No device beside those that the backend reports."""
    return ()


@dataclass(frozen=True)
class Accelerator:
    """The target of an :class:`~dlm.entries.AcceleratorEntry`. Probing must not fail where the device is missing.

    Example::

        NPU = Accelerator(
            probe=find_npus,
            rules=(Rule("npu", "warn", has_npu, lambda _: "the NPU is not used", lambda _: "install dlm-npu"),),
        )
    """

    probe: Callable[[], tuple[Device, ...]] = nothing
    rules: tuple[Rule, ...] = ()


class Remark(NamedTuple):
    """One line of the doctor."""

    level: Literal["ok", "note", "fail"]
    """``fail`` makes ``dlm doctor`` exit with 1."""
    what: str
    way_out: str = ""


Check = Callable[["Path", "Document | None"], Iterable[Remark]]
"""The target of a :class:`~dlm.entries.CheckEntry`: given ``$DLM_HOME`` and the document, if one was named."""

OWN = Accelerator(rules=RULES)
"""dlm's own rows."""
