"""What these probes ask about a document when nobody has written a suite yet: their part of ``sway autogen``.

Where there is a choice, questions that training never saw are asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.data import general_items
from dlm_sway.drafts import Draft, as_cases, spread

if TYPE_CHECKING:
    from dlm_sway import Item, SectionData
    from dlm_sway.suite.target import Target

MOST_CASES: Final = 48
"""Questions of the tests that decide: each is also asked of every random adapter."""
FEW_CASES: Final = 8
"""Questions of the probes that ask each several times, at other strengths or after other text."""
MARGIN: Final = 0.3
"""Nats by which answers elsewhere may move: the margin of ``sway check``."""


def drafts(target: Target) -> Iterator[Draft]:
    """One draft a probe, in the order in which they answer questions."""
    yield from _effects(target)
    yield from _by_section(target)
    yield from _harm(target)
    yield from _without_model(target)


def _effects(target: Target) -> Iterator[Draft]:
    own = target.held_out or target.taught
    cases = as_cases(spread(own, MOST_CASES)) or as_cases(general_items())
    yield Draft(
        order=30,
        name="delta_kl_doc",
        kind="delta_kl",
        intent="Did predictions move, by more than noise and more than random adapters move them?",
        keys={"cases": cases, "assert_mean_gte": 0.02},
    )
    yield _or_missing(
        Draft(
            order=40,
            name="learned",
            kind="answer_gain",
            intent="Did right answers become likelier, to questions that were held out of training?",
            keys={"cases": as_cases(spread(target.held_out, MOST_CASES)), "assert_mean_gte": 0.1},
        ),
        "" if target.held_out else "no question was kept out of training: add `### Q !probe` pairs, then train",
    )
    wordings = _wordings(target.sections or ())
    yield _or_missing(
        Draft(
            order=50,
            name="paraphrase_invariance",
            kind="paraphrase_invariance",
            intent="Was the answer learned, or only the wording of its question?",
            keys={"cases": wordings[:24]},
        ),
        "" if wordings else "no question stands there in several wordings",
    )
    short = as_cases(spread(own, FEW_CASES))
    none = "" if short else "no question about what was taught is known"
    yield _or_missing(
        Draft(
            order=60,
            name="prompt_collapse",
            kind="prompt_collapse",
            intent="Does the effect last when other text stands before the question?",
            keys={"cases": short, "context_lengths": [0, 256, 512, 1024], "assert_half_life_tokens": 300},
        ),
        none,
    )
    yield _or_missing(
        Draft(
            order=65,
            name="multi_turn_coherence",
            kind="multi_turn_coherence_decay",
            intent="Does it last over the turns of a conversation?",
            keys={"prompts": [case["prompt"] for case in short]},
        ),
        none,
    )
    yield _or_missing(
        Draft(
            order=150,
            name="adapter_ablation",
            kind="adapter_ablation",
            intent="What happens between no adapter and all of it, and a little more?",
            keys={"cases": short},
        ),
        none,
    )


def _by_section(target: Target) -> Iterator[Draft]:
    sections = target.sections or ()
    unknown = "nobody says what was taught: draft from the document" if target.sections is None else ""
    yield Draft(
        order=70,
        name="section_attribution",
        kind="section_internalization",
        intent="Which sections became likelier than text that was not taught?",
        keys={"per_section_threshold": 0.05} if len(sections) >= 2 else {},
        missing=unknown or ("" if len(sections) >= 2 else "fewer than 2 sections"),
    )
    asked = any(section.held_out for section in sections)
    yield Draft(
        order=75,
        name="internalization",
        kind="internalization",
        intent="How much of what reading the document gives does the adapter give unread?",
        keys={"assert_ratio_gte": 0.5} if asked else {},
        missing=unknown or ("" if asked else "no question was kept out of training"),
    )
    triples = any(section.preferences for section in sections)
    yield Draft(
        order=80,
        name="preference_flip",
        kind="preference_flip",
        intent="Were preferences turned that the base gets wrong?",
        keys={"assert_flip_rate_gte": 0.7} if triples else {},
        missing=unknown or ("" if triples else "no section of preferences"),
    )
    yield Draft(
        order=85,
        name="tool_use",
        kind="tool_use_fidelity",
        missing="documents teach no tools: give `cases`, or leave them out for the 96 packaged requests",
    )


def _harm(target: Target) -> Iterator[Draft]:
    if target.held_out or target.taught:
        yield Draft(
            order=100,
            name="elsewhere",
            kind="delta_kl",
            intent="A guard: answers that have nothing to do with the document must stay as they were.",
            keys={"divergence": "kl", "cases": as_cases(general_items()[::2]), "assert_mean_lte": MARGIN},
        )
    yield Draft(
        order=110,
        name="general_knowledge",
        kind="calibration_drift",
        intent="A guard: what the base knew must still be known.",
        keys={"known_only": True},
    )
    yield Draft(
        order=120,
        name="external_ppl",
        kind="external_perplexity",
        intent="A guard: plain prose must still be read as well.",
        keys={"max_chunks": 24},
    )
    prose = any(section.kind == "prose" and len(section.text) >= 400 for section in target.sections or ())
    yield Draft(
        order=130,
        name="verbatim_leak",
        kind="leakage",
        intent="A guard: the model must not recite the document. Drop this where reciting is wanted.",
        keys={"prefix_chars": 128, "continuation_chars": 256} if prose else {},
        missing="" if prose else "no section of prose that is long enough to recite",
    )
    yield Draft(
        order=140,
        name="degeneration",
        kind="degeneration",
        intent="A guard: answers must not loop, stay empty or never end where the base's do.",
        keys={"max_new_tokens": 128},
    )
    yield Draft(
        order=145,
        name="bleed",
        kind="bleed",
        intent="A guard: the topic must not turn up in answers that have nothing to do with it.",
        keys={"assert_rate_lte": 0.1} if target.sections else {},
        missing="" if target.sections else "nobody says which words are the topic's: give `terms`",
    )


def _without_model(target: Target) -> Iterator[Draft]:
    held_out = any(section.held_out for section in target.sections or ())
    yield Draft(
        order=160,
        name="contamination",
        kind="contamination",
        intent="Were the questions above trained? Needs no model.",
        keys={"ngram": 13} if held_out else {},
        missing="" if held_out else "no question was kept out of training",
    )
    yield Draft(
        order=170,
        name="every_layer_trained",
        kind="gradient_ghost",
        intent="Was all of the adapter trained, and long enough? Needs no model.",
        # A short document is learned in a few dozen steps; the default of 50 is for old trainings.
        keys={"min_steps_threshold": 10},
    )
    trained = target.document is not None
    yield Draft(
        order=180,
        name="training_curve",
        kind="training_drift",
        intent="Did the training loss come down without jumps? Needs no model.",
        keys={"assert_convergence_ratio_lte": 0.7} if trained else {},
        missing="" if trained else "a folder holds no training log",
    )


def _or_missing(draft: Draft, missing: str) -> Draft:
    if not missing:
        return draft
    return Draft(order=draft.order, name=draft.name, kind=draft.kind, missing=missing)


def _wordings(sections: Sequence[SectionData]) -> list[dict[str, Any]]:
    """Questions that were taught, each with its other wordings: first those that training never saw."""
    found = []
    unseen = _by_group([item for section in sections for item in section.held_out])
    for section in sections:
        for pair in section.pairs:
            others = [*unseen.get(pair.group, []), *pair.questions[1:]]
            others = [text for text in dict.fromkeys(others) if text != pair.questions[0]]
            if others and not pair.probe:
                found.append({"prompt": pair.questions[0], "gold": pair.answer, "paraphrases": others[:4]})
    return found


def _by_group(items: Sequence[Item]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for item in items:
        if item.group:
            groups.setdefault(item.group, []).append(item.prompt)
    return groups
