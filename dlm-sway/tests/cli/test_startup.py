"""Start-up: said in module names, in a fresh interpreter, rather than in milliseconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema

from dlm_sway.plugins import manager
from dlm_sway.spec.schema import schema
from dlm_sway.testing import modules_after

HEAVY = {"torch", "transformers", "peft", "numpy", "scipy", "pydantic", "ruamel.yaml", "rich", "jsonschema"}
HELP = "from dlm_sway.cli.main import main\nmain(['--help'], standalone_mode=False)"
CONTRACTS = Path(__file__).parents[3] / "contracts"


def test_importing_the_package_costs_nothing() -> None:
    assert not modules_after("import dlm_sway") & (HEAVY | {"click", "pluggy"})


def test_help_imports_no_command_and_nothing_heavy() -> None:
    loaded = modules_after(HELP)
    assert not loaded & HEAVY
    assert [name for name in loaded if name.startswith("dlm_sway.cli.")] == ["dlm_sway.cli.main"]


def test_the_pytest_plugin_does_not_import_the_package() -> None:
    assert "dlm_sway" not in modules_after("import dlm_sway_pytest")


def test_the_summaries_in_help_are_the_commands_own() -> None:
    for name, offers in manager().offers("dlm_sway_commands").items():
        command = manager().resolve("dlm_sway_commands", name)
        assert offers[0].entry.summary == command.short_help, name
        assert command.name == name


def test_the_module_can_be_run() -> None:
    done = subprocess.run([sys.executable, "-m", "dlm_sway", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("sway ")


def test_the_published_schema_of_suites_is_the_one_the_code_has() -> None:
    import json

    published = json.loads((CONTRACTS / "sway-spec.schema.json").read_text())
    assert published == schema(), "run: python -m dlm_sway.spec.schema > contracts/sway-spec.schema.json"
    jsonschema.Draft202012Validator.check_schema(published)
