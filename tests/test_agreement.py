"""Numbers that two distributions must agree on, though neither may import the other."""

from __future__ import annotations

from dlm.document.checkup import ENOUGH_PROBES
from dlm_sway.probes.judging import FEWEST_ITEMS


def test_dlm_asks_for_as_many_probes_as_sway_needs_for_a_conclusion():
    assert ENOUGH_PROBES == FEWEST_ITEMS
