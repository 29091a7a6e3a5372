"""``dlm init`` and ``dlm check`` as their user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm.cli.main import main
from dlm.document import read
from dlm.document.ulid import valid_ulid

BROKEN = Path(__file__).parents[3] / "contracts" / "golden" / "document" / "broken.dlm"


def dlm(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_what_init_writes_passes_check_and_says_what_to_replace(tmp_path: Path) -> None:
    path = tmp_path / "new.dlm"
    assert dlm("init", path).exit_code == 0
    checked = dlm("check", path)
    assert checked.exit_code == 0
    assert "no mistakes" in checked.stdout
    assert "sample text of `dlm init`" in checked.stdout
    assert "REPLACE" in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace("Bertha", "Maud").replace("second floor", "roof"), "utf-8")
    assert "sample text" not in dlm("check", path).stdout


def test_every_new_document_has_an_id_of_its_own_and_the_base_that_was_asked_for(tmp_path: Path) -> None:
    for name in ("a.dlm", "b.dlm"):
        assert dlm("init", tmp_path / name, "--base", "path:/some where: else").exit_code == 0
    first, second = (read(tmp_path / name).frontmatter for name in ("a.dlm", "b.dlm"))
    assert first.dlm_id != second.dlm_id
    assert valid_ulid(first.dlm_id)
    assert first.base_model == "path:/some where: else"


def test_init_leaves_an_existing_file_alone_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "mine.dlm"
    path.write_text("mine", "utf-8")
    refused = dlm("init", path)
    assert (refused.exit_code, path.read_text("utf-8")) == (2, "mine")
    assert "--force" in refused.stderr
    assert dlm("init", path, "--force").exit_code == 0
    assert read(path).title == "The tea kitchen"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.dlm"]


def test_init_names_the_folder_to_make_and_the_base_that_does_not_exist(tmp_path: Path) -> None:
    missing = dlm("init", tmp_path / "no such" / "new.dlm")
    assert missing.exit_code == 2
    assert f"mkdir -p '{tmp_path / 'no such'}'" in missing.stderr
    unknown = dlm("init", tmp_path / "new.dlm", "--base", "gpt-0")
    assert unknown.exit_code == 2
    assert "dlm base list" in unknown.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no file size limit to set")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from dlm.cli.main import main; main(['init', sys.argv[1]])"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code, tmp_path / "new.dlm"], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert "cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_prints_every_mistake_where_editors_look_for_it() -> None:
    checked = dlm("check", BROKEN)
    expected = json.loads(BROKEN.with_suffix(".json").read_text("utf-8"))["findings"]
    assert checked.exit_code == 2
    assert checked.stdout.splitlines() == [f"{BROKEN}:{line}:{col}: {what}: {fix}" for line, col, what, fix in expected]
    assert f"{len(expected)} mistakes" in checked.stderr


def test_check_as_json_holds_the_findings_or_what_will_be_trained(tmp_path: Path) -> None:
    broken = json.loads(dlm("check", BROKEN, "--json").stdout)
    assert broken["ok"] is False
    assert set(broken["findings"][0]) == {"file", "line", "col", "severity", "what", "fix"}
    path = tmp_path / "new.dlm"
    dlm("init", path)
    sound = json.loads(dlm("check", path, "--json").stdout)
    assert (sound["ok"], sound["findings"], sound["digest"]) == (True, [], read(path).digest)
    written = {"records": 8, "texts": 3, "words": 59, "questions": 5, "answers": 3, "probes": 4}
    assert written.items() <= sound["will_train"].items()
    assert [(section["type"], section["id"]) for section in sound["sections"]] == [
        (section.type, section.id) for section in read(path).sections
    ]


def test_check_finds_what_training_would_ignore_and_a_base_nobody_offers(tmp_path: Path) -> None:
    path = tmp_path / "d.dlm"
    head = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: gpt-0\ntraining: {optimizer: galore_adamw}\n---\n"
    path.write_text(f"{head}Text.\n", "utf-8")
    checked = dlm("check", path)
    assert checked.exit_code == 2
    assert f"{path}:3:13: no installed plugin offers the base 'gpt-0'" in checked.stdout
    assert f"{path}:4:12: this version of dlm does not act on `training.optimizer`" in checked.stdout


def test_check_of_a_file_that_is_not_there_says_how_to_begin(tmp_path: Path) -> None:
    checked = dlm("check", tmp_path / "d.dlm")
    assert checked.exit_code == 2
    assert "dlm init" in checked.stderr


def test_checking_loads_no_model_library() -> None:
    code = "import sys; from dlm.cli.main import main; main(['check', sys.argv[1]], standalone_mode=False);"
    code += "print(sorted({'torch', 'transformers', 'peft', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, BROKEN.with_name("plain.dlm")], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_check_says_when_the_probes_are_too_few_to_judge_by(tmp_path: Path) -> None:
    path = tmp_path / "new.dlm"
    dlm("init", path)
    assert "too few" not in dlm("check", path).stdout
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex("### Q !probe")], encoding="utf-8")
    said = " ".join(dlm("check", path).stdout.split())
    assert "note: 3 probes are too few for `sway check` to conclude from: keep at least 4" in said
