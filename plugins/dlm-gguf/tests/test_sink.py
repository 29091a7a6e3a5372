"""The target ``gguf``: what it writes, under which names, and that the same request gives the same bytes."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from dlm.bases import LocalBase
from dlm.chosen import Wanted, choose_adapter
from dlm.corpus.records import Message
from dlm.document import read
from dlm.errors import ExportFailed, ExportRefused, RuntimeMissing
from dlm.export.sink import Request, Wishes
from dlm.store.version import Version
from dlm_gguf import container, converter, kquants
from dlm_gguf.checkpoint import of_folder
from dlm_gguf.header import read_header
from dlm_gguf.layout import lay_out
from dlm_gguf.merging import Merged, read_parts
from dlm_gguf.quantising import PURE, quantised
from dlm_gguf.sink import GgufSink, files_of

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")  # PEFT calls transformers so

DOCUMENT = """\
---
dlm_id: 01HRSHWZ4BQ3F8K2Y5N7V9XTCD
dlm_version: 15
base_model: smollm2-135m
system_prompt: "Answer as the harbour's clerk, in one sentence."
---
# The ferry

It calls at Borkum.
"""
STAND_IN = """\
import json, pathlib, sys
folder, _, out, _, kind = sys.argv[1:]
folder = pathlib.Path(folder)
if (folder / "refuse").is_file() or json.loads((folder / "config.json").read_text())["model_type"] == "broken":
    sys.exit("line one\\nERROR: Model BrokenForCausalLM is not supported")
pathlib.Path(out).write_bytes((folder / "model.safetensors").read_bytes())
said = {"name": folder.name, "kind": kind, "files": sorted(path.name for path in folder.iterdir())}
pathlib.Path(sys.argv[0]).with_name("said.json").write_text(json.dumps(said))
"""


@pytest.fixture
def make_request(make_base, make_adapter, tmp_path):
    """An export of a version with one adapter on a tiny base."""

    def make(
        quant="Q8_0", form="merged", *, base=None, template=True, said=None, adapter=None, base_file="yes"
    ) -> Request:
        base = base or make_base()
        adapter = adapter or make_adapter(base)
        version_folder = tmp_path / "versions" / "v0003"
        shutil.copytree(adapter, version_folder, dirs_exist_ok=True)
        version = Version(3, version_folder, {})
        (tmp_path / "ferry.dlm").write_text(DOCUMENT, encoding="utf-8")
        local = LocalBase("smollm2-135m", base, "sha256:" + "a" * 64, "a test")
        wishes = Wishes(quant, form, None, template, settings={"base": base_file})
        heard = said if said is not None else []
        chosen = choose_adapter(version, Wanted())
        return Request(read(tmp_path / "ferry.dlm"), version, local, chosen, wishes, tmp_path / "cache", heard.append)

    return make


@pytest.fixture
def exported(tmp_path):
    """Checks and writes; the folder and what the sink says of it."""

    def write(request, name="export"):
        folder = tmp_path / name
        folder.mkdir()
        sink = GgufSink()
        sink.check(request)
        return folder, sink.write(request, folder)

    return write


ROUNDING = {"F32": 0, "F16": 2**-11, "BF16": 2**-8, "Q8_0": 1 / 240, "Q5_0": 1 / 15, "Q5_1": 1 / 15, "Q4_0": 1 / 7}
"""Of a weight, at most, as a share of the largest beside it. A half-precision scale adds a little."""
ROUNDING["Q4_1"] = ROUNDING["Q4_0"]


def test_every_type_holds_the_merged_weights_within_its_own_rounding(make_request, exported, served, some_ids):
    request = make_request("F32")
    base, adapter = request.base.path, request.chosen.adapter
    config = json.loads((base / "config.json").read_text())
    wanted = {one.name: one for one in lay_out(Merged(of_folder(base), read_parts(adapter)), config)}
    for quant in PURE:
        folder, written = exported(replace(request, wishes=Wishes(quant, "merged")), quant)
        path, _ = files_of(folder)
        found = {one.name: one for one in gguf.GGUFReader(path).tensors}
        assert found.keys() == wanted.keys()
        for name, tensor in found.items():
            values = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(wanted[name].height, -1)
            exact = wanted[name].rows(0, wanted[name].height)
            share = ROUNDING["F32" if len(wanted[name].shape) == 1 else quant]
            assert np.abs(values - exact).max() <= 1.01 * share * np.abs(exact).max(), (quant, name)
        assert np.isfinite(served(path, some_ids)).all()
        assert written.facts["texts_tokenized_alike"] > 5


def test_the_file_speaks_as_the_document_wants_and_names_no_folder_of_this_machine(make_request, exported, tmp_path):
    request = make_request("F16")
    folder, _ = exported(request)
    path = files_of(folder)[0]
    with GgufSink().runtime(folder) as runtime:
        prompt = runtime.prompt_text([Message("user", "Where to?")])
    assert prompt.startswith("<|im_start|>system\nAnswer as the harbour's clerk, in one sentence.<|im_end|>\n")
    assert prompt.count("Answer as") == 1
    keys = read_header(path).metadata
    assert keys["general.name"] == "ferry"
    assert keys["dlm.document_id"] == "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
    assert keys["general.license"] == "Apache-2.0"
    assert keys["general.base_model.0.repo_url"].endswith("/HuggingFaceTB/SmolLM2-135M-Instruct")
    raw = path.read_bytes()
    assert all(part.encode() not in raw for part in (str(tmp_path), str(Path.home()) + "/", "base-llama"))


def test_without_a_template_the_file_has_none(make_request, exported):
    folder, _ = exported(make_request(template=False))
    assert "tokenizer.chat_template" not in read_header(files_of(folder)[0]).metadata


@pytest.mark.parametrize("form", ["merged", "adapter"])
def test_the_same_request_gives_the_same_bytes(form, make_request, exported, tmp_path):
    request = make_request(form=form)
    first, _ = exported(request, "first")
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    second, _ = exported(request, "second")
    assert [path.name for path in sorted(first.iterdir())] == [path.name for path in sorted(second.iterdir())]
    assert all((second / path.name).read_bytes() == path.read_bytes() for path in first.iterdir())


def test_the_base_of_an_adapter_is_made_once(make_request, exported, tmp_path):
    request = make_request(form="adapter")
    first, written = exported(request, "first")
    kept = next((tmp_path / "cache").glob("base-gguf/*.gguf"))
    made = kept.stat().st_mtime_ns
    second, _ = exported(request, "second")
    assert kept.stat().st_mtime_ns == made
    assert files_of(first) == (first / "base.Q8_0.gguf", first / "adapter.gguf")
    assert (second / "base.Q8_0.gguf").read_bytes() == kept.read_bytes()
    assert "--lora {folder}/adapter.gguf" in written.next_steps[0]


def test_an_adapter_alone_is_certified_on_a_base_that_is_kept(make_request, tmp_path):
    request = make_request(form="adapter", base_file="no")
    sink, folder = GgufSink(), tmp_path / "export"
    folder.mkdir()
    sink.check(request)
    sink.write(request, folder)
    assert [path.name for path in folder.iterdir()] == ["adapter.gguf"]
    with sink.runtime(folder) as runtime:
        assert runtime.log_probs([5, 6, 7]).shape[0] == 3
    with pytest.raises(RuntimeMissing, match="holds an adapter alone"):
        GgufSink().runtime(folder)


def test_folders_tell_type_form_and_adapters_apart(make_request):
    sink = GgufSink()
    request = make_request()
    wishes = [Wishes(quant, form) for quant in ("F16", "Q8_0") for form in ("merged", "adapter")]
    names = {sink.folder_name(replace(request, wishes=one)) for one in wishes}
    assert names == {"gguf-F16", "gguf-Q8_0", "gguf-F16-adapter", "gguf-Q8_0-adapter"}


def test_rows_that_no_block_divides_are_held_in_a_larger_type_and_said(make_base, make_request, exported):
    said: list[str] = []
    request = make_request("Q4_0", base=make_base("llama", intermediate_size=90), said=said)
    _, written = exported(request)
    fallen = written.facts["fell_back"]
    assert fallen["to"] == "F16"
    assert set(fallen["tensors"]) == {f"blk.{layer}.ffn_down.weight" for layer in range(4)}
    assert any("4 of" in line and "Q8_0" in line for line in said)


def test_a_weight_that_a_type_cannot_hold_is_refused_by_its_size(make_base, make_request, exported):
    import torch
    from safetensors.torch import load_file as load
    from safetensors.torch import save_file as save

    base = make_base()
    tensors = load(base / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.weight"][3, 4] = torch.tensor(1e5)
    save(tensors, base / "model.safetensors")
    with pytest.raises(ExportFailed, match=r"weight of 99999.* into F16: choose --quant BF16"):
        exported(make_request("F16", base=base))


def test_a_disk_that_fills_up_leaves_no_file_under_its_name(make_request, exported, monkeypatch, tmp_path):
    request = make_request()
    written = 0

    def full(file, held):
        nonlocal written
        written += 1
        if written == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(bytes(64))

    monkeypatch.setattr(container, "_write_tensor", full)
    with pytest.raises(ExportFailed, match=r"No space left on device.*--out"):
        exported(request)
    assert list((tmp_path / "export").iterdir()) == []


def test_too_little_room_is_said_before_the_work(make_request, exported, monkeypatch):
    request = make_request()
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(container.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(ExportFailed, match="has room for 0 MB"):
        exported(request)


@pytest.mark.parametrize(("settings", "said"), [({"base": "maybe"}, "yes or no"), ({"base": "no"}, "--unmerged")])
def test_settings_that_make_no_sense_are_refused(settings, said, make_request):
    request = make_request()
    request = replace(request, wishes=Wishes("Q8_0", "merged", settings=settings))
    with pytest.raises(ExportRefused, match=said):
        GgufSink().check(request)


def test_a_type_of_llama_cpp_is_refused_without_it_with_the_command(make_request, monkeypatch):
    monkeypatch.setattr(kquants, "available", lambda: None)
    with pytest.raises(RuntimeMissing, match=r"pip install 'dlm-gguf\[llama-cpp\]'"):
        GgufSink().check(make_request("Q4_K_M"))


def test_a_k_quant_leaves_only_its_own_file(make_base, make_request, exported):
    base = make_base("llama", hidden_size=256, intermediate_size=256)
    folder, written = exported(make_request("Q4_K_M", base=base))
    assert [path.name for path in folder.iterdir()] == ["model.Q4_K_M.gguf"]
    assert "Q4_K" in written.facts["tensors"]
    assert written.facts["quantised_by"].startswith("llama-cpp-python")


@pytest.fixture
def unknown_base(make_base):
    """A base of an architecture that has no rules here."""
    base = make_base()
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "model_type": "nanochat"}))
    return base


def test_an_architecture_without_rules_is_refused_with_the_way_out(unknown_base, make_adapter, make_request):
    request = make_request(base=unknown_base, adapter=_adapter_for(unknown_base, make_adapter))
    with pytest.raises(ExportRefused, match=r"nanochat is none of.*DLM_LLAMA_CPP_ROOT"):
        GgufSink().check(request)


def test_an_installed_llama_cpp_converts_what_has_no_rules_here(
    unknown_base, make_adapter, make_request, tmp_path, monkeypatch
):
    root = tmp_path / "llama.cpp"
    root.mkdir()
    (root / converter.SCRIPT).write_text(STAND_IN)
    monkeypatch.setenv(converter.ROOT, str(root))
    adapter = _adapter_for(unknown_base, make_adapter)
    request = make_request("BF16", base=unknown_base, adapter=adapter)
    sink = GgufSink()
    assert sink.refuses_architecture({"model_type": "nanochat"}) is None
    sink.check(request)
    weights = Merged(of_folder(unknown_base), read_parts(adapter))
    converter.convert(unknown_base, weights, "a template", "BF16", "ferry", tmp_path / "model.gguf")
    found = load_file(tmp_path / "model.gguf")
    assert all(np.array_equal(found[name].reshape(-1, found[name].shape[-1]), _whole(weights, name)) for name in found)
    said = json.loads((root / "said.json").read_text())
    assert (said["name"], said["kind"]) == ("ferry", "bf16")
    assert {"chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"} <= set(said["files"])
    assert not list(tmp_path.glob(".merged-*"))


def test_what_the_converter_says_when_it_fails_is_passed_on(unknown_base, tmp_path, monkeypatch):
    (tmp_path / converter.SCRIPT).write_text(STAND_IN)
    monkeypatch.setenv(converter.ROOT, str(tmp_path))
    (unknown_base / "config.json").write_text('{"model_type": "broken"}')
    with pytest.raises(ExportFailed, match="BrokenForCausalLM is not supported"):
        converter.convert(unknown_base, of_folder(unknown_base), None, "F16", "x", tmp_path / "model.gguf")


def test_more_than_text_is_refused_with_a_converter_too(tmp_path, monkeypatch):
    (tmp_path / converter.SCRIPT).write_text(STAND_IN)
    monkeypatch.setenv(converter.ROOT, str(tmp_path))
    assert "more than text" in str(GgufSink().refuses_architecture({"model_type": "new_vl", "vision_config": {}}))


def _adapter_for(base, make_adapter):
    """transformers knows the weights under their own name only."""
    config = (base / "config.json").read_text()
    (base / "config.json").write_text(config.replace("nanochat", "llama"))
    adapter = make_adapter(base)
    (base / "config.json").write_text(config)
    return adapter


def _whole(weights, name):
    shape = weights.shapes[name]
    return weights.rows(name, 0, shape[0] if len(shape) > 1 else 1)


@pytest.mark.parametrize(("quant", "told"), [("Q4_1", True), ("Q8_0", False)])
def test_a_base_that_was_rounded_before_is_named_where_a_type_may_find_its_grid_again(
    quant, told, make_base, make_adapter, make_request, exported
):
    base = make_base("llama", hidden_size=256, intermediate_size=256)
    tensors = load_file(base / "model.safetensors")
    for name, values in tensors.items():
        if values.ndim == 2:
            tensors[name] = gguf.dequantize(quantised(values, "Q4_1"), gguf.GGMLQuantizationType.Q4_1)
    save_file(tensors, base / "model.safetensors", {"format": "pt"})
    said: list[str] = []
    exported(make_request(quant, base=base, said=said))
    assert any("rounded to a few bits" in line and "--unmerged" in line for line in said) == told
