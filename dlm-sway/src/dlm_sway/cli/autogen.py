"""``sway autogen``: write a suite for a document or an adapter folder."""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE


@click.command(short_help="Write a suite for a document or an adapter folder.")
@click.argument("ref")
@click.option("-o", "--out", type=FILE, default=Path("sway.yaml"), show_default=True, help="Where to write it.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def autogen(ref: str, out: Path, force: bool) -> None:
    """Write a suite for REF: a document that was trained, or an adapter folder.

    The questions are those that training never saw: the document's `!probe` pairs, and wordings that were kept out.
    Probes that cannot be asked are named in the file, with the reason.
    """
    from ..errors import TargetError
    from ..plugins import manager
    from ..report.write import write
    from ..suite.autogen import autogen as draft

    if out.exists() and not force:
        raise TargetError(f"{out}: is there already: replace it with --force, or choose another file with -o")
    text = draft(ref, out, manager())
    write(out, text)
    entries = sum(line.startswith("  - name:") for line in text.splitlines())
    skipped = sum(line.startswith("# skipped:") for line in text.splitlines())
    click.echo(f"wrote {out}: {entries} entries" + (f", {skipped} left out with their reasons" if skipped else ""))
    click.echo(f"next: sway run {out}")
