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
from pathlib import Path
from typing import Any

from dlm.document import read

WIDTH = 80
LABEL = "  {:<9} "


def main() -> None:
    """Print question, base's answer, trained model's answer and the document's own, for every probe."""
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
        show("base", before["answer"])
        show("trained", after["answer"])
        show("document", wanted)
        print()


def probes(path: Path) -> list[tuple[str, str]]:
    """Question and answer of every ``!probe`` pair."""
    sections = (section for section in read(path).sections if section.type == "instruction")
    return [(pair.questions[0], pair.answer) for section in sections for pair in section.body if pair.probe]


def ask(path: Path, questions: Path, *options: str) -> list[dict[str, Any]]:
    """Answers from one ``dlm prompt``: the model is loaded once."""
    dlm = str(Path(sys.executable).with_name("dlm"))
    command = [dlm, "prompt", str(path), "--file", str(questions), "--temp", "0", "--max-tokens", "64", "--json"]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode:
        # dlm has said why on standard error.
        sys.exit(done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(label: str, answer: str) -> None:
    """One answer, wrapped under its label."""
    text = " ".join(answer.split()) or "(nothing)"
    head = LABEL.format(label)
    print(textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))


if __name__ == "__main__":
    main()
