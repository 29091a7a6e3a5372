"""``dlm migrate``: every older document becomes one of the current version, its body untouched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm.cli.main import main
from dlm.document import read
from dlm.document.edit import cut
from dlm.document.spans import read_head
from dlm.document.upgrade import upgrade
from dlm.errors import UsageProblem

GOLDEN = sorted((Path(__file__).parents[3] / "contracts" / "golden" / "document").glob("version-*.dlm"))
SOUND = [path for path in GOLDEN if "findings" not in json.loads(path.with_suffix(".json").read_text("utf-8"))]


def dlm(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def copied(path: Path, folder: Path) -> Path:
    made = folder / path.name
    made.write_bytes(path.read_bytes())
    return made


@pytest.mark.parametrize("golden", SOUND, ids=lambda path: path.name)
def test_a_golden_document_is_brought_to_version_15_with_its_body_byte_for_byte(golden: Path, tmp_path: Path) -> None:
    path = copied(golden, tmp_path)
    old = read(path)
    done = dlm("migrate", path)
    new = read(path)
    assert done.exit_code == 0
    assert read_head(new.text).data["dlm_version"] == 15
    assert new.frontmatter == old.frontmatter
    assert [part.lines for part in cut(new.text).sections] == [part.lines for part in cut(old.text).sections]
    assert [s.id for s in new.sections] == [s.id for s in old.sections]
    comments = [line.partition("#")[2] for line in old.text.split("---")[1].splitlines() if "#" in line]
    assert comments == [line.partition("#")[2] for line in new.text.split("---")[1].splitlines() if "#" in line]
    if new.text != old.text:
        assert path.with_name(f"{path.name}.bak").read_bytes() == golden.read_bytes()


def test_every_version_has_a_sample() -> None:
    versions = {read_head(path.read_bytes().decode()).data.get("dlm_version", 1) for path in SOUND}
    assert versions == set(range(1, 16))


OLD = """\ufeff---
# Written in spring.
dlm_id: 01M81FN4JAC853MSGR8B0PH69V
base_model: 'x'   # quoted
training:
  dpo:   # better and worse
    # how strong
    beta: 0.2   # not more
    enabled: false
    reference: pre_dpo_adapter  # before
    # twice
    num_epochs: 2
  seed: 1
---

Text.  \t
"""
NEW = """\ufeff---
# Written in spring.
dlm_id: 01M81FN4JAC853MSGR8B0PH69V
dlm_version: 15
base_model: 'x'   # quoted
training:
  preference:   # better and worse
    method: dpo
    enabled: false
    reference: pre_adapter  # before
    hyperparams:
      # how strong
      beta: 0.2   # not more
      # twice
      num_epochs: 2
  seed: 1
---

Text.  \t
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_the_key_that_was_renamed_is_rewritten_where_it_stands(end: str) -> None:
    assert upgrade(OLD.replace("\n", end)) == (1, NEW.replace("\n", end))


def test_a_map_in_brackets_stays_one_and_its_comments_go_above() -> None:
    head = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69V\nbase_model: x\ntraining:\n"
    old = "  dpo: {beta: 0.2, # strong\n    enabled: false,\n    # twice\n    num_epochs: 2}  # all\n---\nText.\n"
    new = "  # strong\n  # twice\n  preference: {method: dpo, enabled: false, hyperparams: {beta: 0.2, num_epochs: 2}}"
    assert upgrade(head + old).text == head.replace("V\n", "V\ndlm_version: 15\n") + f"{new}  # all\n---\nText.\n"


def test_a_reference_to_another_key_is_left_to_a_person() -> None:
    text = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69V\nbase_model: x\ntraining:\n  cpt: &c {}\n  dpo: *c\n---\nText.\n"
    with pytest.raises(UsageProblem, match=r"`training.dpo` is written in a way that dlm does not change"):
        upgrade(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.dlm"
    path.write_text(OLD, "utf-8", newline="")
    return path


def test_a_dry_run_prints_the_change_and_writes_nothing(path: Path) -> None:
    done = dlm("migrate", "--dry-run", path)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [f"--- {path}", f"+++ {path}"]
    assert "+dlm_version: 15" in done.stdout
    assert path.read_text("utf-8") == OLD
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_old_text_is_kept_and_no_older_copy_is_lost(path: Path) -> None:
    path.with_name("old.dlm.bak").write_text("older", "utf-8")
    done = dlm("migrate", path)
    assert done.stdout == f"{path}: version 1 is now 15; as it was: {path}.bak.1\n"
    assert path.with_name("old.dlm.bak").read_text("utf-8") == "older"
    assert path.with_name("old.dlm.bak.1").read_text("utf-8") == OLD
    before = path.stat()
    assert dlm("migrate", path).stdout == f"{path}: already at version 15\n"
    assert path.stat() == before


def test_without_a_backup_there_is_none(path: Path) -> None:
    assert dlm("migrate", "--no-backup", path).stdout == f"{path}: version 1 is now 15\n"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_document_with_mistakes_is_refused_with_all_of_them(path: Path) -> None:
    text = OLD.replace("beta: 0.2", "beta: 7").replace("Text.", "::note::")
    path.write_text(text, "utf-8", newline="")
    done = dlm("migrate", path)
    assert done.exit_code == 2
    assert f"{path}:8:11: `training.dpo.beta` is 7" in done.stderr
    assert f"{path}:16:1: unknown section type `note`" in done.stderr
    assert path.read_text("utf-8") == text
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
