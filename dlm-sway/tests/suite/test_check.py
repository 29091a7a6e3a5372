"""``sway check`` on models whose truth is known: the suite it makes, the words and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlm_sway import Backend, Item, hookimpl
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import TargetError
from dlm_sway.plugins import manager as every_plugin
from dlm_sway.result import ProbeResult, SuiteResult
from dlm_sway.spec.models import ModelSpec
from dlm_sway.suite.check import check, exit_code, make_suite, resolve, sentences, times
from dlm_sway.suite.target import ModelPair, Target
from dlm_sway.testing import ClosedForm

HELD_OUT = tuple(Item(f"Who keeps list {n}?", f"The harbour office keeps list {n}", f"s{n // 2}") for n in range(12))
SPEC = ModelSpec(kind="learned", base="table")


def target(held_out: tuple[Item, ...] = HELD_OUT, taught: tuple[Item, ...] = ()) -> Target:
    pair = ModelPair(base=SPEC, ft=SPEC)
    return Target("doc v0001", pair, held_out, taught, "Be brief.", {"document": "doc", "note": "it changed since"})


class Resolver:
    """Knows the ref ``doc``."""

    def __init__(self, found: Target) -> None:
        self.found = found

    @hookimpl
    def dlm_sway_resolve_target(self, ref: str) -> Target | None:
        return self.found if ref == "doc" else None


@pytest.fixture
def full(manager: PluginManager) -> PluginManager:
    """The tests' manager with the standard probes."""
    probes = every_plugin().get_plugin("probes")
    if probes is None:
        pytest.skip("dlm-sway-probes is not installed")
    manager.register(probes, name="probes")
    return manager


def checked(full: PluginManager, backend: Backend, found: Target | None = None, **more: Any) -> Any:
    full.register(Resolver(found or target()), name="resolver")
    return check("doc", backend=backend, manager=full, **more)


def test_a_model_that_learned_is_said_to_have_learned_with_the_numbers(full: PluginManager) -> None:
    found = checked(full, ClosedForm(taught=HELD_OUT, size=12.0))
    assert (found.exit_code, found.result.conclusion) == (0, "learned")
    changed, learned, elsewhere, note = found.result.summary
    gain = next(probe.raw for probe in found.result.probes if probe.name == "learned")
    assert changed.startswith("changed: mean KL 0.1")
    assert learned.startswith(
        f"learned: answers it never saw worded this way became {times(gain)} more likely per token"
    )
    assert "39 nulls, smallest possible p 0.025" in learned
    assert elsewhere.startswith("elsewhere: no harm: ")
    assert "margin of 0.3 nats" in elsewhere
    assert note == "note: it changed since"
    assert found.result.provenance["target"]["document"] == "doc"
    assert found.result.provenance["suite"]["defaults"]["system_prompt"] == "Be brief."


def test_an_untouched_adapter_is_no_change(full: PluginManager) -> None:
    found = checked(full, ClosedForm())
    assert (found.exit_code, found.result.conclusion) == (1, "no change")
    assert found.result.summary[0].startswith("integrity: the adapter is loaded but changes nothing")
    assert found.result.summary[1].startswith("no real change: nothing above numeric noise")


@pytest.mark.parametrize("seed", range(5))
def test_a_random_adapter_of_the_same_size_never_learned(seed: int, full: PluginManager) -> None:
    found = checked(full, ClosedForm(direction="random", seed=seed, size=60.0), margin=50.0)
    assert found.result.conclusion != "learned"
    assert found.exit_code in (1, 4)


def test_a_model_that_learned_but_moved_elsewhere_too_is_harmed(full: PluginManager) -> None:
    found = checked(full, ClosedForm(taught=HELD_OUT, size=12.0), margin=1e-6)
    assert (found.exit_code, found.result.conclusion) == (1, "harmed")
    assert any(line.startswith("elsewhere: harmed: ") for line in found.result.summary)


def test_too_few_nulls_cannot_tell(full: PluginManager) -> None:
    found = checked(full, ClosedForm(taught=HELD_OUT, size=12.0), nulls=5)
    assert (found.exit_code, found.result.conclusion) == (4, "could not tell")
    assert any("could not tell" in line and "random adapters" in line for line in found.result.summary)


def test_without_held_out_questions_learning_is_not_asked_about(full: PluginManager) -> None:
    found = checked(full, ClosedForm(taught=HELD_OUT, size=12.0), target((), HELD_OUT))
    assert (found.exit_code, found.result.conclusion) == (0, "changed")
    assert any("no question was kept out of training" in line for line in found.result.summary)
    assert [probe.name for probe in found.result.probes] == ["integrity", "nulls", "changed", "elsewhere"]


def adapter(folder: Path, config: str = '{"base_model_name_or_path": "some/base"}') -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(config)
    return folder


def test_an_adapter_folder_names_its_base_and_is_asked_general_questions(
    tmp_path: Path, manager: PluginManager
) -> None:
    found = resolve(str(adapter(tmp_path / "a")), manager)
    assert (found.models.ft.base, found.models.ft.adapter, found.models.base.adapter) == (
        "some/base",
        tmp_path / "a",
        None,
    )
    suite = make_suite(found, nulls=39, margin=0.3)
    assert [entry["kind"] for entry in suite.suite] == ["integrity", "null_adapter", "delta_kl"]
    assert len(suite.suite[2]["cases"]) == 14
    asked = make_suite(found, nulls=39, margin=0.3, prompts=["One?", "Two?"]).suite[2]
    assert (asked["prompts"], "cases" in asked) == (["One?", "Two?"], False)
    assert resolve(str(tmp_path / "a"), manager, base="other/base").models.ft.base == "other/base"


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ("{}", "names no base model: give one with --base"),
        ('{"base_model_name_or_path": ""}', "names no base model"),
        ('{"base_model_name_or_path": "/no/such/base"}', "/no/such/base is not on this disk: give one with --base"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_an_adapter_folder_without_a_usable_base_is_refused(
    config: str, what: str, tmp_path: Path, manager: PluginManager
) -> None:
    with pytest.raises(TargetError, match=what):
        resolve(str(adapter(tmp_path / "a", config)), manager)


def test_what_is_no_adapter_and_no_document_is_refused(tmp_path: Path, manager: PluginManager) -> None:
    for ref, what in [("none", "no such adapter folder"), (str(tmp_path), "holds adapter_config.json")]:
        with pytest.raises(TargetError, match=what):
            resolve(ref, manager)
    with pytest.raises(TargetError, match=r"pip install 'dlm-sway\[dlm\]'"):
        resolve(str(tmp_path / "notes.dlm"), manager)


def verdict(name: str, verdict: Any, kind: str = "k") -> ProbeResult:
    return ProbeResult(name=name, kind=kind, verdict=verdict, message="m")


@pytest.mark.parametrize(
    ("conclusion", "learned", "asked", "code"),
    [
        ("learned", "pass", True, 0),
        ("changed", "fail", True, 1),
        ("changed", "inconclusive", True, 4),
        ("changed", None, False, 0),
        ("no change", "fail", True, 1),
        ("harmed", "pass", True, 1),
        ("broken", "pass", True, 1),
        ("could not tell", "inconclusive", True, 4),
        ("learned", "error", True, 1),
    ],
)
def test_the_exit_code_of_a_check(conclusion: str, learned: Any, asked: bool, code: int) -> None:
    probes = (verdict("learned", learned),) if learned else ()
    result = SuiteResult(probes, conclusion, {}, {}, "", "", 0.0)
    assert exit_code(result, asked_learning=asked) == code


def test_every_question_has_its_answer_in_words() -> None:
    results = [
        verdict("integrity", "fail", "integrity"),
        verdict("nulls", "pass"),
        verdict("changed", "inconclusive"),
        verdict("learned", "fail"),
        verdict("elsewhere", "error"),
    ]
    assert list(sentences(results)) == [
        "broken: m",
        "changed: could not tell: m",
        "not learned: m",
        "elsewhere: could not be asked: m",
    ]


def test_a_gain_in_nats_reads_as_a_factor() -> None:
    assert [times(nats) for nats in (0.1, 2.9, 9.0, 1e9)] == ["1.1x", "18x", "over 1000x", "over 1000x"]


def test_the_suite_of_a_check_is_plain_data() -> None:
    suite = make_suite(target(), nulls=19, margin=0.2)
    data = json.loads(suite.model_dump_json())
    kinds = [(entry["name"], entry["kind"]) for entry in data["suite"]]
    assert kinds[2:] == [("changed", "delta_kl"), ("learned", "answer_gain"), ("elsewhere", "delta_kl")]
    assert (data["suite"][1]["runs"], data["suite"][4]["assert_mean_lte"]) == (19, 0.2)
    assert data["suite"][3]["cases"][0] == {
        "prompt": "Who keeps list 0?",
        "reference": "The harbour office keeps list 0",
        "group": "s0",
    }
