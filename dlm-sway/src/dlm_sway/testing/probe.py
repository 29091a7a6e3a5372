"""What every probe must do, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from ..plugins import manager
from ..probes.base import Probe, ProbeSpec
from ..result import ProbeResult
from .backend import forbid_overrides
from .closed_form import ClosedForm, context
from .planted import Place, harmed, learned
from .startup import modules_after

if TYPE_CHECKING:
    from ..entries import ProbeEntry
    from ..sections import SectionData

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

    unordered: tuple[str, ...] = ("prompts", "cases", "items", "triples")
    """Keys whose order must not matter."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        """Keys of the suite entry that make the probe meaningful on any model."""
        return {}

    @pytest.fixture
    def sections(self) -> Sequence[SectionData] | None:
        """What was taught, for probes that ask about sections."""
        return None

    @pytest.fixture
    def place(self, sections: Sequence[SectionData] | None) -> Place:
        """Makes the context that the probe runs in, on a backend."""
        return partial(context, sections=sections)

    @pytest.fixture
    def changed(self) -> ClosedForm:
        """A model that training moved."""
        return ClosedForm(direction="random", seed=1, size=40.0)

    @pytest.fixture
    def unchanged(self) -> ClosedForm:
        """A model with an adapter that changes nothing."""
        return ClosedForm()

    @pytest.fixture
    def planted(self, probe: Probe[Any], place: Place, seeks: str) -> ClosedForm:
        """A model with the very thing that the probe looks for: what it asks about became likelier, or, when it looks
        for harm, less likely."""
        if seeks == "neither":
            return ClosedForm(direction="random", seed=2, size=40.0)
        return harmed(probe, place) if seeks == "harm" else learned(probe, place)

    @pytest.fixture
    def seeks(self, probe: Probe[Any]) -> str:
        """What a pass means."""
        return probe.seeks or str(_entry(self.name).seeks)

    @pytest.fixture
    def probe(self, options: dict[str, Any]) -> Probe[Any]:
        return self._made(options)

    def _made(self, options: dict[str, Any]) -> Probe[Any]:
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

    def test_the_result_survives_strict_json(self, probe: Probe[Any], place: Place, changed: ClosedForm) -> None:
        result = probe.run(place(changed))
        assert isinstance(result, ProbeResult)
        assert (result.name, result.kind) == ("under test", self.name)
        assert result.message
        assert json.loads(json.dumps(asdict(result), allow_nan=False))["verdict"] == result.verdict

    def test_the_same_seed_gives_the_same_result(self, probe: Probe[Any], place: Place, changed: ClosedForm) -> None:
        assert probe.run(replace(place(changed), seed=7)) == probe.run(replace(place(changed), seed=7))

    def test_the_verdict_on_identical_models_is_the_honest_one(
        self, probe: Probe[Any], place: Place, unchanged: ClosedForm, seeks: str
    ) -> None:
        """A probe that finds a change where there is none, or harm where nothing happened, measures nothing."""
        result = probe.run(place(unchanged))
        assert result.verdict != {"change": "pass", "harm": "fail", "neither": "error"}[result.seeks or seeks]

    def test_identical_models_measure_exactly_nothing(
        self, probe: Probe[Any], place: Place, unchanged: ClosedForm
    ) -> None:
        """No number that is made of two equal models may differ from zero, not even in its last bit."""
        assert probe.run(place(unchanged)).raw in (None, 0.0)

    def test_what_was_planted_is_found(self, probe: Probe[Any], place: Place, planted: ClosedForm, seeks: str) -> None:
        result = probe.run(place(planted))
        found = {"change": ("pass",), "harm": ("fail",), "neither": ("pass", "warn")}[result.seeks or seeks]
        assert result.verdict in found, result.message

    def test_a_random_adapter_of_equal_norm_is_not_taken_for_training(
        self, probe: Probe[Any], place: Place, planted: ClosedForm, seeks: str
    ) -> None:
        """Never as learning; as a change, no more often than three times in twelve, which alpha allows once in 500."""
        if seeks != "change":
            return
        size = max(planted.size, 1.0)
        results = [probe.run(place(ClosedForm(direction="random", seed=seed, size=size))) for seed in range(12)]
        passed = [result.message for result in results if result.verdict == "pass"]
        allowed = 0 if _entry(self.name).category == "attribution" else 3
        assert len(passed) <= allowed, passed

    def test_the_order_of_items_does_not_matter(
        self, probe: Probe[Any], place: Place, changed: ClosedForm, options: dict[str, Any]
    ) -> None:
        turned = {key: value[::-1] if key in self.unordered else value for key, value in options.items()}
        one, other = probe.run(place(changed)), self._made(turned).run(place(changed))
        assert (one.verdict, one.n_items, one.p_value) == (other.verdict, other.n_items, other.p_value)
        assert one.raw == (None if other.raw is None else pytest.approx(other.raw, rel=1e-9, abs=1e-12))

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), ProbeContract)


def _entry(name: str) -> ProbeEntry:
    return manager().entry("dlm_sway_probes", name).entry  # type: ignore[return-value]
