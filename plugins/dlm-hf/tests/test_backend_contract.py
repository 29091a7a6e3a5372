"""What dlm asks of every backend, on a tiny real model."""

from __future__ import annotations

import pytest

from dlm.bases import LocalBase
from dlm.testing import BackendContract
from dlm_hf.backend import HfBackend


class TestHf(BackendContract):
    @pytest.fixture
    def backend(self) -> HfBackend:
        return HfBackend()

    @pytest.fixture
    def base(self, tiny_base) -> LocalBase:
        return LocalBase("tiny", tiny_base, "sha256:0", "made by the tests")
