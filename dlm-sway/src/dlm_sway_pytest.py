"""pytest plugin: the ``sway`` marker, and readable asserts in the contract tests.

A module of its own, outside ``dlm_sway``, so that a pytest run in this environment does not import the package.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("dlm_sway.testing")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "sway(spec): gate a model with the suite file `spec`")
