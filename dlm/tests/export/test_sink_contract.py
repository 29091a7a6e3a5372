"""The kit for authors of targets, on the toy."""

from __future__ import annotations

import pytest

from dlm import export_to
from dlm.export.options import ExportOptions
from dlm.testing import SinkContract


@pytest.mark.usefixtures("plugins")
class TestToySink(SinkContract):
    name = "toy"
    plugin_module = "dlm.testing.toy_sink"

    @pytest.fixture
    def export(self, trained):
        return lambda out: export_to(trained, "toy", options=ExportOptions(out=out))
