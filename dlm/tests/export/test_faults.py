"""An export that dies, or meets a disk that is full or closed, at any file operation.

The invariant: whoever looks finds the export of before or the new one, whole, and never none; the next export works
and leaves nothing of the dead one.
"""

from __future__ import annotations

import errno
import os
import shutil
import traceback
from pathlib import Path

import pytest

from dlm.errors import DlmError, ExportFailed, StoreLocked
from dlm.export import place
from dlm.export.manifest import artifacts_of, read_manifest
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Wishes
from dlm.store import Store

pytestmark = [
    # Newer Pythons warn when a process with threads forks; the child here only writes files and ends.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
DLM_ID = "01J0000000000000000000000A"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
DONE, REFUSED = 0, 3


def named(name: str, out: Path | None = None) -> ExportOptions:
    return ExportOptions(Wishes(name=name), out=out, certify=False)


def check_served(folder: Path) -> str:
    """Which export lies there: all of it."""
    manifest = read_manifest(folder)
    assert manifest is not None, "there was a moment without an export"
    assert artifacts_of(folder) == manifest.artifacts
    assert manifest.name is not None
    return manifest.name


def check_goes_on(document: Path, home: Path) -> None:
    done = export_to(document, "toy", home=home, options=named("next"))
    assert check_served(done.folder) == "next"
    assert sorted(path.name for path in done.folder.parent.iterdir()) == [".locks", done.folder.name]
    assert [one["folder"] for one in Store(home, DLM_ID).manifest().exports] == [f"exports/{done.folder.name}"]


@pytest.mark.parametrize("exchanging", [True, False])
def test_an_export_may_die_at_any_file_operation(trained, home, crash_at, monkeypatch, exchanging) -> None:
    if not exchanging:
        monkeypatch.setattr(place, "_exchanging", lambda: None)
    before = export_to(trained, "toy", options=named("old"))
    seen, crashes = set(), 0
    for moment in range(1, 500):
        copy = home.with_name(f"crash-{moment}")
        shutil.copytree(home, copy)
        folder = copy / before.folder.relative_to(home)

        def work(copy: Path = copy) -> None:
            export_to(trained, "toy", home=copy, options=named("new"))

        crashed = crash_at(moment, copy, work)
        if exchanging or folder.exists():
            seen.add(check_served(folder))
        else:
            aside = [path for path, _ in place.hidden(folder.parent) if ".replaced-" in path.name]
            assert [check_served(path) for path in aside] == ["old"], "the old one is whole and can be put back"
        check_goes_on(trained, copy)
        shutil.rmtree(copy)
        if not crashed:
            break
        crashes += 1
    assert crashes > 15, "the hook saw too little to mean anything"
    assert seen == {"old", "new"}


def in_child(work) -> int:
    """0 when ``work`` was done, 3 when it ended in an error that is told to people, 1 for any other."""
    child = os.fork()
    if child == 0:
        end = 1
        try:
            work()
            end = DONE
        except DlmError:
            end = REFUSED
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(end)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refuse_writing(root: Path, moment: int, number: int) -> None:
    """From the ``moment``-th write below ``root`` on, every one fails; what takes no room still works."""
    import sys

    seen = 0

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        made = event == "os.mkdir" or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING)
        if made and str(root) in str(arguments[0]):
            seen += 1
            if seen >= moment:
                raise OSError(number, os.strerror(number), str(arguments[0]))

    sys.addaudithook(audit)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_any_write_may_be_refused(trained, home, number) -> None:
    before = export_to(trained, "toy", options=named("old"))
    failures = 0
    for moment in range(1, 500):
        copy = home.with_name(f"fail-{moment}")
        shutil.copytree(home, copy)

        def work(copy: Path = copy, moment: int = moment) -> None:
            refuse_writing(copy, moment, number)
            export_to(trained, "toy", home=copy, options=named("new"))

        end = in_child(work)
        assert end in (DONE, REFUSED), f"write {moment} ended in an error nobody explains"
        found = check_served(copy / before.folder.relative_to(home))
        assert found in ("old", "new") if end == REFUSED else found == "new"
        check_goes_on(trained, copy)
        shutil.rmtree(copy)
        if end == DONE:
            break
        failures += 1
    assert failures > 5


def test_what_a_dead_export_left_beside_an_own_folder_goes_with_the_next(trained, home, tmp_path, crash_at) -> None:
    out = tmp_path / "given" / "model"
    export_to(trained, "toy", options=named("old", out))
    for moment in range(3, 60, 5):
        crash_at(moment, out.parent, lambda: export_to(trained, "toy", options=named("new", out)))
        assert check_served(out) in ("old", "new")
        export_to(trained, "toy", options=named("old", out))
        assert [path.name for path in out.parent.iterdir()] == ["model"]


def test_two_at_once_of_the_same_kind_are_told_apart_and_of_two_kinds_both_work(trained, home, monkeypatch) -> None:
    from dlm.testing.toy_sink import ToySink

    write, met = ToySink.write, []

    def meanwhile(self, request, folder):
        if not met:
            met.append(True)
            with pytest.raises(StoreLocked, match="another process is writing the export"):
                export_to(trained, "toy", options=named("second"))
            other = export_to(trained, "toy", options=ExportOptions(Wishes(quant="F64", name="other"), certify=False))
            assert check_served(other.folder) == "other"
        return write(self, request, folder)

    monkeypatch.setattr(ToySink, "write", meanwhile)
    done = export_to(trained, "toy", options=named("first"))
    assert check_served(done.folder) == "first"
    assert len(Store(home, DLM_ID).manifest().exports) == 2


def test_the_version_that_is_exported_is_not_swept_away_meanwhile(trained, home, monkeypatch) -> None:
    from dlm.store.gc import sweep
    from dlm.testing.toy_sink import ToySink
    from dlm.training.run import TrainOptions, train

    train(trained, options=TrainOptions(max_steps=2, seed=1))
    write = ToySink.write

    def meanwhile(self, request, folder):
        sweep(Store(home, DLM_ID), keep=1)
        return write(self, request, folder)

    monkeypatch.setattr(ToySink, "write", meanwhile)
    done = export_to(trained, "toy", options=ExportOptions(version=1, certify=False))
    assert done.manifest.adapter_version == 1
    assert [version.number for version in Store(home, DLM_ID).versions()] == [1, 2]


@pytest.mark.parametrize(
    ("problem", "raised", "said"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (RuntimeError("a bug"), RuntimeError, "a bug"),
        (RuntimeError("I/O error (os error 28)"), ExportFailed, "no space left to write"),
        (PermissionError(errno.EACCES, "closed"), ExportFailed, "not allowed to write"),
    ],
)
def test_whatever_a_target_raises_the_export_before_stays_and_nothing_is_left(
    trained, monkeypatch, problem, raised, said
) -> None:
    from dlm.testing.toy_sink import ToySink

    before = export_to(trained, "toy", options=named("old"))

    def half(self, request, folder):
        (folder / "half").write_bytes(b"half")
        raise problem

    monkeypatch.setattr(ToySink, "write", half)
    with pytest.raises(raised, match=said):
        export_to(trained, "toy", options=named("new"))
    assert check_served(before.folder) == "old"
    assert sorted(path.name for path in before.folder.parent.iterdir()) == [".locks", before.folder.name]
