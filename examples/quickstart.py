"""Ask the base model and the trained model the questions that a document keeps for judging, side by side.

``python examples/quickstart.py [DOCUMENT]``, after ``dlm train DOCUMENT``. The questions are the document's own
``!probe`` pairs: worded differently from everything that was trained.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from itertools import zip_longest
from pathlib import Path
from typing import Any

from dlm import document

WIDTH = 80
COLUMN = (WIDTH - 3) // 2
TOKENS = 40
"""An untrained base rambles; this much of it is enough to see that it does not know."""


def main() -> None:
    """Print every probe with the document's answer, and under it the base's and the trained model's, side by side."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("runbook.dlm")
    pairs = probes(path)
    if not pairs:
        sys.exit(f"{path}: no questions to ask: mark some with `### Q !probe`")
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        questions.write_text("".join(json.dumps({"question": question}) + "\n" for question, _ in pairs), "utf-8")
        base, trained = ask(path, questions, "--base"), ask(path, questions)
    print(f"\n{len(pairs)} questions that {path.name} was not trained on\n")
    for (question, wanted), before, after in zip(pairs, base, trained, strict=True):
        print(textwrap.fill(question, WIDTH))
        print(textwrap.fill(f"document: {wanted}", WIDTH, subsequent_indent=" " * 10))
        print(side_by_side(shown("base", before), shown("trained", after)))
        print()


def probes(path: Path) -> list[tuple[str, str]]:
    """Question and answer of every ``!probe`` pair."""
    return [(probe.questions[0], probe.answer) for probe in document.probes(document.read(path))]


def ask(path: Path, questions: Path, *options: str) -> list[dict[str, Any]]:
    """Answers from one ``dlm prompt``: the model is loaded once."""
    dlm = str(Path(sys.executable).with_name("dlm"))
    asked = ["--file", str(questions), "--temp", "0", "--max-tokens", str(TOKENS), "--json"]
    command = [dlm, "--quiet", "prompt", str(path), *asked]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode:
        # dlm has said why on standard error.
        sys.exit(done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def shown(label: str, answer: dict[str, Any]) -> list[str]:
    """One answer as the lines of a column."""
    text = " ".join(answer["answer"].split()) or "(nothing)"
    return textwrap.wrap(
        f"{label}: {text}{'' if answer['complete'] else ' ...'}", COLUMN, break_long_words=False, break_on_hyphens=False
    )


def side_by_side(left: list[str], right: list[str]) -> str:
    """Two columns of lines."""
    rows = zip_longest(left, right, fillvalue="")
    return "\n".join(f"{one:<{COLUMN}} | {other}".rstrip() for one, other in rows)


if __name__ == "__main__":
    main()
