"""What reading the text first is worth: ``python bench/cpt.py [--home FOLDER] [--size KB] [--budget TOKENS]``.

Trains the first ``--size`` kB of this repository's own reference pages, in alphabetical order, as one document of
prose, on the smallest base, three times: by questions alone, by questions alone with as many tokens as the third run,
and with the phase ``cpt`` before them. All of them hold out the same pieces of the text and the same wordings. Prints
a table: the loss on the text that is held out and on the answers in wordings that are, how many of the facts are said,
how far the adapter moved the base's answers to general prompts, tokens and seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
from dlm.training.run import Observer, TrainOptions, train

if TYPE_CHECKING:
    from dlm.training.events import Evaluated, Outcome, StepLogged
    from dlm.training.observer import TrainReport

PAGES = Path(__file__).parent.parent / "docs" / "reference"
HEAD = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: smollm2-135m
training:
  cpt:
    schedule: dapt
    embed_warmup_steps: {warmup}
---
"""
LAST = 20
"""Steps whose mean divergence on the general prompts is told."""


class Row(NamedTuple):
    """One line of the table."""

    name: str
    text: float | None
    answers: float | None
    recall: float | None
    moved: float | None
    tokens: int
    seconds: float

    def __str__(self) -> str:
        share = "-" if self.recall is None else f"{self.recall:.0%}"
        return (
            f"| {self.name} | {_number(self.text)} | {_number(self.answers)} | {share} | {_number(self.moved)} "
            f"| {self.tokens:,} | {self.seconds:.0f} |"
        )


class Watch(Observer):
    """Keeps what the general prompts say of the last steps, and what a phase begins with."""

    def __init__(self) -> None:
        self.moved: list[float] = []

    def say(self, line: str) -> None:
        print(line, flush=True)

    def evaluated(self, event: Evaluated) -> None:
        prose, answers = event.held_out_prose_loss, event.held_out_answer_loss
        print(f"  step {event.step}: text {_number(prose)}, answers {_number(answers)}", flush=True)

    def stepped(self, event: StepLogged) -> None:
        if event.anchor_kl is not None:
            self.moved.append(event.anchor_kl)


def document(folder: Path, size: int, warmup: int = 0) -> Path:
    """The first reference pages, about so many bytes of them, as a document of prose."""
    text = ""
    for page in sorted(PAGES.glob("*.md")):
        if len(text) < size:
            text += page.read_text(encoding="utf-8") + "\n"
    path = folder / "reference.dlm"
    path.write_text(HEAD.format(warmup=warmup) + text, encoding="utf-8")
    return path


def measured(path: Path, home: Path | None, budget: int, phase: str | None) -> tuple[TrainReport, float | None]:
    """A training of the document, and the mean divergence of its last steps."""
    watch = Watch()
    options = TrainOptions(token_budget=budget, phase=phase, lock="ignore", accept_licence=True)
    report = train(path, home=home, options=options, observer=watch)
    last = watch.moved[-LAST:]
    return report, sum(last) / len(last) if last else None


def row(name: str, outcome: Outcome, moved: float | None, tokens: int, seconds: float) -> Row:
    """How a phase ended."""
    found = (outcome.held_out_prose_loss, outcome.held_out_answer_loss, outcome.held_out_recall)
    return Row(name, *found, moved, tokens, seconds)


def rows(path: Path, home: Path | None, budget: int) -> list[Row]:
    """The base, and the three trainings."""
    both, moved = measured(path, home, budget, None)
    read, asked = both.outcomes
    alone, alone_moved = measured(path, home, budget, "sft")
    longer, longer_moved = measured(path, home, budget + read.tokens, "sft")
    first = alone.outcome
    before = (first.held_out_prose_loss_before, first.held_out_answer_loss_before, first.held_out_recall_before)
    return [
        Row("the base", *before, None, 0, 0.0),
        row("`sft`", first, alone_moved, first.tokens, first.seconds),
        row("`sft`, longer", longer.outcome, longer_moved, longer.outcome.tokens, longer.outcome.seconds),
        row("`cpt`", read, None, read.tokens, read.seconds),
        row("`cpt`, then `sft`", asked, moved, read.tokens + asked.tokens, read.seconds + asked.seconds),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="where bases and versions lie; DLM_HOME otherwise")
    parser.add_argument("--size", type=int, default=40, help="kilobytes of text (40)")
    parser.add_argument("--budget", type=int, default=60_000, help="tokens of the phase sft (60000)")
    parser.add_argument("--warmup", type=int, default=0, help="steps in which only embeddings move (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = rows(document(Path(folder), options.size * 1000, options.warmup), options.home, options.budget)
    print("| | held-out text | held-out answers | facts said | general prompts | tokens | seconds |")
    print("|---|---|---|---|---|---|---|")
    for line in found:
        print(line)


if __name__ == "__main__":
    main()
