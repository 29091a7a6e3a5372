"""What dlm asks of every backend, on a tiny real model."""

from __future__ import annotations

import pytest

from dlm.bases import LocalBase
from dlm.testing import AdaptersContract, BackendContract
from dlm_hf.backend import HfBackend


class Hf:
    @pytest.fixture
    def backend(self) -> HfBackend:
        return HfBackend()

    @pytest.fixture
    def base(self, tiny_base) -> LocalBase:
        return LocalBase("tiny", tiny_base, "sha256:0", "made by the tests")


class TestHf(Hf, BackendContract):
    pass


class TestHfAdapters(Hf, AdaptersContract):
    pass
