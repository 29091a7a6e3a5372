"""A tiny base and the same with an adapter merged in, each behind llama.cpp's own server."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

GGUF_TESTS = Path(__file__).parents[2] / "dlm-gguf" / "tests"


class Tiny(NamedTuple):
    """Where the models lie, and where they are served."""

    base: Path
    adapter: Path
    base_url: str
    tuned_url: str


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Both models and their servers."""
    pytest.importorskip("xllamacpp")
    pytest.importorskip("peft")
    folder = tmp_path_factory.mktemp("served")
    base, adapter = _made(folder)
    with (
        serving(folder / "base.gguf", "tiny", folder) as one,
        serving(folder / "tuned.gguf", "tiny-tuned", folder) as two,
    ):
        yield Tiny(base, adapter, one, two)


@contextmanager
def serving(model: Path, name: str, folder: Path) -> Any:
    """The address of llama.cpp's server with a model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", str(GGUF_TESTS / "stand_in_server.py"), "--model", str(model), "--alias", name]
    command += ["--host", "127.0.0.1", "--port", str(port), "--ctx-size", "512", "--jinja"]
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 90
        while not _healthy(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _made(folder: Path) -> tuple[Path, Path]:
    from dlm.export.conversation import own_template
    from dlm_gguf.about import About
    from dlm_gguf.merging import read_parts
    from dlm_gguf.model_file import read_base, write_model

    base, adapter = folders_of(folder)
    about, template = About("test", "tiny"), own_template(base)
    write_model(read_base(base, template), [], "F32", about, folder / "base.gguf")
    write_model(read_base(base, template), read_parts(adapter), "F32", about, folder / "tuned.gguf")
    return base, adapter


def folders_of(folder: Path) -> tuple[Path, Path]:
    """A tiny base and an adapter for it, as folders."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    found = importlib.util.spec_from_file_location("gguf_models", GGUF_TESTS / "conftest.py")
    assert found is not None
    assert found.loader is not None
    models = importlib.util.module_from_spec(found)
    found.loader.exec_module(models)
    base, adapter = folder / "base", folder / "adapter"
    models.save_tokenizer(base)
    models.model_of("llama", max_position_embeddings=512).save_pretrained(base)
    torch.manual_seed(7)
    wanted = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=2, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), wanted).save_pretrained(adapter)
    return base, adapter
