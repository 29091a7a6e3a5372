"""Folders of text become sections: all that is wanted, nothing that is not, and the same every time."""

from __future__ import annotations

import os
import random
import socket
import tempfile
from pathlib import Path

import pytest

from dlm.corpus.sources import gather, survey
from dlm.corpus.sources.disk import HandleTree, PathTree
from dlm.corpus.sources.sections import prior_source_ids, source_blocks, source_id
from dlm.document.read import read
from dlm.errors import DocumentError

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n"


@pytest.fixture(autouse=True)
def _home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def tree(tmp_path):
    """``tree({"a/b.md": "text"})`` writes files below ``src`` and gives that folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "src"

    return write


@pytest.fixture
def document(tmp_path):
    """``document("path: src")`` is a document with these sources, a YAML item each; ``policy`` is its policy."""

    def make(*sources: str, policy: str = "permissive", where: str = "x.dlm"):
        items = "".join("    - " + source.replace("\n", "\n      ") + "\n" for source in sources or ("path: src",))
        path = tmp_path / where
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEAD}training:\n  sources_policy: {policy}\n  sources:\n{items}---\n")
        return read(path)

    return make


def taken(document) -> list[str]:
    return [section.origin for section in gather(document).sections]


def findings(document) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        gather(document)
    with pytest.raises(DocumentError, match="dlm"):
        survey(document)
    return [str(finding) for finding in caught.value.findings]


def test_a_file_becomes_a_section_with_its_path_above_its_headings(tree, document):
    tree({"guide/a.md": "\ufeffIntro\r\n\r\n# Care\r\nOil it.\r\n", "run.py": "# no heading\nx = 1\n"})
    first, second = gather(document()).sections
    assert (first.origin, first.content, first.type) == ("src/guide/a.md", "Intro\n\n# Care\nOil it.\n", "prose")
    assert [(block.headings, block.text) for block in first.body] == [
        (("guide/a.md",), "Intro"),
        (("guide/a.md", "Care"), "Oil it."),
    ]
    assert [(block.headings, block.text) for block in second.body] == [(("run.py",), "# no heading\nx = 1")]


def test_what_looks_like_a_fence_in_a_file_is_text(tree, document):
    text = "::instruction::\n### Q\nWho?\n### A\nNobody.\n"
    tree({"a.md": text})
    (section,) = gather(document()).sections
    assert (section.type, section.content) == ("prose", text)


def test_ids_stay_when_the_whole_tree_moves_and_change_with_name_and_text(tree, document, tmp_path):
    tree({"a/b.md": "one"})
    (before,) = gather(document()).sections
    (tmp_path / "src").rename(tmp_path / "moved")
    (after,) = gather(document("path: moved")).sections
    assert before.id == after.id == source_id("a/b.md", "one\n \n")
    assert before.origin != after.origin
    assert len({before.id, source_id("a/c.md", "one"), source_id("a/b.md", "two")}) == 3


def test_the_id_of_the_prior_trainer_is_recognised(tree, document):
    # sha256(b"prose\n# source: a/b.md\n\none\n")[:16], worked out by hand
    tree({"a/b.md": "one\n"})
    (section,) = gather(document()).sections
    assert "37f7e4bddcd69bb1" in prior_source_ids(section)


def test_the_order_is_that_of_the_paths_however_the_tree_was_made(document, tmp_path):
    names = ["b.md", "a/z.md", "a-b.md", "a.md", "a/b/c.md", "Z.md", "é.md"]
    digests = set()
    for seed in range(3):
        shuffled = random.Random(seed).sample(names, len(names))
        for name in shuffled:
            (tmp_path / f"s{seed}" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / f"s{seed}" / name).write_text(name)
        found = gather(document(f"path: s{seed}"))
        assert [section.origin for section in found.sections] == [f"s{seed}/{n}" for n in sorted(names, key=str.encode)]
        digests.add(found.summaries[0].digest)
    assert len(digests) == 1


def test_a_document_in_a_dot_dlm_folder_counts_paths_from_the_folder_above(tree, document):
    tree({"a.md": "one"})
    assert taken(document("path: .", where=".dlm/corpus.dlm")) == ["src/a.md"]
    assert taken(document("path: src", where=".dlm/corpus.dlm", policy="strict")) == ["src/a.md"]


def test_a_missing_source_and_one_that_leads_out_are_found_at_their_lines(tree, document, tmp_path):
    root = tree({"a.md": "one"})
    inside = f"path: {root}"
    (tmp_path / "link").symlink_to(tmp_path.parent, target_is_directory=True)
    found = findings(document(inside, "path: nowhere", "path: ..", "path: link", policy="strict"))
    place = tmp_path / "x.dlm"
    assert [line.split(":")[1] for line in found] == ["9", "10", "11"]
    assert found[0].startswith(f"{place}:9:13: there is nothing at `nowhere`")
    assert "sources_policy: permissive" in found[1]
    assert "leads out of the document's folder" in found[2]
    assert taken(document(inside, policy="strict")) == ["src/a.md"]


def test_under_the_permissive_policy_a_source_may_lie_anywhere_and_is_named_in_full(document, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.md").write_text("one")
    assert taken(document(f"path: {elsewhere}")) == [f"{elsewhere}/a.md"]


def test_a_single_file_is_a_source_and_a_secret_is_none(tree, document):
    tree({"package-lock.json": "{}", "deep/.env": "KEY=1"})
    found = gather(document("path: src/package-lock.json", "path: src/deep/.env"))
    assert [section.origin for section in found.sections] == ["src/package-lock.json"]
    assert found.summaries[1].skipped_secret == 1


def test_a_folder_of_secrets_is_no_source_by_whatever_name_it_is_called(tree, document, tmp_path):
    tree({".ssh/config": "Host a", "notes/a.md": "A."})
    (tmp_path / "keys").symlink_to("src/.ssh")
    for path in ("src/.ssh", "src/.ssh/config", "keys", "keys/config"):
        (finding,) = findings(document(f"path: {path}"))
        assert f"x.dlm:8:13: `{path}`: what lies in `.ssh` is secret and never trained" in finding
    inside = document("path: .", where="src/.ssh/x.dlm")
    assert "what lies in `.ssh`" in findings(inside)[0]


def test_no_file_is_taken_twice_when_sources_overlap(tree, document):
    tree({"a.md": "one", "in/b.md": "two"})
    assert taken(document("path: src/in", "path: src", "path: src/a.md")) == ["src/in/b.md", "src/a.md"]


def test_a_source_that_an_earlier_one_holds_says_so(tree, document):
    tree({"a.md": "A."})
    assert gather(document("path: src", "path: src/a.md")).notes == (
        "src/a.md: all that is here is in an earlier source",
    )


def test_files_that_hold_no_text_are_counted_and_the_rest_is_taken(tree, document):
    tree(
        {
            "a.md": "text",
            "zero.dat": b"ab\0cd",
            "late.dat": b"x" * 9000 + b"\0",
            "latin.txt": "café".encode("latin-1"),
            "empty.md": " \n\n",
            "large.md": "x" * 200,
            "other.dlm": "---\n---\n",
            "node_modules/x/readme.md": "not mine",
        }
    )
    found = gather(document("path: src\nmax_bytes_per_file: 100\nexclude: ['/late.dat']"))
    (summary,) = found.summaries
    assert [section.origin for section in found.sections] == ["src/a.md"]
    counts = summary.skipped_binary, summary.skipped_encoding, summary.skipped_empty, summary.skipped_over_size
    assert (counts, summary.excluded, summary.file_count, summary.total_bytes) == ((1, 1, 1, 1), 3, 1, 4)
    assert found.lost == {"src/large.md"}
    assert gather(document("path: src")).summaries[0].skipped_binary == 2


def test_max_files_takes_the_first_by_path_and_says_which_are_lost(tree, document):
    tree({f"{name}.md": name for name in "dbca"})
    found = gather(document("path: src\nmax_files: 2"))
    assert [section.origin for section in found.sections] == ["src/a.md", "src/b.md"]
    assert (found.lost, found.summaries[0].skipped_over_count) == ({"src/c.md", "src/d.md"}, 2)
    assert gather(document("path: src\nmax_files: 2", "path: src")).lost == frozenset()


def test_include_and_exclude_of_the_document_narrow_a_source(tree, document):
    tree({"docs/a.md": "1", "docs/draft/b.md": "2", "src/c.md": "3", "docs/d.txt": "4"})
    assert taken(document("path: src\ninclude: [docs/]\nexclude: [draft/, '*.txt']")) == ["src/docs/a.md"]


def test_patterns_that_can_match_nothing_are_mistakes(tree, document):
    tree({"a.md": "1"})
    (found,) = findings(document("path: src\nexclude:\n  - '*.md'\n  - '!'"))
    assert ":11:" in found
    assert "can match nothing" in found


SECRETS = (".env", "deep/.env.local", "deep/id_rsa", "key.pem", ".aws/config", "secrets.yaml", "credentials.json")


def test_secrets_always_lose(tree, document):
    tree(
        {
            **dict.fromkeys(SECRETS, "hidden"),
            ".env.example": "KEY=",
            ".dlm/training.yaml": "include: ['**/*', '.env']\nexclude_defaults: false\n",
            ".dlm/ignore": "".join(f"!{name.split('/')[-1]}\n" for name in SECRETS) + "!.aws/\n!*\n!**/*\n",
            "deep/.dlm/ignore": "!id_rsa\n!/.env.local\n",
        }
    )
    (Path(tree({})) / "notes.txt").symlink_to(".env")
    (Path(tree({})) / "config").symlink_to(".aws")
    (Path(tree({})) / "readable").symlink_to("deep")
    found = gather(document("path: src\ninclude: ['.env', '**/*']"))
    assert [section.origin for section in found.sections] == ["src/.env.example"]
    assert "hidden" not in repr(found)
    assert found.summaries[0].skipped_secret >= len(SECRETS)


def test_ignore_files_go_from_the_top_down_and_the_last_match_wins(tree, document):
    tree(
        {
            ".dlm/ignore": "*.log\nbuild\n!build/\n/private/\n",
            "a.log": "1",
            "keep/.dlm/ignore": "!b.log\n",
            "keep/b.log": "2",
            "keep/c.log": "3",
            "build/d.md": "4",
            "private/.dlm/ignore": "!*\n",
            "private/e.md": "5",
            "deep/private/f.md": "6",
        }
    )
    assert taken(document()) == ["src/build/d.md", "src/deep/private/f.md", "src/keep/b.log"]


def test_nested_configurations_add_up(tree, document):
    tree(
        {
            ".dlm/training.yaml": "include: ['*.md']\nexclude: [draft.md]\nmetadata: {lang: en, team: a}\n",
            "a.md": "1",
            "a.txt": "2",
            "sub/.dlm/training.yaml": "include: [keep/]\nmetadata: {lang: fr}\nexclude_defaults: false\n",
            "sub/keep/draft.md": "3",
            "sub/keep/b.txt": "4",
            "sub/c.md": "5",
            "sub/keep/dist/d.md": "6",
            "dist/e.md": "7",
        }
    )
    found = gather(document("path: src\ninclude: ['*.txt']"))
    assert {section.origin: dict(section.tags) for section in found.sections} == {
        "src/a.md": {"lang": "en", "team": "a"},
        "src/sub/keep/b.txt": {"lang": "fr", "team": "a"},
        "src/sub/keep/dist/d.md": {"lang": "fr", "team": "a"},
    }
    assert found.summaries[0].tags == {"lang": {"en": 1, "fr": 2}, "team": {"a": 3}}


def test_weights_that_multiply_beyond_every_number_stay_numbers(tree, document):
    rules = "metadata: {a: x, b: y}\nweights: {a: {x: %s}, b: {y: %s}}\n"
    for number, product in (("1.0e+300", 1e9), ("1.0e-300", 1e-9)):
        tree({"a.md": "A.", ".dlm/training.yaml": rules % (number, number)})
        assert [section.weight for section in gather(document()).sections] == [product]


def test_weights_hold_for_their_subtree_and_none_drops_a_file(tree, document):
    weigh = "metadata: {kind: x, lang: en}\nweights:\n  kind: {x: 2}\n  lang: {en: 0.5, fr: 3}\n"
    tree(
        {
            "plain.md": "0",
            "a/.dlm/training.yaml": weigh,
            "a/one.md": "1",
            "a/b/.dlm/training.yaml": "metadata: {lang: fr}\nweights: {kind: {x: 10}}\n",
            "a/b/two.md": "2",
            "a/c/.dlm/training.yaml": "weights: {kind: {x: 0}}\n",
            "a/c/three.md": "3",
            "d/.dlm/training.yaml": "metadata: {kind: x}\n",
            "d/four.md": "4",
        }
    )
    found = gather(document())
    weights = {section.origin: section.weight for section in found.sections}
    assert weights == {"src/a/b/two.md": 30, "src/a/one.md": 1, "src/d/four.md": 1, "src/plain.md": 1}
    assert found.summaries[0].excluded == 1
    assert [file.weight for file in survey(document()).files] == list(weights.values())


def test_every_mistake_of_every_configuration_is_found_with_its_place(tree, document, tmp_path):
    tree(
        {
            "a/.dlm/training.yaml": "dlm_training_version: 2\ninclud: [x]\nmetadata:\n  n: 3\nweights: {t: {v: -1}}\n",
            "b/.dlm/training.yaml": "exclude: [a]\nexclude: [b]\n",
            "c/.dlm/training.yaml": "exclude: [\n",
            "d/.dlm/training.yaml": "",
            "e/.dlm/training.yaml": b"exclude: [\xff]\n",
            "f/.dlm/ignore": "ok\n!\n",
            "g/.dlm/training.yaml": "exclude: ['']\nweights: {t: {v: .inf}}\n",
        }
    )
    (tmp_path / "src/h").mkdir()
    (tmp_path / "src/h/.dlm").symlink_to("../a/.dlm")
    found = [line.removeprefix(str(tmp_path / "src") + "/") for line in findings(document())]
    starts = [line.split(": ")[0] for line in found]
    assert starts == [
        "a/.dlm/training.yaml:1:23",
        "a/.dlm/training.yaml:2:1",
        "a/.dlm/training.yaml:4:6",
        "a/.dlm/training.yaml:5:18",
        "b/.dlm/training.yaml:2:1",
        "c/.dlm/training.yaml:1:11",
        "d/.dlm/training.yaml:1:1",
        "e/.dlm/training.yaml:1:1",
        "f/.dlm/ignore:2:1",
        "g/.dlm/training.yaml:1:11",
        "g/.dlm/training.yaml:2:18",
        "h/.dlm/ignore:1:1",
        "h/.dlm/training.yaml:1:1",
    ]
    assert "did you mean `include`" in found[1]
    assert not any("dlm init" in line or "frontmatter" in line for line in found)


def test_links_inside_are_followed_once_and_those_that_lead_out_are_not(tree, document, tmp_path):
    root = tree({"real/a.md": "1", "docs/b.md": "2", "node_modules/c.md": "3"})
    (tmp_path / "outside.md").write_text("out")
    (root / "docs/real").symlink_to("../real")
    (root / "docs/again").symlink_to("../real")
    (root / "docs/d.md").symlink_to("../real/a.md")
    (root / "docs/up").symlink_to("..")
    (root / "docs/self").symlink_to("self")
    (root / "docs/gone").symlink_to("nowhere")
    (root / "docs/out.md").symlink_to(tmp_path / "outside.md")
    (root / "docs/etc").symlink_to("/etc")
    (root / "docs/modules").symlink_to("../node_modules")
    (root / "real/back").symlink_to("../docs")
    everything = gather(document())
    assert [section.origin for section in everything.sections] == ["src/docs/b.md", "src/real/a.md"]
    assert everything.summaries[0].skipped_link == 5
    assert "docs/etc, docs/gone, docs/out.md and 2 more" in everything.notes[0]
    only_docs = document("path: src\ninclude: [docs/]")
    assert taken(only_docs) == ["src/docs/again/a.md", "src/docs/b.md"]


def test_a_tree_three_hundred_folders_deep_is_read_to_its_end(tmp_path, document):
    name = "a folder with a long name"
    root = tmp_path / "src"
    root.mkdir()
    handle = os.open(root, os.O_RDONLY)
    for _ in range(300):
        os.mkdir(name, dir_fd=handle)
        below = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    file = os.open("deep.md", os.O_WRONLY | os.O_CREAT, dir_fd=handle)
    os.write(file, b"at the bottom")
    os.close(file)
    os.close(handle)
    (section,) = gather(document()).sections
    assert section.origin == f"src/{f'{name}/' * 300}deep.md"
    assert survey(document()).files[0].id == survey(document()).files[0].id == section.id


def test_both_ways_to_look_at_a_folder_see_the_same(tree):
    root = tree({"a.md": "1", "b/c.md": "2"})
    (root / "link").symlink_to("a.md")
    os.mkfifo(root / "pipe")
    with HandleTree(root) as handles, PathTree(root) as paths:
        assert handles.entries("") == paths.entries("")
        assert [(name, kind) for name, kind, _ in paths.entries("")] == [
            ("a.md", "file"),
            ("b", "folder"),
            ("link", "link"),
            ("pipe", "other"),
        ]
        assert handles.read("b/c.md", 10) == paths.read("b/c.md", 10)
        for tree_ in (handles, paths):
            with pytest.raises(OSError, match="plain file"):
                tree_.read("pipe", 10)


def test_pipes_sockets_and_names_that_are_no_text_are_passed_over(tree, document):
    root = tree({"a.md": "1"})
    os.mkfifo(root / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "s.md")) if len(str(root)) < 90 else None
        (Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.md"))).write_text("x")
        found = gather(document())
    assert [section.origin for section in found.sections] == ["src/a.md"]
    assert found.summaries[0].skipped_encoding == 1


@pytest.fixture
def as_nobody():
    """Runs without the rights of root, for whom every file is open."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield


def test_what_may_not_be_read_is_counted_and_counts_as_lost(monkeypatch, request):
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        for path in ("src/a.md", "src/closed.md", "src/locked/b.md"):
            (base / path).parent.mkdir(parents=True, exist_ok=True)
            (base / path).write_text("text")
        (base / "x.dlm").write_text(f"{HEAD}training:\n  sources:\n    - path: src\n---\n")
        base.chmod(0o755)
        (base / "src/closed.md").chmod(0)
        (base / "src/locked").chmod(0)
        request.getfixturevalue("as_nobody")
        found = gather(read(base / "x.dlm"))
        if os.geteuid() != 0 and os.getuid() == 0:
            os.seteuid(0)
        (base / "src/locked").chmod(0o755)
    assert [section.origin for section in found.sections] == ["src/a.md"]
    assert found.lost == {"src/closed.md", "src/locked"}
    assert found.summaries[0].skipped_unreadable == 2


def test_a_file_that_goes_away_while_we_look_is_lost_and_nothing_breaks(tree, document, monkeypatch):
    root = tree({"a.md": "1", "b.md": "2"})
    real = HandleTree.read

    def read_late(self, path, limit):
        if path == "a.md":
            (root / "b.md").unlink()
        return real(self, path, limit)

    monkeypatch.setattr(HandleTree, "read", read_late)
    found = gather(document())
    assert ([section.origin for section in found.sections], found.lost) == (["src/a.md"], {"src/b.md"})


def test_the_document_and_the_home_of_dlm_are_never_sources(tmp_path, monkeypatch, document):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home/leak.md").write_text("from a store")
    (tmp_path / "a.md").write_text("1")
    assert taken(document("path: .", where="text.md")) == ["a.md"]


def test_a_text_file_without_headings_is_one_block():
    assert [block.headings for block in source_blocks("a.txt", "one\n\ntwo")] == [("a.txt",)]


def test_without_sources_there_is_nothing_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "no home"))
    (tmp_path / "x.dlm").write_text(f"{HEAD}---\ntext\n")
    assert gather(read(tmp_path / "x.dlm")).sections == survey(read(tmp_path / "x.dlm")).files == ()
    assert not (tmp_path / "no home").exists()


def test_a_folder_of_dlms_own_is_no_source(tree, document, tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    (tmp_path / "home/store").mkdir(parents=True)
    tree({".dlm/training.yaml": "metadata: {a: b}\n", "a.md": "1"})
    found = findings(document("path: home", "path: home/store", "path: src/.dlm", "path: src/.dlm/training.yaml"))
    assert [line.split(":")[1] for line in found] == ["8", "9", "10", "11"]
    assert all("dlm's own" in line for line in found)
