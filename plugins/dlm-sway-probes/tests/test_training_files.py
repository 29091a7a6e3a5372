"""Probes that read what training left on the disk: its log, its state, the adapter."""

from __future__ import annotations

import json
import math
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from dlm_sway.errors import NothingToAsk, ProbeError
from dlm_sway.plugins import manager
from dlm_sway.spec.models import Models, ModelSpec, Suite
from dlm_sway.suite.run import run
from dlm_sway.testing import ClosedForm, ProbeContract, context
from dlm_sway.testing.startup import modules_after
from dlm_sway_probes.tensors import Tensors
from dlm_sway_probes.training_record import read_run

CONTRACTS = Path(__file__).parents[3] / "contracts"
NAMES = [f"base.model.layers.{layer}.q_proj.lora_{factor}.weight" for layer in range(4) for factor in "AB"]
SIZE = 6


def probe(kind, **keys):
    found = manager().resolve("dlm_sway_probes", kind)
    return found(found.spec_type(name="it", kind=kind, **keys))


def ask(kind, adapter=None, **keys):
    return probe(kind, **keys).run(replace(context(ClosedForm()), adapter=adapter))


def write_tensors(path, tensors, kind="F32"):
    """A safetensors file, by its specification."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, values in tensors.items():
        array = np.asarray(values, dtype=np.float32)
        raw = (array.view(np.uint32) >> 16).astype(np.uint16).tobytes() if kind == "BF16" else array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.fixture
def store(tmp_path):
    """``store(losses, run_id=1)`` writes a log; the first call makes the folders of a store."""

    def make(losses, run_id=1, resumed_from=None, start=1, phase="sft"):
        (tmp_path / "logs").mkdir(exist_ok=True)
        (tmp_path / "adapter" / "versions" / "v0001").mkdir(parents=True, exist_ok=True)
        banner = {"type": "banner", "run_id": run_id, **({"resumed_from": resumed_from} if resumed_from else {})}
        records = [banner, {"type": "phase_start", "phase": phase, "number": 1}]
        records += [{"type": "step", "step": at, "loss": loss} for at, loss in enumerate(losses, start)]
        lines = "\n".join(json.dumps(record) for record in records)
        (tmp_path / "logs" / f"train-{run_id:06d}-20260101T000000Z.jsonl").write_text(lines + "\n", encoding="utf-8")
        return tmp_path

    return make


def calm(seed, steps=600, noise=0.02):
    rng = random.Random(seed)
    return [0.2 + 1.8 * math.exp(-at / 80) + rng.gauss(0, noise) for at in range(steps)]


def test_a_healthy_noisy_curve_passes(store):
    result = ask("training_drift", store_path=store(calm(0)))
    assert result.verdict == "pass", result.message
    assert result.evidence["instability_events"] == 0
    assert result.evidence["num_steps"] == 600
    assert len(result.evidence["curve_sampled"]) <= 512


def test_calm_curves_of_many_seeds_have_no_jumps(store):
    assert [ask("training_drift", store_path=store(calm(seed))).verdict for seed in range(8)] == ["pass"] * 8


def test_a_jump_is_a_warning_that_names_its_step(store):
    losses = calm(1)
    losses[299] += 1.5
    result = ask("training_drift", store_path=store(losses))
    assert result.verdict == "warn"
    assert "1 jump of the loss, first at step 300" in result.message
    assert ask("training_drift", store_path=store(losses), assert_instability_events_lte=1).verdict == "pass"


def test_a_loss_that_does_not_come_down_is_a_warning(store):
    losses = [2.0 - 0.001 * at for at in range(100)]
    assert "came down to 9" in ask("training_drift", store_path=store(losses)).message
    assert ask("training_drift", store_path=store(losses)).verdict == "warn"


def test_a_loss_that_is_no_number_fails(store):
    losses = calm(2, steps=40)
    losses[20] = None
    result = ask("training_drift", store_path=store(losses))
    assert (result.verdict, result.message.split(":")[0]) == ("fail", "the loss was not finite at step 21")


def test_the_log_is_that_of_the_run_that_made_the_adapter(store):
    root = store(calm(0, steps=50))
    store([1.0] * 50, run_id=2)
    adapter = root / "adapter" / "versions" / "v0001"
    (adapter / "version.json").write_text(json.dumps({"run_id": 1}), encoding="utf-8")
    assert ask("training_drift", adapter).evidence["run_id"] == 1
    assert ask("training_drift", store_path=root).evidence["run_id"] == 2


def test_a_resumed_run_has_the_steps_of_the_one_before(store):
    root = store([3.0, 2.0, 9.0])
    store([1.0, 0.5], run_id=2, resumed_from=1, start=3)
    found = read_run(root, 2)
    assert [path.name[:12] for path in found.logs] == ["train-000001", "train-000002"]
    assert found.phases[0].in_order == [(1, 3.0), (2, 2.0), (3, 1.0), (4, 0.5)]


@pytest.mark.parametrize("name", ["ok.jsonl", "killed.jsonl"])
def test_the_golden_logs_are_read(tmp_path, name):
    (tmp_path / "logs").mkdir()
    shutil.copy(CONTRACTS / "golden" / "log" / name, tmp_path / "logs" / "train-000001-20260101T000000Z.jsonl")
    found = read_run(tmp_path, None)
    assert found.phases[0].losses


def test_a_log_of_another_kind_is_an_error_with_its_line(store):
    root = store([1.0] * 20)
    log = next((root / "logs").iterdir())
    log.write_text("step,loss\n1,2\n" * 3, encoding="utf-8")
    with pytest.raises(ProbeError, match=r"\.jsonl:1: not a record of a training log"):
        ask("training_drift", store_path=root)


def test_without_a_log_there_is_nothing_to_ask(tmp_path, store):
    with pytest.raises(NothingToAsk, match="store_path"):
        ask("training_drift", tmp_path / "nowhere")
    with pytest.raises(NothingToAsk, match="10 steps"):
        ask("training_drift", store_path=store([1.0] * 5))


@pytest.fixture
def adapter(tmp_path):
    """``adapter(steps, **tensors)`` writes a version whose factors are ones, but for those given."""

    def make(steps=100, kind="F32", **given):
        folder = tmp_path / "v0001"
        folder.mkdir(exist_ok=True)
        values = {name: np.ones(SIZE) for name in NAMES} | {NAMES[int(at[1:])]: one for at, one in given.items()}
        write_tensors(folder / "adapter_model.safetensors", values, kind)
        (folder / "version.json").write_text(json.dumps({"outcome": {"steps": steps}}), encoding="utf-8")
        return folder

    return make


class OfFiles(ProbeContract):
    """Probes that ask no model: a model that training moved stands for the files of a bad training."""

    plugin_module = "dlm_sway_probes.plugin"

    @pytest.fixture
    def planted(self):
        return ClosedForm(size=1.0)

    @pytest.fixture
    def changed(self, planted):
        return planted


class TestGradientGhost(OfFiles):
    name = "gradient_ghost"

    @pytest.fixture
    def place(self, adapter):
        zeros = {f"t{at}": np.zeros(SIZE) for at in (1, 3)}
        return lambda backend: replace(context(backend), adapter=adapter(**(zeros if backend.size else {})))


class TestTrainingDrift(OfFiles):
    name = "training_drift"

    @pytest.fixture
    def place(self, store):
        def at(backend):
            losses = calm(0)
            losses[20] = None if backend.size else losses[20]
            return replace(context(backend), adapter=store(losses) / "adapter" / "versions" / "v0001")

        return at

    @pytest.mark.xfail(reason="its number is how far the loss came down, which no model decides", strict=True)
    def test_identical_models_measure_exactly_nothing(self, probe, place, unchanged):
        super().test_identical_models_measure_exactly_nothing(probe, place, unchanged)


@pytest.mark.parametrize("kind", ["F32", "BF16"])
def test_an_adapter_that_was_trained_throughout_passes(adapter, kind):
    result = ask("gradient_ghost", adapter(kind=kind))
    assert (result.verdict, result.raw, result.n_items) == ("pass", 0.0, 4)
    assert result.evidence["per_layer_norm"] == pytest.approx({f"layer {n}": SIZE**0.5 for n in range(4)})


def test_too_few_steps_fail_by_the_stated_number(adapter):
    result = ask("gradient_ghost", adapter(steps=12))
    assert (result.verdict, result.evidence["primary_signal"]) == ("fail", "global_step_below_threshold")
    assert ask("gradient_ghost", adapter(steps=12), min_steps_threshold=10).verdict == "pass"


def test_modules_that_no_gradient_reached_are_named(adapter):
    zeros = np.zeros(SIZE)
    one = ask("gradient_ghost", adapter(t1=zeros))
    assert (one.verdict, one.raw) == ("warn", 0.25)
    assert one.evidence["untouched"] == ["base.model.layers.0.q_proj"]
    assert ask("gradient_ghost", adapter(t1=zeros, t3=zeros)).verdict == "fail"


def test_numbers_that_are_none_fail(adapter):
    result = ask("gradient_ghost", adapter(t2=[1, 2, math.nan, 4, 5, 6]))
    assert (result.verdict, result.evidence["primary_signal"]) == ("fail", "not_finite")


def test_a_pickled_state_is_never_opened(tmp_path):
    (tmp_path / "training_state.pt").write_bytes(b"cos\nsystem\n(S'touch /nowhere'\ntR.")
    with pytest.raises(NothingToAsk, match="opening it may run code"):
        ask("gradient_ghost", tmp_path)


def state(folder, first, second, step=100):
    """The state of a stopped run, as the schema has it."""
    place = folder / "checkpoints" / "run-000001.phase-1.step-000100"
    place.mkdir(parents=True)
    shape = {"precision": "fp32", "device": "cpu", "names": NAMES, "weights": SIZE * 8, "sizes": [SIZE] * 8}
    numbers = {"shape": shape, "counts": {"step": step, "tokens": 1, "loss": 0.1}, "best": {"step": 90}}
    contract = json.loads((CONTRACTS / "train-state.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    Draft202012Validator(contract).validate(numbers)
    (place / "state.json").write_text(json.dumps(numbers), encoding="utf-8")
    (place / "checkpoint.json").write_text("{}", encoding="utf-8")
    write_tensors(place / "state.safetensors", {"master": np.ones(SIZE * 8), "exp_avg": first, "exp_avg_sq": second})
    return folder


def adam(gradients):
    """What Adam remembers after these gradients."""
    first, second = np.zeros(SIZE * 8), np.zeros(SIZE * 8)
    for gradient in gradients:
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
    return first, second / (1 - 0.999 ** len(gradients))


def test_layers_still_on_their_way_are_told_from_those_that_only_scatter(tmp_path):
    rng = np.random.default_rng(0)
    scattered = [rng.standard_normal(SIZE * 8) for _ in range(200)]
    still = ask("gradient_ghost", state(tmp_path / "a", *adam(scattered)))
    assert still.verdict == "pass"
    assert all(0.3 < ratio < 2.0 for ratio in still.evidence["per_layer_direction"].values())
    moving = [one + np.repeat([3.0, 3.0, 0, 0], 2 * SIZE) for one in scattered]
    result = ask("gradient_ghost", state(tmp_path / "b", *adam(moving)))
    assert (result.verdict, result.evidence["flagged_layers"]) == ("warn", ["layer 0", "layer 1"])
    assert result.evidence["source"] == "state"


def test_a_state_whose_moments_are_no_numbers_fails(tmp_path):
    first, second = np.ones(SIZE * 8), np.full(SIZE * 8, math.inf)
    assert ask("gradient_ghost", state(tmp_path, first, second)).evidence["primary_signal"] == "not_finite"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 8,
        (1 << 40).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        b"\x02" + b"\x00" * 7 + b"{",
    ],
)
def test_a_file_that_is_no_safetensors_is_an_error(tmp_path, data):
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(data)
    with pytest.raises(ProbeError, match="cannot be read as safetensors"):
        Tensors(path)


def test_offsets_outside_the_file_are_an_error(tmp_path):
    text = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\x00" * 4)
    with pytest.raises(ProbeError, match="a: its offsets lie outside the file"):
        Tensors(path).read("a")


def test_a_suite_of_such_probes_loads_no_backend(store, adapter):
    model = ModelSpec(base="nowhere/at-all", adapter=adapter())
    entries = (
        {"name": "ghost", "kind": "gradient_ghost"},
        {"name": "curve", "kind": "training_drift", "store_path": str(store(calm(0)))},
        {"name": "clean", "kind": "contamination", "prompts": ["Who?"], "training_text": ["It is here."]},
    )
    found = run(Suite(models=Models(base=model, ft=model), suite=entries))
    assert [one.verdict for one in found.probes] == ["pass", "pass", "pass"]


def test_the_modules_that_read_files_import_no_library_of_models():
    heavy = modules_after("import dlm_sway_probes.gradient_ghost, dlm_sway_probes.training_drift")
    assert not heavy & {"torch", "transformers", "peft", "safetensors"}
