"""``dlm unlock``: who is working on a document."""

from __future__ import annotations

import click


@click.command(short_help="Say who is working on a document, and clear a dead one's note.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def unlock(doc: str, as_json: bool) -> None:
    """Say who is working on DOC. The note of a process that is gone is removed; a process is never stopped.

    The operating system holds the lock and lets go of it when the process ends, however it ends: there is never a lock
    to break. Exits with 3 while somebody holds it.
    """
    import json
    from pathlib import Path

    from ..document import read
    from ..store import Store, home
    from ..store.lock import clear_note

    store = Store(home(), read(Path(doc)).frontmatter.dlm_id)
    note = clear_note(store.layout)
    if as_json:
        click.echo(json.dumps({"store": str(store.layout.root), "held": False, "removed_note": note}, indent=2))
        return
    if note is not None:
        click.echo(
            f"removed the note of `dlm {note.get('purpose')}` (process {note.get('pid')} on {note.get('host')}, since "
            f"{note.get('since')}), which is gone"
        )
    click.echo(f"nobody is working on {store.layout.root}")
