"""What is said of a base before anything is exported: offline, from its config alone."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dlm.bases.registry import BASES
from dlm.cli.main import main
from dlm.errors import ExportRefused
from dlm.export.ability import abilities, config_of, told
from dlm.export.run import export_to

pytestmark = pytest.mark.usefixtures("plugins")


def test_every_registered_base_says_its_architecture_without_being_fetched() -> None:
    for base in BASES:
        assert config_of(base, None) == {"model_type": base.architecture}, base.key
        assert base.architecture


def test_yes_and_no_are_told_in_one_line() -> None:
    assert told(abilities({"model_type": "toy"})) == "toy"
    assert told(abilities({"model_type": "mamba"})) == "not toy: it writes toys, and this is a mamba"


def test_base_show_says_it_of_a_base_that_is_not_on_this_disk(home) -> None:
    shown = CliRunner().invoke(main, ["base", "show", "qwen3-4b"])
    assert "export          not toy: it writes toys, and this is a qwen3\n" in shown.stdout
    found = json.loads(CliRunner().invoke(main, ["base", "show", "qwen3-4b", "--json"]).stdout)
    assert found["export"] == {"toy": "it writes toys, and this is a qwen3"}


def test_of_a_repository_that_nobody_registered_it_is_not_known_yet(home) -> None:
    shown = CliRunner().invoke(main, ["base", "show", "hf:acme/model"])
    assert "export          not known until it is on this disk\n" in shown.stdout
    assert json.loads(CliRunner().invoke(main, ["base", "show", "hf:acme/model", "--json"]).stdout)["export"] is None


def test_check_says_it_of_the_document_s_base(write) -> None:
    path = write()
    assert "  export     toy\n" in CliRunner().invoke(main, ["check", str(path)]).stdout
    assert json.loads(CliRunner().invoke(main, ["check", str(path), "--json"]).stdout)["export"] == {"toy": None}


def test_an_export_of_another_architecture_is_refused_before_any_work(trained, monkeypatch, home) -> None:
    from dlm.testing.toy_sink import ToySink

    monkeypatch.setattr(ToySink, "refuses_architecture", lambda self, config: "it has no wheels")
    with pytest.raises(ExportRefused, match=r"toy cannot take the base path:.*: it has no wheels"):
        export_to(trained, "toy")
    assert not list(home.rglob("exports"))
