"""The document layer by itself: whatever is installed beside the core, these tests see the core alone."""

from __future__ import annotations

import pytest

from dlm.testing import only_plugins


@pytest.fixture(autouse=True)
def no_plugins():
    with only_plugins():
        yield
