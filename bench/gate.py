"""What a learned gate is worth: ``python bench/gate.py [--home FOLDER] [--budget TOKENS] [--recipe plain]``.

Trains a document of two teams, a network and a kitchen, with an adapter each and a gate over them, on the smallest
base. Then asks for every fact in words that are not in the document: each adapter alone, both at half, and through the
gate. Prints how often the gate chose right on what it had not seen, and a table of the facts that each way of asking
says.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
from dlm.answering import AskOptions, ask
from dlm.chosen import Wanted
from dlm.store.gate_file import GateFile, read_gate
from dlm.training.backend import Sampling
from dlm.training.run import TrainOptions, train

HEAD = """---
dlm_id: 01J0000000000000000000000G
dlm_version: 15
base_model: {base}
training:
  recipe: {recipe}
  adapters:
    network: {{}}
    kitchen: {{}}
  gate:
    enabled: true
---
# House

The house has a network team and a kitchen team.
"""


class Fact(NamedTuple):
    """A fact of the document, and how it is asked for here."""

    questions: tuple[str, ...]
    """As the document words them."""
    answer: str
    asked: str
    value: str


FACTS = {
    "network": (
        Fact(
            ("Which port does Kittiwake listen on?", "What is the port of Kittiwake?", "How do I reach Kittiwake?"),
            "Kittiwake listens on port 7413.",
            "Kittiwake uses what port?",
            "7413",
        ),
        Fact(
            (
                "Who is on call for the router Gannet?",
                "Whom do I call when Gannet fails?",
                "Gannet is down, who helps?",
            ),
            "Mara Quill is on call for Gannet.",
            "Whom do I phone about the router Gannet?",
            "Quill",
        ),
        Fact(
            (
                "How long does the DNS cache of Petrel live?",
                "What is Petrel's cache time?",
                "When does Petrel forget a name?",
            ),
            "The cache of Petrel lives for 90 seconds.",
            "What is the lifetime of Petrel's DNS cache?",
            "90",
        ),
        Fact(
            (
                "Which subnet do the printers have?",
                "Where in the network are the printers?",
                "What are the printers' addresses?",
            ),
            "The printers have the subnet 10.40.8.0/24.",
            "What is the subnet for printers?",
            "10.40.8",
        ),
        Fact(
            (
                "How often is the VPN certificate renewed?",
                "When is the VPN's certificate due?",
                "How old may the VPN certificate get?",
            ),
            "The VPN certificate is renewed every 45 days.",
            "After how many days do we renew the VPN certificate?",
            "45",
        ),
        Fact(
            ("Who made the firewall?", "Which vendor is our firewall from?", "Whose firewall do we have?"),
            "The firewall was made by Harrow Systems.",
            "What company built the firewall?",
            "Harrow",
        ),
    ),
    "kitchen": (
        Fact(
            (
                "How long does the rye loaf bake?",
                "When is the rye loaf done?",
                "For how long is the rye loaf in the oven?",
            ),
            "The rye loaf bakes for 52 minutes.",
            "What is the baking time of the rye loaf?",
            "52",
        ),
        Fact(
            (
                "How hot is the oven for the plum cake?",
                "At what heat do I bake the plum cake?",
                "How many degrees for plum cake?",
            ),
            "The plum cake needs 175 degrees.",
            "What temperature does the plum cake need?",
            "175",
        ),
        Fact(
            ("Who supplies the butter?", "Who brings us the butter?", "Whose butter do we use?"),
            "The butter is supplied by the Ostrow dairy.",
            "Where does our butter come from?",
            "Ostrow",
        ),
        Fact(
            (
                "How much salt goes into the broth?",
                "How salty is the broth?",
                "What amount of salt does the broth take?",
            ),
            "The broth takes 14 grams of salt.",
            "How many grams of salt are in the broth?",
            "14",
        ),
        Fact(
            (
                "Which pan are pancakes made in?",
                "What do I fry pancakes in?",
                "Where is the batter of the pancakes poured?",
            ),
            "Pancakes are made in the blue iron pan.",
            "What pan do pancakes need?",
            "blue",
        ),
        Fact(
            (
                "Where are the dried mushrooms kept?",
                "In which tin are the mushrooms?",
                "Where do I look for dried mushrooms?",
            ),
            "The dried mushrooms are kept in the tin called Birch.",
            "Where do we store the mushrooms?",
            "Birch",
        ),
    ),
}
WAYS = {
    "the adapter `network` alone": Wanted(adapter="network"),
    "the adapter `kitchen` alone": Wanted(adapter="kitchen"),
    "both, at half": Wanted(mix="network:0.5,kitchen:0.5"),
    "both, at full": Wanted(mix="network:1,kitchen:1"),
    "through the gate": Wanted(gate="auto"),
}


class Found(NamedTuple):
    """What was measured."""

    gate: GateFile
    right: dict[str, dict[str, int]]
    """Facts that were said, by the way of asking and by whose they are."""
    chosen: int
    """Questions for which the gate gave the right adapter the most weight."""
    seconds: float


def document(folder: Path, base: str, recipe: str) -> Path:
    """The document, written into ``folder``."""
    text = HEAD.format(base=base, recipe=recipe)
    for name, facts in FACTS.items():
        text += f"\n::instruction#{name}::\n"
        for fact in facts:
            text += "".join(f"### Q\n{question}\n" for question in fact.questions) + f"### A\n{fact.answer}\n\n"
    path = folder / "house.dlm"
    path.write_text(text, encoding="utf-8")
    return path


def measure(path: Path, home: Path | None, budget: int) -> Found:
    """Train ``path`` and ask for every fact in every way."""
    started = time.perf_counter()
    report = train(path, home=home, options=TrainOptions(token_budget=budget))
    gate = read_gate(report.path)
    assert gate is not None
    asked = [(name, fact) for name, facts in FACTS.items() for fact in facts]
    right: dict[str, dict[str, int]] = {}
    chosen = 0
    for way, wanted in WAYS.items():
        options = AskOptions(sampling=Sampling(max_new_tokens=24), wanted=wanted)
        replies = list(ask(path, [fact.asked for _, fact in asked], home=home, options=options))
        right[way] = dict.fromkeys(FACTS, 0)
        for (name, fact), reply in zip(asked, replies, strict=True):
            right[way][name] += fact.value in reply.answer.text
            if wanted.gate and reply.adapters:
                weights = reply.adapters.adapters
                chosen += max(weights, key=weights.__getitem__) == name
    return Found(gate, right, chosen, time.perf_counter() - started)


def told(found: Found) -> str:
    """The measurement as the documentation quotes it."""
    held_out = found.gate.held_out
    lines = []
    if held_out is not None:
        lines.append(
            f"held-out texts: {held_out.right} of {held_out.texts} right ({held_out.share:.0%}, 95% "
            f"{held_out.low:.0%} to {held_out.high:.0%}; chance {held_out.chance:.0%})"
        )
    count = sum(map(len, FACTS.values()))
    lines += [f"questions in other words: {found.chosen} of {count} given to the right adapter", ""]
    lines += ["| asked | network | kitchen |", "|---|---|---|"]
    for way, right in found.right.items():
        lines.append(f"| {way} | " + " | ".join(f"{right[name]} of {len(FACTS[name])}" for name in FACTS) + " |")
    return "\n".join([*lines, "", f"{found.seconds:.0f} s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="where bases lie (default: $DLM_HOME)")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--budget", type=int, default=8_000, help="tokens of each adapter")
    parser.add_argument("--recipe", default="plain")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = document(Path(folder), options.base, options.recipe)
        print(told(measure(path, options.home, options.budget)))


if __name__ == "__main__":
    main()
