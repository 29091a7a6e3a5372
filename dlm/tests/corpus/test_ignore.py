"""Patterns mean what git means by them; git itself is the judge where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlm.corpus.sources import names
from dlm.corpus.sources.names import file_kind, folder_kind
from dlm.corpus.sources.patterns import Includes, Patterns

NAMES = ("a", "b", "ab", "c.md", "x.md")
_PARTS = st.sampled_from(["a", "b", "ab", "*", "**", "a*", "*b", "?", "[ab]", "[!a]", "c.md", "*.md"])
_PATTERN = st.builds(
    lambda sign, root, parts, folder: sign + root + "/".join(parts) + folder,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(_PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
_RULES = st.dictionaries(
    st.sampled_from(["", "a", "a/b", "ab", "a/ab"]), st.lists(_PATTERN, min_size=1, max_size=4), min_size=1, max_size=3
)
FOLDERS = ("a", "b", "ab", "a/a", "a/b", "a/ab", "b/a", "a/b/a")


def kept(root: Path, rules: dict[str, list[str]], folder: str = "", above: tuple = ()) -> set[str]:
    """What a walk that never enters an ignored folder takes."""
    here = (*above, (len(folder) + 1 if folder else 0, Patterns(rules[folder]))) if folder in rules else above
    found = set()
    for entry in (root / folder).iterdir():
        path = f"{folder}/{entry.name}" if folder else entry.name
        out = False
        for cut, patterns in here:
            verdict = patterns.verdict(path[cut:], entry.is_dir())
            out = out if verdict is None else verdict
        if not out:
            found |= kept(root, rules, path, here) if entry.is_dir() else {path}
    return found


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> tuple[Path, Path]:
    """The same tree twice: one that git looks at, and one for us."""
    both = tmp_path_factory.mktemp("git"), tmp_path_factory.mktemp("mine")
    for root in both:
        for folder in ("", *FOLDERS):
            (root / folder).mkdir(exist_ok=True)
            for name in NAMES:
                if not (root / folder / name).exists() and f"{folder}/{name}".strip("/") not in FOLDERS:
                    (root / folder / name).write_text("x")
    return both


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=_RULES)
def test_nested_ignore_files_leave_what_git_leaves(trees, rules):
    judged, mine = trees
    subprocess.run(["git", "init", "-q"], cwd=judged, check=True)
    for old in judged.rglob(".gitignore"):
        old.unlink()
    for folder, lines in rules.items():
        (judged / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=judged, capture_output=True, text=True, check=True).stdout
    assert kept(mine, rules) == {path for path in listed.split("\0") if path and not path.endswith(".gitignore")}


@pytest.mark.parametrize(
    ("lines", "path", "folder", "verdict"),
    [
        (["*.log", "!keep.log"], "keep.log", False, False),
        (["!keep.log", "*.log"], "keep.log", False, True),
        (["docs/**", "!docs/guide.md"], "docs", True, None),
        (["docs/**", "!docs/guide.md"], "docs/guide.md", False, False),
        (["build/"], "build", False, None),
        (["build/"], "a/build", True, True),
        (["/notes"], "a/notes", False, None),
        (["a/b"], "x/a/b", False, None),
        (["**/a/b"], "x/a/b", False, True),
        (["# comment", "", "\\#x"], "#x", False, True),
        (["with blank\\ "], "with blank ", False, True),
        (["*", "!*/", "!*.md"], "deep/x.png", False, True),
        (["*", "!*/", "!*.md"], "deep/x.md", False, False),
    ],
)
def test_the_last_pattern_that_matches_decides(lines, path, folder, verdict):
    assert Patterns(lines).verdict(path, folder) is verdict


def test_lines_that_can_match_nothing_are_told_with_their_number():
    assert [tuple(bad) for bad in Patterns(["ok", "# fine", "", "!", " ", "/"]).bad] == [(3, "!"), (5, "/")]


def test_an_included_folder_stands_for_all_below_and_the_star_for_everything():
    assert Includes(["docs/"]).wants("docs/a/b.md")
    assert not Includes(["docs/"]).wants("src/a.md")
    assert Includes(["*.md", "!draft*"]).wants("a/b.md")
    assert not Includes(["*.md", "!draft*"]).wants("a/draft.md")
    assert not Includes([]).wants("a.md")
    for everything in ("**/*", "*", "**"):
        assert Includes([everything]).wants("a/b/.c")


SECRETS = (
    ".env .env.local .ENV prod.env id_rsa id_rsa.pub ID_ED25519 server.pem tls.KEY cert.p12 a.pfx a.keystore a.kdbx "
    ".netrc .npmrc .pypirc secrets.yaml Secrets.toml credentials credentials.json .git-credentials .htpasswd "
    "service-account-1.json terraform.tfstate server.pem~ server.key.old .netrc.bak prod.env.orig~ #tls.key#"
).split()


@pytest.mark.parametrize("name", [*SECRETS, "server.pem ", "server.key."])
def test_a_secret_is_known_by_its_name(name):
    assert file_kind(name) == "secret"


def test_folders_of_secrets_are_known_and_samples_are_none():
    assert {folder_kind(name) for name in (".aws", ".SSH", ".gnupg", ".ssh.bak")} == {"secret"}
    assert {folder_kind(name) for name in ("credentials", "keys", "src")} == {""}
    for name in (
        ".env.example",
        ".env.sample",
        "environment.md",
        "keys.md",
        "secretary.md",
        "service_account.py",
        "a.md~",
    ):
        assert file_kind(name) == "", name


def test_what_tools_write_is_left_out_at_any_depth_and_text_is_not():
    for name in (".git", "node_modules", "__pycache__", "venv", "build", "dist", "target", "x.egg-info"):
        assert folder_kind(name) == "tool", name
    for name in ("package-lock.json", "Cargo.lock", "a.min.js", "logo.PNG", "a.zip", "a.pyc", "a.pdf"):
        assert file_kind(name) == "tool", name
    for name in ("build", "README.md", "a.py", "a.rst", "notes.txt", "a.json", "Makefile"):
        assert file_kind(name) == "", name
    assert file_kind("Other.DLM") == "document"


def test_the_reference_page_lists_every_name_of_a_secret():
    page = (Path(__file__).parents[3] / "docs/reference/sources.md").read_text("utf-8")
    listed = {
        *names._SECRET_FOLDERS,
        *names._SECRET_NAMES,
        *(f"*{ending}" for ending in names._SECRET_ENDS),
        *(f"{start}*" for start in names._SECRET_STARTS if start not in (".env", "secrets.")),
        *(f"{start}*.json" for start in names._ACCOUNT_STARTS),
        *(f".env{ending}" for ending in names._ENV_SAMPLES),
        *(".env", ".env.*", "secrets.*"),
    }
    assert not {name for name in listed if f"`{name}`" not in page}


def test_the_example_of_the_reference_page_is_valid():
    from dlm.corpus.sources.config import read_config
    from dlm.document.read import parse

    page = (Path(__file__).parents[3] / "docs/reference/sources.md").read_text("utf-8")
    document, rules = page.split("\n```\n")[1::2][:2]
    assert len(parse(document).frontmatter.training.sources) == 2
    found = []
    config = read_config(rules, lambda *finding: found.append(finding))
    assert (found, config.weights) == ([], {"kind": {"manual": 2, "log": 0}})
