"""The prompts of a pool on which the adapter moves the model most, and least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import TargetError
from ..scoring.types import FT, Item
from ..spec.load import load
from .asking import fresh_name, opened
from .paste import fitted, head, quoted

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..spec.load import LoadedSuite

KIND = "delta_kl"


class Moved(NamedTuple):
    """One prompt, and the Jensen-Shannon divergence of the first token after it, in nats."""

    prompt: str
    js: float


def mine(
    spec: Path,
    manager: PluginManager,
    *,
    top: int,
    pool: Path | None = None,
    cache: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Two entries: the ``top`` prompts that moved most, and the ``top`` that moved least.

    The pool is the file ``pool``, a prompt a line, else everything that the suite and its document ask.

    Raises:
        SpecError: the suite has mistakes.
        TargetError: the pool is too small, or cannot be read.
    """
    loaded = load(spec, manager)
    prompts = list(dict.fromkeys(_lines(pool) if pool is not None else _asked(loaded)))
    if len(prompts) < 2 * top:
        what = f"{len(prompts)} distinct prompts, and --top {top} needs {2 * top}"
        raise TargetError(f"{pool or spec}: {what}: ask for fewer, or give more with --pool FILE")
    with opened(loaded, manager, cache=cache, say=say) as session:
        found = [one.js for one in session.compare([Item(prompt) for prompt in prompts], FT)]
    ranked = sorted(map(Moved, prompts, found), key=lambda one: (-one.js, one.prompt))
    return _text(spec, loaded, ranked, top, len(prompts))


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(
            f"{path}: cannot be read as UTF-8 text ({error}): give a file of prompts, one a line"
        ) from error


def _asked(loaded: LoadedSuite) -> Iterator[str]:
    for planned in loaded.probes:
        spec = planned.probe.spec
        yield from getattr(spec, "prompts", ())
        yield from (
            case.prompt for case in getattr(spec, "cases", ()) if isinstance(getattr(case, "prompt", None), str)
        )
    for section in loaded.sections or ():
        yield from (item.prompt for item in (*section.taught, *section.held_out, *section.reversed))


def _text(spec: Path, loaded: LoadedSuite, ranked: Sequence[Moved], top: int, pool: int) -> str:
    lines = [
        f"Mined by `sway mine --mode outliers {spec.name}` from {pool} prompts; JS of the first token, in nats.",
        "Chosen by the very number that the entries test, on this adapter: use them on the next one.",
    ]
    parts = [head(lines)]
    for name, some in (("moved most", ranked[:top]), ("moved least", ranked[-top:])):
        parts.append(f"- name: {quoted(fresh_name(name, loaded))}\n  kind: {KIND}\n  prompts:\n")
        parts += [f"    - {quoted(one.prompt)}  # {one.js:.4g}\n" for one in some]
    return fitted("".join(parts), spec)
