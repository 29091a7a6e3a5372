"""The claims of a pack for people: first what its own files say too, then what only its maker says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..share.checking import Claimed
    from ..share.claims import ClaimedExport, ClaimedLearning, Claims

Line = tuple[str, str]


def claim_lines(claimed: Claimed) -> Iterator[str]:
    """Lines to print; none is wider than 80 columns unless a name is."""
    yield "claims, the same as in its files:"
    yield from (_line(line) for name in claimed.checked if name in _SHOWN for line in _SHOWN[name](claimed.claims))
    if claimed.told:
        yield "claims, its maker's word alone:"
        yield from (_line(line) for name in claimed.told for line in _SHOWN[name](claimed.claims))


def claims_as_json(claimed: Claimed | None) -> dict[str, Any]:
    """For ``--json``."""
    if claimed is None:
        return {"claims": None}
    checked, told = list(claimed.checked), list(claimed.told)
    return {"claims": claimed.claims.model_dump(mode="json"), "claims_checked": checked, "claims_unchecked": told}


def _line(line: Line) -> str:
    from .visible import in_a_line

    return f"  {line[0]:<10} {in_a_line(line[1])}"


def _document(claims: Claims) -> Iterator[Line]:
    one = claims.document
    same = "the text that was trained" if one.digest == one.trained else f"trained: {_digest(one.trained)}"
    yield "document", f"{_digest(one.digest)}, {same}"


def _base(claims: Claims) -> Iterator[Line]:
    revision = f", revision {claims.base.revision[:12]}" if claims.base.revision else ""
    yield "base", f"{claims.base.key}{revision}, {_digest(claims.base.digest)}"


def _adapters(claims: Claims) -> Iterator[Line]:
    for name, digest in sorted(claims.adapters.items()):
        yield "weights", f"{name + ': ' if name else ''}{digest[:12]}"


def _recipe(claims: Claims) -> Iterator[Line]:
    seed = "" if claims.recipe.seed is None else f", seed {claims.recipe.seed}"
    yield "recipe", f"{_digest(claims.recipe.digest)}{seed}"


def _lock(claims: Claims) -> Iterator[Line]:
    yield "lock", _digest(claims.lock)


def _learning(claims: Claims) -> Iterator[Line]:
    if (one := claims.learning) is not None:
        yield "learning", _learned(one)


def _learned(one: ClaimedLearning) -> str:
    total = one.total
    if total is None:
        return one.state
    interval = f"{total.low:.0%} to {total.high:.0%}"
    return f"{one.state}: {total.after} of {total.asked} answers right ({interval}), {total.before} before"


def _exports(claims: Claims) -> Iterator[Line]:
    for one in claims.exports:
        yield "export", _export(one) + (f", of v{one.version:04d}" if one.version != claims.version else "")


def _export(one: ClaimedExport) -> str:
    kept = f", {one.effect_kept[0]:.0%} of the effect kept" if one.effect_kept else ""
    measured = "no certificate" if one.certified == "not measured" else f"certificate {one.certified}"
    return f"{one.folder}: {measured}{kept}"


def _judged(claims: Claims) -> Iterator[Line]:
    for one in claims.judged:
        score = "" if one.score is None else f", score {one.score:.2f}"
        yield "sway", f"{one.adapter + ': ' if one.adapter else ''}{one.conclusion}, gate {one.outcome}{score}"
        known = (None, claims.document.digest, claims.document.trained)
        yield "", f"report {_digest(one.report)}{'' if one.document in known else ', about another text'}"


def _digest(digest: str | None) -> str:
    return "unknown" if digest is None else digest.removeprefix("sha256:")[:12]


_SHOWN: dict[str, Callable[[Claims], Iterator[Line]]] = {
    "document": _document,
    "base": _base,
    "adapters": _adapters,
    "recipe": _recipe,
    "lock": _lock,
    "learning": _learning,
    "exports": _exports,
    "judged": _judged,
}
