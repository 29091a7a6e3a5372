"""Train one document with LoRA, DoRA and QLoRA and print a table: loss, recall, memory, speed.

``python bench/adapters.py BASE_FOLDER [--budget TOKENS] [--kinds lora,dora,qlora] [--document FILE]``. BASE_FOLDER is a
base that ``dlm base pull`` made. Each kind is trained in a process of its own, on whatever device is there, from the
same rows in the same order. *Held* is what the loaded base takes, *peak* the fullest moment of the training: of a GPU
its own memory, of a processor the process's resident memory less what it held before the base was loaded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)

ROOT = Path(__file__).parent.parent
COLUMNS = (
    ("kind", "", "{}"),
    ("precision", "", "{}"),
    ("loss_before", "nats a token", "{:.3f}"),
    ("loss_best", "nats a token", "{:.3f}"),
    ("recall_before", "", "{:.0%}"),
    ("recall", "", "{:.0%}"),
    ("base_mb", "MB", "{:,.0f}"),
    ("held_mb", "MB", "{:,.0f}"),
    ("peak_mb", "MB", "{:,.0f}"),
    ("tokens_per_s", "", "{:,.0f}"),
    ("step_s", "s", "{:.3f}"),
    ("answers_per_s", "", "{:.2f}"),
    ("load_s", "s", "{:.1f}"),
)


def main() -> None:
    """One process a kind, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--budget", type=int, default=60_000)
    parser.add_argument("--kinds", default="lora,dora,qlora")
    parser.add_argument("--document", type=Path, default=ROOT / "examples/runbook.dlm")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(trained(options, options.kinds)))
        return
    found = []
    for kind in options.kinds.split(","):
        command = [sys.executable, __file__, *sys.argv[1:], "--kinds", kind, "--one"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{kind}: failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(found[-1]), flush=True)
    print(table(found))


def trained(options: argparse.Namespace, kind: str) -> dict[str, object]:
    """Everything that is measured of one kind."""
    import tempfile

    import torch

    from dlm.bases import LocalBase
    from dlm.bases.quantised import for_recipe
    from dlm.corpus.study import build
    from dlm.document import read
    from dlm.training.recipe import Recipe
    from dlm.training.schedule import make_plan
    from dlm_hf.memory import Watch
    from dlm_hf.workbench import HfWorkbench

    recipe = Recipe(adapter=kind, token_budget=options.budget, precision=options.precision)
    base = for_recipe(LocalBase("bench", options.base, "bench", "bench"), recipe)
    study = build(read(options.document), seed=recipe.seed)
    # The anchors' answers would come from the base, rounded or not: all kinds are to learn the same.
    study = replace(study, train=tuple(record for record in study.train if len(record.messages) != 1))
    bench = HfWorkbench(base, recipe, None)
    rows, held_out = bench.encode(study.train), bench.encode(study.held_out)
    plan = make_plan(recipe, study, rows, held_out)
    watch = Watch(bench.device)
    held = _held(bench.device)
    started = time.perf_counter()
    model = bench._loaded().model
    load = time.perf_counter() - started
    weights = sum(one.numel() * one.element_size() for one in model.parameters())
    held = _held(bench.device) - held
    outcome = bench.train(plan, lambda event: None, lambda event: None)
    peak = watch.peak()
    with tempfile.TemporaryDirectory() as folder:
        bench.save(Path(folder))
        bench.close()
        answers = _answers_a_second(base, Path(folder), study)
    return {
        "kind": kind,
        "device": torch.cuda.get_device_name() if bench.device.type == "cuda" else "cpu",
        "precision": outcome.precision,
        "loss_before": outcome.held_out_before,
        "loss_best": outcome.held_out_best,
        "recall_before": outcome.held_out_recall_before,
        "recall": outcome.held_out_recall,
        "base_mb": weights / 1e6,
        "held_mb": held / 1e6,
        "peak_mb": peak / 1e6,
        "tokens_per_s": outcome.tokens / outcome.seconds,
        "step_s": outcome.seconds / outcome.steps,
        "answers_per_s": answers,
        "load_s": load,
    }


def table(rows: list[dict[str, object]]) -> str:
    """Markdown, one column a kind."""
    lines = ["| | " + " | ".join(str(row["kind"]) for row in rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for name, unit, shape in COLUMNS[1:]:
        cells = ["–" if row[name] is None else shape.format(row[name]) for row in rows]
        lines.append(
            f"| {name.removesuffix('_mb').replace('_', ' ')}{f' ({unit})' if unit else ''} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def _answers_a_second(base, adapter: Path, study) -> float:
    """Of the probes, or the held-out questions, asked together."""
    from dlm.training.backend import Sampling
    from dlm_hf.answer import HfAnswerer

    asked = [record.messages[:-1] for record in (study.probes or study.held_out)[:16]]
    answerer = HfAnswerer(base, adapter, None, "auto")
    sampling = Sampling(max_new_tokens=24)
    list(answerer.answer(asked[:1], sampling))
    started = time.perf_counter()
    list(answerer.answer(asked, sampling))
    return len(asked) / (time.perf_counter() - started)


def _held(device) -> int:
    import psutil
    import torch

    return torch.cuda.memory_allocated() if device.type == "cuda" else int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    main()
