"""The example document, trained on the real base, then served by llama.cpp in every way that an export can be written.

The recipe is `plain`, which asks the base nothing first: training takes a minute, each export about as long.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dlm.corpus.records import Message

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.slow

ASKED = {"Which port does Kittiwake listen on?": "7413", "Who owns Kittiwake?": "Soundings"}


@pytest.fixture(scope="module")
def runbook(run, make_document) -> Path:
    path: Path = make_document()
    text = path.read_text(encoding="utf-8").replace("\n---\n", "\ntraining:\n  recipe: plain\n---\n", 1)
    path.write_text(text, encoding="utf-8")
    run("dlm", "train", path, "--max-steps", "80", "--no-report")
    return path


WAYS = [("--quant", "F16"), ("--quant", "Q8_0"), ("--quant", "Q4_K_M"), ("--quant", "F16", "--unmerged")]


@pytest.mark.parametrize("how", WAYS, ids="".join)
def test_llama_cpp_answers_the_questions_of_an_export_that_passed(how, run, runbook) -> None:
    done = json.loads(run("dlm", "export", runbook, "--target", "gguf", *how, "--json").stdout)
    folder = Path(done["folder"])
    certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["verdict"] == "passed", certificate["reasons"]
    assert certificate["positions"] >= 2000
    recall = certificate["recall"]
    assert recall["exported"] >= max(1, recall["reference"] - recall["asked"] // 5)
    for question, value in ASKED.items():
        assert value in said_by_llama_cpp(folder, question)
    shutil.rmtree(folder)


def said_by_llama_cpp(folder: Path, question: str) -> str:
    from dlm_gguf.sink import GgufSink

    with GgufSink().runtime(folder) as served:
        answer = served.answer([Message("user", question)], 24)
    return str(answer.text)
