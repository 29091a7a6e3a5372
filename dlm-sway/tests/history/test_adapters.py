"""Several adapters on one base: asked the same, loaded once, ranked by what is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from dlm_sway import Item, View, hookimpl
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.entries import BackendEntry
from dlm_sway.errors import SwayError, TargetError
from dlm_sway.history.adapters import ask_all, labels
from dlm_sway.history.compare import compare
from dlm_sway.history.ranking import rank
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm

ITEMS = tuple(Item(f"question {n}?", f"answer number {n} is here", f"g{n}") for n in range(8))
SEEKS = {"moved": "change"}


class Family(ClosedForm):
    """A base whose adapters are folders with their size in a file."""

    made: list[Family]

    def __init__(self, models: Any, defaults: Any) -> None:
        super().__init__(models, defaults, taught=ITEMS, size=_size(models.ft.adapter))
        Family.made.append(self)

    def _table(self, view: View) -> Any:
        if view.kind == "ft" and view.adapter:
            return ClosedForm(taught=ITEMS, size=_size(Path(view.adapter)))._update
        return super()._table(view)


def _size(folder: Path) -> float:
    return float((folder / "size").read_text())


class FamilyKit:
    """Offers that backend."""

    @hookimpl
    def dlm_sway_backends(self) -> list[BackendEntry]:
        gives = frozenset({"compare", "inspect", "null", "scale"})
        return [BackendEntry(name="family", target="sway_family_kit:Family", summary="x", gives=gives)]


@pytest.fixture(autouse=True)
def family(manager: PluginManager) -> Iterator[None]:
    module = ModuleType("sway_family_kit")
    module.Family = Family  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    Family.made = []
    manager.register(FamilyKit(), name="family")
    yield
    del sys.modules[module.__name__]


@pytest.fixture
def suite(suite_file: Callable[..., Path], tmp_path: Path) -> Path:
    """A suite, and adapters ``small``, ``middle`` and ``large`` beside it."""
    path = suite_file(
        "- {name: n, kind: null_adapter}\n- {name: a, kind: moved}\n- {name: b, kind: integrity}\n", kind="family"
    )
    for name, size in (("adapter", 1.0), ("small", 4.0), ("middle", 6.0), ("large", 8.0)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "size").write_text(str(size))
    return path


def paths(suite: Path, *names: str) -> list[str]:
    return [str(suite.parent / name) for name in names]


def test_each_adapter_gives_the_numbers_of_a_run_of_its_own(suite: Path, manager: PluginManager) -> None:
    runs = ask_all(suite, paths(suite, "small", "large"), manager=manager, cache=False)
    assert [one.label for one in runs] == ["small", "large"]
    assert len(Family.made) == 1
    for one, size in zip(runs, (4.0, 8.0), strict=True):
        (suite.parent / "adapter" / "size").write_text(str(size))
        alone = run(suite, manager=manager, cache=False).probes[1]
        assert one.result["probes"][0]["raw"] == alone.raw
        assert one.result["probes"][0]["evidence"]["items"]["asked"] == alone.evidence["items"]["asked"]


def test_the_difference_is_paired_and_an_effect_gets_no_verdict(suite: Path, manager: PluginManager) -> None:
    found = compare(ask_all(suite, paths(suite, "large", "small"), manager=manager, cache=False), seeks=SEEKS)
    moved, sound = found.rows
    assert moved.change is not None
    assert (moved.outcome, moved.change.paired, moved.change.n) == ("worse", True, 8)
    assert moved.probes[0] is not None
    assert moved.probes[0]["verdict"] == "measured"
    assert sound.probes[0] is not None
    assert "`sway run` asks it" in sound.probes[0]["message"]


def test_the_leader_is_the_one_that_others_are_shown_to_be_worse_than(suite: Path, manager: PluginManager) -> None:
    runs = ask_all(suite, paths(suite, "small", "large", "middle"), manager=manager, cache=False)
    found = rank(runs, SEEKS)
    assert [(one.label, one.better, one.worse) for one in found.standings] == [
        ("large", 2, 0),
        ("middle", 1, 1),
        ("small", 0, 2),
    ]
    assert [one.mean_rank for one in found.standings] == [1.0, 2.0, 3.0]
    assert found.boards[0].cells[2].beaten_by == ("large", "middle")
    assert (found.tests, [name for name, _ in found.left_out]) == (3, ["b"])


def test_what_says_neither_way_is_shown_and_ranks_nobody(suite: Path, manager: PluginManager) -> None:
    runs = ask_all(suite, paths(suite, "small", "large"), manager=manager, cache=False)
    found = rank([one._replace(result=_neither(one.result)) for one in runs], {})
    assert (found.tests, found.standings[0].mean_rank, len(found.boards)) == (0, None, 1)


def _neither(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "probes": [{**one, "seeks": "neither"} for one in result["probes"]]}


def test_folders_are_named_by_as_much_as_tells_them_apart() -> None:
    assert labels([Path("/s/x/v1"), Path("/s/x/v2")]) == ["v1", "v2"]
    assert labels([Path("/s/x/v1"), Path("/s/y/v1")]) == ["x/v1", "y/v1"]


def test_what_is_not_there_named_twice_or_no_adapter_suite_is_said(
    suite: Path, suite_file: Callable[..., Path], manager: PluginManager
) -> None:
    with pytest.raises(TargetError, match="no such folder"):
        ask_all(suite, paths(suite, "small", "none"), manager=manager)
    with pytest.raises(TargetError, match="named twice"):
        ask_all(suite, paths(suite, "small", "small"), manager=manager)
    with pytest.raises(TargetError, match=r"no installed plugin reads documents"):
        ask_all(suite, [*paths(suite, "small"), "notes.dlm"], manager=manager)
    whole = suite_file("- {name: a, kind: moved}\n", kind="family", more="defaults: {differential: false}\n")
    with pytest.raises(SwayError, match="sway compare"):
        ask_all(whole, paths(whole, "small", "large"), manager=manager)


@pytest.mark.usefixtures("installed")
def test_the_commands_print_and_write(suite: Path, tmp_path: Path) -> None:
    def sway(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(main, [str(argument) for argument in arguments])
        return done.exit_code, done.stdout if done.exit_code == 0 else done.output

    small, middle, large = paths(suite, "small", "middle", "large")
    code, said = sway("diff", suite, "--a", small, "--b", large, "--no-cache")
    assert (code, said.startswith("sway diff: two adapters, one base")) == (0, True), said
    code, said = sway("diff", suite, "--a", small, "--b", large, "--no-cache", "--format", "json")
    change = json.loads(said)["changes"][0]
    assert (change["paired"], change["delta"] > 0) == (True, True)
    code, said = sway("matrix", suite, small, middle, large, "--no-cache")
    assert (code, max(map(len, said.splitlines())) <= 80) == (0, True), said
    out = tmp_path / "m.json"
    assert sway("matrix", suite, small, large, "--no-cache", "--format", "json", "-o", out)[0] == 0
    board = json.loads(out.read_text())["leaderboard"]
    assert [one["label"] for one in board] == ["large", "small"]
    code, said = sway("matrix", suite, small, large, "--no-cache", "--format", "md")
    assert said.startswith("# sway matrix — 2 adapters")
    assert sway("matrix", suite, small)[0] == 2
