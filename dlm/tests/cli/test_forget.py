"""``dlm forget``: what is forgotten leaves the store and the document, and is never trained again."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.document import read
from dlm.store import Store
from dlm.store.tokens import overview

pytestmark = pytest.mark.usefixtures("plugins", "home")

SECRET = "::instruction::\n### Q\nWhat is the safe's code?\n### A\nThe code is xyzzy.\n"
KEEP = "training:\n  replay:\n    removed: keep"


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def train(path):
    done = run("-q", "train", path, "--max-steps", 3)
    assert done.exit_code == 0, done.output


@pytest.fixture
def secret(write):
    """A trained document whose last section is to be forgotten."""
    path = write(KEEP)
    path.write_text(path.read_text() + "\n" + SECRET)
    train(path)
    return path


def store_of(path) -> Store:
    return Store(Path(os.environ["DLM_HOME"]), read(path).frontmatter.dlm_id)


def holds(store: Store, words: bytes) -> list[str]:
    return [str(file) for file in store.layout.root.rglob("*") if file.is_file() and words in file.read_bytes()]


def test_a_forgotten_section_leaves_the_store_and_the_document_and_the_versions_that_know_it_are_named(secret):
    target, store = read(secret).sections[-1], store_of(secret)
    assert holds(store, b"xyzzy")
    rest = secret.read_text().removesuffix("\n" + SECRET)
    done = run("forget", secret, target.id[:6], "--yes")
    assert done.exit_code == 0, done.output
    assert secret.read_text().rstrip() == rest.rstrip()
    assert not holds(store, b"xyzzy")
    assert f"  v1  {store.layout.version(1)}" in done.output
    train(secret)
    again = store.ledger()
    assert (again.kept(), [stone.reason for stone in again.tombstones]) == ((), ["forgotten"])
    assert target.id not in store.current().facts["section_ids"]


def test_what_is_forgotten_cannot_come_back_unless_that_is_undone(secret):
    text, target = secret.read_text(), read(secret).sections[-1]
    assert run("forget", secret, target.id, "--yes").exit_code == 0
    secret.write_text(text)
    refused = run("train", secret)
    assert refused.exit_code == 2
    assert f"{secret}:{target.fence}:1: section {target.id} was forgotten" in refused.output
    lifted = run("forget", secret, target.id[:4], "--undo")
    assert lifted.exit_code == 0, lifted.output
    train(secret)
    assert target.id in store_of(secret).current().facts["section_ids"]
    assert run("forget", secret, target.id, "--undo").exit_code == 2


def test_a_kept_section_is_forgotten_by_its_id_and_the_list_shows_both_states(secret):
    target = read(secret).sections[-1]
    secret.write_text(secret.read_text().removesuffix(SECRET))
    train(secret)
    listed = json.loads(run("forget", secret, "--list", "--json").stdout)
    assert [(one["id"], one["kept"], one["excerpt"]) for one in listed["kept"]] == [
        (target.id, "removed", "What is the safe's code?")
    ]
    shown = run("forget", secret, "--list").stdout
    assert target.id in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    done = json.loads(run("forget", secret, target.id, "--yes", "--json").stdout)
    assert done["forgotten"][0]["removed_from_document"] is False
    assert [one["version"] for one in done["still_known_by"]] == [1, 2]
    assert not holds(store_of(secret), b"xyzzy")
    listed = json.loads(run("forget", secret, "--list", "--json").stdout)
    assert (listed["kept"], [stone["reason"] for stone in listed["tombstones"]]) == ([], ["forgotten"])


def test_a_file_of_a_source_stays_on_the_disk_and_is_left_out_from_now_on(write):
    path = write("training:\n  sources:\n    - path: notes")
    folder = path.parent / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("The code is xyzzy.")
    (folder / "b.md").write_text("The lamp is red.")
    train(path)
    done = run("forget", path, "notes/a.md", "--yes")
    assert done.exit_code == 0, done.output
    assert "stays where it is" in done.output
    assert (folder / "a.md").read_text() == "The code is xyzzy."
    assert not holds(store_of(path), b"xyzzy")
    (folder / "a.md").write_text("The code is still xyzzy.")
    again = run("forget", path, "notes/a.md", "--yes")
    assert (again.exit_code, "was forgotten on" in again.output) == (2, True)
    told = run("train", path, "--max-steps", 3)
    assert "notes/a.md is left out" in told.output
    assert not holds(store_of(path), b"xyzzy")
    assert run("forget", path, "notes/a.md", "--undo").exit_code == 0
    train(path)
    assert holds(store_of(path), b"still xyzzy")


def test_a_file_that_was_never_trained_can_be_forgotten_too(write):
    path = write("training:\n  sources:\n    - path: notes")
    (path.parent / "notes").mkdir()
    (path.parent / "notes" / "a.md").write_text("The code is xyzzy.")
    done = run("forget", path, "./notes/a.md", "--yes")
    assert done.exit_code == 0, done.output
    assert "no trained version knows it" in done.output
    train(path)
    assert not holds(store_of(path), b"xyzzy")


def test_a_heading_names_its_section_but_never_more_than_it_says(write):
    path = write()
    path.write_text(path.read_text() + "\n::prose::\n# Safe\n\nThe code is xyzzy.\n\n## Door\n\nIt is red.\n")
    refused = run("forget", path, "door", "--yes")
    assert refused.exit_code == 2
    assert "forgetting means a whole section" in refused.output
    assert "xyzzy" in path.read_text()
    assert run("forget", path, "safe", "--yes").exit_code == 0
    assert "xyzzy" not in path.read_text()
    assert "It was built by Ada Hale." in path.read_text()


def test_forgetting_empties_the_tokenised_cache(secret):
    tokens = store_of(secret).layout.tokens
    assert overview(tokens).entry_count > 0
    assert run("forget", secret, read(secret).sections[-1].id, "--yes").exit_code == 0
    assert overview(tokens).entry_count == 0


def test_a_document_that_changes_meanwhile_is_left_alone_and_that_is_said(secret):
    document, store = read(secret), store_of(secret)
    target = document.sections[-1]
    from dlm.corpus.forgetting import find, forget
    from dlm.errors import UsageProblem

    targets = find(document, store.ledger(), [target.id])
    secret.write_text(secret.read_text().replace("# Lamp", "# Lamp\n\nAnother line."))
    with pytest.raises(UsageProblem, match="delete the section from the file by hand"):
        forget(store, document, targets, "2026-01-01T00:00:00Z")
    assert "Another line." in secret.read_text()
    assert "xyzzy" in secret.read_text()
    assert [stone.reason for stone in store.ledger().tombstones] == ["forgotten"]
    assert run("train", secret).exit_code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing-like-it", "--yes"], "names no section"),
        (["abc", "--yes"], "names no section"),
        (["0000", "--undo"], "names nothing that was forgotten"),
        ([], "name one SECTION"),
        (["x", "--list"], "name one SECTION"),
        (["Lamp"], "add --yes"),
    ],
)
def test_mistakes_are_named_and_change_nothing(write, home, words, told):
    path = write()
    before = path.read_text()
    done = run("forget", path, *words)
    assert done.exit_code == 2
    assert told in done.output
    assert path.read_text() == before
    assert not home.exists()


def test_listing_creates_nothing(write, home):
    assert run("forget", write(), "--list").exit_code == 0
    assert not home.exists()


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_asks_first(secret, answer, gone):
    target = read(secret).sections[-1]
    code, shown = on_a_terminal(["forget", str(secret), target.id], answer)
    assert code == 0
    assert target.id in shown
    assert ("xyzzy" not in secret.read_text()) is gone


def on_a_terminal(arguments: list[str], answer: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from dlm.cli.main import main; main(prog_name='dlm')", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how a terminal says that nobody writes to it any more
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return process.returncode, shown.decode()
