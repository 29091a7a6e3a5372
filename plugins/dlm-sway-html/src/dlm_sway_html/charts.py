"""The charts of the page, as the data that plotly.js draws. How the page looks around them is not here.

A chart that the result has no data for is left out. Evidence comes from files, and from probes that nobody here
knows, so whatever is not what it should be counts as not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final, NamedTuple

from dlm_sway.report import format as fmt

COLOURS: Final = {
    "pass": "#12805c",
    "warn": "#b7791f",
    "inconclusive": "#8a6d1a",
    "fail": "#c4341c",
    "error": "#8f1d4f",
    "skip": "#7a828c",
}
_SYMBOLS: Final = {
    "pass": "circle",
    "warn": "triangle-up",
    "inconclusive": "diamond",
    "fail": "x",
    "error": "cross",
    "skip": "circle-open",
}
_PLAIN: Final = "#3568a8"
_ROW: Final = 30
"""Pixels that a row of a horizontal chart takes."""
_SMALL: Final = 13
"""Pixels of the letters beside an axis, as those of its numbers."""
_LONGEST: Final = 28


class Chart(NamedTuple):
    """One chart: where it goes, what stands above it, and what says the same in words."""

    id: str
    title: str
    words: str
    figure: dict[str, Any]


def charts(result: Mapping[str, Any]) -> list[Chart]:
    """Every chart that ``result`` has the data for."""
    makers: tuple[Callable[[Mapping[str, Any]], Chart | None], ...] = (
        _gauge,
        _categories,
        _sections,
        _ablation,
        _scatter,
        _training,
    )
    return [chart for make in makers if (chart := make(result)) is not None]


def _gauge(result: Mapping[str, Any]) -> Chart | None:
    overall, band = result["score"]["overall"], result["score"]["band"]
    if not _number(overall):
        return None
    steps = [((0.0, 0.3), "#e9c3bb"), ((0.3, 0.6), "#eadcb2"), ((0.6, 1.0), "#bfdccf")]
    gauge: dict[str, Any] = {
        "axis": {"range": [0, 1], "tickvals": [0, 0.3, 0.6, 1]},
        "bar": {"color": _PLAIN, "thickness": 0.3},
        "steps": [{"range": list(ends), "color": colour} for ends, colour in steps],
    }
    threshold = result["gate"].get("threshold")
    if _number(threshold):
        gauge["threshold"] = {"value": threshold, "line": {"color": COLOURS["fail"], "width": 3}, "thickness": 0.9}
    number = {"valueformat": ".2f"}
    data = {"type": "indicator", "mode": "gauge+number", "value": overall, "number": number, "gauge": gauge}
    words = f"{fmt.score(overall)} {band}".strip()
    if _number(threshold):
        words += f"; the gate asks for {fmt.score(threshold)}"
    figure = _figure([data], 210)
    figure["layout"]["margin"] |= {"l": 30, "r": 30}
    return Chart("sway-gauge", "Overall score", words, figure)


def _categories(result: Mapping[str, Any]) -> Chart | None:
    rows = [(name, score, weight) for name, score, weight, _ in fmt.components(result) if _number(score)]
    if not rows:
        return None
    data = {
        "type": "bar",
        "orientation": "h",
        "x": [score for _, score, _ in rows],
        "y": [_text(name) for name, *_ in rows],
        "text": [f"{fmt.score(score)}, weight {fmt.score(weight)}" for _, score, weight in rows],
        "textposition": "auto",
        "hoverinfo": "none",
        "marker": {"color": [_PLAIN if weight else COLOURS["skip"] for *_, weight in rows]},
    }
    words = ", ".join(f"{name} {fmt.score(score)}" for name, score, _ in rows)
    return Chart("sway-category", "Categories", words, _horizontal([data], len(rows), "score", [0, 1]))


def _sections(result: Mapping[str, Any]) -> Chart | None:
    """Of every section, the share of its loss that is gone, with its interval."""
    found = [row for row in _rows(result, "per_section") if _number(row.get("effective_sis"))]
    if not found:
        return None
    rows = sorted(found, key=lambda row: -row["effective_sis"])
    names = _distinct([str(row.get("tag") or row.get("section_id") or "section") for row in rows])
    ends = [_interval(row.get("ci_95")) for row in rows]
    passed = [row.get("passed") is not False for row in rows]
    data = {
        "type": "bar",
        "orientation": "h",
        "x": [row["effective_sis"] for row in rows],
        "y": [_text(name) for name in names],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [one and max(0.0, one[1] - row["effective_sis"]) for row, one in zip(rows, ends, strict=True)],
            "arrayminus": [
                one and max(0.0, row["effective_sis"] - one[0]) for row, one in zip(rows, ends, strict=True)
            ],
        },
        "marker": {"color": [COLOURS["pass"] if one else COLOURS["fail"] for one in passed]},
        "hovertext": [
            f"{_text(row.get('section_id', ''))}: {fmt.raw(row['effective_sis'])} {fmt.ci(row.get('ci_95'))}"
            for row in rows
        ],
        "hoverinfo": "text",
    }
    words = f"{sum(passed)} of {len(rows)} sections learned"
    axis = "share of the loss that is gone, beyond text that was not taught (bars: 95% intervals)"
    figure = _horizontal([data], len(rows), axis)
    threshold = next((e.get("per_section_threshold") for e in _evidence(result) if "per_section" in e), None)
    if threshold is not None and _number(threshold):
        words += f"; a section counts from {threshold:g} on"
        figure["layout"]["shapes"] = [_line(threshold)]
    return Chart("sway-sis", "Sections", words, figure)


def _ablation(result: Mapping[str, Any]) -> Chart | None:
    """How far the model is from its base, by the strength of the adapter."""
    data = []
    for probe in result["probes"]:
        xs = probe["evidence"].get("lambdas")
        ys = probe["evidence"].get("mean_divergence_per_lambda")
        if not (isinstance(xs, list) and isinstance(ys, list)):
            continue
        points = [(x, y) for x, y in zip(xs, ys, strict=False) if _number(x) and _number(y)]
        if points:
            data.append(_curve(probe["name"], points, "lines+markers"))
    if not data:
        return None
    words = "; ".join(
        f"{one['name']}: " + ", ".join(f"{x:g}: {y:.2g}" for x, y in zip(one["x"], one["y"], strict=True))
        for one in data
    )
    figure = _figure(data, 320, x="strength of the adapter", y="divergence from the base")
    figure["layout"]["showlegend"] = len(data) > 1
    return Chart("sway-ablation", "Strength of the adapter", words, figure)


def _scatter(result: Mapping[str, Any]) -> Chart | None:
    """A point a test at its p-value; a point an entry at its score in results that have no p-values."""
    tests = [probe for probe in result["probes"] if _number(_p(probe)) and _p(probe) > 0]
    if tests:
        alpha = result["provenance"].get("alpha", 0.05)
        figure = _points(tests, _p, "p-value (log scale); up to the line: beyond chance")
        least = min(0.01, *(_p(probe) for probe in tests))
        figure["layout"]["xaxis"] |= {
            "type": "log",
            "range": [math.log10(least) - 0.2, 0.12],
            "tickvals": [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.05, 0.2, 1],
            "ticktext": ["1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.05", "0.2", "1"],
        }
        if _number(alpha) and alpha > 0:
            figure["layout"]["shapes"] = [_line(alpha)]
        words = ", ".join(f"{probe['name']} p = {fmt.p(_p(probe))} ({probe['verdict']})" for probe in tests)
        return Chart("sway-scatter", "Tests", words, figure)
    scored = [probe for probe in result["probes"] if _number(probe["score"])]
    if not scored:
        return None
    words = ", ".join(f"{probe['name']} {fmt.score(probe['score'])} ({probe['verdict']})" for probe in scored)
    figure = _points(scored, lambda probe: probe["score"], "score")
    figure["layout"]["xaxis"]["range"] = [-0.05, 1.05]
    return Chart("sway-scatter", "Entries", words, figure)


def _training(result: Mapping[str, Any]) -> Chart | None:
    """The training loss, a line a phase."""
    data: list[dict[str, Any]] = []
    for probe in result["probes"]:
        curve = probe["evidence"].get("curve_sampled")
        if not isinstance(curve, list):
            continue
        # Version 0.1 wrote losses without their steps.
        pairs = [one if isinstance(one, list) else [at, one] for at, one in enumerate(curve, start=1)]
        points = [(one[0], one[1]) for one in pairs if len(one) == 2 and all(map(_number, one))]
        data += [_curve(probe["name"], phase, "lines") for phase in _phases(points)]
    if not data:
        return None
    words = ", then ".join(f"loss {fmt.raw(one['y'][0])} to {fmt.raw(one['y'][-1])}" for one in data)
    figure = _figure(data, 320, x="step", y="training loss")
    figure["layout"]["showlegend"] = False
    return Chart("sway-training", "Training", words, figure)


def _phases(points: list[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Steps count from the beginning again in every phase."""
    start = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or points[at][0] < points[at - 1][0]:
            yield points[start:at]
            start = at


def _points(probes: list[dict[str, Any]], value: Callable[[dict[str, Any]], float], axis: str) -> dict[str, Any]:
    names = [_text(name) for name in _distinct([probe["name"] for probe in probes])]
    hover = [
        f"{_text(probe['name'])} ({_text(probe['kind'])}): {_text(probe['verdict'])}, "
        f"{fmt.raw(probe['raw'])} {fmt.ci(probe['ci_95'])}"
        for probe in probes
    ]
    marker = {
        "size": 11,
        "color": [COLOURS.get(probe["verdict"], _PLAIN) for probe in probes],
        "symbol": [_SYMBOLS.get(probe["verdict"], "square") for probe in probes],
    }
    data = {
        "type": "scatter",
        "mode": "markers",
        "x": [value(probe) for probe in probes],
        "y": names,
        "marker": marker,
        "hovertext": hover,
        "hoverinfo": "text",
    }
    return _horizontal([data], len(probes), axis)


def _p(probe: Mapping[str, Any]) -> Any:
    adjusted = probe["p_adjusted"]
    return probe["p_value"] if adjusted is None else adjusted


def _curve(name: str, points: list[tuple[float, float]], mode: str) -> dict[str, Any]:
    xs, ys = zip(*points, strict=True)
    return {"type": "scatter", "mode": mode, "name": _text(name), "x": list(xs), "y": list(ys)}


def _horizontal(data: list[dict[str, Any]], rows: int, x: str, ends: list[float] | None = None) -> dict[str, Any]:
    figure = _figure(data, 90 + _ROW * rows, x=x)
    figure["layout"]["yaxis"] |= {"range": [rows - 0.5, -0.5], "automargin": True, "type": "category"}
    if ends:
        figure["layout"]["xaxis"]["range"] = ends
    return figure


def _figure(data: list[dict[str, Any]], height: int, *, x: str = "", y: str = "") -> dict[str, Any]:
    layout = {
        "height": height,
        "margin": {"l": 10, "r": 20, "t": 20, "b": 50 if x else 20},
        "xaxis": {"title": {"text": x, "font": {"size": _SMALL}}, "automargin": True},
        "yaxis": {"title": {"text": y, "font": {"size": _SMALL}}, "automargin": True},
    }
    return {"data": data, "layout": layout}


def _line(at: float) -> dict[str, Any]:
    """A vertical line over the whole height."""
    ends = {"x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "line", **ends, "line": {"color": COLOURS["fail"], "width": 1.5, "dash": "dot"}}


def _distinct(names: list[str]) -> list[str]:
    """Short, and no two the same: a chart puts equal names on one row."""
    found: list[str] = []
    for name in names:
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        number, candidate = 2, short
        while candidate in found:
            number, candidate = number + 1, f"{short} ({number})"
        found.append(candidate)
    return found


def _evidence(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (probe["evidence"] for probe in result["probes"])


def _rows(result: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    for evidence in _evidence(result):
        rows = evidence.get(key)
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _interval(value: Any) -> tuple[float, float] | None:
    if isinstance(value, list) and len(value) == 2 and all(map(_number, value)):
        return value[0], value[1]
    return None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> str:
    """Text that plotly shows as it is: it takes tags for markup."""
    return escape(" ".join(str(value).split()), quote=False)
