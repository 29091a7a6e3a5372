"""The contract suite itself, and the toy backend that the other tests train with."""

from __future__ import annotations

import pytest

from dlm.bases import LocalBase
from dlm.testing import AdaptersContract, BackendContract, ToyBackend, toy_base


class Toy:
    @pytest.fixture
    def backend(self):
        return ToyBackend()

    @pytest.fixture
    def base(self, tmp_path):
        return LocalBase("toy", toy_base(tmp_path / "base"), "sha256:0", "written by the test")


class TestToyBackend(Toy, BackendContract):
    pass


class TestToyAdapters(Toy, AdaptersContract):
    pass
