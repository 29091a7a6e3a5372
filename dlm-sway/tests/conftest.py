"""A plugin manager with planted models, and probes that do as they are told. No installed plugin is loaded here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View, builtin, hookimpl, hookspecs
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.entries import BackendEntry, ProbeEntry
from dlm_sway.errors import AdapterMismatch, NothingToAsk, NotSupported, ProbeError
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.testing import ClosedForm

# A property may wait for a busy machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

KIT = "sway_tests_kit"
TALKS = frozenset({"generate"})
ITEMS = tuple(Item(f"question {n}?", f"answer number {n} is here", f"g{n}") for n in range(8))


class MovedSpec(ProbeSpec):
    """Keys of ``moved``."""

    limit: float = 0.001
    prompts: tuple[str, ...] = ()


class Moved(Probe[MovedSpec]):
    """Passes when the mean divergence on the taught items is above the limit."""

    kind = "moved"
    spec_type = MovedSpec
    calibrated = True

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        return Measurement(tuple(c.kl for c in scoring.compare(ITEMS, view)))

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        verdict = "pass" if measured.mean > self.spec.limit else "fail"
        evidence = {"nulls": [null.mean for null in nulls], "seed": ctx.seed}
        return self.result(verdict, f"mean {measured.mean:.3g}", raw=measured.mean, n_items=8, evidence=evidence)


class Told(Probe[Any]):
    """Base of probes that measure nothing."""

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        raise AssertionError("never judged")


class SaySpec(ProbeSpec):
    """Keys of ``say``."""

    verdict: str = "pass"
    raw: float | None = None
    p: float | None = None


class Say(Told):
    """Gives the verdict it was told to give."""

    kind = "say"
    spec_type = SaySpec

    def run(self, ctx: ProbeContext) -> ProbeResult:
        return self.result(self.spec.verdict, f"said {self.spec.verdict}", raw=self.spec.raw, p_value=self.spec.p)


class RaiseSpec(ProbeSpec):
    """Keys of ``raise``."""

    error: str = "bug"


class Raise(Told):
    """Raises."""

    kind = "raise"
    spec_type = RaiseSpec

    def run(self, ctx: ProbeContext) -> ProbeResult:
        errors: dict[str, BaseException] = {
            "bug": ZeroDivisionError("nothing to divide"),
            "probe": ProbeError("no items left"),
            "unsupported": NotSupported("no such view"),
            "mismatch": AdapterMismatch("keys match no module"),
            "interrupt": KeyboardInterrupt(),
        }
        raise errors[self.spec.error]


class Sections(Probe[ProbeSpec]):
    """Asks what the sections hold out."""

    kind = "sections"
    spec_type = ProbeSpec
    items: tuple[Item, ...] = ()
    text: str | None = None

    def prepare(self, ctx: ProbeContext) -> Sections:
        if ctx.sections is None:
            raise NothingToAsk("no sections")
        ready = Sections(self.spec)
        ready.items = tuple(item for section in ctx.sections for item in section.held_out)
        ready.text = ctx.doc_text
        return ready

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        return Measurement(tuple(c.kl for c in scoring.compare(self.items, view)))

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        return self.result("pass", "asked", n_items=len(measured.values), evidence={"text": self.text})


class Learned(ClosedForm):
    """A model that learned the items."""

    def __init__(self, models: Any, defaults: Any) -> None:
        super().__init__(models, defaults, taught=ITEMS, size=8.0)


class Untouched(ClosedForm):
    """A model that training did not move."""

    def __init__(self, models: Any, defaults: Any) -> None:
        super().__init__(models, defaults)


class Missing(ClosedForm):
    """A model that cannot be loaded."""

    def describe(self) -> dict[str, object]:
        raise AdapterMismatch("12 of 12 keys match no module: train the adapter on this base")


def _target(cls: type) -> str:
    return f"{KIT}:{cls.__name__}"


class Kit:
    """What the tests' plugin offers."""

    @hookimpl
    def dlm_sway_probes(self) -> list[ProbeEntry]:
        offers = [
            (Moved, "adherence", {"compare"}),
            (Say, "attribution", set()),
            (Raise, "calibration", set()),
            (Sections, "attribution", {"compare"}),
        ]
        return [
            ProbeEntry(name=c.kind, target=_target(c), summary=str(c.__doc__), category=at, needs=frozenset(needs))
            for c, at, needs in offers
        ] + [
            ProbeEntry(
                name="talk", target=_target(Say), summary="x", category="ablation", needs=frozenset({"generate"})
            )
        ]

    @hookimpl
    def dlm_sway_backends(self) -> list[BackendEntry]:
        gives = frozenset({"compare", "inspect", "null", "scale"})
        return [
            BackendEntry(name=c.__name__.lower(), target=_target(c), summary=str(c.__doc__), gives=gives)
            for c in (Learned, Untouched, Missing)
        ] + [BackendEntry(name="absent", target="x:y", summary="x", requires=("no_such_module_here",))]


@pytest.fixture
def manager() -> Iterator[PluginManager]:
    """sway's built-ins and the kit above, and nothing that happens to be installed."""
    module = ModuleType(KIT)
    for cls in (Moved, Say, Raise, Sections, Learned, Untouched, Missing):
        setattr(module, cls.__name__, cls)
    found = PluginManager(hookspecs.PROJECT, hookspecs)
    found.register(builtin, name="builtin")
    found.register(Kit(), name="kit")
    sys.modules[KIT] = module
    yield found
    del sys.modules[KIT]


@pytest.fixture
def suite_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``sway.yaml`` beside an adapter folder; ``entries`` is the YAML under ``suite:``."""

    def make(entries: str, *, kind: str = "learned", more: str = "") -> Path:
        (tmp_path / "adapter").mkdir(exist_ok=True)
        head = f"""\
            version: 1
            models:
              base: {{kind: {kind}, base: table}}
              ft: {{kind: {kind}, base: table, adapter: ./adapter}}
            """
        path = tmp_path / "sway.yaml"
        path.write_text(f"{dedent(head)}{dedent(more)}suite:\n{dedent(entries)}", encoding="utf-8")
        return path

    return make


@pytest.fixture
def installed(manager: PluginManager, monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """The same manager, as the one the commands find."""
    from dlm_sway import plugins

    monkeypatch.setattr(plugins, "manager", lambda: manager)
    return manager
