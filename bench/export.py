"""What each type of a GGUF export costs and keeps: seconds, size, memory, and the figures of its certificate.

``python bench/export.py DOC [--quants Q8_0,F16] [--form merged]``. Every type is written by a process of its
own, so that its memory is its own; the trained version is read once for all of them. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dlm.answering import base_of, version_of
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.export.certifying import QUESTIONS, Subject, measure
from dlm.export.questions import questions_of
from dlm.export.runtime import Runtime
from dlm.export.sink import Request, Wishes
from dlm.export.texts import material_of
from dlm.store.layout import home
from dlm.training.choose import choose
from dlm_gguf.kquants import available
from dlm_gguf.quantising import PURE
from dlm_gguf.sink import GgufSink

COMPILED = ("Q6_K", "Q5_K_M", "Q4_K_M")
HEAD = (
    "type",
    "MB",
    "seconds",
    "peak MiB",
    "effect kept",
    "KL mean",
    "KL p99",
    "same top token",
    "answers right (trained)",
)


def main() -> None:
    """The table, or one row's export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=Path)
    parser.add_argument("--quants", default=",".join((*PURE, *(COMPILED if available() else ()))))
    parser.add_argument("--form", choices=("merged", "adapter"), default="merged")
    parser.add_argument("--write", type=Path, help="write one export into this folder, and say what it took")
    options = parser.parse_args()
    quants = options.quants.split(",")
    if options.write:
        print(json.dumps(written(request_for(options.document, quants[0], options.form), options.write)))
        return
    table(options.document, quants, options.form)


def table(document: Path, quants: list[str], form: str) -> None:
    """A row a type, printed as soon as it is there."""
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    request, backend = request_for(document, quants[0], form), choose("generate")
    material, questions = material_of(request), questions_of(request, backend, QUESTIONS)
    with backend.runtime(request.base, request.chosen.adapter, request.system_prompt) as trained:
        reference = Remembering(trained)
        for quant in quants:
            with tempfile.TemporaryDirectory() as folder:
                cost = in_a_process(document, quant, form, Path(folder))
                with GgufSink().runtime(Path(folder)) as exported:
                    found = measure(Subject(quant, form, material, questions), reference, exported)
            print(row(quant, cost, found), flush=True)


def row(quant: str, cost: dict[str, float], found: Any) -> str:
    """One line of the table."""
    recall = f"{found.recall.exported} of {found.recall.asked} ({found.recall.reference})" if found.recall else ""
    cells = (
        quant,
        f"{cost['bytes'] / 1e6:.0f}",
        f"{cost['seconds']:.1f}",
        f"{cost['peak']:.0f}",
        f"{found.effect_kept.value:.1%}",
        f"{found.divergence.value:.4f}",
        f"{found.tail.value:.3f}",
        f"{found.agreement.value:.1%}",
        recall,
    )
    return "| " + " | ".join(cells) + " |"


def in_a_process(document: Path, quant: str, form: str, folder: Path) -> dict[str, float]:
    """What :func:`written` says of an export by a fresh process."""
    command = [sys.executable, __file__, str(document), "--quants", quant, "--form", form, "--write", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def written(request: Request, folder: Path) -> dict[str, float]:
    """Write one export, and what it took: processor seconds would hide the disk, so these are of the clock."""
    sink = GgufSink()
    started = time.perf_counter()
    sink.check(request)
    sink.write(request, folder)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak": peak(), "bytes": sum(path.stat().st_size for path in folder.iterdir())}


def peak() -> float:
    """MiB that this process held at most. Linux counts those of whoever started it as well, except in its own file."""
    status = Path("/proc/self/status")
    if status.is_file():
        return float(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def request_for(document: Path, quant: str, form: str) -> Request:
    """The export of the document's current version, with nothing from a cache."""
    found, root = read(document), home(None)
    version = version_of(found, root, None, silent)
    chosen = choose_adapter(version, Wanted())
    base = base_of(found, root, choose("generate"), version, silent, accept=False, adapter=chosen.first)
    cache = Path(tempfile.mkdtemp(prefix="dlm-bench-export-"))
    return Request(found, version, base, chosen, Wishes(quant=quant, form=form), cache, silent)


def silent(_: str) -> None:
    """Notes are of no interest here."""


class Remembering(Runtime):
    """A runtime that reads every text once, whoever asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._read: dict[tuple[str, tuple[int, ...], int], Any] = {}

    def log_probs(self, ids, start=0):
        return self._once("tuned", self._runtime.log_probs, ids, start)

    def untouched_log_probs(self, ids, start=0):
        return self._once("base", self._runtime.untouched_log_probs, ids, start)

    def _once(self, whose, of, ids, start):
        key = (whose, tuple(ids), start)
        if key not in self._read:
            self._read[key] = of(ids, start)
        return self._read[key].copy()

    name = property(lambda self: self._runtime.name)
    context = property(lambda self: self._runtime.context)
    stop_ids = property(lambda self: self._runtime.stop_ids)
    start_ids = property(lambda self: self._runtime.start_ids)

    def prompt_ids(self, messages):
        return self._runtime.prompt_ids(messages)

    def text_ids(self, text):
        return self._runtime.text_ids(text)

    def answer(self, messages, max_new_tokens=64):
        return self._runtime.answer(messages, max_new_tokens)


if __name__ == "__main__":
    main()
