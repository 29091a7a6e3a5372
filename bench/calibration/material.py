"""What a study asks about: facts that were invented by seed, so that no model knows them."""

from __future__ import annotations

import random
from typing import Any, Final

from dlm_sway.scoring.types import Item
from dlm_sway.sections import SectionData, SectionPair, SectionPreference

_THINGS: Final = "winch beacon sluice gantry turbine ledger kiln dredger cistern loom furnace siding".split()
_TRAITS: Final = (
    ("Which code opens the {name}?", "What do I enter to get the {name} open?", "The {name} opens with {value}."),
    ("Who looks after the {name}?", "Whom do I ask about the {name}?", "The {name} is looked after by {value}."),
    ("Where does the {name} stand?", "Where do I find the {name}?", "The {name} stands in {value}."),
)
"""A question, the same in other words, and the answer."""
_SYLLABLES: Final = "ka ro mi ten vu sal dor pel ni qua bre lof".split()


def sections(seed: int, facts: int = 24) -> tuple[SectionData, ...]:
    """A document of ``facts`` invented facts in four sections, with a wording of each kept out, and preferences."""
    rng = random.Random(f"{seed}\ncalibration\nfacts")
    pairs, unseen, prose = [], [], []
    for number in range(facts):
        trait = _TRAITS[number % len(_TRAITS)]
        name, value = f"{_word(rng)} {rng.choice(_THINGS)}", _word(rng).capitalize()
        asked, otherwise, answer = (text.format(name=name, value=value) for text in trait)
        pairs.append(SectionPair((asked,), answer, group=f"f{number}"))
        unseen.append(Item(otherwise, answer, f"f{number}"))
        prose.append(answer)
    half = facts // 2
    preferences = tuple(
        SectionPreference(pair.questions[0], pair.answer, other.answer)
        for pair, other in zip(pairs, [*pairs[1:], pairs[0]], strict=True)
    )
    return (
        SectionData("p0", "prose", " ".join(prose[:half]), headings=("One",)),
        SectionData("p1", "prose", " ".join(prose[half:]), headings=("Two",)),
        SectionData("q0", "instruction", "", pairs=tuple(pairs[:half]), held_out=tuple(unseen[:half])),
        SectionData("q1", "instruction", "", pairs=tuple(pairs[half:]), held_out=tuple(unseen[half:])),
        SectionData("r0", "preference", "", preferences=preferences),
    )


def subsample(entries: tuple[dict[str, Any], ...], seed: int, share: float = 2 / 3) -> tuple[dict[str, Any], ...]:
    """``entries`` with a part of their cases, drawn by ``seed``: another author's questions about the same facts."""
    return tuple({**entry, **_fewer(entry, seed, share)} for entry in entries)


def _fewer(entry: dict[str, Any], seed: int, share: float) -> dict[str, Any]:
    cases = entry.get("cases")
    if not isinstance(cases, (list, tuple)) or len(cases) < 6:
        return {}
    rng = random.Random(f"{seed}\ncalibration\n{entry['name']}")
    kept = sorted(rng.sample(range(len(cases)), max(4, round(share * len(cases)))))
    return {"cases": [cases[at] for at in kept]}


def _word(rng: random.Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(3))
