"""``sway pack`` and ``sway unpack``: a suite as one file that runs elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from .options import FILE, progress

ENDING = ".swaypack.tar.gz"
_SIZE = click.option(
    "--max-size", type=click.IntRange(1), default=4096, show_default=True, metavar="MB", help="Refuse more than this."
)
_FOLDER = click.Path(exists=True, path_type=Path)


@click.command(short_help="Pack a suite with all it needs into one file.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=FILE, help=f"The file to write; SPEC's name with {ENDING} by default.")
@click.option("--result", type=FILE, help="Pack this saved result of SPEC instead of a new one.")
@click.option("--no-adapter", is_flag=True, help="Pack only the adapter's digest.")
@_SIZE
def pack(spec: Path, out: Path | None, result: Path | None, no_adapter: bool, max_size: int) -> None:
    """Pack the suite SPEC with what was taught, its result, the adapter, and what random adapters answered.

    The suite is run for that, which asks nothing that an earlier run asked. Base models stay out.
    The pack holds the text of the sections: share it as you would the document.
    """
    from ..packing.gather import gather
    from ..plugins import manager

    out = out or Path(spec.name).with_suffix(ENDING)
    made = gather(spec, out, manager(), result=result, adapter=not no_adapter, cap=max_size * 1_000_000, say=progress)
    manifest = made.manifest
    click.echo(f"wrote {out}: {len(manifest.files)} files, {made.size / 1e6:.1f} MB before packing")
    click.echo(f"  answers of random adapters: {manifest.null_stats_count}")
    for one in manifest.adapters:
        click.echo(f"  {one.path}: {'packed' if one.packed else 'not packed'}, {one.digest[:19]}")
    for name in manifest.missing.values():
        click.echo(f"  not packed: the base model {name}")
    if not manifest.null_stats_count:
        click.echo("note: no answers of random adapters: they will be asked again elsewhere")
    lacks = [*(["--base FOLDER"] if manifest.missing else []), *(["--adapter FOLDER"] if no_adapter else [])]
    click.echo(" ".join(["next: sway unpack", shlex.quote(str(out)), *lacks]))


@click.command(short_help="Make a folder of a pack, ready to run.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), help="The new folder; FILE's name without its ending.")
@click.option("--base", type=_FOLDER, help="The base model, when the pack names none that can be fetched.")
@click.option("--adapter", type=_FOLDER, help="The adapter, when it was packed without; its digest is checked.")
@click.option("--allow-endpoint", is_flag=True, help="Take a suite that asks a server, which may get your API key.")
@_SIZE
def unpack(
    file: Path, into: Path | None, base: Path | None, adapter: Path | None, allow_endpoint: bool, max_size: int
) -> None:
    """Make a folder of the pack FILE: checked whole, or not at all.

    Read sway.yaml before you run a pack from somebody you do not trust.
    """
    from ..packing.manifest import NULL_CACHE, SUITE
    from ..packing.unpack import unpack as unpack_into

    into = into or Path(file.name.removesuffix(ENDING).removesuffix(".tgz") + (".d" if ENDING not in file.name else ""))
    made = unpack_into(file, into, base=base, adapter=adapter, endpoint=allow_endpoint, cap=max_size * 1_000_000)
    manifest = made.manifest
    click.echo(f"unpacked {into}: {len(manifest.files)} files, {manifest.null_stats_count} answers of random adapters")
    for path, name in manifest.missing.items():
        if base is None or not path.startswith("./base"):
            click.echo(f"  put the base model {name} at {into / path}, or unpack with --base FOLDER")
    for one in manifest.adapters:
        if not one.packed and adapter is None:
            click.echo(f"  put the adapter {one.digest[:19]} at {into / one.path}, or unpack with --adapter FOLDER")
    folder, suite = shlex.quote(str(into / NULL_CACHE)), shlex.quote(str(into / SUITE))
    click.echo(f"next: SWAY_NULL_CACHE_DIR={folder} sway run {suite}")
