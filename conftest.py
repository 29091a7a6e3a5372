"""Makes the name ``dlm`` mean the package before pytest meets the folder ``dlm/``, and keeps the user's cache out.

In importlib mode pytest names a test module after its path (``dlm.tests.store.test_store``) and imports the parents
first; were ``dlm`` not yet imported, the folder would become a namespace package and hide the real one.
"""

import signal

import pytest

import dlm  # noqa: F401


def pytest_configure() -> None:
    """Listen to Ctrl-C, and so do the programs that tests start: a shell's background jobs are told not to."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _empty_sway_cache(tmp_path_factory: pytest.TempPathFactory):
    """Answers of sway's earlier runs are neither taken from the user's cache nor put there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SWAY_NULL_CACHE_DIR", raising=False)
        patch.setenv("SWAY_CACHE_DIR", str(tmp_path_factory.mktemp("sway-cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _programs_as_users_start_them():
    """Coverage, which follows pytest into its own processes, does not slow down the programs that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield
