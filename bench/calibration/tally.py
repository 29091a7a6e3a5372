"""What many verdicts add up to: how often each probe cried wolf, how often it found what was there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dlm_sway.stats.rates import RateInterval, rate_interval

Trial = dict[str, Any]
"""One suite on one adapter: ``arm``, ``size``, ``entries`` by name, ``conclusion``, ``gate``."""
FOUND = {"change": "pass", "harm": "fail"}
"""The verdict that raises an alarm: an effect is claimed, or harm is."""
_SAYS = {"change": "effect", "harm": "harm"}
_NULLS = ("null", "family", "placebo")


class Row(NamedTuple):
    """One line of the table."""

    name: str
    kind: str
    seeks: str
    arm: str
    size: float
    found: RateInterval
    undecided: int
    """Of the trials: inconclusive, skipped or broken. They count as not found."""
    p_values: tuple[float, ...]
    """Of the trials whose entry made a test; before alpha is shared over the suite."""


def rows(trials: Sequence[Trial]) -> list[Row]:
    """Every entry in every arm and size; then the suite as a whole."""
    cells = sorted({(trial["arm"], trial["size"]) for trial in trials}, key=lambda cell: (cell[0] != "null", *cell))
    found = []
    for arm, size in cells:
        mine = [trial for trial in trials if (trial["arm"], trial["size"]) == (arm, size)]
        for name, entry in mine[0]["entries"].items():
            if entry["seeks"] in FOUND:
                own = [trial["entries"][name] for trial in mine]
                verdicts, p_values = [one["verdict"] for one in own], [one["p"] for one in own if one["p"] is not None]
                row = _row(name, entry["kind"], entry["seeks"], arm, size, verdicts, FOUND[entry["seeks"]])
                found.append(row._replace(p_values=tuple(p_values)))
        found += _suite(mine, arm, size)
    return found


def _suite(trials: Sequence[Trial], arm: str, size: float) -> Iterable[Row]:
    for seeks, alarm in FOUND.items():
        verdicts = [_any(trial, seeks, alarm) for trial in trials]
        yield _row(f"any of them ({seeks})", "the suite", seeks, arm, size, verdicts, alarm)


def _any(trial: Trial, seeks: str, alarm: str) -> str:
    """``alarm`` when one entry that seeks this raised it, else what most of them lack."""
    verdicts = [entry["verdict"] for entry in trial["entries"].values() if entry["seeks"] == seeks]
    return alarm if alarm in verdicts else "none"


def _row(name: str, kind: str, seeks: str, arm: str, size: float, verdicts: Sequence[str], alarm: str) -> Row:
    events = sum(verdict == alarm for verdict in verdicts)
    open_ = sum(verdict in ("inconclusive", "skip", "error") for verdict in verdicts)
    return Row(name, kind, seeks, arm, size, rate_interval(events, len(verdicts), method="exact"), open_, ())


def too_many(found: Iterable[Row], alpha: float) -> list[Row]:
    """Rows of the null arms whose rate of alarms, or of small p-values, is shown to lie above ``alpha``.

    A placebo was trained, so that it moves the model is no false alarm: only what it says about learning is.
    """
    nulls = [row for row in found if row.arm in ("null", "family")]
    return [row for row in nulls if row.found.low > alpha or ((small := _small(row, alpha)) and small.low > alpha)]


def _small(row: Row, alpha: float) -> RateInterval | None:
    """How often the entry's own test alone would have called chance ruled out."""
    if not row.p_values:
        return None
    return rate_interval(sum(p <= alpha for p in row.p_values), len(row.p_values), method="exact")


def table(found: Sequence[Row], alpha: float) -> str:
    """The rows as Markdown: false alarms, then power."""
    lines = []
    for arm in _NULLS:
        alarms = [row for row in found if row.arm == arm]
        if alarms:
            lines += [
                f"Arm {arm}: false alarms at a nominal {alpha:g}, with the 95% interval of Clopper and Pearson:",
                "",
                f"| entry | an alarm says | adapters | alarms | rate | interval | undecided | p <= {alpha:g} |",
                "| --- | --- | ---: | ---: | ---: | --- | ---: | --- |",
                *(_line(row.name, [_SAYS[row.seeks], *_counts(row), _p_values(row, alpha)]) for row in alarms),
                "",
            ]
    for arm in sorted({row.arm for row in found} - {*_NULLS}):
        lines += _power([row for row in found if row.arm == arm and _meant(row)], arm, alpha)
    return "\n".join(lines)


def _power(found: Sequence[Row], arm: str, alpha: float) -> Iterable[str]:
    """Entries down, sizes across: what was called, and where there are tests, what each alone would have called."""
    counts = sorted({row.found.n for row in found})
    trials = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    yield from _across(found, f"Power: planted {arm} that was found, of {trials} trials a size (undecided):", _share)
    if tests := [row for row in found if row.p_values]:
        title = f"Its own test alone, p <= {alpha:g}, before alpha is shared and however small the effect:"
        yield from _across(tests, title, lambda row: f"{sum(p <= alpha for p in row.p_values)} of {row.found.n}")


def _across(found: Sequence[Row], title: str, cell: Callable[[Row], str]) -> Iterable[str]:
    sizes = sorted({row.size for row in found})
    yield title
    yield ""
    yield f"| entry | {' | '.join(f'size {size:g}' for size in sizes)} |"
    yield f"| --- |{' ---: |' * len(sizes)}"
    for name in dict.fromkeys(row.name for row in found):
        by_size = {row.size: row for row in found if row.name == name}
        yield _line(name, [cell(by_size[size]) if size in by_size else "" for size in sizes])
    yield ""


def _p_values(row: Row, alpha: float) -> str:
    small = _small(row, alpha)
    return "" if small is None else f"{small.events} of {small.n}: {small.low:.3f}..{small.high:.3f}"


def _share(row: Row) -> str:
    return f"{row.found.events}" + (f" ({row.undecided})" if row.undecided else "")


def _meant(row: Row) -> bool:
    """Planted effects say something about probes that seek them, planted harm about the guards."""
    return row.seeks == ("harm" if row.arm == "harm" else "change")


def _counts(row: Row) -> list[str]:
    found = row.found
    return [
        str(found.n),
        str(found.events),
        f"{found.rate:.3f}",
        f"{found.low:.3f}..{found.high:.3f}",
        str(row.undecided),
    ]


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
