"""``sway explain``: what a probe asks, how it decides, and what to do, with the numbers of a result where given."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .completing import probe_names

if TYPE_CHECKING:
    from ..probes.explaining import Explanation

WIDTH = 80


@click.command(short_help="Say what a probe asks, how it decides and what to do.")
@click.argument("probe", shell_complete=probe_names)
@click.argument("result", required=False, type=click.Path(path_type=Path), metavar="[RESULT]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(probe: str, result: Path | None, as_json: bool) -> None:
    """Say what PROBE asks, how its number is made, what its verdicts mean and which keys it takes.

    PROBE is a kind, as `sway list-probes` shows them. With RESULT, a result JSON, it may also be the name of an entry
    there, and what was found is explained too.
    """
    from ..probes.explaining import entries
    from ..report.document import read

    found = [] if result is None else entries(read(result), probe)
    if result is not None and not found:
        raise click.UsageError(f"{result} holds no entry of the kind or name {probe!r}; `sway report {result}`")
    words = explained(found[0]["kind"] if found else probe, found)
    if as_json:
        told = {"probe": None if words is None else asdict(words), "entries": found}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False, default=dict))
        return
    if words is not None:
        click.echo("\n".join(_lines(words)))
    for entry in found:
        click.echo("\n".join(_entry(entry, words)))


def explained(kind: str, found: list[dict[str, Any]]) -> Explanation | None:
    """The kind in words; ``None`` where no installed plugin offers it and a result holds it all the same.

    Raises:
        PluginError: no installed plugin offers the kind.
    """
    from .._plugkit.errors import PluginError
    from ..plugins import manager
    from ..probes.explaining import explain as put_in_words

    try:
        offer = manager().entry("dlm_sway_probes", kind)
        return put_in_words(manager().resolve("dlm_sway_probes", kind), offer.entry, offer.source)  # type: ignore[arg-type]
    except PluginError as error:
        if not found:
            raise
        click.echo(f"note: {error}", err=True)
        return None


def _lines(words: Explanation) -> Iterator[str]:
    yield f"{words.kind} ({words.offered_by})"
    yield from _wrapped(words.asks, "  ")
    yield ""
    seeks = {"change": "an effect that was meant", "harm": "harm", "neither": "neither an effect nor harm"}[words.seeks]
    needs = f", asks the backend to {', '.join(words.needs)}" if words.needs else ", asks no model"
    yield from _wrapped(f"Looks for {seeks}; category {words.category}{needs}.", "")
    for head, text in (("How", words.how), ("Judged", words.judged)):
        if text:
            yield from _wrapped(f"{head}: {text}", "")
    if words.calibrated:
        yield from _wrapped("Calibrated: measured on random adapters of the same size too (kind null_adapter).", "")
    yield from ("", "Verdicts")
    for verdict, meaning in words.verdicts.items():
        yield from _wrapped(f"{verdict}: {meaning}", "  ")
    if words.keys:
        yield from ("", "Keys")
    for key in words.keys:
        yield from _wrapped(f"{key.name} ({key.default}){': ' + key.about if key.about else ''}", "  ")


def _entry(entry: Mapping[str, Any], words: Explanation | None) -> Iterator[str]:
    from ..probes.explaining import advice
    from ..report import format as fmt

    yield from ("", f"{entry['name']}: {entry['verdict']}")
    yield from _wrapped(entry["message"], "  ")
    numbers = (
        ("number", fmt.raw(entry["raw"])),
        ("95% interval", fmt.ci(entry["ci_95"])),
        ("items", str(entry["n_items"] or fmt.MISSING)),
        ("would find four times in five", fmt.raw(entry["mde"])),
        ("numeric noise", fmt.raw(entry["noise_floor"])),
        ("base", fmt.raw(entry["base_value"])),
        ("fine-tuned", fmt.raw(entry["ft_value"])),
        ("p", fmt.p(entry["p_value"])),
        ("p adjusted over the suite", fmt.p(entry["p_adjusted"])),
    )
    for name, value in numbers:
        if value != fmt.MISSING:
            yield f"  {name}: {value}"
    if told := advice(entry, words.seeks if words else ""):
        yield from _wrapped(f"{entry['verdict']} means: {told}", "  ")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
