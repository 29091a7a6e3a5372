"""What is asked of an export, and whether its target can do it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from ..chosen import Wanted
from ..errors import RuntimeMissing, UsageProblem
from .sink import Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .._plugkit.plugins import Offer
    from ..entries import SinkEntry
    from .sink import Form


@dataclass(frozen=True)
class ExportOptions:
    """What is exported, where to, and what it must pass."""

    wishes: Wishes = field(default_factory=Wishes)
    wanted: Wanted = field(default_factory=Wanted)
    """Which of a version's adapters."""
    version: int | None = None
    """A version other than the current one."""
    out: Path | None = None
    """Instead of the store's own folder of exports."""
    accept_licence: bool = False
    """The caller has read the base's licence and accepts it."""
    allow_lossy: bool = False
    """Keep an export whose certificate lies below the floor."""
    certify: bool = True
    """Measure what the files say before they take the place of an earlier export."""
    suite: bool = False
    """Write a suite beside the files, with which sway judges them."""

    def __post_init__(self) -> None:
        if self.allow_lossy and not self.certify:
            raise UsageProblem("--no-verify measures nothing, so there is nothing for --allow-lossy to allow: give one")


def sink_entry(target: str) -> Offer:
    """The offer of the target named ``target``.

    Raises:
        UsageProblem: no installed plugin has it; names those there are, and the command that installs it.
        RuntimeMissing: a module that it needs is not installed.
    """
    from .._known import INSTALLS
    from .._plugkit.errors import UnknownName
    from ..plugins import manager

    try:
        offer = manager().entry("dlm_sinks", target)
    except UnknownName as problem:
        raise UsageProblem(str(problem).replace("the sink", "the target", 1)) from problem
    missing = [name for name in cast("SinkEntry", offer.entry).requires if find_spec(name) is None]
    if missing:
        command = INSTALLS.get(("dlm_sinks", target), f"pip install -U {offer.source.partition(' ')[0]}")
        raise RuntimeMissing(f"the target {target} needs {', '.join(missing)}, not installed here: {command}")
    return offer


def settled(wishes: Wishes, entry: SinkEntry) -> Wishes:
    """``wishes`` with the form decided, once it is sure that the target can use them all.

    Raises:
        UsageProblem: it cannot; names every option that has to go.
    """
    form = wishes.form or cast("Form", entry.forms[0])
    given = {
        "--quant": wishes.quant is not None and not entry.quants,
        "--merged": wishes.form == "merged" and "merged" not in entry.forms,
        "--unmerged": wishes.form == "adapter" and "adapter" not in entry.forms,
        "--name": wishes.name is not None and "name" not in entry.uses,
        "--no-template": not wishes.template and "template" not in entry.uses,
    }
    if useless := [option for option, cannot in given.items() if cannot]:
        raise UsageProblem(f"the target {entry.name} has no use for {_listed(useless)}: leave {_it(useless)} out")
    if wishes.dequantize and form != "merged":
        raise UsageProblem("--dequantize is about merging into the base's full weights: give --merged, or leave it out")
    if unknown := [name for name in wishes.settings if name not in entry.settings]:
        raise UsageProblem(_unknown_settings(entry, unknown))
    return replace(wishes, form=form)


def require_suites() -> None:
    """Make sure that somebody writes suites.

    Raises:
        UsageProblem: nobody does; names the command that installs it.
    """
    from ..plugins import manager

    if not manager().hook.dlm_write_suite.get_hookimpls():
        raise UsageProblem("--emit-sway-json needs the plugin that writes suites: pip install 'dlm[sway]'")


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """``--set NAME=VALUE``, each name once.

    Raises:
        UsageProblem: one is not of that form, or comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise UsageProblem(f"--set {pair!r}: write --set NAME=VALUE")
        if name in found:
            raise UsageProblem(f"--set {name} is given twice: give it once")
        found[name] = value
    return found


def _unknown_settings(entry: SinkEntry, unknown: Sequence[str]) -> str:
    has = "\n".join(f"  {name}: {what}" for name, what in sorted(entry.settings.items()))
    known = f"it has\n{has}" if has else "it has none"
    return f"the target {entry.name} has no setting {_listed(list(unknown))}: {known}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def targets() -> list[dict[str, Any]]:
    """Every installed target by name, with what it can do; plain data."""
    from ..plugins import manager

    rows = []
    for name, offers in manager().offers("dlm_sinks").items():
        for entry in (cast("SinkEntry", offer.entry) for offer in offers):
            rows.append(
                {
                    "name": name,
                    "summary": entry.summary,
                    "quants": list(entry.quants),
                    "forms": list(entry.forms),
                    "uses": sorted(entry.uses),
                    "settings": dict(entry.settings),
                    "missing": [module for module in entry.requires if find_spec(module) is None],
                }
            )
    return rows


def installable() -> dict[str, str]:
    """Targets that no installed plugin has, each with the command that installs one."""
    from .._known import INSTALLS
    from ..plugins import manager

    offered = manager().offers("dlm_sinks")
    return {name: how for (hook, name), how in INSTALLS.items() if hook == "dlm_sinks" and name not in offered}
