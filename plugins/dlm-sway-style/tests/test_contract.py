from __future__ import annotations

import pytest

from dlm_sway.testing import ProbeContract


class TestStyleFingerprint(ProbeContract):
    name = "style_fingerprint"
    plugin_module = "dlm_sway_style.plugin"

    @pytest.fixture
    def options(self, known):
        return {"prompts": known.prompts, "doc_reference": known.reference, "extended": "off"}

    @pytest.fixture
    def planted(self, known):
        return known.Scripted(lambda at, tuned: (known.terse if tuned else known.wordy)(at))
