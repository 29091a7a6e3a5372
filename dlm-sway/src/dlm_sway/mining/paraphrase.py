"""Wordings under which an answer that was learned is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import TargetError
from ..probes.wordings import WordedCase
from ..scoring.types import FT, Item
from ..spec.load import load
from .asking import fresh_name, opened
from .paste import fitted, head, quoted
from .wordings import rewordings
from .wordnet import swapped, synonyms

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..probes.base import Scoring
    from ..spec.load import LoadedSuite

KIND = "paraphrase_invariance"


class Wording(NamedTuple):
    """One other wording; gains are in nats per token of the answer."""

    text: str
    gain: float
    gap: float
    """By how much the question's own wording gains more."""


class MinedCase(NamedTuple):
    """A case, and its wordings with the largest gaps."""

    case: WordedCase
    gain: float
    wordings: tuple[Wording, ...]


def mine(
    spec: Path,
    manager: PluginManager,
    *,
    top: int,
    wordnet: Path | None = None,
    cache: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """An entry of the ``top`` wordings of each case of ``spec`` with the largest gaps, those that it has left out.

    With ``wordnet``, a folder with WordNet's files, words of the question are also swapped for synonyms.

    Raises:
        SpecError: the suite has mistakes.
        TargetError: it has no case to reword, or ``wordnet`` is not there.
    """
    loaded = load(spec, manager)
    cases = list(_cases(loaded))
    if not cases:
        raise TargetError(f"{spec}: no enabled {KIND} entry with cases: `sway autogen` drafts one for a document")
    known = {} if wordnet is None else synonyms(wordnet, [case.prompt for case in cases])
    with opened(loaded, manager, cache=cache, say=say) as session:
        found = hardest(session, cases, top, known)
    return _text(spec, fresh_name("mined wordings", loaded), found)


def hardest(
    scoring: Scoring, cases: Sequence[WordedCase], top: int, known: Mapping[str, list[str]] | None = None
) -> list[MinedCase]:
    """The wordings with the largest gaps; cases in their order, wordings by gap. ``known`` are synonyms by word."""
    others = {case: _others(case, known or {}) for case in cases}
    asked = [Item(text, case.gold) for case in cases for text in (case.prompt, *others[case])]
    answers = dict(zip(asked, scoring.compare(asked, FT), strict=True))
    gains = {item: (one.view_logprob - one.base_logprob) / one.positions for item, one in answers.items()}
    mined = []
    for case in cases:
        own = gains[Item(case.prompt, case.gold)]
        found = [Wording(text, gain := gains[Item(text, case.gold)], own - gain) for text in others[case]]
        found.sort(key=lambda one: (-one.gap, one.text))
        mined.append(MinedCase(case, own, tuple(found[:top])))
    return mined


def _others(case: WordedCase, known: Mapping[str, list[str]]) -> list[str]:
    """Wordings that the case has not."""
    found = dict.fromkeys([*rewordings(case.prompt), *swapped(case.prompt, known)])
    return [one for one in found if one not in (case.prompt, *case.paraphrases)]


def _cases(loaded: LoadedSuite) -> Iterator[WordedCase]:
    """The cases of every enabled entry, each once."""
    seen: set[tuple[str, str]] = set()
    for planned in loaded.probes:
        for case in getattr(planned.probe.spec, "cases", ()):
            if isinstance(case, WordedCase) and planned.probe.spec.enabled and (case.prompt, case.gold) not in seen:
                seen.add((case.prompt, case.gold))
                yield case


def _text(spec: Path, name: str, found: Sequence[MinedCase]) -> str:
    lines = [
        f"Mined by `sway mine --mode paraphrase {spec.name}`; gains in nats per token, gap = own wording - this one.",
        "Chosen because they are the worst of many: keep those that a person would ask. The entry tells whether",
        "the next training does better; for this one it is worse than the average by construction.",
    ]
    text = head(lines) + f"- name: {quoted(name)}\n  kind: {KIND}\n  cases:\n"
    for mined in found:
        if mined.wordings:
            text += f"    - prompt: {quoted(mined.case.prompt)}  # gain {mined.gain:+.3f}\n"
            text += f"      gold: {quoted(mined.case.gold)}\n      paraphrases:\n"
            rows = (
                f"        - {quoted(one.text)}  # gain {one.gain:+.3f}, gap {one.gap:+.3f}" for one in mined.wordings
            )
            text += "".join(f"{row}\n" for row in rows)
    return fitted(text, spec)
