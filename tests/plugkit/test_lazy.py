"""Help and completion must not import the commands they list."""

from __future__ import annotations

from types import SimpleNamespace

import click
import pluggy
import pytest
from click.testing import CliRunner

from dlm._plugkit.entries import Entry
from dlm._plugkit.lazy import LazyGroup
from dlm._plugkit.plugins import PluginManager

hookspec = pluggy.HookspecMarker("acme")
hookimpl = pluggy.HookimplMarker("acme")


class AcmeError(Exception):
    exit_code = 7


@click.command()
def fine() -> None:
    """Do something fine."""
    click.echo("done")


@click.command()
def known_failure() -> None:
    raise AcmeError("no anvil: run `acme anvil`")


@click.command()
def bug() -> None:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def group(monkeypatch):
    @hookspec
    def acme_commands():
        """Commands."""

    names = {"fine": "fine", "known": "known_failure", "bug": "bug"}
    entries = [Entry(name=n, target=f"acme_lazy_commands:{a}", summary=f"Summary of {n}.") for n, a in names.items()]
    entries.append(Entry(name="gone", target="nowhere_at_all:x", summary="Summary of gone."))
    manager = PluginManager("acme", SimpleNamespace(acme_commands=acme_commands))
    manager.register(SimpleNamespace(acme_commands=hookimpl(lambda: entries)), name="builtin")
    commands = SimpleNamespace(fine=fine, known_failure=known_failure, bug=bug)
    monkeypatch.setitem(__import__("sys").modules, "acme_lazy_commands", commands)
    group = LazyGroup("acme")
    group.manager, group.hook, group.error_root = lambda: manager, "acme_commands", AcmeError
    return group


def test_help_lists_every_command_and_imports_none(group):
    outcome = CliRunner().invoke(group, ["--help"])
    assert outcome.exit_code == 0
    assert "Summary of gone." in outcome.output


def test_a_command_runs(group):
    assert CliRunner().invoke(group, ["fine"]).output == "done\n"


def test_a_known_error_is_printed_without_a_traceback_and_sets_the_exit_code(group):
    outcome = CliRunner().invoke(group, ["known"])
    assert (outcome.exit_code, outcome.output) == (7, "error: no anvil: run `acme anvil`\n")


def test_a_bug_keeps_its_traceback(group):
    assert isinstance(CliRunner().invoke(group, ["bug"]).exception, ZeroDivisionError)


def test_a_command_that_cannot_be_imported_says_whose_it_is(group):
    outcome = CliRunner().invoke(group, ["gone"])
    assert outcome.exit_code == 2
    assert "'gone' from builtin cannot be used: No module named 'nowhere_at_all'" in outcome.output


def test_an_unknown_command_is_a_usage_error(group):
    assert CliRunner().invoke(group, ["nope"]).exit_code == 2


def test_an_error_cannot_write_over_what_the_terminal_shows(group):
    @click.command()
    def shouting() -> None:
        raise AcmeError("no \x1b[2J\x9b1A\u202eanvil\nat all")

    group.add_command(shouting)
    outcome = CliRunner().invoke(group, ["shouting"])
    assert outcome.output == "error: no \ufffd[2J\ufffd1A\ufffdanvil\nat all\n"
