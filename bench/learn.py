"""Whether a document is learned: recall in other words, what became of the base, and what reading it would have given.

``python bench/learn.py --base FOLDER`` trains each document and asks about its facts in wordings that it does not hold.
FOLDER is a base that ``dlm base pull`` made. Documents are ``runbook``, invented ones by their seed, ``NAME:SEED`` of a
generator given with ``--docfacts NAME.py``, or any ``.dlm`` file with a JSON Lines file of the same name that says what
to ask; four lie in ``bench/handbooks``.

The table's columns are the base as it is, the prior trainer with its defaults, ours, and the base with the whole
document or the right section of it in its context. Recall is the share of questions whose answer says the right value;
bleed the share of general questions near the subject that are answered with the document's content; confabulation the
share of questions about what the document does not say that are answered with one of its values.

Several efforts and several numbers of wordings are measured one after the other; ``--targets`` holds all of them
against what the product promises, ``--edits`` measures retraining after an edit, and ``--shares query=0`` what a kind
of record is worth. What has been measured is kept in ``--out`` and not measured again; a changed training loop with the
same records needs another file.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
from dlm.corpus import study

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    # Python leaves the program's own folder out when it is told to be safe.
    sys.path.append(str(HERE))

from learning import edits, external, prior  # noqa: E402
from learning.exam import Exam, read_exam  # noqa: E402
from learning.invented import invent  # noqa: E402
from learning.measure import AlreadyMeasuredError, Amount, Arm, Desk, compare, learn, sit  # noqa: E402
from learning.results import Cell, Results  # noqa: E402
from learning.table import markdown, table  # noqa: E402
from learning.targets import Setting, held_against  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNBOOK = HERE.parent / "examples" / "runbook.dlm"
HANDBOOKS = HERE / "handbooks"
DEFAULT: tuple[Arm, ...] = ("base", "ours", "document", "section")


def main() -> None:
    """Measure what is not known yet, then print the tables."""
    options = _options()
    # The product has no such switch: a table of what each kind of record is worth is a matter of this bench.
    study.WEIGHTS.update(options.shares)
    results = Results(options.out, _say)
    amounts = [Amount(tokens=options.budget)] if options.budget else [Amount(effort) for effort in options.effort]
    found: dict[Setting, dict[str, dict[str, list[Cell]]]] = {}
    edited: dict[Setting, dict[str, list[dict[str, Any]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for wordings in options.wordings:
            for exam in _exams(options, wordings):
                bench = Bench(Desk(options.base, Path(folder, "home")), exam, results, full=not options.recall_only)
                for amount in amounts:
                    setting = Setting(amount.name, wordings)
                    found.setdefault(setting, {})[exam.name] = bench.run(options.seeds, amount, options.arms)
                    if options.edits and exam.page is not None:
                        edited.setdefault(setting, {})[exam.name] = bench.edits(
                            options.seeds, amount, warm=options.warm
                        )
    shown = markdown if options.markdown else table
    for setting, cells in found.items():
        print(f"{setting}, {len(options.seeds)} seed(s), base {options.base.name}\n")
        print(shown(cells), end="\n\n")
        if setting in edited:
            print(edits.table(edited[setting]), end="\n\n")
    if options.targets:
        print(held_against(found, edited, {path.stem for path in HANDBOOKS.glob("*.dlm")}))


class Bench:
    """One document: its exam sat by each arm, unless the results already say how that went."""

    def __init__(self, desk: Desk, exam: Exam, results: Results, *, full: bool) -> None:
        self.desk, self.exam, self.results, self.full = desk, exam, results, full
        self.base = desk.local(_say)
        asked = (exam.facts, exam.names, exam.near, exam.missing, exam.chats, exam.general)
        self.asked = _digest(repr(asked))
        self.read = _digest(exam.document)
        self._standing: tuple[tuple[int, Amount], str, Path] | None = None

    def run(self, seeds: list[int], amount: Amount, arms: Sequence[Arm] = DEFAULT) -> dict[str, list[Cell]]:
        """Cells by arm; those of the base are always among them, since the others are compared with it."""
        base = self.untrained("base")
        found = {"base": [base]}
        for arm in arms:
            if arm == "prior":
                found[arm] = [self.prior(seed, base) for seed in seeds]
            elif arm == "ours":
                found[arm] = [self.trained(seed, amount, base) for seed in seeds]
            elif arm != "base":
                found[arm] = [self.untrained(arm)]
        return found

    def untrained(self, arm: Arm) -> Cell:
        """The base, open or closed book."""
        # Without its book the base does not depend on what the document says.
        key = self._key(arm, read=arm != "base")
        if (cell := self.results.find(key, full=self.full)) is not None:
            return cell
        _say(f"{self.exam.name}: {arm}")
        measured = sit(self.desk, self.exam, arm, full=self.full)
        if "skipped" in measured:
            _say(f"{self.exam.name}: {arm} is left out: {measured['skipped']}")
        return self.results.add(key, measured, full=self.full)

    def trained(self, seed: int, amount: Amount, base: Cell) -> Cell:
        """The base tuned on the document with ``seed``."""
        key = self._key("ours") | {"seed": seed, "amount": amount.name}

        def known(plan: str) -> bool:
            return self.results.find(key | {"plan": plan}, full=self.full) is not None

        _say(f"{self.exam.name}: ours, seed {seed}, {amount.name}")
        try:
            plan, adapter, training = learn(self.desk, self.exam, seed, amount, known, _say)
            self._standing = (seed, amount), plan, adapter
        except AlreadyMeasuredError as problem:
            return self._found(key | {"plan": str(problem)})
        return self.results.add(key | {"plan": plan}, self._examined("ours", adapter, training, base), full=self.full)

    def prior(self, seed: int, base: Cell) -> Cell:
        """The base tuned by the prior trainer with its defaults."""
        key = self._key("prior") | {"seed": seed, "settings": prior.SETTINGS.digest}
        if (cell := self.results.find(key, full=self.full)) is not None:
            return cell
        _say(f"{self.exam.name}: prior default, seed {seed}")
        with tempfile.TemporaryDirectory() as folder:
            training = prior.train(self.desk.document(self.exam), self.desk.base, Path(folder), seed)
            measured = self._examined("prior", Path(folder), training, base)
        return self.results.add(key, measured, full=self.full)

    def edits(self, seeds: list[int], amount: Amount, *, warm: bool) -> list[dict[str, Any]]:
        """What changed facts and a deleted section come to, an entry each; ``warm`` is for the changes."""
        return [entry for seed in seeds for entry in self._edits(seed, amount, warm=warm)]

    def _edits(self, seed: int, amount: Amount, *, warm: bool) -> list[dict[str, Any]]:
        changes, heading = self.exam.changes, self.exam.facts[0].section
        wanted = [*(f"{change.old} -> {change.new}" for change in changes), f"without {heading}"]
        key = self._key("edit") | {"seed": seed, "amount": amount.name} | ({"warm": True} if warm else {})

        def cells(plan: str) -> list[Cell | None]:
            return [self.results.find(key | {"plan": plan, "edit": edit}, full=False) for edit in wanted]

        try:
            plan, adapter = self._as_trained(seed, amount, lambda plan: None not in cells(plan))
        except AlreadyMeasuredError as problem:
            return [cell["measured"] for cell in cells(str(problem)) if cell is not None]
        again = edits.Retraining(self.desk, self.exam, seed, amount, _say, warm=warm)
        before = sit(self.desk, self.exam, "ours", full=False, adapter=adapter)["facts"]
        for edit, change, cell in zip(wanted, [*changes, None], cells(plan), strict=True):
            if cell is None:
                measured = (
                    again.deletion(heading, self.untrained("base")["measured"]["facts"])
                    if change is None
                    else again.change(change, before)
                )
                self.results.add(key | {"plan": plan, "edit": edit}, measured, full=False)
        return [cell["measured"] for cell in cells(plan) if cell is not None]

    def _as_trained(self, seed: int, amount: Amount, known: Callable[[str], bool]) -> tuple[str, Path]:
        """The plan and adapter that stand in the store, trained anew if the last training was another one."""
        if self._standing is not None and self._standing[0] == (seed, amount):
            _, plan, adapter = self._standing
            if known(plan):
                raise AlreadyMeasuredError(plan)
            return plan, adapter
        plan, adapter, _ = learn(self.desk, self.exam, seed, amount, known, _say)
        return plan, adapter

    def _examined(self, arm: Arm, adapter: Path, training: dict[str, Any], base: Cell) -> dict[str, Any]:
        measured: dict[str, Any] = sit(self.desk, self.exam, arm, full=self.full, adapter=adapter)
        if self.full:
            measured |= compare(self.desk, self.exam, adapter, base["measured"]["chats"])
        return {**measured, "training": training}

    def _found(self, key: dict[str, Any]) -> Cell:
        cell = self.results.find(key, full=self.full)
        assert cell is not None
        return cell

    def _key(self, arm: str, *, read: bool = True) -> dict[str, Any]:
        key = {"asked": self.asked, "arm": arm, "base": self.base.digest}
        return {**key, "document": self.exam.name, "read": self.read} if read else key


def _exams(options: argparse.Namespace, wordings: int) -> list[Exam]:
    """The documents; where pairs are to have more wordings, only those that are written here."""
    found = [exam for name in options.documents if (exam := _exam(name, options, wordings)) is not None]
    if len({exam.name for exam in found}) < len(found):
        raise SystemExit("two documents have the same name: rename one of the files")
    return found


def _exam(name: str, options: argparse.Namespace, wordings: int) -> Exam | None:
    if name.isdigit():
        return invent(int(name), *options.size).exam(wordings)
    generator, _, seed = name.rpartition(":")
    if options.docfacts and generator == options.docfacts.stem and seed.isdigit():
        return external.exam(external.load(options.docfacts), int(seed), wordings)
    if seed.isdigit() and generator and not Path(name).exists():
        raise SystemExit(f"{name}: give the generator with --docfacts, for example --docfacts {generator}.py")
    # A document that came as a file holds the wordings that it holds.
    return None if wordings else read_exam(RUNBOOK if name == "runbook" else Path(name))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    amount = parser.add_mutually_exclusive_group()
    efforts = ["quick", "normal", "thorough"]
    amount.add_argument("--effort", nargs="+", choices=efforts, default=["normal"], help="of the training")
    amount.add_argument("--budget", type=int, metavar="TOKENS", help="tokens of one training, in place of an effort")
    parser.add_argument("--documents", nargs="+", default=["0", "1", "runbook"], help="default: 0 1 runbook")
    parser.add_argument(
        "--wordings", nargs="+", type=_wordings, default=[0], metavar="N", help="more wordings of each pair, 0 to 16"
    )
    parser.add_argument("--docfacts", type=Path, metavar="FILE.py", help="a generator with make_doc(seed); it is run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of the training")
    parser.add_argument("--out", type=Path, default=Path("learn.jsonl"), help="results (default learn.jsonl)")
    parser.add_argument("--recall-only", action="store_true", help="ask about facts only: much faster")
    parser.add_argument(
        "--arms", nargs="+", choices=get_args(Arm), default=DEFAULT, help=f"columns; prior needs {prior.INSTALL}"
    )
    parser.add_argument("--edits", action="store_true", help="retrain after edits; not for documents from a file")
    parser.add_argument("--warm", action="store_true", help="teach a changed fact with `dlm train --warm`")
    parser.add_argument(
        "--shares", nargs="+", type=_share, default=[], metavar="KIND=SHARE", help="other shares of kinds of record"
    )
    parser.add_argument("--targets", action="store_true", help="hold the results against the product's targets")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    parser.add_argument(
        "--size", type=_size, default=(10, 5), metavar="THINGSxATTRIBUTES", help="of an invented one (default 10x5)"
    )
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    things, attributes = (int(part) for part in text.split("x"))
    if not (1 <= things <= 10 and 1 <= attributes <= 5):
        raise argparse.ArgumentTypeError(f"{text}: at most 10 things and 5 attributes")
    return things, attributes


def _share(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    if kind not in study.WEIGHTS or not share.replace(".", "", 1).isdigit():
        raise argparse.ArgumentTypeError(f"{text}: write KIND=SHARE, with one of {', '.join(study.WEIGHTS)}")
    return kind, float(share)


def _wordings(text: str) -> int:
    if not text.isdigit() or int(text) > 16:
        raise argparse.ArgumentTypeError(f"{text}: from 0 to 16")
    return int(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
