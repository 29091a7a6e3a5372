"""The report for reading in a terminal: words in columns, nothing cut, nothing broken inside a word."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import format as fmt

if TYPE_CHECKING:
    from rich.console import Console

WIDTH: Final = 80

_STYLES: Final = {
    "pass": "green",
    "fail": "bold red",
    "error": "bold red",
    "warn": "yellow",
    "inconclusive": "yellow",
    "skip": "dim",
    "learned": "bold green",
    "changed": "bold green",
    "intact": "bold green",
    "not learned": "bold red",
    "no change": "bold red",
    "harmed": "bold red",
    "broken": "bold red",
    "could not tell": "bold yellow",
}
_MARKS: Final = {"inconclusive": "UNSURE"}


class Line(NamedTuple):
    """A line whose first ``styled`` characters carry ``style``."""

    text: str
    style: str = ""
    styled: int = 0


def render(result: dict[str, Any], width: int = WIDTH) -> str:
    """``result`` as plain text, at most ``width`` columns except for words that are longer."""
    return "\n".join(line.text for line in lines(result, width)) + "\n"


def show(result: dict[str, Any], console: Console) -> None:
    """Print ``result``, in colour where the console has it."""
    from rich.text import Text

    for line in lines(result, min(max(console.width, 40), 120)):
        text = Text(line.text)
        text.stylize(line.style, 0, line.styled)
        console.print(text, soft_wrap=True, highlight=False)


def lines(result: dict[str, Any], width: int) -> Iterator[Line]:
    """Every line of the report."""
    yield from _head(result, width)
    yield Line("")
    for probe in result["probes"]:
        yield from _probe(probe, _told(probe["message"], result["summary"]), width)
    yield Line("")
    yield from _score(result, width)
    yield from _foot(result, width)


def _head(result: dict[str, Any], width: int) -> Iterator[Line]:
    yield Line("sway report", "bold", len("sway report"))
    yield from _wrapped("  base     ", fmt.label(result["base_model_id"]), width)
    yield from _wrapped("  adapter  ", fmt.label(result["adapter_id"]), width)
    if result["status"] != "finished":
        word = _printable(result["status"]).upper()
        yield from (Line(""), Line(word, "bold yellow", len(word)))
    if result["conclusion"]:
        yield Line("")
        word = _printable(result["conclusion"]).upper()
        yield Line(word, _STYLES.get(result["conclusion"], "bold"), len(word))
        for sentence in result["summary"]:
            yield from _wrapped("  ", sentence, width)


def _probe(probe: dict[str, Any], told: bool, width: int) -> Iterator[Line]:
    """One probe; what the summary has ``told`` in full is not repeated."""
    verdict = probe["verdict"]
    mark = _MARKS.get(verdict, _printable(verdict).upper())
    kind = f" ({_printable(probe['kind'])})" if probe["kind"] != probe["name"] else ""
    numbers = ", ".join(_numbers(probe))
    head = f"{mark:<6} {_printable(probe['name'])}{kind}"
    fits = len(head) + 2 + len(numbers) <= width
    yield Line(f"{head}  {numbers}".rstrip() if fits else head, _STYLES.get(verdict, ""), len(mark))
    if not fits:
        yield from _wrapped(" " * 7, numbers, width)
    if not told:
        yield from _wrapped(" " * 7, probe["message"], width)


def _told(message: str, summary: list[str]) -> bool:
    """Whether a sentence of the summary is ``message`` after a word of its own, such as ``no real change:``."""
    tails = [sentence.partition(": ")[2] for sentence in summary]
    return any(tail and (tail.endswith(message) or message.endswith(tail)) for tail in tails)


def _numbers(probe: dict[str, Any]) -> Iterator[str]:
    """The numbers that were measured; what was not is left out rather than dashed."""
    if probe["raw"] is not None:
        yield fmt.raw(probe["raw"])
    if (interval := fmt.ci(probe["ci_95"])) != fmt.MISSING:
        yield interval
    if probe["n_items"]:
        yield f"n={probe['n_items']}"
    if probe["p_value"] is not None:
        yield f"p={fmt.p(probe['p_value'])}" + (
            f" (adjusted {fmt.p(adjusted)})" if (adjusted := _adjusted(probe)) else ""
        )
    if probe["mde"] is not None:
        yield f"mde {fmt.raw(probe['mde'])}"
    if probe["nulls"] is not None:
        yield f"{probe['nulls'].get('n', fmt.MISSING)} nulls up to {fmt.raw(probe['nulls'].get('largest'))}"
    if probe["duration_s"] >= 0.005:
        yield fmt.duration(probe["duration_s"])


def _adjusted(probe: dict[str, Any]) -> float | None:
    """The adjusted p-value, where it says something that the plain one does not."""
    adjusted: float | None = probe["p_adjusted"]
    return None if adjusted == probe["p_value"] else adjusted


def _score(result: dict[str, Any], width: int) -> Iterator[Line]:
    overall, band = result["score"]["overall"], result["score"]["band"]
    if overall is not None:
        parts = [
            f"{name} {fmt.score(value)}"
            for name, value, weight, _ in fmt.components(result)
            if weight and value is not None
        ]
        yield from _wrapped("", f"overall {fmt.score(overall)} {band}: {', '.join(parts)}", width)
    if (family := fmt.family(result)) is not None:
        yield from _wrapped("", family, width)
    gate = result["gate"]
    if "outcome" in gate:
        yield from _wrapped("", f"gate: {gate['outcome']} (threshold {fmt.score(gate.get('threshold'))})", width)


def _foot(result: dict[str, Any], width: int) -> Iterator[Line]:
    parts = [f"wall {fmt.duration(result['wall_seconds'])}", f"sway {result['sway_version'] or 'unknown'}"]
    if (determinism := fmt.determinism(result)) is not None:
        parts.append(determinism)
    if (cache := fmt.cache(result)) is not None:
        parts.append(f"cache {cache}")
    yield from _wrapped("", " | ".join(parts), width)
    for note in result["provenance"].get("notes", []):
        yield from _wrapped("note: ", note, width)


def _wrapped(lead: str, text: str, width: int) -> Iterator[Line]:
    """``text`` after ``lead``, broken between words only; later lines are indented to match."""
    rows = textwrap.wrap(
        _printable(text),
        width=width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (Line(row) for row in rows or [lead.rstrip()])


def _printable(text: object) -> str:
    """One line without control characters: a document's text must not steer the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
