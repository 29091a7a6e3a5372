"""``dlm migrate``: older documents brought to the current format version."""

from __future__ import annotations

import click


@click.command(short_help="Bring documents to the current format version.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change.")
@click.option("--no-backup", is_flag=True, help="Keep no copy of the file as it was.")
@click.pass_context
def migrate(ctx: click.Context, paths: tuple[str, ...], dry_run: bool, no_backup: bool) -> None:
    """Bring the frontmatter of documents to the current format version.

    The body stays as it is, byte for byte, and so do comments and the order of keys. The file as it was is kept beside
    it as .bak. A document with mistakes is left alone.
    """
    from pathlib import Path

    from ..document.migrations import CURRENT
    from ..document.upgrade import migrate_file
    from .files import each_file, print_diff

    def bring(path: str) -> None:
        done = migrate_file(Path(path), dry_run=dry_run, backup=not no_backup)
        if done.before == CURRENT:
            click.echo(f"{path}: already at version {CURRENT}")
        elif dry_run:
            print_diff(path, done.old, done.new)
        else:
            kept = f"; as it was: {done.backup}" if done.backup else ""
            click.echo(f"{path}: version {done.before} is now {CURRENT}{kept}")

    ctx.exit(each_file(paths, bring))
