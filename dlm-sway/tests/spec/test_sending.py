"""A suite sent to a server on the same files: every path absolute, everything else as it was written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
from pydantic import AfterValidator, ValidationInfo

from dlm_sway import Probe, hookimpl
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.entries import ProbeEntry
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.spec.fields import FOLDER, SuitePath
from dlm_sway.spec.load import load
from dlm_sway.spec.sending import absolute


def _model(value: str, info: ValidationInfo) -> str:
    folder = Path((info.context or {})[FOLDER]) / value
    return str(folder.resolve()) if folder.is_dir() else f"/installed/{value}"


class ReadsSpec(ProbeSpec):
    prompts: tuple[str, ...] = ()
    files: dict[str, tuple[SuitePath, ...]] | None = None
    model: Annotated[str, AfterValidator(_model)] = "small"


class Reads(Probe[ReadsSpec]):
    """Has paths, and a key that takes a name as well as a folder."""

    kind = "reads"
    spec_type = ReadsSpec

    def judge(self, *_):
        raise AssertionError("never asked")


class Offers:
    @hookimpl
    def dlm_sway_probes(self):
        yield ProbeEntry(name="reads", target="sending_tests_kit:Reads", summary="x", category="adherence")


@pytest.fixture
def plugins(manager: PluginManager, monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    kit = ModuleType("sending_tests_kit")
    kit.Reads = Reads  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, kit.__name__, kit)
    manager.register(Offers(), name="reads")
    return manager


def test_paths_are_made_absolute_and_nothing_else_is_touched(
    plugins: PluginManager, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    for name in ("notes", "minilm"):
        (tmp_path / name).mkdir()
    spec = suite_file(
        "- {name: a, kind: reads, prompts: [./notes, notes], files: {x: [notes, ./minilm]}, model: ./minilm}\n"
        "- {name: b, kind: reads, model: small}\n"
        "- {name: c, kind: moved}\n"
    )
    sent = absolute(spec, load(spec, plugins))
    notes, model = str(tmp_path / "notes"), str(tmp_path / "minilm")
    assert sent["suite"][0] == {
        "name": "a",
        "kind": "reads",
        "prompts": ["./notes", "notes"],
        "files": {"x": [notes, model]},
        "model": model,
    }
    assert sent["suite"][1:] == [{"name": "b", "kind": "reads", "model": "small"}, {"name": "c", "kind": "moved"}]
    assert sent["models"]["ft"]["adapter"] == str(tmp_path / "adapter")
    assert sent["models"]["base"]["base"] == "table"  # the name of a model, for a backend to find
