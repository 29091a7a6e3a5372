"""The backend that a suite names: it loads nothing that is known, and takes nothing that another model answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from dlm_hf.judging import HfJudging
from dlm_sway.errors import TargetError
from dlm_sway.scoring.remembering import Remembered
from dlm_sway.scoring.session import asking
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing.startup import modules_after

ITEMS = (Item("what is the port of Kittiwake ?", "Kittiwake listens on 7413 ."), Item("hello"))


@pytest.fixture
def models(tiny_base, write_adapter, tmp_path, monkeypatch):
    """Copies of a base and an adapter, and a cache of their own."""
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(tiny_base, tmp_path / "base")
    write_adapter(tiny_base, tmp_path / "adapter")
    return tmp_path


def backend_of(folder, adapter="adapter", dtype="auto", **defaults):
    spec = ModelSpec(base=str(folder / "base"), adapter=folder / adapter, dtype=dtype)
    return HfJudging(ModelPair(spec.model_copy(update={"adapter": None}), spec), SuiteDefaults(**defaults))


def loads(backend):
    """Answers of every kind, and whether a model was loaded for them."""
    with asking(backend, cache=True, trace=None) as session:
        found = [
            session.describe()["backend"],
            session.compare(ITEMS, FT),
            session.compare(ITEMS, View("null", seed=3)),
            session.noise(ITEMS),
            session.texts(["hello zebra what is the port"], FT),
            session.generate(ITEMS, BASE, max_new_tokens=4),
            session.count_tokens(["hello zebra"]),
            session.inspect(),
        ]
    loaded = "_scoring" in backend.__dict__
    backend.close()
    return found, loaded


def test_the_same_models_are_not_loaded_twice_wherever_they_lie(models):
    first, loaded = loads(backend_of(models))
    assert loaded
    again, loaded = loads(backend_of(models))
    assert not loaded
    assert again == first
    moved = models / "moved"
    moved.mkdir()
    for name in ("base", "adapter"):
        shutil.copytree(models / name, moved / name)
    with asking(backend_of(moved), cache=True, trace=None) as session:
        assert session.compare(ITEMS, FT) == first[1]
        assert session.compare(ITEMS, View("null", seed=3)) == first[2]
        assert "_scoring" not in session.backend.__dict__
        assert session.describe()["base"] != first[0]


def change_byte(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 64
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: change_byte(folder / "adapter" / "adapter_model.safetensors"),
        lambda folder: change_byte(folder / "base" / "model.safetensors"),
        lambda folder: (folder / "base" / "chat_template.jinja").write_text("{{ messages[0].content }}</s>"),
        lambda folder: (folder / "adapter" / "adapter_config.json").write_text(
            (folder / "adapter" / "adapter_config.json").read_text().replace('"lora_alpha": 8', '"lora_alpha": 4')
        ),
    ],
)
def test_a_changed_file_is_another_model(models, change):
    def known():
        remembered = Remembered(backend_of(models))
        remembered.put("compare", FT, {ITEMS[0]: (1, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, ())})
        found = Remembered(backend_of(models)).get("compare", FT, ITEMS)
        remembered.close()
        return found

    assert known()
    change(models)
    assert Remembered(backend_of(models)).get("compare", FT, ITEMS) == {}
    assert known()


@pytest.mark.parametrize("other", [{"dtype": "bf16"}, {"system_prompt": "You are brief ."}, {"template": "raw"}])
def test_other_settings_are_another_question(models, other):
    remembered = Remembered(backend_of(models))
    remembered.put("compare", FT, {ITEMS[0]: (1, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, ())})
    assert remembered.get("compare", FT, ITEMS)
    assert Remembered(backend_of(models, **other)).get("compare", FT, ITEMS) == {}


def test_what_is_kept_holds_no_path(models):
    loads(backend_of(models))
    identity = backend_of(models).identity(lambda path: "0")
    assert identity is not None
    assert str(models) not in json.dumps([identity.base, identity.adapter])
    assert "base.json" not in identity.base["weights"]


def test_a_base_that_is_not_there_is_said_before_anything_is_loaded(models):
    shutil.rmtree(models / "base")
    with (
        pytest.raises(TargetError, match="there is no base model at"),
        asking(backend_of(models), cache=True, trace=None),
    ):
        pass


def test_a_known_run_imports_no_pytorch(models):
    suite = models / "sway.yaml"
    suite.write_text(
        "version: 1\n"
        "models: {base: {base: ./base}, ft: {base: ./base, adapter: ./adapter, device: cpu}}\n"
        "suite:\n"
        "  - {name: sound, kind: integrity}\n"
        "  - {name: nulls, kind: null_adapter, runs: 2}\n"
        "  - {name: moved, kind: delta_kl, prompts: [hello, zebra, apples, port]}\n"
    )
    code = f"from dlm_sway.suite.run import run; import sys; run({str(suite)!r}); print('torch' in sys.modules)"
    said = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert [one.stdout.strip() for one in said] == ["True", "False"]


def test_naming_the_backend_loads_no_library():
    assert not modules_after("import dlm_hf.judging") & {"torch", "transformers", "peft"}
