"""``dlm verify-export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .sizes import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..export.verifying import Verified

FAILED, COULD_NOT_TELL = 1, 4


@click.command("verify-export", short_help="Check an export's files, and measure again what they say.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--doc", type=click.Path(path_type=Path), help="The document. Default: where it was trained last.")
@click.option("--files-only", is_flag=True, help="Compare the files with the manifest, and measure nothing.")
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify_export(
    ctx: click.Context, /, folder: Path, doc: Path | None, files_only: bool, accepts: bool, as_json: bool
) -> None:
    """Check the export in DIR: that its files are those that were written, and that they behave like what was trained.

    The certificate is measured again with the document, its version and its base. Ends with 1 when a file differs or
    the certificate fails, with 4 where it could not be measured.
    """
    import json

    from ..export.verifying import verify
    from ..store import home

    quiet = bool((ctx.obj or {}).get("quiet"))

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    document = None if files_only else _document(folder, doc)
    found = verify(folder, document, home=home(), accept_licence=accepts, say=say)
    if as_json:
        click.echo(json.dumps(_facts(found), indent=2, ensure_ascii=False))
    else:
        for line in _lines(found):
            click.echo(line)
    ctx.exit(_exit_code(found))


def _document(folder: Path, doc: Path | None) -> Path:
    from ..errors import UsageProblem
    from ..export.verifying import document_of, open_export
    from ..store import home

    found = doc or document_of(open_export(folder), home())
    if found is None:
        raise UsageProblem(
            "the document that this export was made from is not where it was trained: give --doc DOC, or --files-only "
            "to compare the files alone"
        )
    return found


def _exit_code(found: Verified) -> int:
    verdict = found.certificate.verdict if found.certificate else "passed"
    if found.differences or verdict == "failed":
        return FAILED
    return COULD_NOT_TELL if verdict == "could not tell" else 0


def _facts(found: Verified) -> dict[str, Any]:
    from ..store.encoding import jsonable

    return {
        "folder": str(found.folder),
        "files": len(found.manifest.artifacts),
        "differences": [one._asdict() for one in found.differences],
        "certified": found.manifest.certified,
        "certificate": jsonable(found.certificate),
    }


def _lines(found: Verified) -> Iterator[str]:
    from ..export.certificate import lines
    from ..export.verifying import added

    manifest = found.manifest
    if found.differences:
        yield f"{found.folder} is not what was written:"
        for one in found.differences:
            yield f"  {one.path} {one.what}"
        yield "make it again with `dlm export DOC --target " + manifest.target + "`"
        return
    count = len(manifest.artifacts)
    yield f"{count} {'file' if count == 1 else 'files'} as written, {size(manifest.bytes)}"
    if others := added(found.folder, manifest):
        yield f"beside them, not of the export: {', '.join(others[:5])}" + (" ..." if len(others) > 5 else "")
    if found.certificate is not None:
        yield from lines(found.certificate)
    else:
        yield f"certificate of {manifest.created_at}: {manifest.certified}"
