"""The templates that come with dlm: sound documents, whose claims are true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlm.bases.resolve import resolve
from dlm.cli.main import main
from dlm.corpus.study import build
from dlm.document import Document
from dlm.document.model import Pair, probes
from dlm.document.read import parse
from dlm.plugins import manager
from dlm.templates.start import find, meta_of, names

GALLERY = """
coding-tutor domain-kb meeting-notes personal-assistant regex-buddy shell-one-liner study-guide writing-partner
""".split()
CODE = r"`([^`]+)`"
LIST = rf"({CODE}(?:(?:, | and ){CODE})*)".replace("([^`]+)", "[^`]+")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def document(name: str) -> Document:
    return parse(find(name).text(), f"{name}.dlm")


def check(name: str, folder: Path) -> dict[str, Any]:
    """What ``dlm check`` says of it."""
    path = folder / f"{name}.dlm"
    path.write_text(find(name).text(), encoding="utf-8")
    found: dict[str, Any] = json.loads(CliRunner().invoke(main, ["check", str(path), "--json"]).stdout)
    return found


def pairs(found: Document) -> list[Pair]:
    return [part for section in found.sections for part in section.body if isinstance(part, Pair)]


def prose(found: Document) -> str:
    return "\n".join(section.content for section in found.sections if section.type == "prose")


@pytest.mark.parametrize("name", GALLERY)
def test_it_passes_check_and_has_enough_to_learn_and_to_be_judged_by(name: str, tmp_path: Path) -> None:
    checked = check(name, tmp_path)
    assert (checked["ok"], checked["findings"]) == (True, [])
    found = document(name)
    trained = [pair for pair in pairs(found) if not pair.probe]
    assert 8 <= len(trained) <= 14
    assert sum(1 for pair in trained if len(pair.questions) > 1) >= 5
    assert len(probes(found)) >= 5
    assert found.frontmatter.system_prompt
    study = build(found, seed=42)
    assert {"qa", "wrapped", "prose", "heading"} <= {record.kind for record in study.train}
    assert study.held_out
    assert study.probes


@pytest.mark.parametrize("name", GALLERY)
def test_its_meta_is_whole_and_names_a_base_that_anybody_can_fetch(name: str) -> None:
    meta = meta_of(name)
    assert (meta.name, meta.licence) == (name, "MIT")
    assert not resolve(meta.recommended_base).requires_acceptance
    assert document(name).frontmatter.base_model == meta.recommended_base
    asked = {question for pair in pairs(document(name)) for question in pair.questions}
    assert len(meta.sample_prompts) == 3
    assert sum(prompt in asked for prompt in meta.sample_prompts) >= 1, "a sample prompt is one it was trained for"
    [offer] = manager().offers("dlm_templates")[name]
    assert offer.entry.summary == meta.summary


def test_the_gallery_is_whole_and_talks_in_turns() -> None:
    assert [name for name in names() if find(name).package == "dlm.templates"] == GALLERY
    assert sum(any(pair.before for pair in pairs(document(name))) for name in GALLERY) >= 2
    written = {path.name.partition(".")[0] for path in package_files()}
    assert written == set(GALLERY), "every file is offered"


def package_files() -> list[Path]:
    from importlib.resources import files

    return [Path(str(file)) for file in files("dlm.templates").joinpath("documents").iterdir()]


def listed(text: str) -> list[str]:
    return re.findall(CODE, text)


def test_every_pattern_of_the_regex_buddy_does_what_is_said_of_it() -> None:
    text = prose(document("regex-buddy"))
    proven, counts = set(), [0, 0, 0, 0]
    for pattern, good in re.findall(rf"{CODE} matches {LIST}", text):
        for sample in listed(good):
            assert re.search(pattern, sample), f"{pattern} does not match {sample!r}"
            counts[0] += 1
        proven.add(pattern)
    for pattern, _, bad in re.findall(rf"{CODE} matches {LIST}; it does not match {LIST}", text):
        for sample in listed(bad):
            assert not re.search(pattern, sample), f"{pattern} matches {sample!r}"
            counts[1] += 1
    for sample, pattern, wanted in re.findall(rf"In {CODE}, {CODE} finds {CODE}", text):
        found = re.search(pattern, sample)
        assert found is not None
        assert found[0] == wanted
        proven.add(pattern)
        counts[2] += 1
    for pattern, by, before, after in re.findall(rf"Replacing {CODE} by {CODE} turns {CODE} into {CODE}", text):
        assert re.sub(pattern, by, before) == after
        counts[3] += 1
    said = text.count(" matches "), text.count("does not match "), text.count("` finds `"), text.count("Replacing `")
    assert said[0] <= counts[0]
    assert said[1] <= counts[1]
    assert said[2:] == tuple(counts[2:])
    answers = [pair.answer for pair in pairs(document("regex-buddy"))]
    used = [pattern for answer in answers for pattern in re.findall(rf"^Use {CODE}", answer)]
    assert len(used) >= 10
    assert set(used) <= proven, "every answer is a pattern that the text proves"
    assert re.search(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", "2026-02-31"), "as the text warns"


def test_every_code_block_of_the_coding_tutor_runs_and_its_assertions_hold() -> None:
    blocks = BLOCK.findall(prose(document("coding-tutor")))
    assert len(blocks) == 7
    for block in blocks:
        assert "assert " in block
        done = subprocess.run([sys.executable, "-W", "error", "-c", block], capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stderr}"


EXPECTED: dict[str, list[str] | None] = {
    "find . -type f -name '*.log'": ["./logs/a b.log", "./logs/old.log"],
    "find . -type f -size +10M": ["./large.bin"],
    "grep -rn 'TODO' src": ["src/one.py:2:# TODO: more"],
    "grep -rl 'TODO' src": ["src/one.py"],
    "grep -vc '^#' config.ini": ["2"],
    "sort names.txt | uniq -c | sort -rn": ["3 ada", "2 bob", "1 cy"],
    "awk '!seen[$0]++' names.txt": ["ada", "bob", "cy"],
    "find . -name '*.py' -exec cat {} + | wc -l": ["3"],
    "cut -d, -f2 people.csv": ["city", "Oslo", "Bern"],
    "tail -n +2 people.csv": ["Ada,Oslo,3", "Bob,Bern,4"],
    "awk -F, '{ sum += $3 } END { print sum }' people.csv": ["7"],
    "sed 's/colour/color/g' notes.txt": ["color and color", "end"],
    "sed -i.bak 's/colour/color/g' notes.txt": [],
    'for f in *.jpeg; do mv -n -- "$f" "${f%.jpeg}.jpg"; done': [],
    "tar -czf docs.tar.gz docs": [],
    "tar -tzf docs.tar.gz": ["docs/", "docs/a.md"],
    "tar -xzf docs.tar.gz": [],
    "find . -type f -mtime -1": None,
    "du -sk -- * | sort -rn | head -n 3": None,
    "df -h .": None,
}
"""What each command prints, sorted where order is the file system's, blanks joined; ``None`` where it depends."""
NOT_RUN = {"lsof -nP -iTCP:8080 -sTCP:LISTEN"}
"""Looks at the machine, and is not installed everywhere."""
COMMANDS = ("find", "grep", "sort", "awk", "cut", "tail", "sed", "for", "tar", "du", "df", "lsof", "uniq", "xargs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("src", "docs", "logs"):
        (tmp_path / name).mkdir()
    files = {
        "src/one.py": "x = 1\n# TODO: more\n",
        "src/two.py": "y = 2\n",
        "config.ini": "# head\na=1\nb=2\n",
        "names.txt": "ada\nbob\nada\ncy\nbob\nada\n",
        "people.csv": "name,city,n\nAda,Oslo,3\nBob,Bern,4\n",
        "notes.txt": "colour and colour\nend\n",
        "docs/a.md": "text\n",
        "logs/a b.log": "",
        "logs/old.log": "",
        "- x.jpeg": "one",
        "b c.jpeg": "two",
        "kept.jpeg": "three",
        "kept.jpg": "four",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    old = time.time() - 3 * 86400
    os.utime(tmp_path / "logs/old.log", (old, old))
    return tmp_path


def shell(command: str, folder: Path) -> list[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    assert done.stderr == "", command
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("awk") is None, reason="needs a POSIX shell and its tools")
def test_every_shell_one_liner_does_what_is_said_of_it(folder: Path) -> None:
    text = " ".join(find("shell-one-liner").text().split())
    said = [code for code in listed(text) if code.split()[0] in COMMANDS]
    assert set(said) == {*EXPECTED, *NOT_RUN}, "every command is tried out here"
    for command, wanted in EXPECTED.items():
        printed = shell(command, folder)
        if wanted is not None:
            assert (sorted(printed) if command.startswith("find") else printed) == wanted, command
        if command.startswith("tar -t"):
            shutil.rmtree(folder / "docs")
    assert (folder / "docs/a.md").read_text() == "text\n", "packed and unpacked again"
    assert (folder / "notes.txt").read_text() == "color and color\nend\n"
    assert (folder / "notes.txt.bak").read_text() == "colour and colour\nend\n"
    assert sorted(path.name for path in folder.glob("*.jp*g")) == ["- x.jpg", "b c.jpg", "kept.jpeg", "kept.jpg"]
    assert (folder / "kept.jpg").read_text() == "four", "nothing is overwritten"
    recent = shell("find . -type f -mtime -1", folder)
    assert "./src/one.py" in recent
    assert "./logs/old.log" not in recent


def test_what_is_about_invented_people_and_things_is_noted_until_it_is_replaced(tmp_path: Path) -> None:
    noted = set()
    for name in GALLERY:
        if any("sample text" in note for note in check(name, tmp_path)["notes"]):
            noted.add(name)
            assert "# REPLACE" in find(name).text()
    assert noted == {"domain-kb", "meeting-notes", "personal-assistant"}


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_it_trains_on_the_base_that_it_recommends(name: str, tmp_path: Path) -> None:
    """A few steps each; uses the base under DLM_HOME, or fetches it."""
    from dlm.store import home
    from dlm.templates.start import document_of
    from dlm.training.run import TrainOptions, train

    path = tmp_path / f"{name}.dlm"
    path.write_text(document_of(find(name), meta_of(name).recommended_base), encoding="utf-8")
    own = tmp_path / "home"
    own.mkdir()
    if (home() / "bases").is_dir():
        (own / "bases").symlink_to(home() / "bases")
    report = train(path, home=own, options=TrainOptions(max_steps=4))
    assert report.version == 1
    assert report.outcome.steps == 4
    assert not report.outcome.non_finite
