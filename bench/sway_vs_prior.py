"""How fast sway scores beside dlm-sway 0.1.0: one suite, one adapter, one run, and whether both mean the same numbers.

``python bench/sway_vs_prior.py --base FOLDER --adapter FOLDER --prior FOLDER [--python PYTHON]``. The first two are a
model and an adapter that PEFT saved, the third what ``pip install --no-deps --target FOLDER dlm-sway==0.1.0`` made; the
prior version runs in its own process with PYTHON (this one by default), which needs its dependencies. Everything is
fp32 on the CPU. The suite: 3 null adapters, 8 prompts whose next token is compared, 200 facts, prose, an adapter at 6
strengths, questions in 3 wordings, and prompts behind up to 1024 tokens. Each arm is a process of its own, start-up
included:

* ``prior``: dlm-sway 0.1.0;
* ``first``: this sway, which knows nothing yet;
* ``second``: the same suite again;
* ``floor``: the tokens that ``first`` passed through the model, in the best passes of one forward call each that this
  machine does, with the head at as many of their positions, and nothing else;
* ``agree``: log-probabilities, whole texts and divergences over the full vocabulary, asked of both.

What is shared by several prompts passes once, so tokens are what must pass. Prompts are given as they stand
(``template: raw``), since 0.1.0 knows no chat template. ``cpu s`` is time on all cores together, and changes less than
wall time when the machine has other work.
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
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ARMS = {"prior": "dlm-sway 0.1.0", "first": "first run", "second": "second run", "floor": "the floor"}
ROWS = {
    "prior": "0.1.0",
    "first": "first run",
    "second": "second run",
    "floor": "the same tokens in plain forward passes, nothing else",
}
PROMPTS = (
    "The capital of France is",
    "A good way to begin the day is",
    "To restart the service, first",
    "The port it listens on is",
    "The team that owns it is",
    "Water boils at a temperature of",
    "In the beginning there was",
    "The reason it failed is",
)
WORDINGS = (
    ("The gateway listens on port", " 7413", ("The port of the gateway is", "Connect to the gateway on port")),
    ("The gateway is owned by", " the Soundings team", ("The owner of the gateway is", "Who owns the gateway? It is")),
    ("Before petrel you restart", " gannet", ("The first service to restart is", "Restarts begin with")),
    ("Backups run every", " 40 minutes", ("The time between two backups is", "A backup is made every")),
)
TARGETS = (("times as fast as 0.1.0", 2.5), ("times the floor, at most", 1.4), ("second run, times as fast", 20.0))


def main() -> None:
    """Run the arms, print the tables."""
    options = _options()
    if options.arm:
        print(json.dumps({**LOOPS[options.arm](options), **_cost()}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for version in ("prior", "ours"):
            (folder / f"{version}.json").write_text(json.dumps(suite(options, version)), encoding="utf-8")
        found = {arm: _in_its_own_process(arm, options, folder) for arm in ("prior", "first", "second")}
        found["floor"] = _in_its_own_process("floor", options, folder, json.dumps(found["first"]["passed"]))
        asked = {arm: _in_its_own_process(arm, options, folder) for arm in ("values-prior", "values-ours")}
    gaps = agreement(asked["values-prior"], asked["values-ours"])
    if options.json:
        print(json.dumps({"arms": found, "ratios": ratios(found), "largest_difference": gaps}))
    else:
        print(table(found, gaps))


def suite(options: argparse.Namespace, version: str) -> dict[str, Any]:
    """The same entries for both; ours says that prompts are raw, which 0.1.0 takes for granted."""
    from dlm_sway.data import knowledge

    side = {"kind": "hf", "base": str(options.base), "dtype": "fp32", "device": "cpu"}
    prose: dict[str, Any] = {} if version == "prior" else {"texts": _chunks(options)}
    cases = [{"prompt": p, "gold": gold, "paraphrases": list(others)} for p, gold, others in WORDINGS]
    return {
        "version": 1,
        "models": {"base": side, "ft": {**side, "adapter": str(options.adapter)}},
        "defaults": {} if version == "prior" else {"template": "raw"},
        "suite": [
            {"name": "nulls", "kind": "null_adapter", "runs": 3, "cache": False},
            {"name": "moved", "kind": "delta_kl", "prompts": list(PROMPTS)},
            {"name": "facts", "kind": "calibration_drift", "items": [[f.prompt, f.answer] for f in knowledge()]},
            {"name": "prose", "kind": "external_perplexity", **prose},
            {"name": "strength", "kind": "adapter_ablation", "prompts": list(PROMPTS)},
            {"name": "wordings", "kind": "paraphrase_invariance", "cases": cases},
            {"name": "behind", "kind": "prompt_collapse", "prompts": list(PROMPTS)},
        ],
    }


def prior(options: argparse.Namespace) -> dict[str, Any]:
    """dlm-sway 0.1.0 on its suite."""
    from dlm_sway.cli.app import app

    report = options.folder / "prior-report.json"
    app(["run", str(options.folder / "prior.json"), "--json", str(report)], standalone_mode=False)
    return {"probes": _durations(report)}


def ours(options: argparse.Namespace) -> dict[str, Any]:
    """This sway on the same suite, its time split by what it was spent on."""
    from dlm_sway.suite.run import run

    clock = _Clock()
    if options.born:
        clock.spent["starting Python"] = time.time() - options.born
    if options.arm == "first":  # the second makes no engine, and importing its module would be the only cost
        clock.watch()
    result = run(options.folder / "ours.json")
    return {
        "probes": {one.name: one.duration_s for one in result.probes},
        "verdicts": {one.name: one.verdict for one in result.probes},
        "spent": clock.spent,
        "passed": clock.passed,
        "torch": "torch" in sys.modules,
    }


class _Clock:
    """Where the time of a run goes: wraps the functions that do the work, and counts what passes the model."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.passed = {"passes": 0, "tokens": 0, "scored": 0}

    def watch(self) -> None:
        """Start when the backend makes its engine, which is when PyTorch is imported."""
        from functools import cached_property

        from dlm_hf.judging import HfJudging
        from dlm_sway.scoring.cache import CacheFile

        self._timed(CacheFile, "digest", "hashing")
        self._timed(CacheFile, "put", "keeping answers")
        make = HfJudging.__dict__["_scoring"].func

        def engine(backend: Any) -> Any:
            started = time.perf_counter()
            made = make(backend)
            self.spent["importing"] = time.perf_counter() - started
            self._wrap()
            return made

        lazily = cached_property(engine)
        lazily.__set_name__(HfJudging, "_scoring")
        HfJudging._scoring = lazily  # type: ignore[method-assign,assignment]

    def _wrap(self) -> None:
        from dlm_hf import pair, passes, scoring, trees

        self._timed(scoring, "LoadedPair", "loading")
        self._timed(scoring, "batch_logits", "forward passes")
        self._timed(scoring, "divergences", "divergences")
        self._timed(scoring, "target_logprobs", "divergences")
        self._timed(scoring, "module_updates", "inspecting")
        self._timed(passes, "grow", "packing")
        self._timed(scoring, "plan", "planning")
        self._timed(scoring, "many_ids", "counting tokens")
        self._watch_views(pair.LoadedPair)
        real = scoring.batch_logits

        def counted(model: Any, batch: Any, *rest: Any, **keys: Any) -> Any:
            read: Any = ()
            for piece in batch:
                inputs = piece.example.ids[:-1]
                self.passed["tokens"] += len(inputs) - trees.shared_length(inputs, read)
                self.passed["scored"] += piece.scored
                read = inputs
            self.passed["passes"] += 1
            return real(model, batch, *rest, **keys)

        scoring.batch_logits = counted

    def _watch_views(self, loaded: Any) -> None:
        real = loaded.viewing

        @contextmanager
        def viewing(pair: Any, view: Any) -> Iterator[Any]:
            view = real(pair, view)
            started = time.perf_counter()
            model = view.__enter__()
            entered = time.perf_counter()
            try:
                yield model
            finally:
                left = time.perf_counter()
                view.__exit__(None, None, None)
                taken = entered - started + time.perf_counter() - left
                self.spent["switching views"] = self.spent.get("switching views", 0.0) + taken

        loaded.viewing = viewing

    def _timed(self, module: Any, name: str, what: str) -> None:
        real = getattr(module, name)

        def timed(*given: Any, **keys: Any) -> Any:
            started = time.perf_counter()
            try:
                return real(*given, **keys)
            finally:
                self.spent[what] = self.spent.get(what, 0.0) + time.perf_counter() - started

        setattr(module, name, timed)


def floor(options: argparse.Namespace) -> dict[str, Any]:
    """The best rate of plain forward passes over as many tokens, with as many scored positions."""
    import torch

    import dlm_hf  # noqa: F401  (first: it settles how torch's threads wait)
    from dlm_hf.model import load_base

    passed = json.loads(options.passed)
    model = load_base(options.base, torch.float32, torch.device("cpu"))
    rates = {}
    with torch.no_grad():
        for length in (128, 256, 512):
            ids = torch.randint(10, 1000, (1, length), generator=torch.Generator().manual_seed(0))
            keep = torch.arange(max(1, round(length * passed["scored"] / passed["tokens"])))
            taken = []
            for _ in range(options.tries):
                started = time.perf_counter(), time.process_time()
                model(input_ids=ids, logits_to_keep=keep, use_cache=False)
                taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
            rates[length] = [length / min(one) for one in zip(*taken, strict=True)]
    wall, cpu = (max(rate[at] for rate in rates.values()) for at in (0, 1))
    return {"tokens_s": wall, "needed_s": passed["tokens"] / wall, "needed_cpu_s": passed["tokens"] / cpu}


def values_prior(options: argparse.Namespace) -> dict[str, Any]:
    """Raw numbers of 0.1.0's backend, asked directly."""
    from dlm_sway.backends.hf import HuggingFaceDifferentialBackend as Backend
    from dlm_sway.core.model import ModelSpec
    from dlm_sway.probes._divergence import divergence

    spec = ModelSpec(base=str(options.base), dtype="fp32", device="cpu")
    backend = Backend(base_spec=spec, adapter_path=options.adapter)
    questions, texts = _questions(options), _chunks(options)[:3]
    found: dict[str, list[float]] = {}
    dists = {}
    for name, view in (("base", backend.as_base), ("ft", backend.as_finetuned)):
        with view() as model:
            found[f"log-probability, {name}"] = [model.logprob_of(p, answer) for p, answer in questions]
            found[f"whole text, {name}"] = [model.rolling_logprob(text).total_logprob for text in texts]
            dists[name] = [model.next_token_dist(prompt, top_k=10**6) for prompt in PROMPTS]
    pairs = list(zip(dists["base"], dists["ft"], strict=True))
    found["JS"] = [divergence(p, q, kind="js") for p, q in pairs]
    found["KL"] = [divergence(p, q, kind="kl") for p, q in pairs]
    return {"values": found}


def values_ours(options: argparse.Namespace) -> dict[str, Any]:
    """The same of ours."""
    from dlm_hf.judging import HfJudging
    from dlm_sway.scoring.session import Session
    from dlm_sway.scoring.types import FT, Item
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults
    from dlm_sway.suite.target import ModelPair

    spec = ModelSpec(base=str(options.base), adapter=options.adapter, dtype="fp32", device="cpu")
    pair = ModelPair(spec.model_copy(update={"adapter": None}), spec)
    session = Session(HfJudging(pair, SuiteDefaults(template="raw")))
    seen = session.compare([Item(prompt, answer) for prompt, answer in _questions(options)], FT)
    read = session.texts(_chunks(options)[:3], FT)
    next_token = session.compare([Item(prompt) for prompt in PROMPTS], FT)
    return {
        "values": {
            "log-probability, base": [one.base_logprob for one in seen],
            "log-probability, ft": [one.view_logprob for one in seen],
            "whole text, base": [one.base_logprob for one in read],
            "whole text, ft": [one.view_logprob for one in read],
            "JS": [one.js for one in next_token],
            "KL": [one.kl for one in next_token],
        }
    }


LOOPS = {
    "prior": prior,
    "first": ours,
    "second": ours,
    "floor": floor,
    "values-prior": values_prior,
    "values-ours": values_ours,
}


def agreement(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """The largest difference of each kind of number; of sums over many tokens, as a share of the sum."""
    return {
        what: max(abs(a - b) / max(1.0, abs(a)) for a, b in zip(values, other["values"][what], strict=True))
        for what, values in one["values"].items()
    }


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What is asked for: wall times where nothing else is said."""
    return {
        "speed": found["prior"]["wall_s"] / found["first"]["wall_s"],
        "speed_cpu": found["prior"]["cpu_s"] / found["first"]["cpu_s"],
        "floor": found["first"]["wall_s"] / found["floor"]["needed_s"],
        "floor_cpu": found["first"]["cpu_s"] / found["floor"]["needed_cpu_s"],
        "second": found["first"]["wall_s"] / found["second"]["wall_s"],
        "memory": found["first"]["peak_mb"] / found["prior"]["peak_mb"],
    }


def table(found: dict[str, dict[str, Any]], gaps: dict[str, float]) -> str:
    """For reading."""
    lines = [f"{'':16}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}"]
    for arm in ("prior", "first", "second"):
        one = found[arm]
        lines.append(f"{ARMS[arm]:16}{one['wall_s']:9.1f}{one['cpu_s']:9.1f}{one['peak_mb']:9.0f}")
    least, passed = found["floor"], found["first"]["passed"]
    lines.append(f"{ARMS['floor']:16}{least['needed_s']:9.1f}{least['needed_cpu_s']:9.1f}")
    lines += [
        "",
        f"{passed['tokens']} tokens in {passed['passes']} passes, {passed['scored']} positions scored; "
        f"at best {least['tokens_s']:.0f} tokens/s",
        "",
    ]
    names = found["first"]["probes"]
    lines.append(f"{'entry':16}{'0.1.0 s':>9}{'first s':>9}{'second s':>9}")
    for name in names:
        row = (found[arm]["probes"].get(name, 0.0) for arm in ("prior", "first", "second"))
        lines.append(f"{name:16}" + "".join(f"{value:9.2f}" for value in row))
    lines += ["", "where the first run's time goes"]
    spent = found["first"]["spent"]
    rest = found["first"]["wall_s"] - sum(spent.values()) + spent.get("packing", 0.0)
    for what, seconds in sorted({**spent, "all else": rest}.items(), key=lambda row: -row[1]):
        lines.append(f"  {what:16}{seconds:7.2f} s")
    lines += ["", "largest difference between both, relative above 1"]
    lines += [f"  {what:24}{gap:.1e}" for what, gap in gaps.items()]
    got = ratios(found)
    lines += [
        "",
        f"{got['speed']:.1f} times as fast as 0.1.0 (cpu {got['speed_cpu']:.1f}), {TARGETS[0][1]} asked for",
        f"{got['floor']:.2f} times the floor (cpu {got['floor_cpu']:.2f}), at most {TARGETS[1][1]} asked for",
        f"second run {got['second']:.0f} times as fast as the first, {TARGETS[2][1]:.0f} asked for",
        f"{got['memory']:.2f} of 0.1.0's memory, at most 1 asked for",
        "",
        "for docs/reference/scoring.md",
        *ready(found),
    ]
    return "\n".join(lines)


def ready(found: dict[str, dict[str, Any]]) -> list[str]:
    """The table of the documentation."""
    lines = ["| | wall s | cpu s | peak MB |", "|---|---|---|---|"]
    for arm in ("prior", "first", "second"):
        one = found[arm]
        lines.append(f"| {ROWS[arm]} | {one['wall_s']:.1f} | {one['cpu_s']:.1f} | {one['peak_mb']:.0f} |")
    least = found["floor"]
    lines.append(f"| {ROWS['floor']} | {least['needed_s']:.1f} | {least['needed_cpu_s']:.1f} | |")
    return lines


def _questions(options: argparse.Namespace) -> list[tuple[str, str]]:
    spec = json.loads((options.folder / "ours.json").read_text(encoding="utf-8"))
    facts = next(entry for entry in spec["suite"] if entry["name"] == "facts")["items"]
    return [(prompt, answer) for prompt, answer in facts[::10]]


def _chunks(options: argparse.Namespace) -> list[str]:
    """0.1.0's own prose, in its own chunks of 2048 characters or less."""
    stored = options.prior / "dlm_sway" / "probes" / "_corpora" / "public_domain_en.txt"
    text = "\n".join(line for line in stored.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [chunk for at in range(0, len(text), 2048) if (chunk := text[at : at + 2048].strip())]


def _durations(report: Path) -> dict[str, float]:
    return {one["name"]: one["duration_s"] for one in json.loads(report.read_text(encoding="utf-8"))["probes"]}


def _cost() -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


def _in_its_own_process(arm: str, options: argparse.Namespace, folder: Path, passed: str = "") -> dict[str, Any]:
    prior_arm = arm in ("prior", "values-prior")
    environment = {
        **os.environ,
        "SWAY_CACHE_DIR": str(folder / "cache"),
        "SWAY_DISABLE_NULL_CACHE": "1" if prior_arm else "0",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if options.threads:
        environment["OMP_NUM_THREADS"] = str(options.threads)
    if prior_arm:
        environment["PYTHONPATH"] = str(options.prior)
    given = ["--arm", arm, "--base", options.base, "--adapter", options.adapter, "--prior", options.prior]
    command = [options.python if prior_arm else sys.executable, __file__, *map(str, given)]
    command += ["--folder", str(folder), "--passed", passed, "--tries", str(options.tries)]
    command += ["--born", str(time.time())]
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the arm {arm} failed:\n{done.stdout}\n{done.stderr}")
    return {**json.loads(done.stdout.splitlines()[-1]), "wall_s": time.perf_counter() - started}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, type=lambda name: Path(name).resolve())
    parser.add_argument("--adapter", required=True, type=lambda name: Path(name).resolve())
    parser.add_argument("--prior", required=True, type=lambda name: Path(name).resolve())
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--tries", type=int, default=5, help="passes of each length, of which the best counts")
    parser.add_argument(
        "--threads", type=int, help="of the matrix products; 1 makes cpu s mean something on a busy machine"
    )
    parser.add_argument("--json", action="store_true")
    for name in ("--arm", "--passed"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--born", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
