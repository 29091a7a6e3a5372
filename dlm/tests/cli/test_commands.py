"""The commands as a user meets them: output, streams, exit codes. Real training, by the toy backend."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dlm._plugkit.plugins import PluginInfo
from dlm.cli.main import main
from dlm.cli.plugins import plugin_block
from dlm.errors import StoreLocked
from dlm.hookspecs import hookimpl
from dlm.store import Store
from dlm.testing import toy_base

pytestmark = pytest.mark.usefixtures("plugins", "home")


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture
def trained(write):
    path = write()
    assert run("-q", "train", path, "--max-steps", 40).exit_code == 0
    return path


def test_train_prints_the_plan_first_then_about_ten_lines_then_what_is_next(write):
    done = run("train", write(), "--max-steps", 100)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    steps = [line for line in lines if line.startswith("step ")]
    assert 10 <= len(steps) <= 12
    before_first_step = "\n".join(lines[: lines.index(steps[0])])
    for told in ("document", "base", "qa ", "anchor", "held out   ", "100 of 4 rows", "tokens", "store"):
        assert told in before_first_step
    after = "\n".join(lines[lines.index(steps[-1]) :])
    assert "held-out loss" in after
    assert "v1" in after
    assert 'lamp.dlm "..."' in after
    assert "sway check" in after
    assert all(len(line) <= 80 for line in lines if "/" not in line)


def test_train_json_is_one_object_on_stdout_and_progress_goes_to_stderr(write):
    done = run("train", write(), "--max-steps", 5, "--json")
    report = json.loads(done.stdout)
    assert report["version"] == 1
    assert report["plan"]["steps"] == report["outcome"]["steps"] == 5
    assert report["outcome"]["held_out_best"] < report["outcome"]["held_out_before"]
    assert "step 5/5" in done.stderr


def test_quiet_training_prints_the_result_only(write):
    done = run("-q", "train", write(), "--max-steps", 5)
    assert "step 1/5" not in done.output
    assert "held-out loss" in done.output


def test_home_moves_everything_and_only_for_this_run(write, tmp_path, home):
    elsewhere = tmp_path / "elsewhere"
    assert run("--home", elsewhere, "train", write(), "--max-steps", 2).exit_code == 0
    assert (elsewhere / "store").is_dir()
    assert not home.exists()
    assert run("prompt", write(), "Who?").exit_code == 2


def test_one_question_prints_the_answer_and_nothing_else(trained):
    done = run("prompt", trained, "Who built the lamp?", "--max-tokens", 8)
    assert done.exit_code == 0
    assert len(done.stdout) == 9
    assert run("prompt", trained, "Who built the lamp?", "--max-tokens", 8).stdout == done.stdout
    assert "--max-tokens" in done.stderr


def test_a_question_may_come_from_standard_input(trained):
    told = run("prompt", trained, "--max-tokens", 8, "--json", input="Who built it?\n")
    assert json.loads(told.stdout)["question"] == "Who built it?"


def test_a_file_of_questions_is_answered_in_order_with_one_object_a_line(trained, tmp_path):
    asked = tmp_path / "q.jsonl"
    asked.write_text('{"question": "Who?", "note": 1}\n\n"Where is it?"\n', encoding="utf-8")
    done = run("prompt", trained, "--file", asked, "--json", "--max-tokens", 4)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == ["Who?", "Where is it?"]
    assert all({"question", "answer", "tokens", "seconds"} <= set(answer) for answer in answers)
    assert run("prompt", trained, "--file", asked, "--max-tokens", 4).stdout.count("Q: ") == 2


def test_every_faulty_line_of_a_file_of_questions_is_named(trained, tmp_path):
    asked = tmp_path / "q.jsonl"
    asked.write_text('{"question": "Who?"}\nWho?\n{"frage": "Wer?"}\n{"question": ""}\n', encoding="utf-8")
    done = run("prompt", trained, "--file", asked)
    assert done.exit_code == 2
    assert done.stdout == ""
    for number in (2, 3, 4):
        assert f"{asked}:{number}:" in done.stderr
    assert f"{asked}:1:" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["", ], "empty"),
        (["Who?", "--file", "q.jsonl"], "not both"),
        (["--file", "no-such-file.jsonl"], "no-such-file.jsonl"),
        (["Who?", "--version-number", "newest"], "dlm versions"),
        (["Who?", "--version-number", "v9"], "v9"),
        (["Who?", "--version-number", "v1", "--base"], "no versions"),
        (["Who?", "--backend", "nobody"], "no installed plugin offers the backend 'nobody'"),
    ],
)  # fmt: skip
def test_a_prompt_that_makes_no_sense_ends_with_2_and_says_why(trained, arguments, told):
    done = run("prompt", trained, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_the_base_and_the_open_book_answer_without_training(write):
    path = write()
    assert run("prompt", path, "Who?", "--base", "--max-tokens", 3).exit_code == 0
    assert run("prompt", path, "Who?", "--with-doc", "--max-tokens", 3).exit_code == 0
    untrained = run("prompt", path, "Who?")
    assert untrained.exit_code == 2
    assert f"dlm train {path}" in untrained.stderr


def test_a_backend_that_is_named_answers(trained):
    named = run("prompt", trained, "Who?", "--backend", "toy")
    assert (named.exit_code, named.stdout) == (0, run("prompt", trained, "Who?").stdout)


def test_the_base_does_not_answer_as_the_trained_model_does(trained):
    answers = {run("prompt", trained, "Who?", "--temp", 1, *flag).stdout for flag in ([], ["--base"])}
    assert len(answers) == 2


def test_an_old_version_can_be_asked(trained):
    first = run("prompt", trained, "Who?", "--temp", 1, "--seed", 3).stdout
    assert run("train", trained, "--max-steps", 1, "--seed", 9).exit_code == 0
    assert run("prompt", trained, "Who?", "--temp", 1, "--seed", 3).stdout != first
    assert run("prompt", trained, "Who?", "--temp", 1, "--seed", 3, "--version-number", "v1").stdout == first


def test_a_changed_document_still_answers_with_a_note(trained):
    trained.write_text(trained.read_text(encoding="utf-8").replace("cellar", "attic"), encoding="utf-8")
    done = run("prompt", trained, "Who?", "--max-tokens", 3)
    assert done.exit_code == 0
    assert "changed" in done.stderr
    assert "changed" not in run("-q", "prompt", trained, "Who?", "--max-tokens", 3).stderr


def test_another_base_under_the_same_name_is_not_asked_through_the_adapter(trained, tmp_path):
    toy_base(tmp_path / "base", name="another")
    done = run("prompt", trained, "Who?")
    assert done.exit_code == 3
    assert "v0001 was trained on" in done.stderr
    assert f"dlm train {trained}" in done.stderr


def test_the_open_book_holds_the_text_and_no_probe(write, monkeypatch):
    from dlm.testing.toy import ToyAnswerer

    seen = []
    spell = ToyAnswerer.answer

    def record(self, conversations, sampling):
        seen.extend(conversations)
        return spell(self, conversations, sampling)

    monkeypatch.setattr(ToyAnswerer, "answer", record)
    assert run("prompt", write(), "Where is it?", "--with-doc", "--max-tokens", 2).exit_code == 0
    ((message,),) = seen
    assert "The lamp stands in the cellar." in message.content
    assert "Who built the lamp?" in message.content
    assert message.content.endswith("Where is it?")
    assert "Name the maker" not in message.content


class Interrupts:
    @hookimpl
    def dlm_training_started(self, plan):
        raise KeyboardInterrupt


def test_ctrl_c_ends_with_130_and_the_old_version_answers(trained, plugins):
    plugins.register(Interrupts(), name="interrupts")
    done = run("train", trained)
    assert done.exit_code == 130
    assert "interrupted" in done.stderr
    assert run("prompt", trained, "Who?", "--max-tokens", 3).exit_code == 0


def test_a_locked_store_ends_with_3_and_names_the_holder(write, home):
    with Store(home, "01J0000000000000000000000A").lock("train"):
        done = run("train", write(), "--max-steps", 2)
    assert done.exit_code == StoreLocked.exit_code == 3
    assert "process" in done.stderr


@pytest.mark.parametrize("command", ["train", "prompt", "study", "check"])
def test_a_file_that_is_no_document_ends_with_2_and_its_place(command, tmp_path):
    path = tmp_path / "bad.dlm"
    path.write_text("---\ndlm_id: 7\nbase_model: x\nsurprise: 1\n---\nText\n", encoding="utf-8")
    done = run(command, path, *(["Who?"] if command == "prompt" else []))
    assert done.exit_code == 2
    assert f"{path}:2:" in done.output
    assert f"{path}:4:" in done.output
    assert "Traceback" not in done.output


def test_study_shows_every_kind_with_its_reason_and_samples(write):
    done = run("study", write())
    assert done.exit_code == 0
    for told in ("qa: 1 records", "cloze:", "anchor:", "held out: ", "user: Name the maker"):
        assert told in done.output
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if line.startswith(" "))


def test_study_json_holds_every_record_or_as_many_as_asked(write):
    path = write()
    whole = json.loads(run("study", path, "--json").stdout)
    assert all(len(kind["records"]) == kind["count"] for kind in whole["kinds"])
    assert sum(kind["share"] for kind in whole["kinds"]) == pytest.approx(1, abs=1e-3)
    few = json.loads(run("study", path, "--json", "--limit", 1).stdout)
    assert all(len(kind["records"]) == 1 for kind in few["kinds"])


def test_quiet_and_verbose_contradict_each_other():
    assert run("-q", "-v", "plugins").exit_code == 2


def test_plugins_names_what_dlm_itself_offers():
    done = run("plugins")
    assert done.exit_code == 0
    for told in ("command train", "section prose", "phase sft", "base smollm2-135m"):
        assert told in " ".join(done.output.split())
    assert json.loads(run("plugins", "--json").stdout) == []


def test_a_plugin_that_failed_is_shown_with_its_reason_within_80_columns():
    failure = "ModuleNotFoundError: No module named 'a_library_that_nobody_has', needed by the broken plugin"
    row = PluginInfo("broken", "broken-plugin", "0.1", "/x", (), 1.0, failure)
    shown = plugin_block(row, [])
    assert shown.startswith("broken: broken-plugin 0.1, FAILED")
    assert "a_library_that_nobody_has" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize("command", ["train", "prompt", "study"])
def test_a_file_that_is_not_there_ends_with_2(command, tmp_path):
    done = run(command, tmp_path / "missing.dlm", *(["Who?"] if command == "prompt" else []))
    assert done.exit_code == 2
    assert "missing.dlm" in done.stderr
