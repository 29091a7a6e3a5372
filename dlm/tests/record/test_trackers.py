"""Trackers hear of a run in order, and cannot harm it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlm._plugkit.errors import PluginError
from dlm.entries import TrackerEntry
from dlm.errors import UsageProblem
from dlm.hookspecs import hookimpl
from dlm.record.trackers import Tracker, named, trackers_of
from dlm.testing import only_plugins
from dlm.testing.toy import ToyBackend, ToyPlugin
from dlm.training.run import Observer, TrainOptions, train

FEW = TrainOptions(max_steps=4)
heard: list[tuple[str, object]] = []


class Listening(Tracker):
    def started(self, event):
        heard.append(("started", event))

    def phase_started(self, event):
        heard.append(("phase_started", event))

    def stepped(self, event):
        heard.append(("stepped", event))

    def evaluated(self, event):
        heard.append(("evaluated", event))

    def finished(self, event):
        heard.append(("finished", event))

    def close(self):
        heard.append(("close", None))


class Failing(Listening):
    def stepped(self, event):
        super().stepped(event)
        raise OSError("the network is down")


class Trackers:
    @hookimpl
    def dlm_trackers(self):
        yield TrackerEntry(name="listening", target=f"{__name__}:Listening", summary="Hears.")
        yield TrackerEntry(name="failing", target=f"{__name__}:Failing", summary="Fails.")


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    import sys

    heard.clear()
    # Found by its name, as a plugin's module is.
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())
    with only_plugins(ToyPlugin(), Trackers()) as manager:
        yield manager


def _this():
    import types

    module = types.ModuleType(__name__)
    module.__dict__.update(globals())
    return module


class Says(Observer):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def test_a_tracker_hears_everything_in_order(write):
    report = train(write(), options=replace(FEW, track=("listening",)))
    kinds = [kind for kind, _ in heard]
    assert kinds[:3] == ["started", "phase_started", "evaluated"]
    assert kinds[-2:] == ["finished", "close"]
    assert kinds.count("stepped") == 4
    events = dict(heard)
    assert events["started"].title == "Lamp"
    assert events["started"].recipe["rank"] == 16
    assert (events["phase_started"].phase, events["phase_started"].steps) == ("sft", 4)
    assert events["finished"].finished.outcome == report.outcome
    assert events["finished"].finished.version == 1


def test_a_tracker_that_fails_is_told_of_once_closed_and_muted(write):
    says = Says()
    report = train(write(), options=replace(FEW, track=("failing",)), observer=says)
    assert report.version == 1
    assert [kind for kind, _ in heard].count("stepped") == 1
    assert heard[-1][0] == "close"
    (told,) = [line for line in says.lines if "tracker" in line]
    assert told == "tracker 'failing' failed and is muted: OSError: the network is down"


def test_a_tracker_hears_of_a_run_that_fails(write, monkeypatch):
    class Stops(Observer):
        def stepped(self, event):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(write(), options=replace(FEW, track=("listening",)), observer=Stops())
    kinds = [kind for kind, _ in heard]
    assert kinds[-2:] == ["finished", "close"]
    assert dict(heard)["finished"].finished.status == "cancelled"


@pytest.mark.parametrize(("track", "error"), [(("nobody",), PluginError), (("listening", "listening"), UsageProblem)])
def test_a_tracker_that_cannot_be_had_stops_the_run_before_anything_is_loaded(write, home, track, error):
    path = write()
    ToyBackend.loaded.clear()
    with pytest.raises(error):
        train(path, options=replace(FEW, track=track))
    assert not ToyBackend.loaded
    assert not (home / "store").exists()


def test_names_are_separated_by_commas(tmp_path, offered):
    assert named(" tensorboard, wandb,") == ("tensorboard", "wandb")
    assert named(None) == ()
    ((name, tracker),) = trackers_of(["listening"], tmp_path, offered, print)
    assert (name, tracker.context.folder) == ("listening", tmp_path / "trackers" / "listening")
    assert not tracker.context.folder.exists()
