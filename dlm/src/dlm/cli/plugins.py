"""``dlm plugins``."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginInfo, PluginManager


@click.command(short_help="List the installed plugins.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plugins(as_json: bool) -> None:
    """List the installed plugins: what each one offers, how long it took to load, and why it failed if it did.

    DLM_BLOCK=a,b leaves plugins out, DLM_NO_PLUGINS=1 all of them, DLM_STRICT=1 turns a failure into its traceback.
    """
    from ..plugins import manager

    # Asked first: a plugin may load and still fail when asked what it offers.
    offered = _offers(manager())
    rows = manager().plugins()
    if as_json:
        click.echo(json.dumps(_record(rows, offered), indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(plugin_block(row, offered))
    click.echo(_own(offered))


def _offers(plugins: PluginManager) -> list[dict[str, str]]:
    """Every entry of every registration hook, with the plugin's source."""
    return [
        {"kind": _kind(hook), "name": name, "source": offer.source, "summary": offer.entry.summary}
        for hook in registration_hooks()
        for name, found in plugins.offers(hook).items()
        for offer in found
    ]


def registration_hooks() -> list[str]:
    """Names of the hooks that ask what a plugin offers."""
    from .. import hookspecs

    specs = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("dlm_") and callable(spec)}
    return [n for n, s in specs.items() if re.fullmatch(r"Iterable\[\w+Entry\]", s.__annotations__.get("return", ""))]


def _record(rows: list[PluginInfo], offered: list[dict[str, str]]) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        mine = [offer for offer in offered if offer["source"] == _source(row)]
        shown = [{key: offer[key] for key in ("kind", "name", "summary")} for offer in mine]
        found.append({**row._asdict(), "hooks": list(row.hooks), "offers": shown})
    return found


def plugin_block(row: PluginInfo, offered: list[dict[str, str]]) -> str:
    """One plugin as people read it."""
    lines = [f"{row.name}: {_source(row)}, loaded in {row.load_ms:.1f} ms"]
    if row.failure:
        lines = [f"{row.name}: {_source(row)}, FAILED"]
        lines.append(_wrapped("failure", row.failure))
    if row.hooks:
        lines.append(_wrapped("hooks", ", ".join(row.hooks)))
    if mine := [f"{offer['kind']} {offer['name']}" for offer in offered if offer["source"] == _source(row)]:
        lines.append(_wrapped("offers", ", ".join(mine)))
    return "\n".join(lines) + "\n"


def _own(offered: list[dict[str, str]]) -> str:
    mine = [f"{offer['kind']} {offer['name']}" for offer in offered if offer["source"] == "builtin"]
    return "dlm itself\n" + _wrapped("offers", ", ".join(mine))


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(text, 78, initial_indent=f"  {label:<8} ", subsequent_indent=" " * 11, break_on_hyphens=False)


def _source(row: PluginInfo) -> str:
    return f"{row.distribution} {row.version}".strip()


def _kind(hook: str) -> str:
    return hook.removeprefix("dlm_").removesuffix("s")
