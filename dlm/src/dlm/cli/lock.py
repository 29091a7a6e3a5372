"""``dlm lock show | check``: of what the current version was made, and whether a training now would be made of that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..locking.checking import Checked
    from ..locking.comparing import Difference
    from ..locking.models import Lock
    from ..locking.table import LockMode

WIDTH = 80


@click.group(short_help="Show what a version was made of, and what differs now.")
def lock() -> None:
    """Show of what the current version was made, and whether a training now would be made of the same.

    Every version has a dlm.lock: document, sources, base, numbers, libraries. `dlm train` compares with it.
    """


@lock.command(short_help="Show the lock of the current version.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the file, one JSON object.")
def show(doc: str, as_json: bool) -> None:
    """Show the lock of DOC's current version: of what it was made."""
    from ..locking.checking import current_lock
    from ..store import home

    version, found = current_lock(doc, home())
    if as_json:
        click.echo(found.text(), nl=False)
        return
    click.echo(f"{version.name}, trained {found.created_at or 'at an unknown time'} by run {found.last_run_id}")
    for name, value in rows(found):
        click.echo(_wrapped(f"{name:<15}", value, 15))


@lock.command(short_help="Compare it with what is there now; trains nothing.")
@click.argument("doc", type=click.Path())
@click.option("--strict-lock", is_flag=True, help="Warnings are violations too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(doc: str, strict_lock: bool, as_json: bool) -> None:
    """Compare the lock of DOC's current version with what a training now would be made of, asked for as it was then.

    Exits with 1 when `dlm train` would refuse. Nothing is trained, fetched or written.
    """
    from ..errors import LockViolated
    from ..locking.checking import check as run
    from ..store import home

    checked = run(doc, home(), strict=strict_lock)
    if as_json:
        click.echo(json.dumps(checked.as_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(_told(checked))
    if checked.violations:
        raise LockViolated(checked.refusal)


def lock_mode(*, strict: bool, update: bool, ignore: bool) -> LockMode:
    """What the flags of ``dlm train`` ask for.

    Raises:
        UsageProblem: more than one is given.
    """
    from ..errors import UsageProblem

    given = {"strict": strict, "update": update, "ignore": ignore}
    flags = [f"--{name}-lock" for name, there in given.items() if there]
    if len(flags) > 1:
        raise UsageProblem(f"{' and '.join(flags)} contradict each other: give one of them")
    return "strict" if strict else "update" if update else "ignore" if ignore else "warn"


def rows(found: Lock) -> list[tuple[str, str]]:
    """The lock for people; what is unknown is left out."""
    base = f"{found.base_model or '?'} {short(found.base_model_sha256 or found.base_model_revision)}".rstrip()
    machine = (found.hardware_tier, found.precision, _pairs(found.determinism_flags), found.determinism_class)
    table: list[tuple[str, Any]] = [
        ("document", short(found.document_digest or found.dlm_sha256)),
        *((f"source {path}", short(value)) for path, value in sorted(found.sources.items())),
        ("replayed", short(found.replay_sha256)),
        ("base", base),
        ("seed", found.seed),
        ("LoRA", _pairs(found.lora)),
        *((f"adapter {name}", _pairs(_numbers(own))) for name, own in found.adapters.items()),
        ("recipe", _pairs(found.recipe)),
        ("asked for", _pairs(found.asked)),
        ("went on from", f"v{found.warm_from:04d}" if found.warm_from else None),
        ("plan", short(found.plan_sha256)),
        ("libraries", _pairs(found.pinned_versions)),
        ("Python", found.python_version),
        ("machine", ", ".join(part for part in machine if part)),
        ("processes", found.world_size),
    ]
    return [(name, str(value)) for name, value in table if value not in (None, "")]


def _numbers(adapter: dict[str, Any]) -> dict[str, Any]:
    return {name: short(value) if name == "sections_sha256" else value for name, value in adapter.items()}


def short(value: str | None) -> str:
    """The first digits of a digest; nothing for one that is unknown."""
    return (value or "").removeprefix("sha256:")[:12]


def _told(checked: Checked) -> str:
    if not checked.differences:
        return f"a training now would be made of the very same as {checked.version.name}"
    lines = [f"{checked.version.name} was made of something else than a training now would be:"]
    lines += [_line(one) for one in checked.differences]
    return "\n".join([*lines, *checked.notes])


def _line(one: Difference) -> str:
    return _wrapped(f"  {one.severity:<6} ", str(one), 9)


def _wrapped(head: str, text: str, indent: int) -> str:
    import textwrap

    return textwrap.fill(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in sorted(values.items()))


def _plain(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)
