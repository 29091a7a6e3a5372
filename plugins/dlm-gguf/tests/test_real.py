"""The target figures, on the real base: a minute and two gigabytes for 135 million weights in eight bits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),
]
WRITE = """\
import sys, time
from pathlib import Path
from dlm_gguf.about import About
from dlm_gguf.merging import read_parts
from dlm_gguf.model_file import read_base, write_model

base, adapter, quant, path = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
started = time.perf_counter()
write_model(read_base(base, None), read_parts(adapter), quant, About("test", "smollm2-135m"), path)
status = Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.is_file() else 0
print(time.perf_counter() - started, int(peak) / 2**10, *sorted(name for name in sys.modules if name == "torch"))
"""
TEXT = "The rollback of the payments service is done by Ines Moreau on Fridays at 17:30, with version 2.41 of the tool."


@pytest.fixture(scope="module")
def base(real_base) -> Path:
    return real_base.path


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@pytest.mark.parametrize(("quant", "limit"), [("F16", 1e-3), ("Q8_0", 2e-2)])
def test_the_real_base_with_an_adapter_is_written_in_a_minute_and_says_the_same(
    quant, limit, base, make_adapter, expected, served, tmp_path
):
    from tokenizers import Tokenizer

    adapter = make_adapter(base, r=8, lora_alpha=4)
    path = tmp_path / "model.gguf"
    command = [sys.executable, "-c", WRITE, str(base), str(adapter), quant, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, peak, *heavy = re.split(r"\s+", done.strip())
    assert float(seconds) < 60
    assert float(peak) < 2048
    assert heavy == []
    ids = Tokenizer.from_file(str(base / "tokenizer.json")).encode(TEXT).ids
    wanted, found = log_softmax(expected(base, ids, adapter)), log_softmax(served(path, ids))
    assert (np.exp(wanted) * (wanted - found)).sum(-1).mean() < limit
