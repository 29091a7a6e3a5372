"""Print which facts of the packaged knowledge a base knows: ``python bench/knowledge.py --base FOLDER``.

A base knows a fact when it finds the true end of the sentence likelier than the wrong one of the same kind. The pack
was made of what SmolLM2-135M-Instruct knows; a base that knows much less cannot be judged by what it forgets.
"""

from __future__ import annotations

import argparse
from collections import Counter

from dlm_hf.scoring import HfScoring
from dlm_sway.data import knowledge
from dlm_sway.scoring.types import BASE, Item
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair


def main() -> None:
    """Score every fact and its wrong end, and print what is not known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="folder of a model, or a hub id that was downloaded before")
    parser.add_argument("--margin", type=float, default=0.0, help="nats by which the true end must be likelier")
    given = parser.parse_args()
    model = ModelSpec(base=given.base)
    # Two whole models, the same one twice: there is no adapter to switch off.
    backend = HfScoring(ModelPair(model, model, differential=False), SuiteDefaults())
    facts = knowledge()
    true = backend.compare([Item(fact.prompt, fact.answer, plain=True) for fact in facts], BASE)
    false = backend.compare([Item(fact.prompt, fact.wrong, plain=True) for fact in facts], BASE)
    margins = [a.base_logprob - b.base_logprob for a, b in zip(true, false, strict=True)]
    known = Counter(fact.kind for fact, margin in zip(facts, margins, strict=True) if margin > given.margin)
    for kind, number in Counter(fact.kind for fact in facts).items():
        print(f"{kind:12} {known[kind]:3} of {number:3} known")
    print(
        f"{'all':12} {known.total():3} of {len(facts):3} known; {sum(one.positions for one in true)} tokens of answers"
    )
    for fact, margin in sorted(zip(facts, margins, strict=True), key=lambda row: row[1]):
        if margin <= given.margin:
            print(f"{margin:+7.2f}  {fact.prompt}{fact.answer} (not{fact.wrong})")


if __name__ == "__main__":
    main()
