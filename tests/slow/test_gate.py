"""A learned gate on the real base: it gives a question to the adapter that knows, and that is worth something."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
sys.path.append(str(Path(__file__).parents[2] / "bench"))
gate = import_module("gate")


def test_the_gate_answers_what_neither_the_wrong_adapter_nor_an_even_mix_does(home, tmp_path) -> None:
    found = gate.measure(gate.document(tmp_path, "smollm2-135m", "plain"), home, 8_000)
    told = gate.told(found)
    right, alone = found.right, "the adapter `{}` alone"
    total = {way: sum(facts.values()) for way, facts in right.items()}
    assert found.gate.held_out.low > found.gate.held_out.chance, told
    assert found.chosen >= 11, told
    own = sum(right[alone.format(name)][name] for name in gate.FACTS)
    wrong = sum(right[alone.format(name)][other] for name in gate.FACTS for other in gate.FACTS if other != name)
    assert (own >= 9, wrong <= 2) == (True, True), told
    assert total["through the gate"] >= own - 2, told
    assert total["through the gate"] >= max(total["both, at half"], total["both, at full"]) + 3, told
