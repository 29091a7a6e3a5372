"""The target keeps dlm's contract for one, and hands a model on at the end of the whole way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dlm.bases.contents import measure
from dlm.document import read
from dlm.export.options import ExportOptions
from dlm.export.run import Exported, export_to
from dlm.export.sink import Wishes
from dlm.store import Store
from dlm.testing import SinkContract

ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"


@pytest.fixture
def exporting(base_folder, adapter_folder, tmp_path, monkeypatch):
    """``exporting(form, settings)``: a function that exports one trained document into a folder."""

    def prepare(form: Any, **settings: str):
        monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
        path = tmp_path / "ferry.dlm"
        text = "# The ferry\n\n::instruction::\n### Q\nWhich port does the ferry call at?\n### A\nBorkum.\n"
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: path:{base_folder}\n---\n{text}")
        document = read(path)
        base = {"key": f"path:{base_folder}", "digest": measure(base_folder).digest, "revision": None, "source": "here"}
        sections = [section.id for section in document.sections]
        facts = {"document_digest": document.digest, "section_ids": sections, "base": base, "recipe": {"seed": 42}}
        store = Store(tmp_path / "home", ULID)
        with store.lock("train"):
            run = store.begin_run(facts)
            run.commit(lambda place: shutil.copytree(adapter_folder, place, dirs_exist_ok=True), {"precision": "fp32"})

        def export(out: Path) -> Exported:
            # What the files say is tested elsewhere: random weights change too little to be told.
            options = ExportOptions(Wishes("F16", form, settings=settings), out=out, certify=False)
            return export_to(path, "ollama", options=options)

        return export

    return prepare


class TestMerged(SinkContract):
    name = "ollama"
    plugin_module = "dlm_ollama.for_dlm"

    @pytest.fixture
    def export(self, exporting):
        return exporting("merged", create="never")


class TestWithAnAdapter(SinkContract):
    name = "ollama"
    plugin_module = "dlm_ollama.for_dlm"

    @pytest.fixture
    def export(self, exporting):
        return exporting("adapter", create="never")


def test_the_whole_way_ends_with_a_model_in_ollama(ollama, exporting, tmp_path):
    done = exporting("merged")(tmp_path / "export")
    assert done.manifest.ollama_name == f"dlm-{ULID.lower()}:v0001"
    assert [one.path for one in done.manifest.artifacts] == ["Modelfile", "model.F16.gguf"]
    assert done.handed_on[0] == f"created {done.manifest.ollama_name} in Ollama 0.34.2 at {ollama.url}"
    assert done.next_steps == (f"ollama run {done.manifest.ollama_name}",)
    assert list(ollama.models) == [done.manifest.ollama_name]
