"""``dlm gc``: remove what a store does not need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .sizes import size

if TYPE_CHECKING:
    from ..store import Store
    from ..store.gc import Item, Sweep


@click.command(short_help="Remove what the store does not need.")
@click.argument("doc", type=click.Path(), required=False)
@click.option("--all", "everything", is_flag=True, help="Sweep the store of every document.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Remove versions too, but the newest N.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--repair", is_flag=True, help="Move a damaged manifest away and write a new one from the versions.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def gc(doc: str | None, everything: bool, keep: int | None, dry_run: bool, repair: bool, as_json: bool) -> None:
    """Remove what the store of DOC does not need: rejected weights, leftovers of runs that died, old checkpoints.

    With --all also what exports keep to save time, and what pulls have begun to fetch, if nobody used it for 30 days.
    No export is ever removed.

    Versions go only with --keep. The current one stays, one that a running process reads, and one that a stopped run
    began with.
    """
    import json

    from ..errors import UsageProblem

    if everything == (doc is not None):
        raise UsageProblem("give either one DOC or --all")
    if repair and dry_run:
        raise UsageProblem("--repair writes and --dry-run does not: give one of them")
    sweeps = [_sweep(store, keep, dry_run=dry_run, repair=repair, strict=not everything) for store in _stores(doc)]
    unused = _unused_files(dry_run=dry_run) if everything else []
    transfers = _transfers(dry_run=dry_run) if everything else []
    freed = sum(one.freed for one in sweeps) + sum(item.bytes for item in (*unused, *transfers))
    if as_json:
        found = {"dry_run": dry_run, "bytes": freed, "stores": [one.as_json() for one in sweeps]}
        if everything:
            found["export_cache"] = [item.as_json() for item in unused]
            found["transfers"] = [item.as_json() for item in transfers]
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for one in sweeps:
        for line in _lines(one, dry_run=dry_run):
            click.echo(line)
    for item in (*unused, *transfers):
        click.echo(_line(item, dry_run=dry_run))
    if keep is None and (kept := [item for one in sweeps for item in one.items if item.why.startswith("no --keep")]):
        many = f"{len(kept)} older versions are" if len(kept) > 1 else "1 older version is"
        click.echo(f"{many} kept ({size(sum(item.bytes for item in kept))}); --keep 1 would remove that too")
    click.echo(f"{'would free' if dry_run else 'freed'} {size(freed)}")


def _stores(doc: str | None) -> list[Store]:
    from ..document import read
    from ..store import Store, home

    if doc is not None:
        return [Store(home(), read(Path(doc)).frontmatter.dlm_id)]
    folder = home() / "store"
    return [Store(home(), one.name) for one in sorted(folder.iterdir()) if one.is_dir()] if folder.is_dir() else []


def _sweep(store: Store, keep: int | None, *, dry_run: bool, repair: bool, strict: bool) -> Sweep:
    """``strict`` raises what stands in the way; otherwise it is told, and the next store is swept."""
    from ..errors import StoreError
    from ..store import gc as sweeping

    if not store.layout.root.is_dir():
        return sweeping.Sweep(store.dlm_id, store.layout.root, None, problem="nothing was trained yet")
    try:
        if repair and (aside := sweeping.set_manifest_aside(store)) is not None:
            click.echo(f"{store.layout.manifest} was damaged: moved to {aside.name}, and written anew", err=True)
        return sweeping.look(store, keep) if dry_run else sweeping.sweep(store, keep)
    except StoreError as problem:
        if strict:
            raise
        return sweeping.Sweep(store.dlm_id, store.layout.root, None, problem=str(problem))


def _lines(sweep: Sweep, *, dry_run: bool) -> list[str]:
    """One line for everything that goes, and for what stays for a reason worth telling."""
    lines = [f"{sweep.dlm_id}  {sweep.source_path or ''}".rstrip()]
    if sweep.problem:
        lines.append(f"  {sweep.problem}")
    told = ("new enough", "no --keep was given")
    for item in sweep.items:
        if item.why not in told:
            lines.append(_line(item, dry_run=dry_run))
    return lines


def _line(item: Item, *, dry_run: bool) -> str:
    fate = "remove" if dry_run and item.fate == "removed" else item.fate
    # A checkpoint's name goes on with its phase and step, a file made for exports with more digits than anybody reads.
    name = item.path.name.partition(".phase-")[0]
    name = f"{name[:13]}..." if len(name) > 28 else name
    return f"  {fate:<8} {name:<16} {size(item.bytes):>9}  {item.why}"


def _unused_files(*, dry_run: bool) -> list[Item]:
    """What exports kept and nobody used for a month, removed unless only asked about."""
    from ..export import cache
    from ..store import gc as sweeping
    from ..store import home

    folder = home() / "cache" / "export"
    found = [
        sweeping.Item(path, "removed", f"export {path.parent.name}, {why}", sweeping.size(path))
        for path, why in cache.removable(folder)
    ]
    for item in found if not dry_run else ():
        cache.remove(item.path)
    return found


def _transfers(*, dry_run: bool) -> list[Item]:
    """What pushes and pulls have left, removed unless only asked about."""
    from ..share import leftovers
    from ..store import gc as sweeping
    from ..store import home

    found = [sweeping.Item(path, "removed", why, sweeping.size(path)) for path, why in leftovers.removable(home())]
    for item in found if not dry_run else ():
        leftovers.remove(item.path)
    return found
