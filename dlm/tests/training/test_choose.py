from __future__ import annotations

import pytest

from dlm._plugkit.errors import PluginUnavailable, UnknownName
from dlm.entries import BackendEntry
from dlm.errors import UsageProblem
from dlm.hookspecs import hookimpl
from dlm.testing import ToyBackend, only_plugins
from dlm.training.choose import choose


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


def test_one_that_is_named_is_taken_or_refused_with_the_reason():
    first, named = entry("first", target="nowhere:Nothing", priority=9), entry("named", tasks=frozenset({"generate"}))
    with only_plugins(Offers(first, named, entry("bare", requires=("no_such_library",)))):
        assert isinstance(choose("generate", "named"), ToyBackend)
        with pytest.raises(UsageProblem, match="named cannot train"):
            choose("train", "named")
        with pytest.raises(PluginUnavailable, match="lacks no_such_library"):
            choose("train", "bare")
        with pytest.raises(UnknownName, match="'nobody'"):
            choose("train", "nobody")


def test_without_a_backend_the_message_has_the_command():
    with only_plugins(), pytest.raises(PluginUnavailable, match=r"pip install 'dlm\[hf\]'"):
        choose("train")


def test_what_an_installed_backend_lacks_is_named():
    with only_plugins(Offers(entry("best", requires=("no_such_library",)))):
        with pytest.raises(PluginUnavailable, match="best lacks no_such_library"):
            choose("train")
        with pytest.raises(PluginUnavailable, match="no backend is installed"):
            choose("generate")
