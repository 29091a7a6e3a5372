"""Writing sections and documents as text, and putting them over a file that somebody else may be editing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlm.document import Pair, Section, parse, read
from dlm.document.identity import section_id
from dlm.document.write import back_up, pairs_text, render, render_canonical, replace_text, section_text, write_new
from dlm.errors import DlmError, UsageProblem

GOLDEN = sorted((Path(__file__).parents[3] / "contracts" / "golden" / "document").glob("*.dlm"))
SOUND = [path for path in GOLDEN if '"findings"' not in path.with_suffix(".json").read_text("utf-8")[:20]]
posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of POSIX")


def section(kind: str, content: str, **more: Any) -> Section:
    return Section(kind, content, 1, section_id(kind, None, {}, content), None, **more)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_a_golden_document_survives_both_ways_of_writing(path: Path) -> None:
    document = read(path)
    assert render(document).encode() == path.read_bytes()
    again = parse(render_canonical(document), str(path))
    assert again.frontmatter == document.frontmatter
    assert [(s.id, s.weight, s.provenance) for s in again.sections] == [
        (s.id, s.weight, s.provenance) for s in document.sections
    ]


def test_a_section_is_written_with_its_fence_its_signature_and_escapes() -> None:
    signed = {"written_by": "harvest", "source": "sway run 7"}
    made = section(
        "instruction",
        pairs_text([Pair(("How do I open a section?",), "::note::\n### Q\n```\n::code::", False, 0)]),
        adapter="facts",
        weight=0.5,
        provenance=signed,
    )
    assert section_text(made) == (
        '::instruction#facts weight="0.5"::\n'
        '<!-- dlm-auto-harvest: source="sway run 7" -->\n\n'
        "### Q\nHow do I open a section?\n### A\n\\::note::\n\\### Q\n```\n::code::\n```\n"
    )


def test_a_conversation_is_written_turn_by_turn() -> None:
    first = Pair(("Who?", "Which one?"), "Heron.", False, 0)
    second = Pair(("Why?",), "Because.", True, 0, (("Who?", "Heron."),))
    assert pairs_text([first, second]) == (
        "### Q\nWho?\n### Q\nWhich one?\n### A\nHeron.\n\n### Q !followup !probe\nWhy?\n### A\nBecause."
    )
    with pytest.raises(UsageProblem, match=r"'Why\?' cannot be written: it must follow"):
        pairs_text([second])


@pytest.mark.parametrize(
    "more",
    [
        {"attributes": {"title": 'a "b"'}},
        {"attributes": {"title": "a\nb"}},
        {"adapter": "no adapter"},
        {"provenance": {"written_by": "harvest", "source": 'a "b"'}},
        {"provenance": {"written_by": "harvest"}},
        {"provenance": {"written_by": "mined"}},
    ],
)
def test_what_cannot_be_written_is_said_before_it_is(more: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match="cannot be"):
        section_text(section("prose" if "attributes" in more else "instruction", "### Q\na\n### A\nb", **more))


def test_an_empty_answer_cannot_be_written() -> None:
    with pytest.raises(UsageProblem, match="an empty answer"):
        pairs_text([Pair(("Who?",), " \n", False, 0)])


def test_a_changed_document_keeps_the_comments_and_the_text_of_what_is_unchanged() -> None:
    text = (
        "---\r\n# Mine.\r\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\r\ndlm_version: 15\r\nbase_model: 'x' # small\r\n---\r\n"
    )
    text += "Heron  is\ta pump.  \r\n::prose::\r\nOld.\r\n::prose::\r\nLast."
    document = parse(text)
    one, two, three = document.sections
    changed = replace(document, sections=(one, replace(two, content="New.\n"), three))
    assert render(changed) == text.replace("Old.\r\n", "\r\nNew.\r\n").replace("pump.  \r\n", "pump.  \r\n\r\n")
    front = document.frontmatter.model_copy(update={"base_model": "y"})
    assert render(replace(document, frontmatter=front)) == text.replace("'x'", "y")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "heron.dlm"
    path.write_bytes(b"old\r\n")
    return path


def entries(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_a_file_that_changed_meanwhile_is_left_as_the_other_one_wrote_it(path: Path) -> None:
    path.write_bytes(b"theirs")
    with pytest.raises(UsageProblem, match="was changed while dlm was working; nothing was written; run the command"):
        replace_text(path, "old\r\n", "new")
    path.unlink()
    with pytest.raises(UsageProblem, match="was changed"):
        replace_text(path, "old\r\n", "new")
    assert entries(path) == []


def test_a_change_in_the_last_moment_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read again after the new text is on the disk, so that only a rename is left to be done."""
    synced = os.fsync

    def meanwhile(handle: int) -> None:
        path.write_bytes(b"saved by an editor")
        synced(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(UsageProblem, match="was changed"):
        replace_text(path, "old\r\n", "new")
    assert path.read_bytes() == b"saved by an editor"
    assert entries(path) == ["heron.dlm"]


def test_equal_texts_do_not_touch_the_file(path: Path) -> None:
    before = path.stat()
    replace_text(path, "old\r\n", "old\r\n")
    assert path.stat() == before


@posix
def test_permissions_and_links_stay(path: Path) -> None:
    path.chmod(0o640)
    link = path.with_name("link.dlm")
    link.symlink_to(path.name)
    replace_text(link, "old\r\n", "new\r\n")
    assert link.is_symlink()
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert entries(path) == ["heron.dlm", "link.dlm"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everything")
def test_a_file_closed_to_writing_is_not_replaced(path: Path) -> None:
    path.chmod(0o400)
    with pytest.raises(DlmError, match="chmod u\\+w"):
        replace_text(path, "old\r\n", "new")
    assert path.read_bytes() == b"old\r\n"


@posix
def test_a_full_disk_leaves_the_old_text_and_nothing_beside_it(path: Path) -> None:
    code = (
        "import resource, signal, sys, pathlib; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from dlm.document.write import replace_text;"
        "replace_text(pathlib.Path(sys.argv[1]), 'old\\r\\n', 'n' * 1000)"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code, path], capture_output=True, text=True)
    assert "cannot be written (File too large); nothing has changed there" in done.stderr
    assert path.read_bytes() == b"old\r\n"
    assert entries(path) == ["heron.dlm"]


def test_a_backup_never_overwrites_an_older_one(path: Path) -> None:
    assert [back_up(path, f"{number}").name for number in range(3)] == [
        "heron.dlm.bak",
        "heron.dlm.bak.1",
        "heron.dlm.bak.2",
    ]
    assert [path.with_name(name).read_text() for name in entries(path)] == ["old\n", "0", "1", "2"]


@posix
def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    """As root, a rename over /dev/null would take it away from the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link.dlm"
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(UsageProblem, match="a device or a pipe, which is never replaced"):
            write_new(path, "new", replace=True)
        with pytest.raises(UsageProblem, match="a device or a pipe, which is never replaced"):
            replace_text(path, "old", "new")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert entries(pipe) == ["link.dlm", "pipe"]


@posix
def test_a_new_document_goes_where_a_link_leads_and_only_if_that_is_wanted(path: Path) -> None:
    link = path.with_name("link.dlm")
    link.symlink_to("nowhere.dlm")
    with pytest.raises(UsageProblem, match="this file exists"):
        write_new(link, "new")
    write_new(link, "new", replace=True)
    assert link.is_symlink()
    assert path.with_name("nowhere.dlm").read_text() == "new"
    write_new(link, "newer", replace=True)
    assert link.read_text() == "newer"
    assert link.is_symlink()


def test_a_file_that_appears_in_the_last_moment_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "new.dlm", os.fsync

    def meanwhile(handle: int) -> None:
        path.write_text("saved by an editor")
        synced(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(UsageProblem, match="this file exists"):
        write_new(path, "new")
    assert path.read_text() == "saved by an editor"
    assert entries(path) == ["new.dlm"]


@posix
def test_the_new_text_of_a_private_document_is_never_readable_to_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o600)
    seen, synced = [], os.fsync

    def look(handle: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        synced(handle)

    monkeypatch.setattr(os, "fsync", look)
    back_up(path, "old\r\n")
    replace_text(path, "old\r\n", "secret")
    assert seen == [0o600, 0o600]


@posix
def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    longest = tmp_path / ("n" * 251 + ".dlm")
    write_new(longest, "old")
    replace_text(longest, "old", "new")
    assert longest.read_text() == "new"
    for work in (lambda: write_new(longest.with_name("n" * 300), "new"), lambda: back_up(longest, "new")):
        with pytest.raises(DlmError, match="cannot be written"):
            work()
    assert entries(longest) == [longest.name]
