"""A trace's sums agree with the trace, and with what the run counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.cli.main import main
from dlm_sway.errors import TargetError
from dlm_sway.history.traced import UNASSIGNED, read, summed
from dlm_sway.suite.run import run


def test_the_sums_of_a_real_run_agree_with_its_trace_and_its_counts(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    path = suite_file("- {name: a, kind: moved}\n- {name: b, kind: moved}\n- {name: n, kind: null_adapter, runs: 3}\n")
    trace = tmp_path / "t.jsonl"
    stats = run(path, manager=manager, cache=False, trace=trace).provenance["backend_stats"]
    found = summed(*read(trace))
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert found.total.events == len(lines) == stats["cache_hits"] + stats["cache_misses"]
    assert (found.total.hits, found.total.misses) == (stats["cache_hits"], stats["cache_misses"])
    assert found.total.ms == pytest.approx(sum(line["wall_ms"] for line in lines))
    for shares in (found.per_probe, found.per_view):
        assert sum(one.events for one in shares) == found.total.events
        assert sum(one.ms for one in shares) == pytest.approx(found.total.ms)
        assert [one.ms for one in shares] == sorted((one.ms for one in shares), reverse=True)
    by_name = {one.name: one for one in found.per_probe}
    assert by_name["b"].hit_rate == 1.0  # it asks what `a` has asked
    assert found.malformed == 0


EVENTS = (
    '{"ts": 1.5, "probe": "a", "view_id": "ft", "prompt_hash": "x", "op": "logprob_of", "wall_ms": 30, "hit": false}',
    '{"ts": 1.6, "probe": null, "view_id": "base", "wall_ms": 5.5}',
    '{"ts": 1.7, "run": "r2", "probe": "a", "view_id": "base", "wall_ms": 0.0, "hit": true}',
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A trace of an earlier version, cut off in the middle of a line, and a run of this one."""
    path = tmp_path / "old.jsonl"
    path.write_text("\n".join([*EVENTS, "[]", '{"wall_ms": NaN}', '{"wall_ms": true}', '{"ts": 1.8, "pro']))
    return path


def test_lines_that_are_no_event_are_left_out_and_counted(old: Path) -> None:
    found = summed(*read(old), slowest=1)
    assert (found.total.events, found.total.ms, found.malformed) == (3, 35.5, 4)
    assert [(one.name, one.events, one.hits) for one in found.per_probe] == [("a", 2, 1), (UNASSIGNED, 1, 0)]
    assert [event.wall_ms for event in found.slowest] == [30]


def test_one_run_of_a_file_can_be_looked_at(old: Path) -> None:
    assert len(read(old, "last")[0]) == len(read(old, "r2")[0]) == 1
    with pytest.raises(TargetError, match="no run 'r3': it has r2"):
        read(old, "r3")


def test_the_command_prints_writes_and_has_its_exit_codes(old: Path, tmp_path: Path) -> None:
    def sway(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["trace", *map(str, arguments)])
        return done.exit_code, done.output

    code, said = sway(old)
    assert (code, max(map(len, said.splitlines())) <= 80) == (0, True), said
    assert said.startswith("sway trace — 3 events, total 0.04s, hit rate 33.3%\nnote: 4 lines are no event")
    code, said = sway(old, "--format", "md", "--slowest", "1")
    assert said.startswith("# sway trace — 3 events, total 0.04s, hit rate 33.3%\n")
    out = tmp_path / "o.json"
    assert sway(old, "--format", "json", "-o", out)[0] == 0
    data = json.loads(out.read_text())
    assert (data["total_events"], data["per_probe"][0]["cache_misses"], data["per_view"][0]["view_id"]) == (3, 1, "ft")
    assert sway(tmp_path / "none")[0] == 2
    (tmp_path / "empty").write_text("")
    assert sway(tmp_path / "empty")[0] == 1
