"""What is remembered of a tree saves reading it and never changes what is found."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from dlm.corpus.sources import gather, index, survey
from dlm.corpus.sources.disk import HandleTree
from dlm.document.read import read

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def document(tmp_path, home):
    def make(source: str = "path: src"):
        path = tmp_path / "x.dlm"
        path.write_text(f"{HEAD}training:\n  sources:\n    - {source}\n---\n")
        return read(path)

    (tmp_path / "src/deep").mkdir(parents=True)
    for name in ("a.md", "b.py", "deep/c.md"):
        (tmp_path / "src" / name).write_text(f"text of {name}")
    (tmp_path / "src/deep/.env").write_text("secret")
    (tmp_path / "src/link.md").symlink_to("a.md")
    return make


@pytest.fixture
def later(monkeypatch):
    """As if what was written just now had been written long ago."""
    now = index.time.time_ns
    monkeypatch.setattr(index.time, "time_ns", lambda: now() + 10**10)


@pytest.fixture
def reads(monkeypatch):
    """Paths of files that were read, rules left out."""
    real, paths = HandleTree.read, []

    def noted(self, path, limit):
        if ".dlm/" not in path:
            paths.append(path)
        return real(self, path, limit)

    monkeypatch.setattr(HandleTree, "read", noted)
    return paths


def same_as_gathered(document) -> None:
    found, full = survey(document), gather(document)
    assert [(file.origin, file.id, file.weight) for file in found.files] == [
        (section.origin, section.id, section.weight) for section in full.sections
    ]
    assert (found.summaries, found.lost, found.notes) == (full.summaries, full.lost, full.notes)


def test_a_second_look_reads_nothing_and_says_the_same(document, later, reads):
    first = survey(document())
    assert sorted(reads) == ["a.md", "b.py", "deep/c.md"]
    reads.clear()
    assert survey(document()) == first
    assert reads == []
    same_as_gathered(document())


def test_only_the_file_that_changed_is_read_again(document, later, reads, tmp_path):
    survey(document())
    reads.clear()
    (tmp_path / "src/b.py").write_text("another text")
    same_as_gathered(document())
    assert reads[0] == "b.py"
    assert reads[1:] == ["a.md", "b.py", "deep/c.md"]


def test_an_edit_of_the_same_length_with_its_old_time_is_seen(document, later, tmp_path):
    survey(document())
    path = tmp_path / "src/a.md"
    times = path.stat()
    path.write_text("TEXT OF A.MD")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    same_as_gathered(document())


def test_a_file_that_was_written_a_moment_ago_is_not_trusted(document, reads):
    survey(document())
    reads.clear()
    survey(document())
    assert sorted(reads) == ["a.md", "b.py", "deep/c.md"]


def test_a_change_of_rules_is_seen(document, later, tmp_path):
    survey(document())
    rules = tmp_path / "src/deep/.dlm"
    rules.mkdir()
    (rules / "ignore").write_text("c.md\n")
    assert [file.origin for file in survey(document()).files] == ["src/a.md", "src/b.py"]
    (rules / "ignore").write_text("x.md\n")
    (rules / "training.yaml").write_text("metadata: {lang: en}\nweights: {lang: {en: 3}}\n")
    assert [file.weight for file in survey(document()).files] == [1, 1, 3]
    same_as_gathered(document())
    narrow = document("{path: src, exclude: ['*.py'], max_files: 1}")
    assert [file.origin for file in survey(narrow).files] == ["src/a.md"]
    same_as_gathered(narrow)
    same_as_gathered(document())


def test_whatever_happens_to_a_tree_the_index_never_changes_what_is_found(document, later, tmp_path):
    source = random.Random(7)
    root = tmp_path / "src"
    for step in range(60):
        files = sorted(
            path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and path.name != "ignore"
        )
        name = f"{source.choice(['', 'deep/', f'new{step}/'])}n{step}.{source.choice(['md', 'py', 'dat', 'png'])}"
        what = source.choice(["new", "new", "edit", "remove", "binary", "rename", "ignore"])
        if what == "new" or not files:
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text("new\n" * step)
        elif what == "ignore":
            (root / ".dlm").mkdir(exist_ok=True)
            (root / ".dlm/ignore").write_text(source.choice(["*.py\n", "deep/\n", "new*/\n!n2*\n", ""]) + "# " * step)
        else:
            path = source.choice(files)
            if what in ("edit", "binary"):
                path.write_bytes(path.read_bytes() + (b"more" if what == "edit" else b"\0"))
            elif what == "remove":
                path.unlink()
            else:
                path.rename(path.with_name(f"r{step}.md"))
        same_as_gathered(document())


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"dlm-sources 1 0\n{}", None])
def test_a_damaged_index_is_told_and_written_again(document, later, home, damage):
    first = survey(document())
    (path,) = (home / "cache/sources").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b" " if damage is None else damage)
    again = survey(document())
    assert (again.files, again.summaries) == (first.files, first.summaries)
    assert any("was damaged" in note for note in again.notes)
    assert path.read_bytes() == whole
    assert survey(document()) == first


def test_an_index_of_another_format_is_left_aside_without_a_word(document, later, home):
    first = survey(document())
    (path,) = (home / "cache/sources").iterdir()
    path.write_bytes(path.read_bytes().replace(b"dlm-sources 1", b"dlm-sources 9", 1))
    assert survey(document()) == first


def test_a_home_that_cannot_be_written_costs_time_only(document, tmp_path, home):
    home.write_text("a file where the folder should be")
    found = survey(document())
    assert len(found.files) == 3
    assert "read in full again" in found.notes[-1]


def test_a_look_that_shall_leave_no_trace_leaves_none(document, home):
    assert len(survey(document(), remember=False).files) == 3
    assert not home.exists()


def test_texts_are_not_in_the_index(document, later, home):
    survey(document())
    (path,) = (home / "cache/sources").iterdir()
    assert "text of" not in path.read_text()


def test_two_documents_in_one_folder_keep_what_is_known_to_each(document, later, reads, tmp_path):
    survey(document())
    survey(document("{path: src, include: ['*.md']}"))
    survey(document("path: src/deep"))
    reads.clear()
    for source in ("path: src", "{path: src, include: ['*.md']}", "path: src/deep"):
        survey(document(source))
    assert reads == []


def test_the_index_is_found_wherever_the_document_is_named_from(document, later, reads, tmp_path, monkeypatch):
    survey(document())
    reads.clear()
    monkeypatch.chdir(tmp_path)
    survey(read(Path("x.dlm")))
    assert reads == []
