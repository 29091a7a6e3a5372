"""Watching with real files, real saves and the toy backend. What is done between trainings is done by the watcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from dlm.errors import UsageProblem
from dlm.locking.guard import Unchanged
from dlm.store import Store
from dlm.testing.toy import ToyWorkbench
from dlm.training.run import TrainOptions, train
from dlm.watching.loop import Rhythm, Watcher, watch

pytestmark = pytest.mark.usefixtures("plugins")
FEW = TrainOptions(max_steps=4)
FAST = Rhythm(settle_ms=30)
MORE = "\n::prose::\n# Oil\n\nThe lamp burns oil from the north. It was filled in May.\n"


class Script(Watcher):
    """Does one thing after another whenever nothing is left to train, then ends the loop."""

    def __init__(self, *actions):
        self.actions, self.seen, self.reports = list(actions), [], []

    def waiting(self):
        if not self.actions:
            raise KeyboardInterrupt
        self.actions.pop(0)()

    def mistaken(self, problem):
        self.seen.append(str(problem))

    def saved_the_same(self):
        self.seen.append("same")

    def going_on(self, *, refit):
        self.seen.append(f"refit: {refit}" if refit else "going on")

    def succeeded(self, found):
        self.reports.append(found)
        self.seen.append("unchanged" if isinstance(found, Unchanged) else f"v{found.version} from {found.warm_from}")

    def failed(self, problem):
        self.seen.append(f"failed: {problem}")


def run(path, *actions, options=FEW, rhythm=FAST):
    script = Script(*actions)
    watch(path, options=options, rhythm=rhythm, watcher=script)
    return script


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def appending(path, text=MORE):
    def save():
        path.write_text(path.read_text("utf-8") + text, encoding="utf-8")

    return save


def replacing(path, old, new):
    """As editors save: another file, moved over this one."""

    def save():
        other = path.with_name(f".{path.name}.swp")
        other.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
        other.replace(path)

    return save


def test_a_save_goes_on_from_the_version_before(home, write):
    path = write()
    script = run(path, appending(path))
    assert script.seen == ["v1 from None", "going on", "v2 from 1"]
    assert store_of(home).current().number == 2


def test_an_editor_that_replaces_the_file_is_noticed_each_time(home, write):
    path = write()
    script = run(path, replacing(path, "cellar", "attic"), replacing(path, "attic", "garden"))
    assert script.seen == ["v1 from None", "going on", "v2 from 1", "going on", "v3 from 2"]


def test_a_save_that_changes_nothing_trains_nothing(home, write):
    path = write()
    script = run(
        path, path.touch, replacing(path, "nowhere", ""), lambda: path.write_bytes(path.read_bytes() + b"\n\n")
    )
    assert script.seen == ["v1 from None", "same", "same", "same"]


def test_what_was_already_trained_is_not_trained_at_the_start(home, write):
    path = write()
    train(path, options=FEW)
    assert run(path, appending(path)).seen == ["unchanged", "going on", "v2 from 1"]


def test_a_deleted_section_is_unlearned_by_a_refit_that_says_why(home, write):
    path = write()
    appending(path)()
    script = run(path, replacing(path, MORE, "\n"))
    assert script.seen[1] == "going on"
    assert script.seen[2].startswith("refit: 1")
    assert script.seen[3] == "v2 from None"


def test_a_half_saved_file_is_a_mistake_at_its_place_and_the_next_save_is_tried(home, write):
    path = write()
    whole = path.read_bytes()
    script = run(
        path,
        lambda: path.write_bytes(whole + b"\n::instruction::\n### Q\nWhere is"),
        lambda: path.write_bytes(whole + MORE.encode()),
    )
    assert script.seen[1].startswith(f"{path}:")
    assert script.seen[2:] == ["going on", "v2 from 1"]


def test_a_document_that_vanishes_and_comes_back_is_trained(home, write):
    path = write()
    whole = path.read_text("utf-8")
    script = run(path, path.unlink, lambda: path.write_text(whole + MORE, encoding="utf-8"))
    assert "failed" in script.seen[1]
    assert script.seen[2:] == ["going on", "v2 from 1"]


def test_a_mistake_at_the_start_waits_for_its_correction(home, write):
    path = write("training:\n  lora_r: many")
    script = run(path, replacing(path, "many", "8"))
    assert script.seen[0].startswith(f"{path}:")
    assert script.seen[1:] == ["v1 from None"]


def test_a_document_that_is_not_there_at_all_ends_at_once(home, tmp_path):
    with pytest.raises(UsageProblem):
        run(tmp_path / "none.dlm")


def test_a_training_that_fails_leaves_the_version_and_is_tried_again_by_the_next_save(home, write, monkeypatch):
    path, whole = write(), ToyWorkbench.save

    def breaks():
        monkeypatch.setattr(ToyWorkbench, "save", lambda self, folder: 1 / 0)
        appending(path)()

    def mends():
        assert store_of(home).current().number == 1
        monkeypatch.setattr(ToyWorkbench, "save", whole)
        path.touch()

    script = run(path, breaks, mends)
    assert script.seen[1:] == ["going on", "failed: division by zero", "going on", "v2 from 1"]
    assert [one.status for one in store_of(home).manifest().training_runs] == ["ok", "failed", "ok"]


def test_a_save_during_a_training_is_trained_after_it(home, write):
    path = write()

    class Impatient(Script):
        def stepped(self, event):
            if not self.reports and event.step == 2:
                appending(path)()

    script = Impatient(lambda: None)
    watch(path, options=FEW, rhythm=FAST, watcher=script)
    assert script.seen == ["v1 from None", "going on", "v2 from 1"]


def test_files_of_a_source_are_watched_and_so_is_a_source_that_is_added(home, write, tmp_path):
    for name in ("notes", "more"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(f"# {name}\n\nThe {name} lie on the desk of Ada.\n", encoding="utf-8")
    path = write("training:\n  sources:\n    - path: notes")
    script = run(
        path,
        lambda: (tmp_path / "notes" / "a.md").write_text("# Notes\n\nThe notes lie in the hall.\n", encoding="utf-8"),
        lambda: (tmp_path / "notes" / "b.md").write_text("# Keys\n\nThe keys hang in the hall.\n", encoding="utf-8"),
        replacing(path, "- path: notes", "- path: notes\n    - path: more"),
        lambda: (tmp_path / "more" / "a.md").write_text("# More\n\nMore lies in the barn.\n", encoding="utf-8"),
    )
    assert [seen for seen in script.seen if seen != "going on"] == [f"v{n + 1} from {n or None}" for n in range(5)]
    assert len(script.reports[-1].material.gathered.sections) == 3


def test_only_trainings_after_a_save_are_limited_by_the_rhythm(home, write):
    path = write()
    script = run(path, appending(path), rhythm=Rhythm(30, max_steps=2))
    assert [report.outcome.steps for report in script.reports] == [4, 2]


def test_ctrl_c_in_the_middle_of_a_training_keeps_the_last_version(home, write):
    path = write()

    class Stops(Script):
        def stepped(self, event):
            if self.reports:
                raise KeyboardInterrupt

    watch(path, options=FEW, rhythm=FAST, watcher=Stops(appending(path)))
    runs = store_of(home).manifest().training_runs
    assert [one.status for one in runs] == ["ok", "cancelled"]
    assert store_of(home).current().number == 1


def test_ctrl_c_before_anything_is_trained_is_an_interruption(home, write):
    path = write("training:\n  lora_r: many")
    with pytest.raises(KeyboardInterrupt):
        run(path)


CLI = """
from dlm.cli.main import main
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
with only_plugins(ToyPlugin()):
    main()
"""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_the_command_trains_after_a_save_and_ends_with_zero_on_ctrl_c(home, write):
    path = write()
    command = ["train", str(path), "--watch", "--watch-debounce-ms", "50", "--max-steps", "4"]
    with subprocess.Popen([sys.executable, "-c", CLI, *command], stdout=subprocess.PIPE, text=True) as process:
        lines = iter(process.stdout.readline, "")
        said = [until(lines, "waiting for the next save")]
        appending(path)()
        said.append(until(lines, "v0002 after"))
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said.append(process.stdout.read())
    assert process.returncode == 0
    assert "saved: 1 new; going on from v0001, 4 steps" in said[1]
    assert "ended; v0002 is current" in said[2]
    assert store_of(home).current().number == 2


def until(lines, words):
    found = []
    for line in lines:
        found.append(line)
        if words in line:
            break
    return "".join(found)


def test_options_of_watching_without_it_are_a_mistake():
    from click.testing import CliRunner

    from dlm.cli.main import main

    done = CliRunner().invoke(main, ["train", "any.dlm", "--watch-max-steps", "3"])
    assert done.exit_code == 2
    assert "--watch" in done.output
