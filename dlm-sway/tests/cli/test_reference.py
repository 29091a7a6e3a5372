"""The reference pages name every command, option and key there is."""

from __future__ import annotations

from pathlib import Path

from click import Option

from dlm_sway import builtin
from dlm_sway.plugins import manager
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.spec.models import ModelSpec, Suite, SuiteDefaults

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def test_the_command_page_has_every_command_and_option() -> None:
    text = (DOCS / "sway-cli.md").read_text()
    for entry in builtin.dlm_sway_commands():
        assert f"`sway {entry.name}" in text
        section = text[text.index(f"`sway {entry.name}") :]
        for parameter in manager().resolve("dlm_sway_commands", entry.name).params:
            if isinstance(parameter, Option):
                assert all(f"`{name}" in section for name in parameter.opts), (entry.name, parameter.opts)


def test_the_suite_page_has_every_key_and_its_default() -> None:
    text = (DOCS / "sway-spec.md").read_text()
    for model in (Suite, ModelSpec, SuiteDefaults, ProbeSpec):
        for name, field in model.model_fields.items():
            row = next((line for line in text.splitlines() if line.startswith(f"| `{name}` |")), None)
            assert row is not None, name
            if isinstance(field.default, (int, float, str)):
                assert f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`" in row, (
                    row
                )
