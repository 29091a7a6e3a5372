"""How fast dlm trains beside TRL and beside a bare loop: one document, one base, one LoRA, the same rows.

``python bench/train_vs_trl.py --base FOLDER --trl-python PYTHON [--steps 40]``. FOLDER is a base that ``dlm base pull``
made, PYTHON one that can import TRL (``pip install trl==1.16.0 datasets``) and the libraries of dlm-hf. Four loops run
one after the other, each in a process of its own:

* ``dlm``: its own loop over the first steps of its own plan of ``examples/runbook.dlm``;
* ``trl``: SFTTrainer at its defaults for a CPU (fp32, gradient checkpointing) on the same rows in the same steps, given
  as token ids with their masks, so that it need not tokenise;
* ``trl equal``: the same in dlm's precision without checkpointing;
* ``floor``: forward and backward in dlm's precision over full blocks of the same tokens, all of them scored, and
  nothing else: no optimiser, no evaluation.

Tokens are those of the rows, without padding. dlm computes the system message that all rows of a step start with once,
so it computes fewer tokens than its rows have; only those that it computes are held against the floor. For anchors,
which TRL trains like any other row, dlm asks the base as well; that pass is not counted. The first step of each loop is
left out of its time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ARMS = {"dlm": "dlm", "trl": "TRL", "trl-equal": "TRL, as precise", "floor": "bare loop, the floor"}
RANK, ALPHA, SEED = 16, 32, 42
TARGETS = (("trl", 3.0), ("trl-equal", 1.5), ("floor", 0.8))
"""At least so many times as fast."""


def main() -> None:
    """Run the four loops, print the table."""
    options = _options()
    if options.arm:
        print(json.dumps({"arm": options.arm, **LOOPS[options.arm](options), "peak_mb": round(_peak_mb())}))
        return
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for arm in ARMS:
            found[arm] = _in_its_own_process(arm, options, Path(folder, "rows.json"))
    print(json.dumps({"arms": found, "ratios": ratios(found)}) if options.json else table(found))


def ours(options: argparse.Namespace) -> dict[str, Any]:
    """dlm's loop. Writes down the rows of its steps for the others."""
    import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
    from dlm.bases import LocalBase
    from dlm.corpus.study import build
    from dlm.document import read
    from dlm.store import home
    from dlm.training.resolve import TrainOptions, recipe_for, with_budget
    from dlm.training.schedule import make_plan
    from dlm.training.sizing import sized
    from dlm.training.studied import studied
    from dlm_hf.packing import pack
    from dlm_hf.workbench import HfWorkbench

    document = read(options.document)
    training = document.frontmatter.training
    recipe = replace(recipe_for(document.frontmatter, TrainOptions()), rank=RANK, alpha=float(ALPHA), seed=SEED)
    bench = HfWorkbench(LocalBase("bench", options.base, "", "bench"), recipe, document.frontmatter.system_prompt)
    study = studied(build(document, SEED), bench, home(options.home), _say)
    rows, held_out = bench.encode(study.train), bench.encode(study.held_out)
    recipe = sized(with_budget(recipe, document.frontmatter, TrainOptions(), study, rows), training, options.base)
    plan = make_plan(recipe, study, rows, held_out)
    plan = replace(plan, steps=plan.steps[: options.steps])
    steps = [[bench._encoded[0][row] for row in step] for step in plan.steps]
    said = [[{"ids": one.encoded.ids, "start": one.encoded.start} for one in step] for step in steps]
    prefix = bench.renderer.shared_prefix
    computed = [int(pack([one.encoded for one in step], prefix).input_ids.shape[1]) for step in steps]
    marks: list[float] = []
    outcome = bench.train(plan, lambda _: marks.append(time.perf_counter()), lambda _: None)
    facts = {"precision": outcome.precision, "device": outcome.device}
    options.rows.write_text(json.dumps({"precision": outcome.precision, "steps": said}), encoding="utf-8")
    measured = _rates(marks, [sum(one.tokens for one in step) for step in steps])
    return {**measured, "computed_per_sec": _rates(marks, computed)["tokens_per_sec"], **facts}


def trl(options: argparse.Namespace, *, equal: bool = False) -> dict[str, Any]:
    """SFTTrainer on the rows of dlm's steps, in their order."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from torch.utils.data import SequentialSampler
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer, __version__

    precision, steps = _rows(options)
    precision = precision if equal else "fp32"
    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    class InOrder(SFTTrainer):
        def _get_train_sampler(self, *_: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    rows = [
        {"input_ids": one["ids"], "completion_mask": [int(at >= one["start"]) for at in range(len(one["ids"]))]}
        for step in steps
        for one in step
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=len(steps[0]),
            num_train_epochs=1,
            learning_rate=7e-4,
            completion_only_loss=True,
            seed=SEED,
            use_cpu=True,
            bf16=False,
            **({"gradient_checkpointing": False} if equal else {}),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = InOrder(
            model=AutoModelForCausalLM.from_pretrained(
                options.base, local_files_only=True, dtype=_dtype(torch, precision)
            ),
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            processing_class=AutoTokenizer.from_pretrained(options.base, local_files_only=True),
            peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM"),
            callbacks=[Clock()],
        )
        trainer.train()
    if len(marks) != len(steps):
        raise SystemExit(f"TRL made {len(marks)} steps of {len(steps)}: its rows were not the same")
    measured = _rates(marks, [sum(len(one["ids"]) for one in step) for step in steps])
    return {**measured, "precision": precision, "checkpointing": not equal, "trl": __version__}


def floor(options: argparse.Namespace) -> dict[str, Any]:
    """Forward and backward, and nothing else."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    precision, steps = _rows(options)
    model = AutoModelForCausalLM.from_pretrained(options.base, local_files_only=True, dtype=_dtype(torch, precision))
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, config, autocast_adapter_dtype=False).train()
    ids = [token for step in steps for one in step for token in one["ids"]]
    if len(ids) < options.block:
        raise SystemExit(f"{len(ids)} tokens fill no block of {options.block}: give more --steps, or a smaller --block")
    blocks = [ids[at : at + options.block] for at in range(0, len(ids) - options.block + 1, options.block)]
    blocks = [blocks[number % len(blocks)] for number in range(max(options.steps, 2))]
    marks = []
    for block in blocks:
        batch = torch.tensor([block])
        model(input_ids=batch, labels=batch, use_cache=False).loss.backward()
        model.zero_grad()
        marks.append(time.perf_counter())
    return {**_rates(marks, [len(block) for block in blocks]), "precision": precision, "block": options.block}


LOOPS = {"dlm": ours, "trl": trl, "trl-equal": lambda options: trl(options, equal=True), "floor": floor}


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times as fast dlm is: by the tokens of the rows, and beside the floor by those that it computes."""
    mine = found["dlm"]
    return {
        arm: round(mine["computed_per_sec" if arm == "floor" else "tokens_per_sec"] / found[arm]["tokens_per_sec"], 2)
        for arm, _ in TARGETS
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    """80 columns; the last one says how many times as fast dlm is, and what was promised."""
    lines = [f"{'loop':<20}{'in':>6}{'tokens':>8}{'seconds':>8}{'tokens/s':>9}{'peak MB':>8}  dlm is"]
    times, least = ratios(found), dict(TARGETS)
    for arm, name in ARMS.items():
        one = found[arm]
        numbers = f"{one['tokens']:>8,}{one['seconds']:>8.1f}{one['tokens_per_sec']:>9.0f}{one['peak_mb']:>8,}"
        said = ""
        if arm in least:
            said = f"  {times[arm]:.2f} x, {'met' if times[arm] >= least[arm] else 'missed'} {least[arm]}"
        lines.append(f"{name:<20}{one['precision']:>6}{numbers}{said}")
    mine, theirs = found["dlm"], found["trl"]
    met = "met" if mine["peak_mb"] <= theirs["peak_mb"] else "missed"
    lines.append(f"\ncomputed by dlm: {mine['computed_per_sec']:.0f} tokens/s, held against the floor")
    lines.append(f"peak memory: dlm {mine['peak_mb']:,} MB, TRL {theirs['peak_mb']:,} MB ({met}: not above TRL's)")
    return "\n".join(lines)


def _rates(marks: list[float], tokens: list[int]) -> dict[str, Any]:
    """From the end of the first step to the end of the last."""
    if len(marks) < 2:
        raise SystemExit("a loop made one step only, and the first is not timed: give --steps 2 or more")
    seconds = marks[-1] - marks[0]
    slowest = max(after - before for before, after in pairwise(marks))
    total = sum(tokens[1:])
    return {
        "steps": len(marks),
        "tokens": total,
        "seconds": round(seconds, 2),
        "tokens_per_sec": round(total / seconds, 1),
        "slowest_step": round(slowest, 2),
    }


def _rows(options: argparse.Namespace) -> tuple[str, list[list[dict[str, Any]]]]:
    found = json.loads(options.rows.read_text(encoding="utf-8"))
    return found["precision"], found["steps"]


def _dtype(torch: Any, precision: str) -> Any:
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]


def _in_its_own_process(arm: str, options: argparse.Namespace, rows: Path) -> dict[str, Any]:
    python = options.trl_python if arm.startswith("trl") else sys.executable
    _say(f"{ARMS[arm]}: {options.steps} steps")
    given = ["--arm", arm, "--rows", rows, "--base", options.base, "--steps", options.steps, "--block", options.block]
    given += ["--document", options.document, *(["--home", options.home] if options.home else [])]
    # What dlm-hf sets for itself helps the others as much.
    environment = {"GOMP_SPINCOUNT": "1000", "TOKENIZERS_PARALLELISM": "false", **os.environ}
    command = [str(python), __file__, *map(str, given)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{ARMS[arm]} failed, see above: {' '.join(command)}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _peak_mb() -> float:
    """Resident memory at its highest, of this process."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    parser.add_argument("--trl-python", type=Path, default=Path(sys.executable), help="Python that can import TRL")
    parser.add_argument("--steps", type=int, default=40, help="of each loop, 2 at least (default 40)")
    parser.add_argument("--block", type=int, default=512, help="tokens of a pass of the bare loop (default 512)")
    parser.add_argument("--document", type=Path, default=ROOT / "examples" / "runbook.dlm")
    parser.add_argument("--home", type=Path, help="where the base's answers are kept; default: $DLM_HOME, else ~/.dlm")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.base = options.base.absolute()
    if options.steps < 2:
        parser.error("the first step is not timed: give --steps 2 or more")
    return options


if __name__ == "__main__":
    main()
