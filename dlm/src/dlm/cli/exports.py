"""``dlm exports``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .sizes import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..export.listing import Listed
    from ..store import Version


@click.command(short_help="List the exports of a document.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def exports(doc: str, as_json: bool) -> None:
    """List what was exported from DOC: of which version, and whether its certificate passed.

    An export of another version than the current one says so: `dlm export` makes it anew.
    """
    import json
    from pathlib import Path

    from ..document import read
    from ..export.listing import exports_of
    from ..store import Store, home

    store = Store(home(), read(Path(doc)).frontmatter.dlm_id)
    found, current = exports_of(store.layout, store.manifest()), store.current()
    if as_json:
        rows = [one.as_json(current) for one in found]
        click.echo(json.dumps({"dlm_id": store.dlm_id, "exports": rows}, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo(
            f"nothing was exported yet: `dlm export {doc} --target NAME`, `dlm export --targets` lists the names"
        )
    for one in found:
        for line in _lines(one, current):
            click.echo(line)


def _lines(listed: Listed, current: Version | None) -> Iterator[str]:
    from ..export.listing import is_current

    manifest = listed.manifest
    if manifest is None:
        yield f"{listed.folder}\n  {listed.problem}"
        return
    what = " ".join(word for word in (manifest.target, manifest.quant, manifest.form) if word)
    names = "+".join(adapter.name for adapter in manifest.adapters if adapter.name)
    version = f"v{manifest.adapter_version:04d}" + (f" {names}" if names else "")
    stale = "" if is_current(listed, current) else f", and {current.name if current else ''} is current"
    yield str(listed.folder)
    yield f"  {what}, {size(manifest.bytes)}, {manifest.created_at}, certificate: {manifest.certified}"
    yield f"  of {version}{stale}"
