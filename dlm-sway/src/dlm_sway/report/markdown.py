"""The report for pull requests and wikis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import format as fmt


def render(result: dict[str, Any]) -> str:
    """``result`` as Markdown, ending in a newline."""
    return "\n".join([*_head(result), *_components(result), *_probes(result), *_rest(result)]).rstrip("\n") + "\n"


def _head(result: dict[str, Any]) -> Iterator[str]:
    yield "# sway report"
    yield ""
    if result["conclusion"]:
        yield f"**Conclusion:** {_text(result['conclusion'])}  "
    score = result["score"]
    yield f"**Overall:** {fmt.score(score['overall'])}" + (f" (`{score['band']}`)  " if score["band"] else "  ")
    yield f"**Base:** {_code(result['base_model_id'])}  "
    yield f"**Adapter:** {_code(fmt.label(result['adapter_id']))}  "
    yield f"**Wall:** {fmt.duration(result['wall_seconds'])}  "
    if (determinism := fmt.determinism(result)) is not None:
        word, _, seed = determinism.partition(" ")
        yield f"**Determinism:** `{word}` {seed}  "
    if (cache := fmt.cache(result)) is not None:
        yield f"**Backend:** cache {cache}  "
    if result["status"] != "finished":
        yield f"**Status:** {_text(result['status'])}  "
    if "outcome" in result["gate"]:
        yield f"**Gate:** {_text(result['gate']['outcome'])} (threshold {fmt.score(result['gate'].get('threshold'))})  "
    if (family := fmt.family(result)) is not None:
        yield f"**Tests:** {family}  "
    yield ""
    yield from (f"- {_text(line)}" for line in result["summary"])
    if result["summary"]:
        yield ""


def _components(result: dict[str, Any]) -> Iterator[str]:
    yield from ("## Components", "", "| category | score | weight | |", "| --- | ---: | ---: | --- |")
    for name, score, weight, remark in fmt.components(result):
        yield f"| {_cell(name)} | {fmt.score(score)} | {fmt.score(weight)} | {remark} |"
    yield ""


def _probes(result: dict[str, Any]) -> Iterator[str]:
    yield from ("## Probes", "")
    yield "| name | kind | verdict | score | raw | ci95 | n | z | p | p adj | mde | duration | note |"
    yield "| --- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for probe in result["probes"]:
        cells = [
            _cell(probe["name"]),
            f"`{_cell(probe['kind'])}`",
            _cell(probe["verdict"]),
            fmt.score(probe["score"]),
            fmt.raw(probe["raw"]),
            fmt.ci(probe["ci_95"]),
            str(probe["n_items"] or fmt.MISSING),
            fmt.z(probe["z_score"]),
            fmt.p(probe["p_value"]),
            fmt.p(probe["p_adjusted"]),
            fmt.raw(probe["mde"]),
            fmt.duration(probe["duration_s"]),
            _cell(probe["message"]),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _rest(result: dict[str, Any]) -> Iterator[str]:
    sections = {
        "Top findings": result["score"].get("findings", []),
        "Skipped probes": [f"{p['name']}: {p['message']}" for p in result["probes"] if p["verdict"] == "skip"],
        "Degenerate null calibration": [
            f"{name}: its random adapters do not differ" for name, s in result["null_stats"].items() if _flat(s)
        ],
        "Notes": result["provenance"].get("notes", []),
    }
    for title, lines in sections.items():
        if lines:
            yield from (f"## {title}", "")
            yield from (f"- {_text(line)}" for line in lines)
            yield ""


def _flat(stats: Any) -> bool:
    degenerate = stats.get("degenerate") if isinstance(stats, dict) else None
    return isinstance(degenerate, (int, float)) and degenerate >= 0.5


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: Any) -> str:
    """One line; what a probe or a document wrote must not become markup."""
    return " ".join(str(text).split()).replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"
