"""``sway convert-adapter``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a PEFT adapter as another program loads it.")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("destination", type=click.Path(path_type=Path))
@click.option("--target", type=click.Choice(["mlx"]), default="mlx", show_default=True, help="Who is to load it.")
@click.option("--overwrite", is_flag=True, help="Replace a converted adapter that lies there.")
@click.option(
    "--base", type=click.Path(path_type=Path), help="Folder of the base: load both, and check that the adapter acts."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def convert_adapter(
    source: Path, destination: Path, target: str, overwrite: bool, base: Path | None, as_json: bool
) -> None:
    """Convert the PEFT adapter in the folder SOURCE for mlx-lm, into the folder DESTINATION.

    mlx-lm knows one rank and one scale for a whole adapter; other ones are worked into the numbers, so the
    converted adapter adds what the trained one added. Adapters that are more than LoRA or DoRA of linear layers
    (embeddings, whole modules, biases) are refused.

    With --base the converted adapter is loaded by mlx-lm onto that base: its tensors must be where they belong,
    and the logits must change. That needs MLX; converting alone does not.
    """
    import json

    from dlm_sway.errors import AdapterMismatch

    from .converting import convert
    from .errors import Unusable

    try:
        if base is None:
            made, checked = convert([(source, 1.0)], destination, overwrite=overwrite), None
        else:
            from .checking import convert_checked

            made, checked = convert_checked([(source, 1.0)], destination, base, overwrite=overwrite)
    except Unusable as error:
        raise AdapterMismatch(str(error)) from error
    missing = _missing(base)
    if as_json:
        facts = {"modules": made.modules, "rank": made.rank, "scale": made.scale, "folded": made.folded}
        click.echo(json.dumps({"folder": str(made.folder), **facts, "moved": checked, "base_lacks": missing}))
        return
    click.echo(f"{made.folder}: {made.modules} modules, rank {made.rank}, scale {made.scale:g}")
    if made.folded:
        click.echo(f"  {made.folded} had another rank or scale, which is now in their factors")
    if checked is not None:
        click.echo(f"  on the base: every tensor in its place, logits move by up to {checked:.3g}")
    if missing:
        click.echo(f"  note: mlx-lm misreads {base}: it would compute another model.")
        click.echo(f"  In a copy of it, add to config.json: {json.dumps(missing)[1:-1]}")
    click.echo(f"  mlx_lm.generate --model {base or 'BASE'} --adapter-path {made.folder} --prompt ...")


def _missing(base: Path | None) -> dict[str, object]:
    """Names that mlx-lm looks for in the configuration of ``base`` and does not find."""
    import json

    from .configuring import overrides

    return {} if base is None else overrides(json.loads((base / "config.json").read_text(encoding="utf-8")))
