"""An export to Ollama from the files to the model that answers, over HTTP, with llama.cpp behind it."""

from __future__ import annotations

import json
import shutil
import socket

import pytest

from dlm.corpus.records import Message
from dlm.errors import ExportFailed, ExportRefused, UsageProblem
from dlm_hf.opened import open_renderer
from dlm_ollama.closed_loop import CONVERSATIONS
from dlm_ollama.modelfile import read
from dlm_ollama.names import default_name, require_name
from dlm_ollama.sink import OllamaSink

NAME = "dlm-01hrshwz4bq3f8k2y5n7v9xtcd:v0003"


@pytest.fixture
def nobody(monkeypatch) -> str:
    """An address where nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    return f"http://127.0.0.1:{port}"


def modelfile(folder):
    return read((folder / "Modelfile").read_text(encoding="utf-8"))


def test_the_modelfile_says_everything_once_and_names_no_folder_of_this_machine(make_request, exported, tmp_path):
    folder = exported(make_request("system_prompt: Be exact.\nexport: {default_temperature: 0.3}\n"))
    text = (folder / "Modelfile").read_text(encoding="utf-8")
    model = modelfile(folder)
    assert (folder / model.model).is_file()
    assert model.adapter is None
    assert model.system == "Be exact."
    assert model.stops == ("<|im_end|>", "<|endoftext|>", "<|im_start|>")
    assert (model.temperature, model.top_p, model.num_ctx) == (0.3, 0.9, 512)
    assert model.licence == "Apache-2.0"
    assert model.comments[1:4] == ("Source: ferry.dlm", "dlm_id: 01HRSHWZ4BQ3F8K2Y5N7V9XTCD", "adapter_version: 3")
    order = [line.split(" ")[0] for line in text.splitlines() if line.split(" ")[0].isupper()]
    assert list(dict.fromkeys(order)) == ["FROM", "TEMPLATE", "PARAMETER", "SYSTEM", "LICENSE"]
    assert str(tmp_path) not in text
    assert text.count("Be exact.") == 1


def test_what_runs_here_in_place_of_ollama_reads_the_prompts_of_training(make_request, exported):
    request = make_request("system_prompt: Be exact.\n")
    folder = exported(request)
    renderer = open_renderer(request.base, request.system_prompt)
    with OllamaSink().runtime(folder) as runtime:
        for messages in CONVERSATIONS:
            assert runtime.prompt_ids(messages) == renderer.prompt_ids(messages)


def test_a_start_token_is_left_to_the_tokenizer_that_adds_it(ollama, make_request, exported, starting_base):
    request = make_request(base=starting_base)
    folder = exported(request)
    assert "<s>" not in (modelfile(folder).template or "")
    renderer = open_renderer(request.base, None)
    with OllamaSink().runtime(folder) as runtime:
        ids = runtime.prompt_ids(CONVERSATIONS[1])
        assert ids == renderer.prompt_ids(CONVERSATIONS[1])
        assert [ids.count(start) for start in runtime.start_ids] == [1]
    lines = OllamaSink().finish(request, folder)
    assert lines[1] == "reads the prompts of training: 3 token counts, 3 rendered texts, token ids equal"


def test_a_start_token_that_the_template_writes_too_is_seen(make_request, exported, starting_base):
    folder = exported(make_request(base=starting_base))
    text = (folder / "Modelfile").read_text(encoding="utf-8")
    (folder / "Modelfile").write_text(text.replace('TEMPLATE """', 'TEMPLATE """<s>'), encoding="utf-8")
    with OllamaSink().runtime(folder) as runtime:
        ids = runtime.prompt_ids(CONVERSATIONS[1])
        assert [ids.count(start) for start in runtime.start_ids] == [2]


def test_a_model_is_created_compared_and_asked(ollama, make_request, exported):
    said: list[str] = []
    request = make_request("system_prompt: Be exact.\n", said=said)
    folder = exported(request)
    lines = OllamaSink().finish(request, folder)
    assert lines[0] == f"created {NAME} in Ollama 0.34.2 at {ollama.url}"
    assert lines[1] == "reads the prompts of training: 3 token counts, 3 rendered texts, token ids equal"
    assert lines[2] == "  Which port does the ferry call at?"
    assert "right in Ollama: 0 of the document's first 2 questions" in lines[-1]
    assert ollama.models[NAME]["system"] == "Be exact."
    assert ollama.models[NAME]["template"] == modelfile(folder).template
    assert ollama.models[NAME]["parameters"] == modelfile(folder).parameters
    assert ollama.models[NAME]["license"] == "Apache-2.0"
    assert said[0] == "ollama: taking model.F32.gguf"
    assert said[-1] == "ollama: success"


def test_what_the_served_model_says_is_what_the_exported_files_say(ollama, make_request, exported):
    request = make_request()
    folder = exported(request)
    question = [Message("user", "Which port does the ferry call at?")]
    lines = OllamaSink().finish(request, folder)
    with OllamaSink().runtime(folder) as runtime:
        answer = runtime.answer(question, 96).text
    assert lines[3] == f"  > {answer.strip().splitlines()[0][:200]}" or answer.startswith(lines[3][4:-3])


def test_files_that_ollama_has_are_not_sent_again(ollama, make_request, exported):
    request = make_request()
    folder = exported(request)
    OllamaSink().finish(request, folder)
    ollama.asked.clear()
    OllamaSink().finish(request, folder)
    assert not [path for method, path in ollama.asked if method == "POST" and path.startswith("/api/blobs/")]


def test_a_server_that_shows_no_prompts_is_held_to_the_counts(ollama, make_request, exported):
    ollama.shows_prompts = False
    request = make_request()
    lines = OllamaSink().finish(request, exported(request))
    assert lines[1] == "reads the prompts of training: 3 token counts, token ids equal"


def test_a_server_that_counts_only_what_it_had_not_read_yet_is_asked_again(ollama, make_request, exported):
    ollama.counts_new_only, ollama.shows_prompts = True, False
    request = make_request()
    lines = OllamaSink().finish(request, exported(request))
    assert lines[1] == "reads the prompts of training: 3 token counts, token ids equal"


def test_a_model_that_says_nothing_is_found_out(ollama, make_request, exported, monkeypatch):
    monkeypatch.setattr(ollama, "_greedy", lambda runtime, ids, most: "")
    request = make_request()
    with pytest.raises(ExportFailed, match=f"{NAME} is in Ollama, but says nothing to 'Which port"):
        OllamaSink().finish(request, exported(request))


@pytest.mark.parametrize("shows", [True, False])
def test_a_server_that_renders_otherwise_is_found_out(ollama, make_request, exported, shows):
    honest = ollama.render
    ollama.shows_prompts = shows
    ollama.render = lambda template, messages, system: honest(template, messages, None).replace("ferry", "boat")
    request = make_request("system_prompt: Be exact.\n")
    with pytest.raises(ExportFailed, match=f"{NAME} is in Ollama, but it (writes|reads).*ollama rm {NAME}"):
        OllamaSink().finish(request, exported(request))


def test_a_server_that_reads_as_many_other_tokens_is_found_out(ollama, make_request, exported):
    honest = ollama.render
    ollama.shows_prompts = False
    ollama.render = lambda template, messages, system: honest(template, messages, system).replace("?", "!")
    request = make_request()
    with pytest.raises(ExportFailed, match="it reads the tokens"):
        OllamaSink().finish(request, exported(request))


def test_without_a_template_ollama_chooses_and_is_told_on(ollama, make_request, exported):
    ollama.render = lambda template, messages, system: messages[-1].content
    request = make_request(template=False)
    folder = exported(request)
    assert modelfile(folder).template is None
    lines = OllamaSink().finish(request, folder)
    assert lines[1].startswith("note: without a template of ours, it writes 'Which harbours")


def test_without_a_template_the_file_still_has_the_bases_own(make_request, exported):
    request = make_request(template=False)
    folder = exported(request)
    renderer = open_renderer(request.base, None)
    with OllamaSink().runtime(folder) as runtime:
        assert runtime.prompt_ids(CONVERSATIONS[1]) == renderer.prompt_ids(CONVERSATIONS[1])


def test_without_an_ollama_the_files_are_written_and_the_next_step_is_said(nobody, make_request, exported):
    request = make_request()
    folder = exported(request)
    note, *rest = OllamaSink().finish(request, folder)
    assert note == f"note: no Ollama answers at {nobody} (Connection refused)"
    assert rest[-1] == f"  ollama create {NAME} -f {folder}/Modelfile"


def test_without_an_ollama_it_fails_where_it_is_required(nobody, make_request, exported):
    request = make_request(create="require")
    folder = exported(request)
    with pytest.raises(ExportFailed, match="ollama serve"):
        OllamaSink().finish(request, folder)


def test_nobody_is_asked_when_nothing_is_to_be_created(ollama, make_request, exported):
    request = make_request(create="never")
    assert f"ollama create {NAME}" in OllamaSink().finish(request, exported(request))[-1]
    assert not ollama.asked


FAULTS = [
    ({"bytes that arrive": 100}, "it refused: 400 .*digest mismatch"),
    ({"lines of a creation": 1}, "it broke off: it stopped in the middle of creating the model"),
    ({"lines of a creation": 0}, "it stopped in the middle"),
]


@pytest.mark.parametrize(("faults", "said"), FAULTS)
def test_what_goes_wrong_is_said_with_the_way_to_do_it_by_hand(ollama, make_request, exported, faults, said):
    ollama.faults = faults
    request = make_request()
    folder = exported(request)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ExportFailed, match=said) as failure:
        OllamaSink().finish(request, folder)
    assert f"ollama create {NAME} -f {folder}/Modelfile" in str(failure.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("path", "status", "error", "said"),
    [
        ("/api/chat", 500, "llama runner process has terminated", "cannot be asked: 500 .*has terminated"),
        ("/api/chat", 404, "model not found", "cannot be asked: 404 .*model not found"),
        ("/api/generate", 503, "server busy", "cannot be asked: 503 .*server busy"),
    ],
)
def test_a_model_that_cannot_be_asked_is_said_to_be_there(
    loopback, ollama, make_request, exported, path, status, error, said
):
    ollama.faults = {path: loopback.Fault(status, error)}
    request = make_request()
    with pytest.raises(ExportFailed, match=f"{NAME} is in Ollama, but {said}"):
        OllamaSink().finish(request, exported(request))


def test_a_server_that_counts_nothing_is_not_taken_for_equal(ollama, make_request, exported):
    ollama.faults = {"no counts": True}
    request = make_request()
    with pytest.raises(ExportFailed, match="prompt_eval_count"):
        OllamaSink().finish(request, exported(request))


@pytest.mark.parametrize(
    ("answer", "said"), [(b"<html>", "not JSON: <html>"), (b"[]", "no object"), (b'{"hello": 1}', "names no version")]
)
def test_whoever_answers_and_is_no_ollama_gets_no_model(ollama, make_request, exported, answer, said):
    ollama.faults = {"answer": answer}
    request = make_request(create="require")
    with pytest.raises(ExportFailed, match=said):
        OllamaSink().finish(request, exported(request))
    assert not ollama.models


def test_an_ollama_from_before_its_api_took_files_is_told_to_be_updated(ollama, make_request, exported):
    ollama.version = "0.4.2"
    request = make_request()
    with pytest.raises(ExportFailed, match=r"it is 0\.4\.2, and takes models over its API from 0\.5\.5 on"):
        OllamaSink().finish(request, exported(request))


def test_an_adapter_is_served_where_ollama_still_makes_models_of_them(ollama, make_request, exported):
    ollama.version = "0.34.0"
    request = make_request(form="adapter")
    folder = exported(request)
    assert modelfile(folder).adapter == "./adapter.gguf"
    lines = OllamaSink().finish(request, folder)
    assert "3 token counts" in lines[1]
    assert list(ollama.models[NAME]["adapters"]) == ["adapter.gguf"]


def test_an_adapter_is_refused_before_any_work_where_ollama_makes_no_models_of_them(ollama, make_request):
    with pytest.raises(ExportRefused, match=r"0\.34\.2.*no model with an ADAPTER.*--merged"):
        OllamaSink().check(make_request(form="adapter"))
    OllamaSink().check(make_request(form="adapter", create="never"))


@pytest.mark.parametrize("name", ["a b", "../x", "a/b/c", "x:", "-x", "x" * 129, "a..b", ""])
def test_a_name_that_ollama_would_not_take_is_refused(make_request, name):
    with pytest.raises(UsageProblem, match="no name for Ollama"):
        OllamaSink().check(make_request(name=name or " "))


def test_a_setting_of_the_weights_reaches_who_writes_them(make_request):
    with pytest.raises(ExportRefused, match="--set imatrix=maybe"):
        OllamaSink().check(make_request(imatrix="maybe"))


@pytest.mark.parametrize("settings", [{"create": "maybe"}, {"num_ctx": "many"}, {"num_ctx": "3"}])
def test_a_setting_that_means_nothing_is_refused(make_request, settings):
    with pytest.raises(UsageProblem, match=f"--set {next(iter(settings))}="):
        OllamaSink().check(make_request(**settings))


def test_each_adapter_of_a_version_has_a_name_of_its_own_in_ollama():
    assert default_name("01HR", "v0003", ["tone", "facts.de"]) == "dlm-01hr:v0003-tone-facts.de"
    assert require_name(default_name("01HR", "v0003", ["naïve tone"])) == "dlm-01hr:v0003-na-ve-tone"


def test_a_date_that_is_kept_is_said(make_request, exported, base_folder, tmp_path):
    other = tmp_path / "dated"
    shutil.copytree(base_folder, other)
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("You are a ferry.", "' + strftime_now('%d %B %Y') + '"))
    said: list[str] = []
    exported(make_request(base=other, said=said))
    assert [line for line in said if "keep the date" in line]


def test_a_name_and_room_of_ones_own_are_taken(make_request, exported, tmp_path):
    request = make_request(name="ines/ferry:latest", num_ctx="128")
    folder = exported(request)
    assert modelfile(folder).num_ctx == 128
    (tmp_path / "second").mkdir()
    assert OllamaSink().write(request, tmp_path / "second").facts["ollama_name"] == "ines/ferry:latest"


def test_a_base_whose_template_is_no_known_dialect_is_refused_with_the_way_out(make_request, base_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(base_folder, other)
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>\\n", "<|im_end|>"))
    with pytest.raises(ExportRefused, match=r"knows no Ollama template.*--no-template.*--target llama-server"):
        OllamaSink().check(make_request(base=other))
    OllamaSink().check(make_request(base=other, template=False))


def test_a_system_prompt_that_a_modelfile_cannot_hold_is_refused(make_request):
    with pytest.raises(ExportRefused, match=r"ferry\.dlm.*SYSTEM.*U\+00A0"):
        OllamaSink().check(make_request('system_prompt: "Be\\u00a0exact."\n'))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read: No such file"),
        ("FROM ./model.F32.gguf\nMESSAGE user a\n", "not as dlm wrote it"),
        ("FROM ./x.gguf\n", "x.gguf"),
    ],
)
def test_a_modelfile_that_was_lost_or_changed_is_told(make_request, exported, text, why):
    folder = exported(make_request())
    (folder / "Modelfile").unlink()
    if text is not None:
        (folder / "Modelfile").write_text(text)
    with pytest.raises(ExportFailed, match=why), OllamaSink().runtime(folder):
        pass


def test_two_exports_of_the_same_are_the_same_bytes(make_request, exported):
    request = make_request("system_prompt: Be exact.\n")
    first, second = exported(request, "first"), exported(request, "second")
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_facts_for_the_manifest_name_the_model_and_the_dialect(make_request, tmp_path):
    (tmp_path / "facts").mkdir()
    written = OllamaSink().write(make_request(), tmp_path / "facts")
    assert {key: written.facts[key] for key in ("ollama_name", "dialect")} == {"ollama_name": NAME, "dialect": "chatml"}
    assert json.dumps(dict(written.facts))
