"""Judged again after every change, never on half a file, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.history import watching
from dlm_sway.history.watching import History, Kept, Rhythm, watch
from dlm_sway.report.document import read, to_dict
from dlm_sway.spec.load import LoadedSuite
from dlm_sway.suite.run import run

GOOD = "- {name: a, kind: moved}\n"


class Stage:
    """Time that passes only when somebody sleeps, and what happens meanwhile."""

    def __init__(self, manager: PluginManager, folder: Path) -> None:
        self.manager, self.now = manager, 0.0
        self.events: list[tuple[float, Callable[[], Any]]] = []
        self.kept: list[Kept] = []
        self.said: list[str] = []
        self.during: list[Callable[[], Any]] = []
        self.judged = 0
        self.history = History(folder / "history", 3)

    def at(self, when: float, what: Callable[[], Any]) -> None:
        self.events.append((when, what))

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for event in [event for event in self.events if event[0] <= self.now]:
            self.events.remove(event)
            event[1]()
        if self.now > 60:
            raise KeyboardInterrupt

    def judge(self, loaded: LoadedSuite) -> dict[str, Any]:
        self.judged += 1
        if self.during:
            self.during.pop()()
        return to_dict(run(loaded, manager=self.manager, cache=False))

    def play(self, spec: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            watch(
                spec,
                manager=self.manager,
                judge=self.judge,
                history=self.history,
                kept=self.kept.append,
                say=self.said.append,
                rhythm=Rhythm(look=0.5, settle=1.0, reread=3.0),
                sleep=self.sleep,
                clock=lambda: self.now,
            )


@pytest.fixture
def stage(manager: PluginManager, tmp_path: Path) -> Stage:
    return Stage(manager, tmp_path)


def test_nothing_is_judged_twice_without_a_change(stage: Stage, suite_file: Callable[..., Path]) -> None:
    spec = suite_file(GOOD)
    stage.at(10, lambda: spec.write_text(spec.read_text()))
    stage.play(spec)
    assert (stage.judged, len(stage.kept), stage.said) == (1, 1, [])


def test_a_change_of_the_suite_and_one_of_the_adapter_are_judged(
    stage: Stage, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    spec = suite_file(GOOD)
    stage.at(10, lambda: suite_file(GOOD.replace("moved}", "moved, limit: 9}")))
    stage.at(30, lambda: (tmp_path / "adapter" / "weights").write_bytes(b"new"))
    stage.play(spec)
    assert [one.result["gate"]["outcome"] for one in stage.kept] == ["pass", "fail", "fail"]
    assert [one.previous for one in stage.kept] == [None, stage.kept[0].path, stage.kept[1].path]


def test_a_file_that_is_still_written_is_left_until_it_is_whole(stage: Stage, suite_file: Callable[..., Path]) -> None:
    spec = suite_file(GOOD)
    whole = spec.read_text().replace("name: a", "name: b")
    for step in range(1, 8):
        part = whole[: len(whole) * step // 8]
        stage.at(10 + step * 0.5, lambda part=part: spec.write_text(part))  # type: ignore[misc]
    stage.at(14, lambda: spec.write_text(whole))
    stage.play(spec)
    assert [one.result["probes"][0]["name"] for one in stage.kept] == ["a", "b"]
    assert stage.said == []


def test_a_mistake_is_said_once_and_mended(stage: Stage, suite_file: Callable[..., Path]) -> None:
    spec = suite_file(GOOD)
    stage.at(10, lambda: suite_file("- {name: a, kind: none}\n"))
    stage.at(40, lambda: suite_file(GOOD))
    stage.play(spec)
    assert len([line for line in stage.said if line.startswith("error: ")]) == 1
    assert "no installed plugin offers the probe 'none'" in stage.said[0]
    assert len(stage.kept) == 2


def test_an_adapter_that_appears_later_is_waited_for(
    stage: Stage, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    spec = suite_file(GOOD)
    (tmp_path / "adapter").rmdir()
    stage.at(20, lambda: (tmp_path / "adapter").mkdir())
    stage.play(spec)
    assert ("no such folder" in stage.said[0], len(stage.kept)) == (True, 1)


def test_what_cannot_be_loaded_is_not_loaded_again_until_it_changes(
    stage: Stage, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    spec = suite_file(GOOD, kind="missing")
    stage.at(30, lambda: (tmp_path / "adapter" / "weights").write_bytes(b"new"))
    stage.play(spec)
    assert (stage.judged, stage.kept) == (2, [])
    assert len([line for line in stage.said if line.startswith("error: 12 of 12 keys")]) == 1


def test_a_link_that_points_elsewhere_is_a_change(
    stage: Stage, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    spec = suite_file(GOOD)
    (tmp_path / "adapter").rmdir()
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
    (tmp_path / "adapter").symlink_to("v1")

    def point() -> None:
        (tmp_path / "adapter").unlink()
        (tmp_path / "adapter").symlink_to("v2")

    stage.at(20, point)
    stage.play(spec)
    assert [Path(one.result["adapter_id"]).name for one in stage.kept] == ["v1", "v2"]


def test_what_changed_in_the_middle_is_not_kept(stage: Stage, suite_file: Callable[..., Path], tmp_path: Path) -> None:
    spec = suite_file(GOOD)
    stage.during = [lambda: (tmp_path / "adapter" / "weights").write_bytes(b"new")]
    stage.play(spec)
    assert (stage.judged, len(stage.kept)) == (2, 1)


def test_the_oldest_go_and_other_files_stay(stage: Stage, suite_file: Callable[..., Path], tmp_path: Path) -> None:
    spec = suite_file(GOOD)
    stage.history.folder.mkdir()
    (stage.history.folder / "mine.result.json").write_text("{}")
    for number in range(5):
        change = (tmp_path / "adapter" / "weights", b"x" * number)
        stage.at(5 + 8 * number, lambda change=change: change[0].write_bytes(change[1]))  # type: ignore[misc]
    stage.play(spec)
    assert len(stage.kept) == 6
    files = stage.history.files()
    assert [json.loads(path.read_text())["sway_watch"]["sequence"] for path in files] == [4, 5, 6]
    assert (stage.history.folder / "mine.result.json").exists()
    assert read(files[-1])["gate"]["outcome"] == "pass"
    again = History(stage.history.folder, 3).keep(stage.kept[-1].result, spec, watching.datetime.now(watching.UTC))
    assert "-00007." in again.path.name


@pytest.mark.usefixtures("installed")
def test_the_command_tells_the_verdict_and_runs_a_command_without_a_shell(
    suite_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "an entry whose name is long enough to be wrapped where it is told on a narrow terminal, twice over"
    spec = suite_file(GOOD.replace("name: a, kind: moved}", f"name: '{name}', kind: moved, limit: 9}}"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "_wait", stop)
    call = f"python -c \"import os; open(r'{tmp_path}/seen', 'w').write(os.environ['SWAY_RESULT_PATH'])\""
    arguments = ["watch", str(spec), "--settle-ms", "0", "--no-cache", "--on-fail", call]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, "UTC  " in done.stdout, "gate: fail" in done.stdout) == (0, True, True), done.output
    told = [line for line in done.stdout.splitlines() if str(tmp_path)[:20] not in line]
    assert (max(map(len, told)) <= 80, "long enough to be wrapped" in " ".join(done.stdout.split())) == (True, True)
    kept = Path((tmp_path / "seen").read_text())
    assert kept.parent == tmp_path / "sway.history"
    suite_file(GOOD)
    done = CliRunner().invoke(main, arguments)
    assert "against the one before: " in done.stdout, done.output
    assert CliRunner().invoke(main, ["watch", str(spec), "--on-fail", "'"]).exit_code == 2
