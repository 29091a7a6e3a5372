"""``dlm init``: a new document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import BaseModel

DEFAULT_BASE = "smollm2-135m"


@click.command()
@click.argument("path", type=click.Path(dir_okay=False))
@click.option("--template", metavar="NAME", help="Begin with a document of the gallery; see `dlm templates list`.")
@click.option(
    "--base", metavar="REF", help=f"Base model; see `dlm base list`. Default: the template's, else {DEFAULT_BASE}."
)
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--force", is_flag=True, help="Replace an existing file by a new document with an id of its own.")
@click.option("--multimodal", is_flag=True, hidden=True)
@click.option("--audio", is_flag=True, hidden=True)
def init(
    path: str, template: str | None, base: str | None, accepts: bool, force: bool, multimodal: bool, audio: bool
) -> None:
    """Write a new document to start from."""
    from pathlib import Path

    from ..bases.licence import accept
    from ..bases.resolve import resolve
    from ..document.write import write_new
    from ..store import home

    _refuse_media(multimodal, audio)
    text, chosen, notes = _text(template, base)
    # A relative path: is looked for beside the document, as training will.
    wanted = resolve(chosen, Path(path).absolute().parent)
    replaced = _id_of(Path(path)) if force else None
    write_new(Path(path), text, replace=force)
    if accepts:
        accept(wanted, home(), "cli_flag")
    what = f"the template {template}" if template else "a small sample to be replaced by your own text"
    click.echo(f"Wrote {path}: {what}, base {chosen}.")
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if replaced is not None:
        click.echo(f"note: it has an id of its own; versions of the old document stay under {replaced}", err=True)
    _print_next(path, wanted)


def _text(template: str | None, base: str | None) -> tuple[str, str, list[str]]:
    """The document's text, its base, and what is worth a note."""
    from ..document.starter import starter
    from ..templates.start import document_of, find, meta_of

    if template is None:
        return starter(base or DEFAULT_BASE), base or DEFAULT_BASE, []
    found, recommended = find(template), meta_of(template).recommended_base
    chosen = base or recommended
    notes = [f"--base {base} is used; the template recommends {recommended}"] if chosen != recommended else []
    return document_of(found, chosen), chosen, notes


def _refuse_media(multimodal: bool, audio: bool) -> None:
    from ..errors import UsageProblem

    for wanted, flag, kind in ((multimodal, "--multimodal", "image"), (audio, "--audio", "audio")):
        if wanted:
            raise UsageProblem(
                f"{flag}: no installed plugin trains {kind} sections: install one that offers the section type "
                f"`{kind}` and a base for it, or leave {flag} out for a document of text"
            )


def _id_of(path: Path) -> str | None:
    """``dlm_id`` of the document that is replaced, if it can be told."""
    import re

    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(65536)
    except OSError:
        return None
    found = re.search(r"^dlm_id: *[\"']?([0-9A-HJKMNP-TV-Z]{26})", head, re.MULTILINE)
    return found[1] if found else None


def _print_next(path: str, wanted: BaseModel) -> None:
    from ..bases.licence import accepted, licence_name
    from ..store import home
    from .progress import shell_quoted

    name = shell_quoted(path)
    steps = [(f"dlm check {name}", "every mistake, and what will be trained"), (f"dlm train {name}", "train it")]
    if wanted.requires_acceptance and accepted(wanted, home()) is None:
        steps.insert(0, (f"dlm base accept {wanted.key}", f"the {licence_name(wanted)} licence"))
    width = max(len(command) for command, _ in steps)
    click.echo("Next:")
    for command, what in steps:
        click.echo(f"  {command:<{width}}  {what}")
