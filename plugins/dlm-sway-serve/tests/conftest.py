"""A plugin manager with planted models that count how often they are loaded, and a server on loopback."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from hypothesis import settings as hypothesis_settings

from dlm_sway import Item, Measurement, Probe, builtin, hookimpl, hookspecs
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.entries import BackendEntry, ProbeEntry
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.scoring.remembering import Identity
from dlm_sway.testing import ClosedForm
from dlm_sway_serve.app import make_app
from dlm_sway_serve.settings import Settings

hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")

KIT = "sway_serve_tests_kit"
ITEMS = tuple(Item(f"question {n}?", f"answer number {n} is here", f"g{n}") for n in range(8))


class MovedSpec(ProbeSpec):
    limit: float = 0.001
    wait: float = 0.0
    fail: str = ""


class Moved(Probe[MovedSpec]):
    """Passes when the mean divergence on the taught items is above the limit."""

    kind = "moved"
    spec_type = MovedSpec
    calibrated = True

    def measure(self, scoring, view):
        return Measurement(tuple(c.kl for item in ITEMS for c in scoring.compare([item], view)))

    def judge(self, measured, nulls, ctx):
        if self.spec.fail == "bug":
            raise ZeroDivisionError("nothing to divide")
        verdict = "pass" if measured.mean > self.spec.limit else "fail"
        return self.result(
            verdict, f"mean {measured.mean:.3g} nulls {len(nulls)} seed {ctx.seed}", raw=measured.mean, n_items=8
        )


class Log:
    """What happened to models, in all of them together."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.closed = 0
        self.at_once = 0
        self.most_at_once = 0
        self.load_seconds = 0.05
        self.question_seconds = 0.0
        self.broken: Exception | None = None
        self.question: Callable[[], None] = lambda: None


class Counted(ClosedForm):
    """A model that learned the items. Its adapter is whatever the folder holds."""

    log = Log()

    def __init__(self, models: Any, defaults: Any) -> None:
        super().__init__(models, defaults, taught=ITEMS, size=8.0)

    def identity(self, digest):
        files = sorted(path for path in self.models.ft.adapter.iterdir() if path.is_file())
        return Identity(base={}, adapter={path.name: digest(path) for path in files})

    def describe(self):
        time.sleep(self.log.load_seconds)
        if self.log.broken:
            raise self.log.broken
        self.log.loads.append(self.models.ft.adapter.name)
        return {"dtype": "fp64", "device": "cpu"}

    def compare(self, items, view, **more):
        self.log.at_once += 1
        self.log.most_at_once = max(self.log.most_at_once, self.log.at_once)
        try:
            self.log.question()
            time.sleep(self.log.question_seconds)
            return super().compare(items, view, **more)
        finally:
            self.log.at_once -= 1

    def close(self):
        self.log.closed += 1


class Nameless(Counted):
    """A model that cannot say what decides its numbers."""

    def identity(self, digest):
        return None


class Kit:
    @hookimpl
    def dlm_sway_probes(self):
        needs = frozenset({"compare"})
        yield ProbeEntry(name="moved", target=f"{KIT}:Moved", summary="x", category="adherence", needs=needs)

    @hookimpl
    def dlm_sway_backends(self):
        gives = frozenset({"compare", "inspect", "null", "scale"})
        for cls in (Counted, Nameless):
            yield BackendEntry(name=cls.__name__.lower(), target=f"{KIT}:{cls.__name__}", summary="x", gives=gives)


def make_manager() -> PluginManager:
    """sway's built-ins and the kit above, and nothing that happens to be installed."""
    module = ModuleType(KIT)
    for cls in (Moved, Counted, Nameless):
        setattr(module, cls.__name__, cls)
    sys.modules[KIT] = module
    found = PluginManager(hookspecs.PROJECT, hookspecs)
    found.register(builtin, name="builtin")
    found.register(Kit(), name="kit")
    return found


@pytest.fixture
def manager() -> Iterator[PluginManager]:
    yield make_manager()
    del sys.modules[KIT]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    fresh = Log()
    monkeypatch.setattr(Counted, "log", fresh)
    return fresh


@pytest.fixture(autouse=True)
def cache_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("one", "two", "three"):
        (tmp_path / "served" / name).mkdir(parents=True)
        (tmp_path / "served" / name / "weights").write_text(name)
    (tmp_path / "served" / "base").mkdir()
    return tmp_path / "served"


@pytest.fixture
def suite() -> Callable[..., dict[str, Any]]:
    return make_suite


@pytest.fixture
def serving() -> Callable[..., Any]:
    return running


def make_suite(adapter: str = "one", *entries: dict[str, Any], kind: str = "counted", **more: Any) -> dict[str, Any]:
    """A suite for the kit's model."""
    base = {"kind": kind, "base": "base"}
    default = ({"name": "a", "kind": "moved"}, {"name": "b", "kind": "moved", "limit": 1e9})
    return {"models": {"base": base, "ft": {**base, "adapter": adapter}}, "suite": list(entries or default), **more}


@contextmanager
def running(settings: Settings, manager: PluginManager, said: list[str] | None = None) -> Iterator[str]:
    """A real server on loopback, in a thread; its address."""
    say = (lambda _: None) if said is None else said.append
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = make_app(settings, manager, say)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=10))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()
