"""What is said about a probe comes from the probe, and about a result from the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm_sway.cli.main import main
from dlm_sway.plugins import manager
from dlm_sway.probes.explaining import explain

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"


def sway(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_every_installed_probe_says_what_it_asks_and_how_it_judges() -> None:
    for kind, offers in manager().offers("dlm_sway_probes").items():
        entry, source = offers[0]
        words = explain(manager().resolve("dlm_sway_probes", kind), entry, source)  # type: ignore[arg-type]
        assert words.asks, kind
        assert words.how or words.judged, kind
        assert not any("``" in text or ":class:" in text for text in (words.asks, words.how, words.judged)), kind


@pytest.mark.usefixtures("installed")
def test_keys_have_their_defaults_and_the_sentences_of_the_source() -> None:
    code, said = sway("explain", "integrity")
    assert code == 0, said
    assert "integrity (builtin)" in said
    assert "Is the adapter that was asked for the one that acts?" in said
    assert "forward (True): Also compare outputs" in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.usefixtures("installed")
def test_a_probe_made_in_code_without_its_own_sentences_is_explained_by_its_keys() -> None:
    code, said = sway("explain", "moved")
    assert (code, "Passes when the mean divergence" in said, "limit (0.001)" in said) == (0, True, True), said


def test_an_entry_of_a_result_is_explained_with_its_numbers() -> None:
    code, said = sway("explain", "elsewhere", GOLDEN / "learned.json")
    assert code == 0, said
    assert "elsewhere: pass" in said
    assert "95% interval: [0.008, 0.015]" in said
    assert "pass means: Harm is shown to stay within the margin." in said
    assert "changed: pass" not in said


@pytest.mark.usefixtures("installed")
def test_a_result_of_a_probe_that_is_not_installed_is_still_explained() -> None:
    code, said = sway("explain", "topics", GOLDEN / "prior.json")
    assert (code, "topics: fail" in said, "number: 1,234.500" in said) == (0, True, True), said


@pytest.mark.usefixtures("installed")
def test_what_nobody_knows_ends_with_2() -> None:
    assert sway("explain", "nothing")[0] == 2
    assert sway("explain", "nothing", GOLDEN / "learned.json")[0] == 2


@pytest.mark.usefixtures("installed")
def test_json_has_the_same() -> None:
    found = json.loads(CliRunner().invoke(main, ["explain", "integrity", "--json"]).stdout)
    assert found["probe"]["seeks"] == "harm"
    assert [key["name"] for key in found["probe"]["keys"]] == ["forward"]
