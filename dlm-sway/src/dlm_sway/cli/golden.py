"""``sway golden``: does a result still have the numbers of a stored one?"""

from __future__ import annotations

from pathlib import Path

import click


def _tolerances(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> list[tuple[str, float]]:
    found = []
    for given in value:
        key, _, number = given.rpartition("=")
        try:
            tolerance = float(number)
        except ValueError:
            raise click.BadParameter(f"{given!r} is neither NUMBER nor KEY=NUMBER") from None
        if not 0 <= tolerance < float("inf"):
            raise click.BadParameter(f"{given!r}: a tolerance is 0 or more")
        found.append((key, tolerance))
    return found


@click.command(short_help="Hold a result against a stored one, number by number.")
@click.argument("golden", type=click.Path(path_type=Path))
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    callback=_tolerances,
    metavar="[KEY=]F",
    help="By how much numbers may differ, everywhere or under KEY; 1e-4 if not given. May be repeated.",
)
@click.option("--mask", multiple=True, metavar="KEY", help="Do not look at KEY either. May be repeated.")
@click.pass_context
def golden(
    ctx: click.Context, golden: Path, result: Path, tolerances: list[tuple[str, float]], mask: tuple[str, ...]
) -> None:
    """Exit with 1 when RESULT differs from GOLDEN, a result that was kept.

    Times, paths, versions and the machine are not looked at. To learn whether a difference is more than chance, use
    `sway compare`.
    """
    from ..history.golden import MASKED, TOLERANCE, TOLERANCES, Rules, differences, read

    by_key = {**({} if any(key == "" for key, _ in tolerances) else TOLERANCES), **{k: t for k, t in tolerances if k}}
    otherwise = next((tolerance for key, tolerance in reversed(tolerances) if not key), TOLERANCE)
    found = differences(read(result), read(golden), Rules(MASKED | frozenset(mask), by_key, otherwise))
    for one in found:
        click.echo(str(one))
    if found:
        click.echo(f"{len(found)} difference{'s' if len(found) > 1 else ''} from {golden}", err=True)
        ctx.exit(1)
    click.echo(f"the same as {golden}")
