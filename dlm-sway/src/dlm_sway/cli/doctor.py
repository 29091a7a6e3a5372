"""``sway doctor``: what is installed, and what is wrong with it."""

from __future__ import annotations

import json

import click


@click.command(short_help="Show what is installed and what is wrong with it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Show what is installed and what is wrong with it."""
    from ..diagnosis import diagnose
    from ..plugins import manager

    found = diagnose(manager())
    if as_json:
        click.echo(json.dumps(found, indent=2, sort_keys=True))
        return
    click.echo(f"sway {found['sway_version']}, Python {found['python']}, {found['platform']}")
    for extra, modules in found["extras"].items():
        versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in modules.items())
        click.echo(f"  {extra:<8} {versions}")
    for plugin in found["plugins"]:
        state = "failed" if plugin["failure"] else "ok"
        click.echo(f"  plugin {plugin['name']} ({plugin['distribution']} {plugin['version']}): {state}")
    for finding in found["findings"]:
        click.echo(f"problem: {finding}")
    if not found["findings"]:
        click.echo("no problems found")
