from __future__ import annotations

import pytest

from dlm._plugkit.errors import PluginUnavailable
from dlm.corpus.records import Record, StudySet
from dlm.entries import BackendEntry, PhaseEntry
from dlm.errors import TrainingRefused
from dlm.hookspecs import hookimpl
from dlm.testing import ToyBackend, only_plugins
from dlm.training.choose import choose
from dlm.training.phases import SFT, Phase, select

PREFERENCE = Phase("preference", frozenset({"preference"}))


class Offers:
    def __init__(self, *entries):
        self.entries = entries

    @hookimpl
    def dlm_backends(self):
        return self.entries


class Chooses:
    @hookimpl
    def dlm_choose_backend(self, task, offers):
        return "plain" if task == "train" and "plain" in [entry.name for entry in offers] else None


def entry(name, target="dlm.testing.toy:ToyBackend", **facts):
    facts.setdefault("tasks", frozenset({"train"}))
    return BackendEntry(name=name, target=target, summary="", **facts)


def test_the_highest_priority_whose_modules_are_there_is_chosen():
    best = entry("best", target="nowhere:Nothing", requires=("no_such_library",), priority=9)
    with only_plugins(Offers(best, entry("plain"), entry("asking", tasks=frozenset({"generate"}), priority=5))):
        assert isinstance(choose("train"), ToyBackend)


def test_a_plugin_may_decide():
    better = entry("better", target="builtins:dict", priority=9)
    with only_plugins(Offers(better, entry("plain"))):
        assert choose("train") == {}
    with only_plugins(Offers(better, entry("plain")), Chooses()):
        assert isinstance(choose("train"), ToyBackend)


def test_without_a_backend_the_message_has_the_command():
    with only_plugins(), pytest.raises(PluginUnavailable, match=r"pip install 'dlm\[hf\]'"):
        choose("train")


def test_what_an_installed_backend_lacks_is_named():
    with only_plugins(Offers(entry("best", requires=("no_such_library",)))):
        with pytest.raises(PluginUnavailable, match="best lacks no_such_library"):
            choose("train")
        with pytest.raises(PluginUnavailable, match="no backend is installed"):
            choose("generate")


class OffersPhase:
    @hookimpl
    def dlm_phases(self):
        yield PhaseEntry(name="preference", target=f"{__name__}:PREFERENCE", summary="", order=200)


def record(kind, objective="answer"):
    return Record(kind, objective, kind, "", text="x")


def test_sft_eats_every_kind_that_no_other_phase_names():
    study = StudySet((record("qa"), record("anchor", "anchor")), (), {"qa": 0.85, "anchor": 0.15})
    with only_plugins() as plugins:
        phase, part = select(study, plugins)
    assert phase is SFT
    assert part == study


def test_nothing_to_train_is_refused():
    with only_plugins() as plugins, pytest.raises(TrainingRefused, match="nothing to train"):
        select(StudySet((record("anchor", "anchor"),), (), {"anchor": 1.0}), plugins)


def test_two_phases_at_once_are_refused_by_name(monkeypatch):
    study = StudySet((record("qa"), record("preference")), (), {"qa": 0.5, "preference": 0.5})
    plugin = OffersPhase()
    with only_plugins(plugin) as plugins:
        monkeypatch.setattr(plugins, "resolve", lambda hook, name: {"sft": SFT, "preference": PREFERENCE}[name])
        with pytest.raises(TrainingRefused, match="sft and preference"):
            select(study, plugins)
