"""Whether a base can be exported is known offline, and no registered one is turned away by mistake."""

from __future__ import annotations

import pytest

from dlm.bases.registry import BASES
from dlm.bases.resolve import resolve
from dlm.export.ability import abilities, config_of
from dlm.plugins import manager

REFUSED = {("mlx-serve", "mixtral")}
"""Target and architecture; everything else that is registered can be written."""


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.key)
def test_every_registered_base_is_taken_by_every_target_that_knows_its_architecture(base):
    found = abilities(config_of(base, None))
    assert {one.target for one in found} == set(manager().offers("dlm_sinks"))
    assert {(one.target, base.architecture) for one in found if one.refusal} <= REFUSED, found
    assert all("cannot be loaded" not in (one.refusal or "") for one in found)


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.key)
def test_a_registered_base_that_is_named_by_its_repository_is_known_as_well(base):
    for source in base.sources:
        if repo := getattr(source, "repo", None):
            assert config_of(resolve(f"hf:{repo}"), None) == {"model_type": base.architecture}


def test_an_architecture_that_nobody_writes_is_told_with_a_reason():
    found = {one.target: one.refusal for one in abilities({"model_type": "mamba"})}
    assert "mamba" in (found["gguf"] or "")
