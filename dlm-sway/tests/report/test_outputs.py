"""Which report goes where, decided before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlm_sway._plugkit.errors import PluginError
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.entries import ReportEntry
from dlm_sway.errors import SwayError, TargetError
from dlm_sway.hookspecs import hookimpl
from dlm_sway.report import document
from dlm_sway.report.outputs import plan, write_all

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"


def planned(manager: PluginManager, formats: list[str], paths: list[str]) -> list[tuple[str, str]]:
    found = plan(formats, [Path(path) for path in paths], [], manager)
    return [(one.format, "" if one.path is None else one.path.name) for one in found]


def test_formats_and_files_are_paired_in_order_and_endings_say_the_rest(manager: PluginManager) -> None:
    assert planned(manager, ["junit", "md"], ["a", "b", "c.sarif.json", "D.MD"]) == [
        ("junit", "a"),
        ("md", "b"),
        ("sarif", "c.sarif.json"),
        ("markdown", "D.MD"),
    ]
    endings = ["r.json", "r.xml", "r.sarif", "r.txt", "r.markdown"]
    assert [name for name, _ in planned(manager, [], endings)] == ["json", "junit", "sarif", "terminal", "markdown"]
    assert planned(manager, ["json", "junit"], ["a"]) == [("json", "a"), ("junit", "")]


@pytest.mark.parametrize(
    ("formats", "paths", "said"),
    [
        (["json", "junit"], [], "json and junit cannot both be printed: give each format its own --out FILE"),
        ([], ["report"], "its ending says no format: end it in .json, "),
        ([], ["r.json", "./r.json"], "both json and json would go there"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    formats: list[str], paths: list[str], said: str, manager: PluginManager
) -> None:
    with pytest.raises(TargetError, match=said):
        planned(manager, formats, paths)


def test_a_file_named_by_an_option_of_its_own_counts_too(manager: PluginManager, tmp_path: Path) -> None:
    named = [("json", tmp_path / "r.json"), ("junit", None)]
    assert [one.format for one in plan([], [], named, manager)] == ["json"]
    with pytest.raises(TargetError, match="both json and json"):
        plan([], [tmp_path / "r.json"], named, manager)


def test_a_missing_plugin_is_found_before_anything_runs(manager: PluginManager) -> None:
    with pytest.raises(PluginError, match="'html'"):
        planned(manager, [], ["r.html"])


def test_a_format_that_is_too_long_to_print_needs_a_file(manager: PluginManager) -> None:
    class Long:
        @hookimpl
        def dlm_sway_reports(self) -> list[ReportEntry]:
            target = "dlm_sway.report.json:render"
            return [ReportEntry(name="long", target=target, summary="x", endings=(".long",), needs_file=True)]

    manager.register(Long(), name="long")
    assert planned(manager, [], ["r.long"]) == [("long", "r.long")]
    with pytest.raises(TargetError, match="the format long is not printed: name a file with --out FILE"):
        planned(manager, ["long"], [])


def test_a_file_that_cannot_be_written_does_not_keep_the_others_back(manager: PluginManager, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    paths = [tmp_path / "file" / "a.md", tmp_path / "b.xml", tmp_path / "file" / "c.json"]
    with pytest.raises(SwayError) as caught:
        write_all(plan([], paths, [], manager), document.read(GOLDEN / "learned.json"))
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [str(paths[0]), str(paths[2])]
    assert paths[1].read_text().startswith("<testsuite")
