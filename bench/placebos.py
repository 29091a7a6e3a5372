"""Write documents that teach nothing of what a suite asks about, to train placebo adapters from.

``python bench/placebos.py FOLDER --base-model REF [--count 12] [--order shuffled|kept]`` writes ``placebo-N.dlm`` about
things that were invented by seed. ``shuffled`` deals all words of a document anew, so that only its form is left:
headings, questions, answers, their lengths. ``kept`` leaves them in order: another document, that makes sense. Train
each with `dlm train FOLDER/placebo-N.dlm --effort quick --no-report`; the version's folder is what `--placebos` of
``bench/calibration_study.py`` and ``placebos`` of a ``null_adapter`` entry take.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    # Python leaves the program's own folder out when it is told to be safe.
    sys.path.append(str(HERE))

from learning.invented import invent  # noqa: E402

FIRST = 100
"""Of the seeds; the documents of ``bench/learn.py`` have small ones."""


def main() -> None:
    """Write the documents, print their paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base-model", required=True, help="as in a document's frontmatter")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--order", choices=["shuffled", "kept"], default="shuffled")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.count):
        seed = FIRST + number
        body = invent(seed).text().partition("\n---\n")[2]
        body = shuffled(body, seed) if options.order == "shuffled" else body
        head = f"---\ndlm_id: {_ulid(options.order, seed)}\ndlm_version: 15\nbase_model: {options.base_model}\n---\n"
        path = options.folder / f"placebo-{number}.dlm"
        path.write_text(head + body, encoding="utf-8")
        print(path)


def shuffled(body: str, seed: int) -> str:
    """``body`` with its words dealt anew over the same lines; fences, headings and markers of questions stay."""
    lines = body.splitlines()
    words = [word for line in lines if _is_text(line) for word in line.split()]
    random.Random(f"{seed}\nplacebo").shuffle(words)
    dealt = iter(words)
    made = [" ".join(next(dealt) for _ in line.split()) if _is_text(line) else line for line in lines]
    return "\n".join(made) + "\n"


def _is_text(line: str) -> bool:
    return not line.startswith(("#", "::"))


def _ulid(order: str, seed: int) -> str:
    rng = random.Random(f"{order}\n{seed}\nid")
    return "01" + "".join(rng.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(24))


if __name__ == "__main__":
    main()
