"""The report as one HTML page. Everything it says in charts it also says in words, which need no script.

The page holds the library that draws the charts, and forbids itself every request (by its content security policy).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from plotly.offline import get_plotlyjs

from dlm_sway.report import format as fmt

from .charts import Chart, charts

_POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_COLUMNS: Final = (
    "entry",
    "verdict",
    'estimate<span class="under">95% interval</span>',
    "n",
    "p",
    "adjusted",
    "time",
    "what it says",
)
_EMPTY: Final = ' class="empty"'
_ORDER: Final = ("fail", "error", "inconclusive", "warn", "skip", "pass")
_TOP: Final = ("sway-gauge", "sway-category")


def render(result: dict[str, Any]) -> str:
    """``result`` as an HTML document."""
    found = charts(result)
    parts = [
        *_head(result),
        *_opening(result),
        '<div class="top">',
        *(_chart(chart) for chart in found if chart.id in _TOP),
        "</div>",
        *_table(result),
        *(_chart(chart) for chart in found if chart.id not in _TOP),
        *_notes(result),
        *_facts(result),
        "</main>",
        f"<script>{get_plotlyjs()}</script>",
        f'<script type="application/json" id="sway-figures">{_data(found)}</script>',
        f"<script>{_file('page.js')}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _head(result: Mapping[str, Any]) -> Iterator[str]:
    title = f"sway: {result['conclusion'] or 'report'}: {fmt.label(result['adapter_id'])}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<link rel="icon" href="data:,">'
    yield f"<title>{_text(title)}</title>"
    yield f"<style>{_file('page.css')}</style>"
    yield "</head>"


def _opening(result: Mapping[str, Any]) -> Iterator[str]:
    conclusion, gate = result["conclusion"], result["gate"].get("outcome", "")
    yield "<body>"
    yield "<main>"
    yield "<h1>sway report</h1>"
    if result["status"] != "finished":
        yield f'<p class="status" id="sway-status">{_text(result["status"])}: some entries were not asked.</p>'
    if conclusion:
        word = _text(conclusion)
        yield f'<p class="conclusion" id="sway-conclusion" data-conclusion="{word}">{word}</p>'
    yield from (f"<p>{_text(line)}</p>" for line in result["summary"])
    yield "<dl>"
    yield from _fact("Base", f"<code>{_text(result['base_model_id'])}</code>")
    yield from _fact("Adapter", f"<code>{_text(result['adapter_id'])}</code>")
    yield from _fact("Score", _text(f"{fmt.score(result['score']['overall'])} {result['score']['band']}"))
    if gate:
        asked = f" (threshold {fmt.score(result['gate'].get('threshold'))})"
        yield from _fact("Gate", f'<span id="sway-gate" data-outcome="{_text(gate)}">{_text(gate)}</span>{asked}')
    if (family := fmt.family(result)) is not None:
        yield from _fact("Tests", _text(family))
    yield "</dl>"


def _table(result: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Verdicts</h2>"
    yield f'<p id="sway-counts">{_text(_counts(result))}</p>'
    yield '<div class="wide"><table id="sway-verdicts">'
    heads = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    yield from map(_row, result["probes"])
    yield "</tbody></table></div>"


def _row(probe: Mapping[str, Any]) -> str:
    """On a narrow screen each cell is a line of its own and shows its column's name, ``data-label``."""
    name, verdict = _text(probe["name"]), _text(probe["verdict"])
    interval = "" if probe["ci_95"] is None else f'<span class="under">{fmt.ci(probe["ci_95"])}</span>'
    cells = (
        f'<span class="verdict">{verdict}</span>',
        f"{fmt.raw(probe['raw'])}{interval}",
        str(probe["n_items"] or fmt.MISSING),
        fmt.p(probe["p_value"]),
        fmt.p(probe["p_adjusted"]),
        fmt.duration(probe["duration_s"]),
        _text(probe["message"]),
    )
    head = f'<th scope="row">{name}<code class="under">{_text(probe["kind"])}</code></th>'
    columns = (label.partition("<")[0] for label in _COLUMNS[1:])
    rest = "".join(
        f'<td data-label="{label}"{_EMPTY if cell == fmt.MISSING else ""}>{cell}</td>'
        for label, cell in zip(columns, cells, strict=True)
    )
    return f'<tr data-probe="{name}" data-verdict="{verdict}">{head}{rest}</tr>'


def _counts(result: Mapping[str, Any]) -> str:
    """How many entries have each verdict, those that need a look first."""
    found = Counter(str(probe["verdict"]) for probe in result["probes"])
    known = [verdict for verdict in _ORDER if verdict in found]
    parts = [f"{found[verdict]} {verdict}" for verdict in (*known, *sorted(set(found) - set(_ORDER)))]
    many = len(result["probes"])
    return f"{many} {'entry' if many == 1 else 'entries'}: {', '.join(parts)}" if parts else "no entries"


def _chart(chart: Chart) -> str:
    title, words = _text(chart.title), _text(chart.words)
    return (
        f"<figure><h2>{title}</h2>"
        f'<div id="{chart.id}" class="chart" role="img" aria-label="{title}: {words}"></div>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _notes(result: Mapping[str, Any]) -> Iterator[str]:
    reasons, notes = result["gate"].get("reasons", []), result["provenance"].get("notes", [])
    for title, lines in (("Why the gate says so", reasons), ("Notes", notes)):
        if lines:
            yield f"<h2>{title}</h2>"
            yield "<ul>"
            yield from (f"<li>{_text(line)}</li>" for line in lines)
            yield "</ul>"


def _facts(result: Mapping[str, Any]) -> Iterator[str]:
    provenance = result["provenance"]
    versions = provenance.get("versions")
    rows = {
        "Suite": result["spec_path"],
        "Suite digest": provenance.get("spec_digest", ""),
        "Command": provenance.get("command", ""),
        "Started": result["started_at"],
        "Took": fmt.duration(result["wall_seconds"]),
        "sway": result["sway_version"],
        "Versions": ", ".join(f"{k} {v}" for k, v in sorted(versions.items())) if isinstance(versions, dict) else "",
        "Python": provenance.get("python", ""),
        "Machine": provenance.get("platform", ""),
        "Determinism": fmt.determinism(result) or "",
        "Cache": fmt.cache(result) or "",
    }
    yield "<details><summary>How this was measured</summary><dl>"
    for name, value in rows.items():
        if value:
            yield from _fact(name, _text(value))
    yield "</dl></details>"


def _fact(name: str, value: str) -> Iterator[str]:
    """``value`` is HTML already."""
    yield f"<dt>{name}</dt><dd>{value}</dd>"


def _data(found: list[Chart]) -> str:
    """The figures as JSON that no script element can end early."""
    text = json.dumps({chart.id: chart.figure for chart in found}, sort_keys=True, allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8").strip()


def _text(value: object) -> str:
    """``value`` as text in a page, in an element as well as in a quoted attribute."""
    shown = "".join(one if one.isprintable() else " " for one in str(value))
    return escape(" ".join(shown.split()))
