"""Train the example document and score it on whatever device is there; print speed, losses and what a CPU agrees on.

``python bench/gpu.py BASE_FOLDER [--budget TOKENS]``. BASE_FOLDER is a base that ``dlm base pull`` made. Prints one
JSON object a line: training speed and held-out loss, seconds of one pass over the document's probes, and how far the
same adapter's divergences on this device are from those computed on the CPU in fp32.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
from dlm.bases import LocalBase
from dlm.corpus.study import build
from dlm.document import read
from dlm.training.recipe import Recipe
from dlm.training.schedule import make_plan
from dlm_hf.scoring import HfScoring
from dlm_hf.workbench import HfWorkbench
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Train, then score on this device and on the CPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("--budget", type=int, default=60_000)
    options = parser.parse_args()
    study = build(read(ROOT / "examples/runbook.dlm"), seed=42)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(train(options.base, options.budget, study, Path(folder))), flush=True)
        items = [Item(r.messages[0].content, r.messages[1].content, r.group) for r in study.probes]
        here = score(options.base, Path(folder), items, "auto")
        print(json.dumps({key: value for key, value in here.items() if key != "kl"}), flush=True)
        if here["device"] != "cpu":
            cpu = score(options.base, Path(folder), items, "cpu")
            apart = [abs(a - b) for a, b in zip(here["kl"], cpu["kl"], strict=True)]
            print(json.dumps({"mean_kl": here["mean_kl"], "on_cpu": cpu["mean_kl"], "largest_difference": max(apart)}))


def train(base: Path, budget: int, study, folder: Path) -> dict[str, object]:
    """Train with the default recipe; speed and losses."""
    recipe = Recipe(token_budget=budget)
    bench = HfWorkbench(LocalBase("bench", base, "", "bench"), recipe, None)
    study = replace(study, train=tuple(bench.complete(study.train)))
    rows, held_out = bench.encode(study.train), bench.encode(study.held_out)
    plan = make_plan(recipe, study, rows, held_out)
    outcome = bench.train(plan, lambda event: None, lambda event: None)
    bench.save(folder)
    bench.close()
    return {
        "device": outcome.device,
        "precision": outcome.precision,
        "tokens": outcome.tokens,
        "seconds": round(outcome.seconds, 1),
        "tokens_per_sec": round(outcome.tokens / outcome.seconds),
        "held_out_before": outcome.held_out_before,
        "held_out_best": outcome.held_out_best,
    }


def score(base: Path, adapter: Path, items: list[Item], device: str) -> dict[str, object]:
    """Mean KL on the probes, and the seconds that one random adapter takes."""
    plain = ModelSpec(base=str(base), device=device)
    pair = ModelPair(base=plain, ft=plain.model_copy(update={"adapter": adapter}))
    backend = HfScoring(pair, SuiteDefaults())
    noise = max(c.kl for c in backend.compare(items, BASE, layout=1))
    kl = [c.kl for c in backend.compare(items, FT)]
    backend.compare(items, View("null", seed=0))
    started = time.perf_counter()
    for seed in range(1, 6):
        backend.compare(items, View("null", seed=seed))
    seconds = (time.perf_counter() - started) / 5
    facts = backend.describe()
    return {
        "device": facts["device"],
        "dtype": facts["dtype"],
        "mean_kl": sum(kl) / len(kl),
        "noise_floor": noise,
        "seconds_per_null": round(seconds, 3),
        "kl": kl,
    }


if __name__ == "__main__":
    main()
