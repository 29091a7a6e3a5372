"""``dlm export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .sizes import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..export.options import ExportOptions
    from ..export.run import Exported

COULD_NOT_TELL = 4


@click.command(short_help="Write what was trained for another program to serve.")
@click.argument("doc", type=click.Path(), required=False)
@click.option("--target", metavar="NAME", help="What to export for; --targets lists the names.")
@click.option("--targets", "list_targets", is_flag=True, help="List the installed targets and what they can do.")
@click.option("--quant", metavar="Q", help="Type of the weights. Default: the document's, else by the base's size.")
@click.option("--merged/--unmerged", "merged", default=None, help="One model, or the adapter beside its base.")
@click.option("--adapter", metavar="NAME", help="Of several adapters, export this one.")
@click.option("--adapter-mix", "mix", metavar="a:1,b:0.5", help="Export a weighted sum of adapters.")
@click.option("--version-number", metavar="vN", help="Export this version. Default: the current one.")
@click.option("--name", metavar="NAME", help="What the model is called where it is served.")
@click.option("--no-template", is_flag=True, help="Leave the conversation template out.")
@click.option("--dequantize", is_flag=True, help="Merge an adapter of a 4-bit base into full weights all the same.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="What only this target knows.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write there instead of into the store.")
@click.option("--allow-lossy", is_flag=True, help="Keep an export whose certificate lies below the floor.")
@click.option("--no-verify", is_flag=True, help="Measure nothing; the manifest says so.")
@click.option("--emit-sway-json", "suite", is_flag=True, help="Write a suite beside it, with which sway judges it.")
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def export(
    ctx: click.Context, /, doc: str | None, target: str | None, list_targets: bool, as_json: bool, **given: Any
) -> None:
    """Write what was trained from DOC for another program to serve.

    The files are read back by the program that will serve them and held against what was trained; an export that
    does not behave like it is not kept. An earlier export of the same kind stays whole until the new one is complete.
    Ends with 4 where that program is not installed: the export is there, and nothing is known of it.
    """
    from ..errors import UsageProblem
    from ..export.run import export_to

    if list_targets:
        _print_targets(as_json)
        return
    if doc is None or target is None:
        raise UsageProblem("give DOC and --target NAME; `dlm export --targets` lists the targets")
    quiet = bool((ctx.obj or {}).get("quiet"))

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    done = export_to(doc, target, options=_options(**given), say=say)
    click.echo(json.dumps(_facts(done), indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(done)))
    if done.certificate and done.certificate.verdict == "could not tell":
        ctx.exit(COULD_NOT_TELL)


def _options(
    quant: str | None,
    merged: bool | None,
    adapter: str | None,
    mix: str | None,
    version_number: str | None,
    name: str | None,
    no_template: bool,
    dequantize: bool,
    settings: tuple[str, ...],
    out: Path | None,
    allow_lossy: bool,
    no_verify: bool,
    suite: bool,
    accepts: bool,
) -> ExportOptions:
    from ..chosen import Wanted
    from ..export.options import ExportOptions, parse_settings
    from ..export.sink import Wishes
    from .prompt import version_number_of

    form = None if merged is None else "merged" if merged else "adapter"
    wishes = Wishes(quant, form, name, not no_template, dequantize, parse_settings(settings))  # type: ignore[arg-type]
    # A mix of adapters of 4-bit and of full weights has to pass the export's own rule.
    wanted = Wanted(adapter, mix, any_precision=dequantize)
    version = version_number_of(version_number)
    return ExportOptions(wishes, wanted, version, out, accepts, allow_lossy, not no_verify, suite)


def _facts(done: Exported) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        **done.manifest.model_dump(mode="json"),
        "next_steps": list(done.next_steps),
        "handed_on": list(done.handed_on),
    }


def _lines(done: Exported) -> Iterator[str]:
    manifest = done.manifest
    what = " ".join(word for word in (manifest.target, manifest.quant, manifest.form) if word)
    yield f"exported v{manifest.adapter_version:04d} as {what}, {size(manifest.bytes)}"
    yield str(done.folder)
    for artifact in manifest.artifacts:
        yield f"  {size(artifact.size_bytes):>9}  {artifact.path}"
    yield from _certificate(done)
    yield from done.handed_on
    if done.next_steps:
        yield "Use it:"
        for line in done.next_steps:
            yield f"  {line}"


def _certificate(done: Exported) -> Iterator[str]:
    from ..export.certificate import lines

    if done.certificate is not None:
        yield from lines(done.certificate)
    if done.manifest.certified == "lossy":
        yield "kept all the same (--allow-lossy), and marked as lossy"


def _print_targets(as_json: bool) -> None:
    from ..export.options import installable, targets

    rows = targets()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        for line in _target_lines(row):
            click.echo(line)
    for name, how in installable().items():
        click.echo(f"{name}, not installed: {how}")


def _target_lines(row: dict[str, Any]) -> Iterator[str]:
    import textwrap

    def folded(text: str) -> list[str]:
        return textwrap.wrap(text, 79, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)

    lacks = f" (needs {', '.join(row['missing'])}, not installed)" if row["missing"] else ""
    yield f"{row['name']}{lacks}"
    yield from folded(row["summary"])
    if row["quants"]:
        yield from folded(f"--quant {', '.join(row['quants'])}")
    for name, what in row["settings"].items():
        yield from folded(f"--set {name}=...: {what}")
