"""``dlm forget``: take sections out of training for good."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ..corpus.forgetting import Forgotten, Target
    from ..document import Document
    from ..store import Store
    from ..store.ledger import Ledger

_LISTED = 20
"""So many tombstones that nobody asked for are listed to people."""


@click.command(short_help="Take sections out of training for good.")
@click.argument("doc", type=click.Path())
@click.argument("sections", nargs=-1, metavar="[SECTION]...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", "undoing", is_flag=True, help="Allow forgotten sections to be trained again.")
@click.option("--list", "listing", is_flag=True, help="List what is kept and what is trained no more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def forget(doc: str, sections: tuple[str, ...], yes: bool, undoing: bool, listing: bool, as_json: bool) -> None:
    """Take each SECTION of DOC out of training for good.

    SECTION is an id, or 4 or more digits that begin it; the path of a file of the sources; or a heading. Its text
    leaves the store and the document. A file of a source stays where it is and is left out from now on. Versions that
    were trained before keep knowing it; they are named.
    """
    from ..errors import UsageProblem

    document, store = _open(doc)
    if listing == bool(sections):
        raise UsageProblem("name one SECTION or more, or use --list: `dlm forget --help` shows how")
    if listing:
        _list(document, store, as_json)
    elif undoing:
        _undo(document, store, sections, as_json)
    else:
        _forget(document, store, sections, yes=yes, as_json=as_json)


def _open(doc: str) -> tuple[Document, Store]:
    from pathlib import Path

    from ..document import read
    from ..store import Store, home

    document = read(Path(doc))
    return document, Store(home(), document.frontmatter.dlm_id)


def _forget(document: Document, store: Store, words: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    from ..corpus.forgetting import find, forget
    from ..store.encoding import now

    targets = find(document, store.ledger(), words)
    if not yes and not _confirmed(document, targets):
        click.echo("nothing was forgotten", err=True)
        return
    done = forget(store, document, targets, now())
    if as_json:
        found = {"forgotten": [_target(one) for one in done.targets], "still_known_by": _versions(done)}
        _print_json({**found, "exported": [str(folder) for folder in _exported(store, done)]})
        return
    for target in done.targets:
        click.echo(f"forgotten: {_named(target)}")
        if target.line:
            click.echo(f"  removed from {document.location}")
        if target.origin:
            click.echo("  the file stays where it is and is left out from now on")
    _print_versions(document, done, _exported(store, done))


def _confirmed(document: Document, targets: tuple[Target, ...]) -> bool:
    from ..errors import UsageProblem

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageProblem("forgetting cannot be asked about without a terminal: add --yes")
    for target in targets:
        where = f", and remove it from {document.location}, line {target.line}" if target.line else ""
        click.echo(f"forget {_named(target)}{where}", err=True)
    return click.confirm("This removes the text for good. Forget?", default=False, err=True)


def _exported(store: Store, done: Forgotten) -> list[Path]:
    """Exports of versions that were trained on what is forgotten. Of one that cannot be read nothing is known: it is
    named, too."""
    from ..export.listing import exports_of

    numbers = {version.number for version in done.versions}
    found = exports_of(store.layout, store.manifest())
    return [
        one.folder
        for one in found
        if one.folder.exists() and (one.manifest is None or one.manifest.adapter_version in numbers)
    ]


def _print_versions(document: Document, done: Forgotten, exported: list[Path]) -> None:
    train = f"dlm train {shlex.quote(document.location)}"
    if not done.versions:
        click.echo("no trained version knows it")
        click.echo(f"next: {train}")
        return
    click.echo("these versions were trained on it, and know it until their folders are gone:")
    for version in done.versions:
        click.echo(f"  v{version.number}  {version.path}")
    for folder in exported:
        click.echo(f"  exported  {folder}")
    click.echo(f"next: {train}")
    click.echo("then delete those folders, if nobody may ask the old versions any more")


def _undo(document: Document, store: Store, words: tuple[str, ...], as_json: bool) -> None:
    from ..corpus.forgetting import undo

    lifted = undo(store, document, words)
    if as_json:
        _print_json({"lifted": [stone.model_dump(mode="json") for stone in lifted]})
        return
    for stone in lifted:
        click.echo(f"{stone.origin or stone.id} may be trained again where it is written; its text was not kept here")


def _list(document: Document, store: Store, as_json: bool) -> None:
    ledger = store.ledger()
    if as_json:
        _print_json(_listing(ledger, store.dlm_id))
        return
    kept = ledger.kept()
    click.echo("kept, and trained on, although they are not found any more:" if kept else "nothing is kept")
    for row in _listing(ledger, store.dlm_id)["kept"]:
        what = row["origin"] or f'{row["type"]}: "{row["excerpt"]}"'
        click.echo(f"  {row['id']}  {row['kept']:<10}  {row['last_seen'][:10]}  {_short(what)}")
    asked = [stone for stone in ledger.tombstones if stone.reason == "forgotten"]
    others = [stone for stone in ledger.tombstones if stone.reason != "forgotten"]
    click.echo("trained no more:" if ledger.tombstones else "nothing was removed or forgotten")
    for stone in (*others[-_LISTED:], *asked):
        after = stone.origin or (f"by {stone.superseded_by}" if stone.superseded_by else "")
        click.echo(f"  {stone.id}  {stone.reason:<10}  {stone.at[:10]}  {_short(after)}".rstrip())
    if len(others) > _LISTED:
        click.echo(f"  and {len(others) - _LISTED} before these; --json lists all")


def _listing(ledger: Ledger, dlm_id: str) -> dict[str, Any]:
    from ..corpus.forgetting import excerpt

    kept = [
        entry.model_dump(mode="json", exclude={"text"}) | {"excerpt": excerpt(entry.text.content) if entry.text else ""}
        for entry in ledger.kept()
    ]
    stones = [stone.model_dump(mode="json") for stone in ledger.tombstones]
    return {"dlm_id": dlm_id, "kept": kept, "tombstones": stones}


def _named(target: Target) -> str:
    if target.origin:
        return f"{target.id} {target.origin}"
    size = f", {target.lines} lines" if target.lines > 1 else ""
    return f'{target.id} ::{target.type}:: "{_short(target.excerpt)}"{size}'


def _target(target: Target) -> dict[str, Any]:
    return {"id": target.id, "type": target.type, "origin": target.origin, "removed_from_document": bool(target.line)}


def _versions(done: Forgotten) -> list[dict[str, Any]]:
    return [{"version": version.number, "path": str(version.path)} for version in done.versions]


def _print_json(data: dict[str, Any]) -> None:
    import json

    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= 36 else text[:33] + "..."
