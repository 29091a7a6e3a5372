"""What a pack claims beyond its own files, for the model card: verdicts and certificates, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.share.claims import Claims
from dlm.share.members import CLAIMS

from .plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.share.claims import ClaimedExport, Judged


def read_claims(folder: Path) -> Claims | None:
    """The claims of the pack that was unpacked in ``folder``; they were held against its files before."""
    path = folder / CLAIMS
    return Claims.model_validate_json(path.read_bytes()) if path.is_file() else None


def told(claims: Claims | None) -> tuple[str, ...]:
    """Lines of the card; none where nothing is claimed."""
    if claims is None or not (claims.judged or claims.exports):
        return ()
    return (
        "## How it was checked\n",
        *(f"- {_verdict(one)}" for one in claims.judged),
        *(f"- {_certificate(one)}" for one in claims.exports),
        "",
        "`dlm verify` prints all claims, and which of them the files of the pack bear out.\n",
    )


def _verdict(one: Judged) -> str:
    name = f"`{plain(one.adapter)}`" if one.adapter else "the adapter"
    score = "" if one.score is None else f", score {one.score:.2f}"
    probes = ", ".join(f"{count} {plain(verdict)}" for verdict, count in sorted(one.verdicts.items()))
    return (
        f"dlm-sway {plain(one.sway)} on {name}: {plain(one.conclusion)}, gate {plain(one.outcome)}{score}"
        f"{f' ({probes})' if probes else ''}; its report has the digest `{plain(one.report)}` and is not in the pack. "
        "This is the word of whoever made the pack"
    )


def _certificate(one: ClaimedExport) -> str:
    kept, quant = "", f", {plain(one.quant)}" if one.quant else ""
    if one.effect_kept is not None:
        value, low, high = one.effect_kept
        kept = f", {value:.0%} of the effect kept ({low:.0%} to {high:.0%})"
    return f"the export `{plain(one.folder)}` for {plain(one.target)}{quant}: {plain(one.certified)}{kept}"
