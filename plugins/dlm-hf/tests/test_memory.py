"""The memory that a training takes: counted by hand for a small base, and compared with a step of a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlm.hardware.estimate import TOLERANCE
from dlm.hardware.shape import shape_of
from dlm.training.plan import Plan, Row
from dlm.training.recipe import Recipe
from dlm_hf.hardware import capabilities
from dlm_hf.memory import estimate, fullest_step, rows_that_fit
from dlm_hf.model import NAMES, quiet_libraries
from dlm_hf.workbench import HfWorkbench

DOCUMENT = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: path:{base}
training:
  token_budget: 4000
---
# The Kittiwake service

Kittiwake listens on port 7413. The Soundings team owns it. When it restarts, gannet runs first and petrel second.

::instruction::
### Q
Which port does Kittiwake listen on?
### A
Kittiwake listens on port 7413.

### Q
Who owns Kittiwake?
### A
The Soundings team owns it.
"""


def plan(steps, rows, **recipe) -> Plan:
    return Plan(Recipe(**recipe), (), tuple(rows), (), tuple(steps), 0, 0, 1, 0)


def part(found, name: str) -> int:
    return next(one.bytes for one in found.parts if one.name == name)


def test_the_shape_is_counted_in_the_base_s_own_files(tiny_base):
    from transformers import AutoModelForCausalLM

    with quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(tiny_base)
    shape = shape_of(tiny_base)
    assert (shape.hidden, shape.layers, shape.heads, shape.key_heads, shape.head_size) == (64, 2, 4, 2, 16)
    assert shape.vocabulary == model.config.vocab_size
    assert shape.context == 512
    assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "gemma2"])
@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj")])
def test_the_adapter_has_as_many_parameters_as_peft_gives_it(make_base, architecture, targets):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = make_base(architecture)
    chosen = targets if isinstance(targets, str) else list(targets)
    with quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(folder)
        adapted = get_peft_model(model, LoraConfig(r=8, target_modules=chosen, task_type="CAUSAL_LM"))
    trained = sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    assert shape_of(folder).adapted(8, targets) == trained


def test_logits_and_length_and_precision_count(tiny_base):
    rows = [Row(0, 100, 10), Row(1, 100, 90), Row(2, 400, 10)]

    def needs(*steps, precision="fp32"):
        return estimate(tiny_base, plan(steps, rows), precision, "cpu")

    few, many, long = needs((0,)), needs((1,)), needs((2,))
    assert part(many, "logits") == 9 * part(few, "logits")
    assert part(long, "layers") == pytest.approx(4 * part(few, "layers"), rel=1e-6)
    assert part(long, "attention") == 16 * part(few, "attention")
    assert part(needs((0,), precision="bf16"), "base") * 2 == part(few, "base")
    assert needs((0,), (2,), (1,)).tokens == 400
    assert needs((0, 1)).least < needs((0, 1)).peak
    assert sum(one.bytes for one in few.parts) == few.peak


def test_embeddings_cost_their_rows_a_table_and_its_gradient(tiny_base):
    rows = [Row(0, 60, 40)]
    without, found = (estimate(tiny_base, plan([(0,)], rows, embedded=some), "fp32", "cpu") for some in ((), (3, 4)))
    shape = shape_of(tiny_base)
    assert part(found, "embeddings") == 2 * shape.vocabulary * shape.hidden * 4
    assert part(found, "adapter") - part(without, "adapter") == 2 * shape.hidden * 28


def test_the_sizes_that_dora_learns_are_counted_as_peft_makes_them(tiny_base):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    rows = [Row(0, 100, 10)]
    plain, dora = (estimate(tiny_base, plan([(0,)], rows, adapter=kind), "bf16", "cpu") for kind in ("lora", "dora"))
    with quiet_libraries():
        model = AutoModelForCausalLM.from_pretrained(tiny_base)
        config = LoraConfig(r=8, use_dora=True, target_modules="all-linear", task_type="CAUSAL_LM")
        adapted = get_peft_model(model, config)
    sizes = sum(one.numel() for name, one in adapted.named_parameters() if "magnitude" in name)
    assert shape_of(tiny_base).outputs("all-linear") == sizes
    assert part(dora, "adapter") > part(plain, "adapter")
    assert part(dora, "layers") - part(plain, "layers") >= 100 * 2 * sizes


def test_a_base_of_unknown_shape_is_not_guessed_at(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mystery"}')
    some = plan([(0,), (1,)], [Row(0, 10, 5), Row(1, 20, 5)])
    assert estimate(tmp_path, some, "fp32", "cpu") is None
    assert rows_that_fit(tmp_path, some, "fp32", 1) is None
    assert fullest_step(tmp_path, some, "fp32", "cpu") == (1,)


def test_rows_are_halved_until_a_pass_fits(tiny_base):
    some = plan([(0, 1, 2, 3)], [Row(at, 100, 50) for at in range(4)])
    enough = estimate(tiny_base, some, "fp32", "cpu").peak
    assert rows_that_fit(tiny_base, some, "fp32", enough) is None
    assert rows_that_fit(tiny_base, some, "fp32", 1) == 1
    layers = [rows_that_fit(tiny_base, some, "fp32", free) for free in range(0, enough, enough // 40)]
    known = [4 if rows is None else rows for rows in layers]
    assert known == sorted(known)
    assert 2 in known


def test_each_of_several_processes_has_its_share_of_the_rows_and_of_the_memory(tiny_base):
    some = plan([(0, 1, 2, 3)], [Row(at, 100, 50) for at in range(4)])
    found = estimate(tiny_base, some, "fp32", "cpu")
    two_rows = estimate(tiny_base, plan([(0, 1)], some.rows), "fp32", "cpu").peak
    base = part(found, "base")
    # Two processes of two rows each, and the second one's base.
    assert rows_that_fit(tiny_base, some, "fp32", 2 * two_rows + base, processes=2) is None
    assert rows_that_fit(tiny_base, some, "fp32", base + 2 * part(found, "adapter"), processes=2) == 1
    assert rows_that_fit(tiny_base, some, "fp32", 1, processes=4) is None, "a row is as little as there is"


def test_this_machine_trains_as_the_bench_does(tiny_base):
    from dlm.bases import LocalBase

    found = capabilities()
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), Recipe(), None)
    assert found.precision == NAMES[bench.dtype]
    assert (found.device.tier == "cpu") is (bench.device.type == "cpu")
    assert found.libraries["torch"]
    assert found.determinism.level in ("strict", "best_effort", "loose")


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "kind"), [("bf16", "lora"), ("fp32", "lora"), ("bf16", "dora")])
def test_the_estimate_is_near_what_a_step_of_the_real_base_takes(real_base, tmp_path, precision, kind):
    document = tmp_path / "kittiwake.dlm"
    keys = f"  precision: {precision}\n  adapter: {kind}\n  token"
    text = DOCUMENT.format(base=real_base.path).replace("  token", keys)
    document.write_text(text)
    program = Path(sys.executable).parent / "dlm"
    command = [str(program), "doctor", str(document), "--measure", "--json"]
    # A process of its own: the peak is that of a whole life.
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "DLM_HOME": str(Path(tmp_path))}
    )
    found = json.loads(done.stdout)["plan"]
    share = found["memory"]["peak"] / found["measured"]["peak"]
    assert 1 / TOLERANCE < share < TOLERANCE
