"""What an edit does: the page is trained, a fact of it is changed or a section deleted, and it is trained again.

The second training is what a person would run, ``dlm train`` and ``dlm prompt`` as programs of their own, so that the
seconds from the edit to the first answer hold everything there is to wait for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm.learning.judging import says

from .measure import Desk, sit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .exam import Change, Exam
    from .measure import Amount

DLM = (sys.executable, "-c", "import sys; from dlm.cli.main import main; sys.exit(main())")


class Retraining:
    """A trained document whose edits are measured, each from a copy of the store as it was after the first training.

    With ``warm`` a changed fact is taught to the version that is there; after a deletion all is learned anew.
    """

    def __init__(
        self, desk: Desk, exam: Exam, seed: int, amount: Amount, say: Callable[[str], None], *, warm: bool
    ) -> None:
        self.desk, self.exam, self.seed, self.amount, self.say = desk, exam, seed, amount, say
        self.warm = warm

    def change(self, change: Change, before: list[dict[str, Any]]) -> dict[str, Any]:
        """One fact with another value; ``before`` is how the questions went after the first training."""
        after = self.exam.changed(change)
        about = [old != new for old, new in zip(self.exam.facts, after.facts, strict=True)]
        question = next(fact.question for fact, touched in zip(after.facts, about, strict=True) if touched)
        more = ["--warm"] if self.warm else []
        with self._again(after, f"{change.old} becomes {change.new}", question, more) as (desk, adapter, seconds):
            facts = sit(desk, after, "ours", full=False, adapter=adapter)["facts"]
        touched = [fact for fact, its in zip(facts, about, strict=True) if its]
        return {
            "new_said": [fact["right"] for fact in touched],
            "old_said": [says(fact["answer"], change.old) for fact in facts],
            "others_before": [fact["right"] for fact, its in zip(before, about, strict=True) if not its],
            "others_after": [fact["right"] for fact, its in zip(facts, about, strict=True) if not its],
            "seconds": round(seconds, 1),
        }

    def deletion(self, heading: str, base: list[dict[str, Any]]) -> dict[str, Any]:
        """A section that is gone; ``base`` is what the untouched base answers."""
        after = self.exam.without(heading)
        mine = [fact.section == heading for fact in self.exam.facts]
        question = next(fact.question for fact, its in zip(after.facts, mine, strict=True) if its)
        with self._again(after, f"{heading} is deleted", question) as (desk, adapter, seconds):
            facts = sit(desk, after, "ours", full=False, adapter=adapter)["facts"]
        return {
            "gone_said": [fact["right"] for fact, its in zip(facts, mine, strict=True) if its],
            "gone_base": [fact["right"] for fact, its in zip(base, mine, strict=True) if its],
            "seconds": round(seconds, 1),
        }

    @contextmanager
    def _again(
        self, after: Exam, what: str, question: str, more: Sequence[str] = ()
    ) -> Iterator[tuple[Desk, Path, float]]:
        """A home in which the edited document was trained, its adapter, and the seconds until the first answer."""
        self.say(f"{self.exam.name}: {what}")
        with tempfile.TemporaryDirectory() as folder:
            desk = Desk(self.desk.base, Path(folder, "home"))
            shutil.copytree(self.desk.home, desk.home)
            path = str(desk.document(after))
            started = time.perf_counter()
            options = ["--json", "--no-report", "--seed", str(self.seed), *self.amount.options, *more]
            trained = self._run(desk, "train", path, *options)
            self._run(desk, "prompt", path, question)
            seconds = time.perf_counter() - started
            yield desk, Path(json.loads(trained)["path"]), seconds

    def _run(self, desk: Desk, *arguments: str) -> str:
        environment = {**os.environ, "DLM_HOME": str(desk.home.absolute())}
        done = subprocess.run([*DLM, *arguments], env=environment, stdout=subprocess.PIPE, encoding="utf-8")
        if done.returncode != 0:
            raise SystemExit(f"dlm {' '.join(arguments)}: ended with {done.returncode}")
        return done.stdout


def numbers(measured: Mapping[str, Any]) -> dict[str, float]:
    """What one edit comes to, one number a row of the table."""
    seconds = measured["seconds"]
    if "gone_said" in measured:
        gone, base = _share(measured["gone_said"]), _share(measured["gone_base"])
        return {"gone": gone, "gone_base": base, "gone_over": gone - base, "seconds": seconds}
    lost = 100 * (_share(measured["others_before"]) - _share(measured["others_after"]))
    return {
        "new": _share(measured["new_said"]),
        "old": _share(measured["old_said"]),
        "others": -lost,
        "others_lost": lost,
        "seconds": seconds,
    }


ROWS = {
    "new": ("changed: the new value is said", "{:.2f}"),
    "old": ("  the old value is said", "{:.2f}"),
    "others": ("  recall of all other facts, points", "{:+.1f}"),
    "gone": ("deleted: its facts are said", "{:.2f}"),
    "gone_base": ("  by the base", "{:.2f}"),
    "seconds": ("seconds from edit to answer, at most", "{:.0f}"),
}


def table(edits: Mapping[str, list[dict[str, Any]]]) -> str:
    """Documents beside each other, two to three fit 80 columns; means over edits and seeds."""
    found = {name: [numbers(one) for one in several] for name, several in edits.items()}
    lines = [f"{'':38}" + "".join(f"{name:>16}" for name in found)]
    for row, (label, form) in ROWS.items():
        cells = []
        for several in found.values():
            values = [one[row] for one in several if row in one]
            value = max(values) if row == "seconds" and values else sum(values) / len(values) if values else None
            cells.append(f"{'-' if value is None else form.format(value):>16}")
        lines.append(f"{label:38}" + "".join(cells))
    return "\n".join(line.rstrip() for line in lines)


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
