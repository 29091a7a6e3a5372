"""Whether a document is learned: recall in other words, what became of the base, and what reading it would have given.

``python bench/learn.py --base FOLDER`` trains each document with the default recipe and asks about its facts in
wordings that it does not hold. FOLDER is a base that ``dlm base pull`` made. Documents are ``examples/runbook.dlm``,
invented ones by their seed, or any ``.dlm`` file with a JSON Lines file of the same name that says what to ask.

The table's columns are the base as it is, the tuned model, and the base with the whole document or with the right
section of it in its context. Recall is the share of questions whose answer says the right value; bleed the share of
general questions near the subject that are answered with the document's content; confabulation the share of questions
about what the document does not say that are answered with one of its values. What has been measured is kept in
``--out`` and not measured again; a changed training loop with the same records needs another file.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    # Python leaves the program's own folder out when it is told to be safe.
    sys.path.append(str(HERE))

from learning.exam import Exam, chats, general, read_exam  # noqa: E402
from learning.invented import invent  # noqa: E402
from learning.measure import AlreadyMeasuredError, Arm, Desk, compare, learn, sit  # noqa: E402
from learning.results import Cell, Results  # noqa: E402
from learning.table import table  # noqa: E402

RUNBOOK = HERE.parent / "examples" / "runbook.dlm"


def main() -> None:
    """Measure what is not known yet, then print the table."""
    options = _options()
    results = Results(options.out, _say)
    exams = {exam.name: exam for exam in (_exam(name, options.size) for name in options.documents)}
    if len(exams) < len(options.documents):
        raise SystemExit("two documents have the same name: rename one of the files")
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(options.base, Path(folder))
        benches = {name: Bench(desk, exam, results, full=not options.recall_only) for name, exam in exams.items()}
        cells = {name: bench.run(options.seeds, options.budget) for name, bench in benches.items()}
    print(f"{options.budget:,} tokens, {len(options.seeds)} seed(s), base {options.base.name}")
    print(table(cells))


class Bench:
    """One document: its exam sat by each arm, unless the results already say how that went."""

    def __init__(self, desk: Desk, exam: Exam, results: Results, *, full: bool) -> None:
        self.desk, self.exam, self.results, self.full = desk, exam, results, full
        self.base = desk.local(_say)
        whole = repr((exam, general(), chats()))
        self.asked = hashlib.sha256(whole.encode()).hexdigest()[:16]

    def run(self, seeds: list[int], budget: int) -> dict[str, list[Cell]]:
        """Cells by arm."""
        found = {arm: [self.untrained(arm)] for arm in ("base", "document", "section")}
        return {**found, "ours": [self.trained(seed, budget, found["base"][0]) for seed in seeds]}

    def untrained(self, arm: Arm) -> Cell:
        """The base, open or closed book."""
        key = self._key(arm)
        if (cell := self.results.find(key, full=self.full)) is not None:
            return cell
        _say(f"{self.exam.name}: {arm}")
        measured = sit(self.desk, self.exam, arm, full=self.full)
        if "skipped" in measured:
            _say(f"{self.exam.name}: {arm} is left out: {measured['skipped']}")
        return self.results.add(key, measured, full=self.full)

    def trained(self, seed: int, budget: int, base: Cell) -> Cell:
        """The base tuned on the document with ``seed``."""
        key = self._key("ours") | {"seed": seed, "budget": budget}

        def known(plan: str) -> bool:
            return self.results.find(key | {"plan": plan}, full=self.full) is not None

        _say(f"{self.exam.name}: ours, seed {seed}")
        try:
            plan, adapter, training = learn(self.desk, self.exam, seed, budget, known, _say)
        except AlreadyMeasuredError as problem:
            cell = self.results.find(key | {"plan": str(problem)}, full=self.full)
            assert cell is not None
            return cell
        measured: dict[str, Any] = sit(self.desk, self.exam, "ours", full=self.full, adapter=adapter)
        if self.full:
            measured |= compare(self.desk, self.exam, adapter, base["measured"]["chats"])
        return self.results.add(key | {"plan": plan}, {**measured, "training": training}, full=self.full)

    def _key(self, arm: Arm) -> dict[str, Any]:
        return {"document": self.exam.name, "asked": self.asked, "arm": arm, "base": self.base.digest}


def _exam(name: str, size: tuple[int, int]) -> Exam:
    if name == "runbook":
        return read_exam(RUNBOOK)
    return invent(int(name), *size).exam() if name.isdigit() else read_exam(Path(name))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    parser.add_argument("--budget", type=int, default=200_000, help="tokens of one training (default 200,000)")
    parser.add_argument(
        "--documents", nargs="+", default=["0", "1", "runbook"], help="seeds of invented ones, runbook, or files"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of the training")
    parser.add_argument("--out", type=Path, default=Path("learn.jsonl"), help="results (default learn.jsonl)")
    parser.add_argument("--recall-only", action="store_true", help="ask about facts only: much faster")
    parser.add_argument(
        "--size", type=_size, default=(10, 5), metavar="THINGSxATTRIBUTES", help="of an invented one (default 10x5)"
    )
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    things, attributes = (int(part) for part in text.split("x"))
    if not (1 <= things <= 10 and 1 <= attributes <= 5):
        raise argparse.ArgumentTypeError(f"{text}: at most 10 things and 5 attributes")
    return things, attributes


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
