"""``dlm verify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .claim_lines import claim_lines, claims_as_json
from .rows import row
from .signatures import digest_option, lines, rules_of, signature_options
from .signatures import facts as as_facts
from .sizes import size
from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..share.receiving import Received


@click.command(short_help="Check a pack, and say what is in it.")
@click.argument("pack", metavar="PACK", type=click.Path(path_type=Path))
@digest_option
@signature_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(pack: Path, digest: str | None, as_json: bool, **asked: Any) -> None:
    """Read all of PACK, compare every file with its digest, check the signatures beside it, and say what is in it.

    Ends with 1 when the pack is damaged, forged, or of a newer dlm; when a signature is not the one of this pack; and
    when the policy or an option asks for a signature that is not there. An unsigned pack, or one of a stranger, is fine
    under the policy warn. Writes nothing, unless --trust-on-first-use has a key to remember.
    """
    from ..share.accepting import accept, digests_asked

    found, standing = accept(pack, None, rules=rules_of(**asked), digests=digests_asked(digest))
    if as_json:
        facts: dict[str, Any] = {
            "pack": str(pack),
            "format": found.format,
            "digest": found.digest,
            "bytes": found.size,
            "notes": list(found.notes),
        }
        facts |= {"manifest": found.manifest.model_dump(mode="json"), **claims_as_json(found.claimed)}
        facts |= {"standing": as_facts(standing)}
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"{visible(str(pack))}: whole, as it was made")
    for name, text in (*_lines(found), *lines(standing)):
        click.echo(row(name, text))
    for line in claim_lines(found.claimed) if found.claimed else ():
        click.echo(line)


def _lines(found: Received) -> Iterator[tuple[str, str]]:
    manifest = found.manifest
    yield "digest", found.digest
    yield "format", f"{found.format}, profile {manifest.profile}" if found.format > 1 else "1, of the prior trainer"
    yield "made by", manifest.created_by
    yield "document", manifest.document.name + ("" if manifest.document.whole else " (frontmatter alone)")
    yield "dlm_id", manifest.dlm_id
    yield "base", str(manifest.base.key) + (f", {manifest.base.digest[:19]}" if manifest.base.digest else "")
    others = f", of {len(manifest.versions)}" if len(manifest.versions) > 1 else ""
    yield "version", f"v{manifest.version:04d}{others}, {manifest.created_at}"
    if manifest.adapters:
        yield "adapters", ", ".join(manifest.adapters)
    if manifest.exports:
        yield "exports", ", ".join(manifest.exports)
    yield "size", f"{size(found.size)}, {len(manifest.members)} files of {size(manifest.bytes)}"
    yield from (("note", note) for note in found.notes)
