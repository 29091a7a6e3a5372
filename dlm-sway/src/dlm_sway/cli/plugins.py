"""``sway plugins``: what is installed, what it offers, and what failed."""

from __future__ import annotations

import json

import click


@click.command(short_help="Show plugins, their hooks and their failures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plugins(as_json: bool) -> None:
    """Show plugins, their hooks and their failures."""
    from ..plugins import manager

    found = manager().plugins()
    if as_json:
        click.echo(json.dumps([row._asdict() for row in found], indent=2))
        return
    if not found:
        click.echo("no plugins are installed; the standard ones come with: pip install 'dlm-sway[hf]'")
    for row in found:
        state = "failed" if row.failure else "ok"
        click.echo(f"{row.name:<12} {row.distribution} {row.version}  {row.load_ms:.1f} ms  {state}")
        if row.hooks:
            click.echo(f"{'':<12} hooks: {', '.join(row.hooks)}")
        if row.failure:
            click.echo(f"{'':<12} {row.failure}")
            click.echo(f"{'':<12} DLM_SWAY_STRICT=1 shows the traceback; DLM_SWAY_BLOCK={row.name} leaves it out")
