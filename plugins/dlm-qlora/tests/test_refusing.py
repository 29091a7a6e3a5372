"""Where `adapter: qlora` is refused, with which reason, and where it is not."""

from __future__ import annotations

import dataclasses
import json

import pytest

from dlm.bases import LocalBase
from dlm.document.read import parse
from dlm.document.unsupported import unsupported
from dlm.hardware.capabilities import Device, processor_only
from dlm.hardware.refusals import Case, objections
from dlm.testing import only_plugins
from dlm.training.recipe import Recipe
from dlm_qlora import for_dlm, nf4

QLORA = Recipe(adapter="qlora")
HERE = processor_only()
HEAD = "---\ndlm_id: 01J0000000000000000000000A\nbase_model: smollm2-135m\n"


def on(tier: str):
    device = Device(tier, "somewhere", None, None, bf16=True)
    return dataclasses.replace(HERE, devices=(device,))


@pytest.fixture
def found():
    def ask(case):
        with only_plugins(for_dlm) as plugins:
            return {one.name: (one.severity, str(one)) for one in objections(case, plugins) if "q" in one.name}

    return ask


def test_lora_and_dora_are_nobody_s_business_here(found):
    for kind in ("lora", "dora"):
        assert found(Case(on("mps"), Recipe(adapter=kind))) == {}


def test_a_processor_does_it_and_is_told_what_it_costs(found):
    (said,) = found(Case(HERE, QLORA)).items()
    assert said[0] == "qlora-cpu"
    assert said[1][0] == "warn"
    assert "saves memory, not time" in said[1][1]


def test_apple_s_gpus_are_refused(found):
    severity, said = found(Case(on("mps"), QLORA))["qlora"]
    assert severity == "refuse"
    assert "Apple's GPUs" in said
    assert "adapter: lora" in said


def test_a_gpu_that_is_not_there_is_refused_with_the_library_s_own_words(found):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    severity, said = found(Case(on("cuda"), QLORA))["qlora"]
    assert severity == "refuse"
    assert "cannot multiply 4-bit weights on cuda" in said
    assert "python -m bitsandbytes" in said


def test_a_library_that_cannot_be_imported_is_named_with_the_command(found, monkeypatch):
    def broken(name):
        raise ImportError("no such file: libsomething.so")

    monkeypatch.setattr(nf4.importlib, "import_module", broken)
    nf4.trouble.cache_clear()
    try:
        said = nf4.trouble("cpu")
    finally:
        nf4.trouble.cache_clear()
    assert "libsomething.so" in said
    assert "pip install 'dlm[qlora]'" in said


def test_a_base_that_was_quantised_already_is_refused(found, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"quantization_config": {"quant_method": "gptq"}}))
    base = LocalBase("small", tmp_path, "sha256:0", "test")
    severity, said = found(Case(HERE, QLORA, base=base))["quantised"]
    assert severity == "refuse"
    assert "small was quantised already (gptq)" in said
    config.write_text("{}")
    assert "quantised" not in found(Case(HERE, QLORA, base=base))


@pytest.mark.parametrize(
    ("keys", "where"),
    [("training: {adapter: qlora}", "training.adapter"), ("training: {adapters: {a: {adapter: qlora}}}", "adapters.a")],
)
def test_without_the_plugin_the_document_says_what_to_install(keys, where):
    document = parse(f"{HEAD}{keys}\n---\nText.\n", "d.dlm")
    with only_plugins():
        (finding,) = unsupported(document)
    assert where in finding.what
    assert "pip install 'dlm[qlora]'" in finding.fix
    with only_plugins(for_dlm):
        assert unsupported(document) == []
