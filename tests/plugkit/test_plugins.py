"""One bad plugin must not spoil the others, and must never be silent.

The plugins here are real ones: packages with metadata on ``sys.path``, found through their entry points.
"""

from __future__ import annotations

import itertools
import textwrap
from types import SimpleNamespace

import pluggy
import pytest

from dlm._plugkit.entries import Entry
from dlm._plugkit.errors import PluginConflict, PluginUnavailable, UnknownName
from dlm._plugkit.plugins import PluginManager

_serial = itertools.count()
hookspec = pluggy.HookspecMarker("acme")
HEAD = """
    import pluggy
    from dlm._plugkit.entries import Entry
    hookimpl = pluggy.HookimplMarker("acme")
"""


@hookspec
def acme_probes():
    """Probes."""


@hookspec
def acme_step_logged(step):
    """A step."""


SPECS = SimpleNamespace(acme_probes=acme_probes, acme_step_logged=acme_step_logged)


def offering(*names: str, target: str = "json:loads") -> str:
    """Source of a plugin that offers ``names``."""
    entries = ", ".join(f"Entry(name={name!r}, target={target!r}, summary='x')" for name in names)
    return textwrap.dedent(HEAD) + f"\n@hookimpl\ndef acme_probes():\n    return [{entries}]\n"


def source(body: str) -> str:
    return textwrap.dedent(HEAD) + textwrap.dedent(body)


BAD = "import a_library_nobody_has\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install the plugins a test names, in the order given, and load them into a fresh manager."""

    def _install(installs=None, **plugins: str) -> PluginManager:
        site = tmp_path / f"site{next(_serial)}"
        site.mkdir()
        for name, code in plugins.items():
            module = f"acme_plugin_{name}_{next(_serial)}"
            (site / f"{module}.py").write_text(code)
            info = site / f"{name}_dist-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[acme]\n{name} = {module}\n")
        with monkeypatch.context() as local:
            local.syspath_prepend(site)
            manager = PluginManager("acme", SPECS, installs)
            manager.load()
        return manager

    return _install


def test_a_broken_plugin_is_recorded_and_the_rest_load(install):
    manager = install(bad=BAD, good=offering("a"))
    assert list(manager.offers("acme_probes")) == ["a"]
    assert [(f.name, f.distribution) for f in manager.failures] == [("bad", "bad-dist 1.0")]
    assert "a_library_nobody_has" in str(manager.failures[0].error)


def test_strict_raises_the_plugins_own_exception(install, monkeypatch):
    monkeypatch.setenv("ACME_STRICT", "1")
    with pytest.raises(ModuleNotFoundError, match="a_library_nobody_has"):
        install(bad=BAD)


def test_blocked_plugins_are_not_imported(install, monkeypatch):
    monkeypatch.setenv("ACME_BLOCK", "bad, other")
    manager = install(bad=BAD, good=offering("a"))
    assert manager.failures == []
    assert list(manager.offers("acme_probes")) == ["a"]


def test_no_plugins_leaves_all_of_them_out(install, monkeypatch):
    monkeypatch.setenv("ACME_NO_PLUGINS", "1")
    manager = install(bad=BAD, good=offering("a"))
    assert manager.failures == []
    assert manager.offers("acme_probes") == {}


def test_a_registration_hook_that_raises_is_isolated(install):
    bad = source("@hookimpl\ndef acme_probes():\n    raise ValueError('oops')\n")
    manager = install(bad=bad, good=offering("a"))
    assert list(manager.offers("acme_probes")) == ["a"]
    assert [str(f.error) for f in manager.failures] == ["oops"]


def test_a_registration_hook_that_raises_is_recorded_once_however_often_it_is_asked(install):
    manager = install(bad=source("@hookimpl\ndef acme_probes():\n    raise ValueError('oops')\n"))
    manager.offers("acme_probes")
    manager.offers("acme_probes")
    assert len(manager.failures) == 1


@pytest.mark.parametrize(("marker", "failures"), [("hookimpl", 1), ("hookimpl(optionalhook=True)", 0)])
def test_a_hook_from_the_future_rejects_the_plugin_unless_optional(install, marker, failures):
    future = source(f"@{marker}\ndef acme_from_the_future():\n    pass\n")
    manager = install(new=offering("a") + future, other=offering("b"))
    assert len(manager.failures) == failures
    assert list(manager.offers("acme_probes")) == (["b"] if failures else ["a", "b"])
    if failures:
        assert "needs a newer core, for acme_from_the_future" in str(manager.failures[0].error)


def test_two_offers_of_one_name_conflict_only_when_used(install):
    manager = install(one=offering("a"), two=offering("a", "b"))
    assert manager.resolve("acme_probes", "b")
    with pytest.raises(PluginConflict, match=r"one-dist 1\.0 and two-dist 1\.0.*ACME_BLOCK"):
        manager.resolve("acme_probes", "a")


def test_an_unknown_name_shows_what_is_there_what_failed_and_how_to_install_it(install):
    manager = install({("acme_probes", "z"): "pip install 'acme[z]'"}, bad=BAD, good=offering("a"))
    with pytest.raises(UnknownName) as caught:
        manager.resolve("acme_probes", "z")
    message = str(caught.value)
    assert "offers the probe 'z' (installed: a)" in message
    assert "plugin 'bad' (bad-dist 1.0) failed to load: No module named 'a_library_nobody_has'" in message
    assert message.endswith("install it: pip install 'acme[z]'")


@pytest.mark.parametrize("target", ["nowhere_at_all:x", "json:no_such_attribute"])
def test_a_target_that_cannot_be_imported_names_its_distribution(install, target):
    manager = install(good=offering("a", target=target))
    with pytest.raises(PluginUnavailable, match=r"'a' from good-dist 1\.0"):
        manager.resolve("acme_probes", "a")


def test_a_target_is_imported_only_when_it_is_used(install):
    manager = install(good=offering("a", target="nowhere_at_all:x"))
    assert manager.offers("acme_probes")["a"][0].entry.summary == "x"
    assert manager.failures == []


def test_order_does_not_depend_on_installation_order(install):
    first = install(b=offering("y"), a=offering("x"))
    second = install(a=offering("x"), b=offering("y"))
    assert list(first.offers("acme_probes")) == list(second.offers("acme_probes")) == ["x", "y"]
    assert [row.name for row in first.plugins()] == ["a", "b"]


def test_a_failing_observer_is_reported_once_then_muted_and_the_others_go_on(install):
    bad = source("@hookimpl\ndef acme_step_logged(step):\n    raise RuntimeError('observer broke')\n")
    good = source("seen = []\n@hookimpl\ndef acme_step_logged(step):\n    seen.append(step)\n")
    manager = install(bad=bad, good=good)
    said: list[str] = []
    for step in (1, 2, 3):
        manager.notify("acme_step_logged", said.append, step=step)
    assert manager.get_plugin("good").seen == [1, 2, 3]
    assert len(said) == 1
    assert "'bad'" in said[0]
    assert "observer broke" in said[0]


def test_strict_lets_a_failing_observer_stop_the_run(install, monkeypatch):
    manager = install(bad=source("@hookimpl\ndef acme_step_logged():\n    raise RuntimeError('broke')\n"))
    monkeypatch.setenv("ACME_STRICT", "1")
    with pytest.raises(RuntimeError, match="broke"):
        manager.notify("acme_step_logged", step=1)


def test_plugins_lists_the_loaded_and_the_failed_with_what_each_costs(install):
    rows = {row.name: row for row in install(bad=BAD, good=offering("a")).plugins()}
    good, bad = rows["good"], rows["bad"]
    assert (good.distribution, good.version, good.hooks, good.failure) == ("good-dist", "1.0", ("acme_probes",), None)
    assert good.load_ms > 0
    assert "site" in good.location
    assert bad.hooks == ()
    assert bad.failure is not None
    assert bad.failure.startswith("ModuleNotFoundError:")


def test_built_ins_register_like_any_plugin_and_are_their_own_source(install):
    manager = install()
    entry = Entry(name="a", target="json:loads", summary="x")
    hookimpl = pluggy.HookimplMarker("acme")
    manager.register(SimpleNamespace(acme_probes=hookimpl(lambda: [entry])), name="builtin")
    assert manager.entry("acme_probes", "a").source == "builtin"


def test_trace_prints_every_hook_call(install, monkeypatch, capsys):
    monkeypatch.setenv("ACME_TRACE", "1")
    manager = install(good=offering("a"))
    manager.hook.acme_probes()
    assert "hook acme_probes() -> ['good']" in capsys.readouterr().err
