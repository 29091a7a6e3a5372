"""What counts as a difference between two locks, and how grave it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dlm.errors import StoreError
from dlm.locking.comparing import differences
from dlm.locking.models import Lock, read, schema
from dlm.locking.table import RULES, rule_for

CONTRACTS = Path(__file__).parents[3] / "contracts"
GOLDEN = CONTRACTS / "golden" / "lock"
PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "lock.md").read_text(encoding="utf-8")
UNJUDGED = {
    "lock_version": "the format",
    "created_at": "when",
    "dlm_id": "which document",
    "last_run_id": "which run",
    "base_model": "a name for what base_model_sha256 says",
    "plan_sha256": "known only once the training is under way; everything that decides it is compared",
}
CURRENT = read(GOLDEN / "current.json")
PRIOR = read(GOLDEN / "prior.json")


def changed(**values):
    return CURRENT.model_copy(update=values)


def only(found):
    assert len(found) == 1, [one.key for one in found]
    return found[0]


def test_a_lock_is_written_as_it_was_read():
    text = (GOLDEN / "current.json").read_text(encoding="utf-8")
    assert CURRENT.text() == text
    assert not CURRENT.prior


def test_the_contract_is_current_and_holds_for_both_golden_files():
    write = "python -c 'from dlm.locking.models import schema; print(schema(), end=\"\")'"
    committed = (CONTRACTS / "dlm-lock.schema.json").read_text(encoding="utf-8")
    assert committed == schema(), f"run: {write} > contracts/dlm-lock.schema.json"
    validator = Draft202012Validator(json.loads(committed))
    for name in ("current.json", "prior.json"):
        validator.validate(json.loads((GOLDEN / name).read_text(encoding="utf-8")))


def test_every_key_of_a_lock_is_judged_or_has_a_reason_why_not():
    families = {rule.key.partition(".")[0] for rule in RULES}
    for key in Lock.model_fields:
        assert (key in families) != (key in UNJUDGED), key


def test_the_reference_page_prints_the_table():
    for rule in RULES:
        severity = f"{rule.severity}; {rule.major} for another first number" if rule.major else rule.severity
        assert f"| `{rule.key}` | {severity} | {rule.effect} |" in PAGE


def test_a_lock_does_not_differ_from_itself():
    assert differences(CURRENT, CURRENT) == ()


@pytest.mark.parametrize(
    ("change", "key", "severity"),
    [
        ({"document_digest": "sha256:" + "0" * 64}, "document_digest", "allow"),
        ({"sources": {}}, "sources.notes", "allow"),
        ({"replay_sha256": "sha256:" + "0" * 64}, "replay_sha256", "allow"),
        ({"asked": {}}, "asked.effort", "allow"),
        ({"warm_from": None}, "warm_from", "allow"),
        ({"base_model_sha256": "sha256:" + "0" * 64}, "base_model_sha256", "error"),
        ({"seed": 7}, "seed", "warn"),
        ({"lora": {**CURRENT.lora, "rank": 8}}, "lora.rank", "warn"),
        ({"recipe": {**CURRENT.recipe, "betas": [0.9, 0.99]}}, "recipe.betas", "warn"),
        ({"precision": "fp32"}, "precision", "warn"),
        ({"hardware_tier": "cpu"}, "hardware_tier", "warn"),
        ({"world_size": 1}, "world_size", "warn"),
        ({"pinned_versions": {**CURRENT.pinned_versions, "torch": "2.9.2+cu128"}}, "pinned_versions.torch", "warn"),
        ({"pinned_versions": {**CURRENT.pinned_versions, "torch": "3.0.0"}}, "pinned_versions.torch", "error"),
        ({"pinned_versions": {**CURRENT.pinned_versions, "torch": "nightly"}}, "pinned_versions.torch", "warn"),
        ({"pinned_versions": {**CURRENT.pinned_versions, "dlm-x": "1.0"}}, "pinned_versions.dlm-x", "warn"),
        ({"license_acceptance": {**CURRENT.license_acceptance, "license_url": "https://example.org/2"}},
         "license_acceptance.license_url", "warn"),
    ],
)  # fmt: skip
def test_a_difference_has_the_severity_of_its_row(change, key, severity):
    found = only(differences(CURRENT, changed(**change)))
    assert (found.key, found.severity) == (key, severity)
    assert found.effect == rule_for(key).effect


@pytest.mark.parametrize("key", ["base_model_sha256", "precision", "cuda_version", "hardware_tier", "title"])
def test_what_one_side_does_not_know_is_no_difference(key):
    assert differences(CURRENT, changed(**{key: None})) == ()
    assert differences(changed(**{key: None}), CURRENT) == ()


def test_a_time_a_run_or_the_place_of_the_base_is_no_difference():
    again = changed(created_at="2027-01-01T00:00:00Z", last_run_id=9, base_model="path:/elsewhere", dlm_sha256="0" * 64)
    assert differences(CURRENT, again) == ()


def test_the_gravest_difference_comes_first():
    found = differences(CURRENT, changed(base_model_sha256="sha256:" + "0" * 64, seed=7, title="Lantern"))
    assert [one.severity for one in found] == ["error", "warn", "allow"]


def test_a_difference_says_what_was_what_is_what_it_changes_and_the_way_back():
    versions = {**CURRENT.pinned_versions, "torch": "2.10.0"}
    said = str(only(differences(CURRENT, changed(pinned_versions=versions))))
    assert "torch was 2.9.1+cu128 and is 2.10.0: " in said
    assert "the weights differ in their last digits" in said
    assert "pip install 'torch==2.9.1+cu128'" in said


def test_a_prior_trainer_s_lock_is_compared_where_it_knows_something():
    now = changed(base_model_revision="a" * 40, cuda_version="12.4", license_acceptance=None, world_size=1)
    found = {one.key: one.severity for one in differences(PRIOR, now)}
    assert PRIOR.prior
    assert found == {
        "base_model_revision": "error",
        "pinned_versions.torch": "error",
        "pinned_versions.transformers": "error",
        "dlm_sha256": "allow",
    }


def test_a_newer_format_is_refused_and_a_damaged_file_says_how_to_go_on(tmp_path):
    path = tmp_path / "dlm.lock"
    path.write_text('{"lock_version": 2, "dlm_id": "x"}')
    with pytest.raises(StoreError, match="newer dlm"):
        read(path)
    for text in ("", "[]", '{"lock_version": 1}', '{"lock_version": 1, "dlm_id": "x", "world_size": 0}', "\xff"):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(StoreError, match="--update-lock"):
            read(path)
    path.unlink()
    assert read(path) is None


versions = st.dictionaries(st.sampled_from(["torch", "peft", "dlm", "numpy"]), st.text("0123456789.+cu", max_size=8))


@given(versions, versions)
def test_versions_differ_exactly_where_they_are_not_the_same(before, after):
    found = differences(changed(pinned_versions=before), changed(pinned_versions=after))
    wanted = {f"pinned_versions.{name}" for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {one.key for one in found} == wanted
    assert all(str(one).count("\n") == 0 for one in found)
