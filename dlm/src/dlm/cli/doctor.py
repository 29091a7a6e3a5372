"""``dlm doctor``."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..hardware.capabilities import Capabilities, Device
    from ..hardware.doctor import Checkup
    from ..hardware.forecast import Forecast
    from ..training.resolve import Effort

SIGNS = {"ok": "ok", "note": "note", "fail": "FAIL", "refuse": "REFUSED", "warn": "note"}


@click.command(short_help="Say what this machine can do, and what a training of DOC would take.")
@click.argument("doc", type=click.Path(), required=False)
@click.option("--effort", type=click.Choice(["quick", "normal", "thorough"]), help="As of `dlm train`.")
@click.option("--budget", type=click.IntRange(min=1000), metavar="TOKENS", help="As of `dlm train`.")
@click.option("--max-steps", type=click.IntRange(min=1), help="As of `dlm train`.")
@click.option("--seed", type=int, help="As of `dlm train`.")
@click.option("--phase", metavar="NAME", help="As of `dlm train`: what this phase alone would take.")
@click.option("--measure", is_flag=True, help="Load the base, make the fullest step once, and compare the memory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    doc: str | None,
    effort: Effort | None,
    budget: int | None,
    max_steps: int | None,
    seed: int | None,
    phase: str | None,
    measure: bool,
    as_json: bool,
) -> None:
    """Say what this machine can do; with DOC, what its training would take and what would be refused.

    Without --measure no weights are loaded, and nothing is written in any case. Exits with 1 when something refuses or
    something needed is missing.
    """
    from pathlib import Path

    from ..errors import UsageProblem
    from ..hardware.doctor import examine
    from ..store import home
    from ..training.resolve import TrainOptions

    if doc is None and (measure or any(one is not None for one in (effort, budget, max_steps, seed, phase))):
        raise UsageProblem("without a document there is no plan to change or measure: dlm doctor DOC")
    options = TrainOptions(seed=seed, max_steps=max_steps, token_budget=budget, effort=effort, phase=phase)
    found = examine(home(), Path(doc) if doc else None, options, measure=measure)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(found))
    if not found.fine:
        ctx.exit(1)


def _text(found: Checkup) -> str:
    lines = [*_software(found), *_machine(found.capabilities), *_storage(found)]
    if found.forecast:
        lines += ["", *_forecast(found.forecast)]
    remarks: list[tuple[str, str, str]] = [
        (one.level, one.what, one.way_out) for one in found.remarks if one.level != "ok"
    ]
    remarks += [("note", one.what, one.way_out) for one in found.capabilities.lacking]
    if found.forecast:
        remarks += [(one.severity, one.reason, one.way_out) for one in found.forecast.objections]
    if remarks:
        lines += ["", *(_remark(*remark) for remark in remarks)]
    return "\n".join([*lines, "", _verdict(found)])


def _software(found: Checkup) -> list[str]:
    plugins = [f"{row.name} {row.version}" for row in found.plugins if not row.failure and row.version]
    libraries = [f"{name} {version}" for name, version in found.capabilities.libraries.items()]
    backends = [
        f"{one.name} ({one.source})" + (f", lacks {', '.join(one.missing)}" if one.missing else "")
        for one in found.backends
    ]
    return [
        _line("dlm", f"{found.version}, Python {found.python}"),
        *_listed("plugins", plugins),
        *_listed("backend", backends),
        *_listed("libraries", libraries),
    ]


def _machine(found: Capabilities) -> list[str]:
    from ..hardware.estimate import gigabytes

    here = found.machine
    units = ", ".join(here.bf16_units) or "no bf16 units"
    lines = [
        _line("system", here.system),
        _line("processor", f"{here.processor}, {here.cores} cores, {units}"),
    ]
    if here.memory is not None and here.memory_free is not None:
        lines.append(_line("memory", f"{gigabytes(here.memory_free)} free of {gigabytes(here.memory)}"))
    lines += [_line("device", _device(device)) for device in found.devices if device.tier != "cpu"]
    level = found.determinism.level.replace("_", " ")
    return [
        *lines,
        _line("trains on", f"{found.device.name}, in {found.precision}{_threads(found)}"),
        _line("same again", f"{level}: {found.determinism.reason}"),
    ]


def _threads(found: Capabilities) -> str:
    return f", {found.threads} threads" if found.device.tier == "cpu" else ""


def _device(device: Device) -> str:
    from ..hardware.estimate import gigabytes

    parts = [device.name, device.tier, device.architecture, "bf16" if device.bf16 else "no bf16 units"]
    if device.memory is not None and device.memory_free is not None:
        parts.append(f"{gigabytes(device.memory_free)} free of {gigabytes(device.memory)}")
    return ", ".join(part for part in parts if part)


def _storage(found: Checkup) -> list[str]:
    from ..hardware.estimate import gigabytes
    from .progress import tilde

    free = f"{gigabytes(found.disk_free)} free" if found.disk_free is not None else "room unknown"
    return [_line("home", f"{tilde(found.home)}, {free}")]


def _forecast(found: Forecast) -> list[str]:
    from .progress import duration
    from .visible import visible

    lines = [_line("document", f"{found.location} ({found.title})"), _line("base", found.base)]
    for part in found.parts:
        many = "s" if part.steps != 1 else ""
        steps = f"{part.steps:,} step{many} of {part.rows} rows, {part.tokens:,} tokens"
        whose = f"{part.adapter}: " if part.adapter is not None else ""
        lines.append(_line(part.phase, f"{whose}{steps}"))
    if found.precision:
        lines.append(_line("precision", found.precision))
    lines += _memory(found)
    if found.seconds is not None:
        by = "as fast as the last runs here" if found.pace_measured else "a guess by the base's size; CPU only"
        lines.append(_line("expected", f"{duration(found.seconds)} of training ({by})"))
    lines += [_line("note", note) for note in found.notes]
    return [visible(line) for line in lines]


def _memory(found: Forecast) -> list[str]:
    from ..hardware.estimate import gigabytes

    if found.estimate is None:
        return []
    free = f", {gigabytes(found.memory_free)} free" if found.memory_free is not None else ""
    estimate = found.estimate
    lines = [_line("needs", f"about {gigabytes(estimate.peak)} at the fullest step{free}")]
    lines += [f"{'':<11}{gigabytes(part.bytes):>7}  {part.name}: {part.why}" for part in estimate.parts]
    if (measured := found.measured) is not None:
        share = estimate.peak / measured.peak - 1
        lines.append(
            _line(
                "measured",
                f"{gigabytes(measured.peak)} of {measured.what}; the estimate is {abs(share):.0%} "
                f"{'above' if share >= 0 else 'below'}; the step took {measured.seconds:.1f} s",
            )
        )
    return lines


def _verdict(found: Checkup) -> str:
    if found.forecast is None:
        return "Nothing stands in the way of training." if found.fine else "This machine cannot train yet."
    return "Training would start." if found.fine else "Training would be refused."


def _remark(level: str, what: str, way_out: str) -> str:
    text = f"{SIGNS[level]}: {what}" + (f": {way_out}" if way_out else "")
    return textwrap.fill(text, 80, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _listed(label: str, items: Sequence[str]) -> list[str]:
    return [_line(label, ", ".join(items))] if items else []


def _line(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        80,
        initial_indent=f"{label:<11}",
        subsequent_indent=" " * 11,
        break_on_hyphens=False,
        break_long_words=False,
    )
