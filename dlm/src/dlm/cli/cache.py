"""``dlm cache show | prune | clear``: the token ids that are kept between trainings of a document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .sizes import size

if TYPE_CHECKING:
    from ..document import Document
    from ..store import Store


@click.group(short_help="Show and empty the tokenised cache of a document.")
def cache() -> None:
    """Show and empty the tokenised cache of a document.

    Training keeps the token ids of records, to save the time of making them again. A document's training.cache says
    how much and how long; --no-cache and DLM_DISABLE_TOKENIZED_CACHE=1 do without. It never changes what is trained.
    """


@cache.command(short_help="Show how large it is and how much the last run found in it.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(doc: str, as_json: bool) -> None:
    """Show the tokenised cache of DOC. Creates nothing."""
    import json

    facts = _facts(*_open(doc))
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    rate, run = facts["last_run_hit_rate"], facts["last_run_id"]
    click.echo(f"records    {facts['entry_count']:,}")
    click.echo(f"size       {size(facts['bytes'])} of at most {size(facts['max_bytes'])}")
    click.echo("last run   " + (f"{rate:.0%} found (run {run})" if rate is not None else "none yet"))
    click.echo(f"kept for   {facts['prune_older_than_days']} days after the last use")
    click.echo(f"file       {facts['cache_path']}")
    if facts["cache_status"]:
        click.echo(f"not used: {facts['cache_status']}")


@cache.command(short_help="Remove what was not used for a while.")
@click.argument("doc", type=click.Path())
@click.option("--older-than", metavar="AGE", help="30d, 12h, 90m or 10s. Default: what training.cache says.")
def prune(doc: str, older_than: str | None) -> None:
    """Remove from the tokenised cache of DOC what no training used for AGE."""
    import time

    from ..store.tokens import DAY
    from ..store.tokens import prune as remove
    from .ages import seconds

    document, store = _open(doc)
    settings = document.frontmatter.training.cache
    age = settings.prune_older_than_days * DAY if older_than is None else seconds("--older-than", older_than)
    gone = remove(store.layout.tokens, time.time() - age)
    click.echo(f"removed {gone.entries:,} records, {size(gone.bytes)}")


@cache.command(short_help="Remove everything.")
@click.argument("doc", type=click.Path())
@click.option("--force", is_flag=True, help="Do not ask.")
def clear(doc: str, force: bool) -> None:
    """Remove everything from the tokenised cache of DOC. The next training makes it again."""
    from ..errors import UsageProblem
    from ..store.tokens import clear as remove
    from ..store.tokens import overview

    _, store = _open(doc)
    if not force:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageProblem("clearing cannot be asked about without a terminal: add --force")
        held = size(overview(store.layout.tokens).bytes)
        if not click.confirm(f"Remove the tokenised cache ({held})?", default=False, err=True):
            click.echo("nothing was removed", err=True)
            return
    gone = remove(store.layout.tokens)
    click.echo(f"removed {gone.entries:,} records, {size(gone.bytes)}")


def _open(doc: str) -> tuple[Document, Store]:
    from pathlib import Path

    from ..document import read
    from ..store import Store, home

    document = read(Path(doc))
    return document, Store(home(), document.frontmatter.dlm_id)


def _facts(document: Document, store: Store) -> dict[str, Any]:
    from ..store.tokens import overview, unused_because

    settings, found = document.frontmatter.training.cache, overview(store.layout.tokens)
    return {
        "dlm_id": store.dlm_id,
        "cache_path": str(store.layout.tokens),
        "entry_count": found.entry_count,
        "bytes": found.bytes,
        "last_run_hit_rate": found.last_run_hit_rate,
        "last_run_id": found.last_run_id,
        "cache_status": unused_because(settings) or found.problem,
        "max_bytes": settings.max_bytes,
        "prune_older_than_days": settings.prune_older_than_days,
    }
