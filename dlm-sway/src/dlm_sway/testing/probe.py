"""What every probe must do, whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from pydantic import ValidationError

from ..plugins import manager
from ..probes.base import Probe, ProbeSpec
from ..result import ProbeResult
from .backend import forbid_overrides
from .closed_form import ClosedForm, context
from .startup import modules_after

HEAVY = frozenset({"torch", "transformers", "peft", "mlx", "numpy", "scipy", "pydantic"})


class ProbeContract:
    """Subclass as ``TestMyProbe`` and set :attr:`name` and :attr:`plugin_module`.

    Override a fixture to fit your probe. A test may be overridden only to mark it ``xfail`` with a reason. Example::

        class TestEcho(ProbeContract):
            name = "acme/echo"
            plugin_module = "acme_sway_probes.plugin"
    """

    name: str
    """The kind, as registered."""
    plugin_module: str
    """The module your entry point names."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        """Keys of the suite entry that make the probe meaningful on any model."""
        return {}

    @pytest.fixture
    def changed(self) -> ClosedForm:
        """A model that training moved."""
        return ClosedForm(direction="random", seed=1, size=40.0)

    @pytest.fixture
    def unchanged(self) -> ClosedForm:
        """A model with an adapter that changes nothing."""
        return ClosedForm()

    @pytest.fixture
    def probe(self, options: dict[str, Any]) -> Probe[Any]:
        kind: type[Probe[Any]] = manager().resolve("dlm_sway_probes", self.name)
        return kind(kind.spec_type(name="under test", kind=self.name, **options))

    def test_importing_the_plugin_module_is_cheap(self) -> None:
        heavy = modules_after(f"import {self.plugin_module}") & HEAVY
        assert not heavy, f"{self.plugin_module} must only describe; importing it loads {sorted(heavy)}"

    def test_kind_is_the_registered_name(self, probe: Probe[Any]) -> None:
        assert probe.kind == self.name

    def test_the_spec_has_the_keys_every_entry_has(self, probe: Probe[Any]) -> None:
        assert issubclass(probe.spec_type, ProbeSpec)

    def test_rejects_unknown_keys(self, probe: Probe[Any], options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="no_such_key"):
            probe.spec_type(name="under test", kind=self.name, **{**options, "no_such_key": 1})

    def test_the_result_survives_strict_json(self, probe: Probe[Any], changed: ClosedForm) -> None:
        result = probe.run(context(changed))
        assert isinstance(result, ProbeResult)
        assert (result.name, result.kind) == ("under test", self.name)
        assert result.message
        assert json.loads(json.dumps(asdict(result), allow_nan=False))["verdict"] == result.verdict

    def test_the_same_seed_gives_the_same_result(self, probe: Probe[Any], changed: ClosedForm) -> None:
        assert probe.run(context(changed, seed=7)) == probe.run(context(changed, seed=7))

    def test_the_verdict_on_identical_models_is_the_honest_one(self, probe: Probe[Any], unchanged: ClosedForm) -> None:
        """A probe that finds a change where there is none, or harm where nothing happened, measures nothing."""
        result = probe.run(context(unchanged))
        seeks = result.seeks or manager().entry("dlm_sway_probes", self.name).entry.seeks  # type: ignore[attr-defined]
        assert result.verdict != {"change": "pass", "harm": "fail", "neither": "error"}[seeks]

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), ProbeContract)
