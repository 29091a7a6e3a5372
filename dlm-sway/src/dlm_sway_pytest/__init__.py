"""pytest plugin: ``@pytest.mark.sway(spec=…)`` makes a test of every probe of a suite.

This module is imported by every pytest run of this environment, so it holds hooks and nothing else: the rest, and
``dlm_sway`` itself, are imported when a test with the mark is collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

pytest.register_assert_rewrite("dlm_sway.testing")

MARKER = (
    "sway(spec, threshold=None, weights=None): run the sway suite `spec` once; a test for each of its probes, and "
    "`__gate__` for all of them together"
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """Put a suite in the place of a function that has the mark."""
    found = yield
    if isinstance(found, list) and any(node.get_closest_marker("sway") for node in found):
        from .items import replaced

        return [one for node in found for one in replaced(node)]
    return found


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse the mark where it would do nothing: a gate that is not run must not look like one that passed."""
    if item.get_closest_marker("sway"):
        from .items import refuse_other

        refuse_other(item)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process of pytest-xdist where all of them keep what a suite found."""
    from .shared import announce

    announce(node)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the processes shared."""
    if config.pluginmanager.hasplugin("dsession"):
        from .shared import clean_up

        clean_up(config)


@pytest.fixture
def sway_result(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The whole result of the suite that the test's mark names, as in `sway run --json`."""
    from .items import result_of

    return result_of(request)
