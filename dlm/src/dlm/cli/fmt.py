"""``dlm fmt``: one layout for documents."""

from __future__ import annotations

import click


@click.command(short_help="Lay out documents, their content untouched.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.pass_context
def fmt(ctx: click.Context, paths: tuple[str, ...], check: bool, diff: bool) -> None:
    """Lay out documents: line ends, trailing blanks, blank lines around sections.

    No id, no visible character, no comment and nothing inside a code block changes. A document with mistakes is left
    alone.
    """
    from pathlib import Path

    from ..document import read
    from ..document.fmt import formatted
    from ..document.write import replace_text
    from .files import each_file, print_diff

    changed = 0

    def lay_out(path: str) -> None:
        nonlocal changed
        old = read(Path(path)).text
        new = formatted(old, path)
        if new == old:
            return
        changed += 1
        if not (check or diff):
            replace_text(Path(path), old, new)
        if diff:
            print_diff(path, old, new)
        else:
            click.echo(f"{'would change' if check else 'formatted'}  {path}")

    failed = each_file(paths, lay_out)
    if not (changed or failed or diff or (ctx.obj or {}).get("quiet")):
        click.echo("nothing to change" if len(paths) == 1 else f"nothing to change in {len(paths)} files")
    ctx.exit(failed or (1 if check and changed else 0))
