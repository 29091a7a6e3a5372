"""The page: what it says without a script, what it holds, and what it must not do."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway.cli.main import main
from dlm_sway.report import document
from dlm_sway_html.charts import charts
from dlm_sway_html.page import render

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"
Browse = Callable[..., tuple[str, list[str]]]
"""Opens a page: what became of it, and what the browser complained about."""
LIMIT = 6_000_000
"""Bytes that a report may have."""
ALL = {"sway-gauge", "sway-category", "sway-sis", "sway-ablation", "sway-scatter", "sway-training"}


class Reader(HTMLParser):
    """Rows of the verdict table, ids, addresses, and the data of the charts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.verdicts: dict[str, str] = {}
        self.outcome = ""
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self.figures: dict[str, Any] = {}
        self._in_figures = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.scripts += tag == "script"
        self._in_figures = given.get("id") == "sway-figures"
        self.ids += [name] if (name := given.get("id")) else []
        self.addresses += [str(given[key]) for key in ("src", "href") if key in given]
        if "data-probe" in given:
            self.verdicts[str(given["data-probe"])] = str(given["data-verdict"])
        if given.get("id") == "sway-gate":
            self.outcome = str(given["data-outcome"])

    def handle_data(self, data: str) -> None:
        if self._in_figures:
            self.figures = json.loads(data)
            self._in_figures = False


def test_every_verdict_stands_in_the_page_without_a_script(everything: dict[str, Any]) -> None:
    seen = Reader(render(everything))
    assert seen.verdicts == {one["name"]: one["verdict"] for one in everything["probes"]}
    assert seen.outcome == everything["gate"]["outcome"]


def test_what_needs_a_look_is_counted_first(everything: dict[str, Any]) -> None:
    counts = re.search(r'<p id="sway-counts">(.*?)</p>', render(everything))
    verdicts = [one["verdict"] for one in everything["probes"]]
    assert counts is not None
    assert counts[1].startswith(f"{len(verdicts)} entries: {verdicts.count('fail')} fail, 1 error, ")
    assert sum(map(int, re.findall(r"(\d+) [a-z]+(?:,|$)", counts[1].partition(": ")[2]))) == len(verdicts)
    alone = document.completed({"probes": [{"name": "a", "kind": "b", "verdict": "a new one"}]}, "r.json")
    assert "1 entry: 1 a new one" in render(alone)


def test_every_chart_has_its_place_and_its_data(everything: dict[str, Any]) -> None:
    seen = Reader(render(everything))
    assert set(seen.figures) == ALL
    assert set(seen.ids) >= ALL
    bars = seen.figures["sway-sis"]["data"][0]
    assert bars["x"] == [0.4, 0.1, -0.02]
    assert bars["y"] == ["Restart &lt;b&gt;twice&lt;/b&gt;", "Same", "Same (2)"]
    assert bars["error_x"]["array"] == [pytest.approx(0.1), None, pytest.approx(0.06)]
    assert bars["error_x"]["arrayminus"] == [pytest.approx(0.1), None, pytest.approx(0.08)]
    phases = [one["y"] for one in seen.figures["sway-training"]["data"]]
    assert phases == [[3.0, 2.0, 1.5], [1.4, 1.0]]
    assert seen.figures["sway-gauge"]["data"][0]["value"] == everything["score"]["overall"]
    points = seen.figures["sway-scatter"]["data"][0]
    assert dict(zip(points["y"], points["x"], strict=True))["sections"] == 0.6


def test_plotly_knows_every_key_of_every_chart(everything: dict[str, Any]) -> None:
    from plotly.graph_objects import Figure

    for figure in Reader(render(everything)).figures.values():
        Figure(figure)  # raises for a key or a value that plotly does not have


def test_a_chart_without_data_is_left_out() -> None:
    seen = Reader(render(document.completed({"probes": []}, "nothing")))
    assert (seen.figures, seen.verdicts) == ({}, {})
    prior = Reader(render(document.read(GOLDEN / "prior.json")))
    assert set(prior.figures) == {"sway-gauge", "sway-category", "sway-scatter"}
    assert prior.figures["sway-scatter"]["data"][0]["x"] == [0.99, 0.4]


def test_the_page_is_one_small_file_that_names_no_other(everything: dict[str, Any]) -> None:
    page = render(everything)
    seen = Reader(page)
    assert len(page.encode()) < LIMIT
    assert seen.addresses == ["data:,"]
    assert "default-src 'none'" in page
    assert render(everything) == page


def test_what_a_probe_wrote_is_text_and_never_markup(everything: dict[str, Any]) -> None:
    everything["probes"][0]["message"] = '"><img src=x onerror=alert(1)>'
    everything["summary"] = ["<script>alert(2)</script>"]
    everything["adapter_id"] = "</title><script>alert(3)</script>"
    everything["conclusion"] = '"><script>alert(4)</script>'
    page = render(everything)
    assert Reader(page).scripts == 3
    assert not re.search(r"<script>alert|<img src=x", page)


def test_the_command_writes_the_page_by_the_ending_of_its_file(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["report", str(GOLDEN / "learned.json"), "--out", str(out)])
    assert (done.exit_code, done.output) == (0, "")
    assert Reader(out.read_text()).verdicts["learned"] == "pass"
    done = CliRunner().invoke(main, ["report", str(GOLDEN / "learned.json"), "--format", "html"])
    assert (done.exit_code, "--out FILE" in " ".join(done.stderr.split())) == (2, True)


@pytest.mark.slow
def test_a_browser_draws_every_chart_without_network_and_without_a_complaint(
    everything: dict[str, Any], tmp_path: Path, browse: Browse
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(everything), "utf-8")
    dom, complaints = browse(page)
    assert complaints == []
    for chart in ALL:
        assert re.search(rf'<div id="{chart}" class="chart js-plotly-plot"[^>]*>.*?<svg class="main-svg"', dom)
    assert "data-verdict" in dom
    assert Reader(dom.replace('<script type="application/json"', "<script")).verdicts["sections"] == "fail"


@pytest.mark.slow
def test_a_page_that_asks_for_another_file_would_be_found_out(
    everything: dict[str, Any], tmp_path: Path, browse: Browse
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(everything).replace("</main>", '<img src="https://example.org/a.png"></main>'), "utf-8")
    assert any("Content Security Policy" in line for line in browse(page)[1])


MEASURE = """<script>
const wide = document.querySelector(".wide"), page = document.documentElement;
document.body.dataset.beyond = [wide.scrollWidth - wide.clientWidth, page.scrollWidth - page.clientWidth].join();
</script>"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 500])
def test_nothing_is_wider_than_a_screen_or_a_phone(
    width: int, everything: dict[str, Any], tmp_path: Path, browse: Browse
) -> None:
    everything["probes"][0]["name"] = "a-name-that-somebody-wrote-without-any-space-" * 3
    everything["probes"][1].update(
        kind="acme/a_probe_with_quite_a_long_name", raw=-1234.5678, ci_95=[-2000.5, -1000.25]
    )
    for number in range(40):
        everything["probes"].append({**everything["probes"][1], "name": f"entry {number}", "p_value": 1e-5})
    page = tmp_path / "report.html"
    page.write_text(render(everything).replace("</body>", f"{MEASURE}</body>"), "utf-8")
    assert page.stat().st_size < LIMIT
    dom, complaints = browse(page, width)
    assert complaints == []
    assert re.findall(r'data-beyond="(.*?)"', dom) == ["0,0"]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["per_section", "per_section_threshold", "lambdas", "mean_divergence_per_lambda", "curve_sampled"]
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys(("effective_sis", "ci_95", "section_id", "tag", "passed"), ANY))
EVIDENCE = st.dictionaries(st.sampled_from(KEYS), ANY | st.lists(ROW, max_size=3) | st.lists(st.floats(), max_size=4))


@given(EVIDENCE, ANY)
def test_whatever_a_probe_leaves_as_evidence_the_charts_are_strict_json(
    evidence: dict[str, Any], threshold: Any
) -> None:
    probe = {"name": "a", "kind": "b", "verdict": "pass", "p_value": 0.5, "evidence": evidence}
    data = {"probes": [probe], "provenance": {"versions": threshold}, "gate": {"outcome": "pass"}}
    found = charts(document.completed(data, "r.json"))
    for chart in found:
        json.dumps(chart.figure, allow_nan=False)


def test_a_library_that_is_missing_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    monkeypatch.delitem(sys.modules, "dlm_sway_html.page")
    out = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["report", str(GOLDEN / "learned.json"), "--out", str(out)])
    assert (done.exit_code, "dlm-sway-html" in done.stderr, out.exists()) == (2, True, False)
    assert "Traceback" not in done.stderr
