"""What the command costs before it does anything, and that help texts tell the truth."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.plugins import manager
from dlm.testing import modules_after, only_plugins
from dlm.testing.startup import HEAVY

HELP = """
from dlm.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
"""


def test_help_imports_nothing_heavy_and_no_command():
    after = modules_after(HELP)
    assert not {name.partition(".")[0] for name in after} & HEAVY
    assert {name for name in after if name.startswith("dlm.cli.")} == {"dlm.cli.main"}
    assert "rich" not in after


def test_importing_dlm_imports_nothing_heavy():
    assert not {name.partition(".")[0] for name in modules_after("import dlm; dir(dlm)")} & HEAVY


def own_commands():
    with only_plugins() as plugins:
        return sorted(plugins.offers("dlm_commands"))


@pytest.mark.parametrize("name", own_commands())
def test_the_summary_in_the_list_is_the_command_s_own_short_help(name):
    entry = manager().entry("dlm_commands", name).entry
    command = manager().resolve("dlm_commands", name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert entry.summary == command.get_short_help_str(limit=100)


@pytest.mark.parametrize("name", own_commands())
def test_every_command_explains_itself_within_80_columns(name):
    shown = CliRunner().invoke(main, [name, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert all(len(line) <= 80 for line in shown.output.splitlines())


def test_every_builtin_target_exists():
    with only_plugins() as plugins:
        for hook in ("dlm_commands", "dlm_sections", "dlm_phases", "dlm_bases"):
            for name in plugins.offers(hook):
                assert plugins.resolve(hook, name) is not None
