"""The targets keep dlm's contract for one."""

from __future__ import annotations

import json
import shutil

import pytest

from dlm.testing import SinkContract

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


class TestVllm(SinkContract):
    name = "vllm"
    plugin_module = "dlm_serving.for_dlm"

    @pytest.fixture
    def export(self, exporting):
        return exporting("vllm")


class TestVllmMerged(SinkContract):
    name = "vllm"
    plugin_module = "dlm_serving.for_dlm"

    @pytest.fixture
    def export(self, exporting):
        return exporting("vllm", "merged")


class TestMlxServe(SinkContract):
    name = "mlx-serve"
    plugin_module = "dlm_serving.for_dlm"

    @pytest.fixture
    def export(self, exporting, base_folder, tmp_path):
        base = tmp_path / "older"
        shutil.copytree(base_folder, base)
        config = json.loads((base / "config.json").read_text())
        rope = config.pop("rope_parameters")
        (base / "config.json").write_text(json.dumps({**config, "rope_theta": rope["rope_theta"]}))
        return exporting("mlx-serve", base=base)
