"""`sway watch --serve-url`: the server judges, and the model stays loaded between two changes."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import dlm_sway.plugins
from dlm_sway.cli.main import main
from dlm_sway.history import watching
from dlm_sway.history.watching import History
from dlm_sway_serve import plugin
from dlm_sway_serve.settings import Settings

KEY = "a-key-of-the-environment"
SUITE = """\
version: 1
models:
  base: {kind: counted, base: ../base}
  ft: {kind: counted, base: ../base, adapter: ../one}
suite: [{name: a, kind: moved}]
"""
Watch = Callable[..., Result]


@pytest.fixture
def spec(root: Path) -> Path:
    (root / "suites").mkdir()
    (root / "suites" / "sway.yaml").write_text(SUITE)
    return root / "suites" / "sway.yaml"


@pytest.fixture
def watch(manager, log, spec: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Runs the command: it waits once for each of ``changes``, which then happens, and is stopped after the last."""
    manager.register(plugin, name="serve")
    monkeypatch.setattr(dlm_sway.plugins, "manager", lambda: manager)
    monkeypatch.setenv("SWAY_SERVE_KEY", KEY)

    def watched(url: str, *changes: Callable[[], object], options: tuple[str, ...] = ()) -> Result:
        left = iter(changes)

        def wait(*_: object) -> None:
            change = next(left, None)
            if change is None:
                raise KeyboardInterrupt
            change()

        monkeypatch.setattr(watching, "_wait", wait)
        arguments = ["watch", str(spec), "--settle-ms", "0", "--serve-url", url, *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return watched


@pytest.fixture
def kept(spec: Path) -> Callable[[], list[dict]]:
    return lambda: [json.loads(p.read_text()) for p in History(spec.with_suffix(".history"), 9).files()]


def test_a_change_of_the_suite_finds_the_model_warm_and_one_of_the_adapter_loads_it_anew(
    root: Path, spec: Path, manager, log, serving, watch: Watch, kept
) -> None:
    with serving(Settings(root, api_key=KEY, cache=False), manager) as url:
        done = watch(
            url,
            lambda: spec.write_text(SUITE.replace("kind: moved", "kind: moved, limit: 9")),
            lambda: (root / "one" / "weights").write_text("trained again"),
        )
    assert done.exit_code == 0, done.output
    results = kept()
    assert [one["gate"]["outcome"] for one in results] == ["pass", "fail", "fail"]
    assert log.loads == ["one", "one"]
    assert results[0]["provenance"]["command"] == "POST /run"
    assert results[0]["spec_path"] == str(spec)[-200:]
    assert "against the one before: " in done.stdout
    assert KEY not in done.output + json.dumps(results)


def test_a_server_that_is_not_there_yet_is_asked_again_and_mentioned_once(
    root: Path, manager, serving, watch: Watch, kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    create = socket.create_server
    with ExitStack() as stack:

        def start() -> None:
            monkeypatch.setattr(socket, "create_server", lambda _: create(("127.0.0.1", port)))
            stack.enter_context(serving(Settings(root, api_key=KEY, cache=False), manager))

        done = watch(f"http://127.0.0.1:{port}", lambda: None, start)
    assert [one["gate"]["outcome"] for one in kept()] == ["pass"]
    assert done.stderr.count("is `sway serve` running there?") == 1
    assert "asking again every few seconds" in done.stderr


def test_what_the_server_refuses_is_said_and_not_asked_again(
    root: Path, manager, log, serving, watch: Watch, kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Settings(root / "suites", api_key=KEY, cache=False), manager) as url:
        done = watch(url, lambda: None, lambda: None)
    assert done.stderr.count("no such folder among those that are served") == 3  # two bases and an adapter, once
    assert "waiting for a change" in done.stderr
    monkeypatch.setenv("SWAY_SERVE_KEY", "another")
    with serving(Settings(root, api_key=KEY, cache=False), manager) as url:
        done = watch(url)
    assert ("needs its key" in done.stderr, "another" in done.stderr) == (True, False)
    assert (kept(), log.loads) == ([], [])


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("localhost:8377", (), "is no address: write http://127.0.0.1:8377"),
        ("gopher://localhost", (), "no installed plugin offers"),
        ("http://127.0.0.1:8377", ("--no-cache",), "start it with `sway serve --no-cache`"),
    ],
)
def test_an_address_that_cannot_be_asked_ends_the_command_at_once(
    url: str, options: tuple[str, ...], words: str, watch: Watch
) -> None:
    done = watch(url, options=options)
    assert (done.exit_code, words in " ".join(done.stderr.split())) == (2, True), done.output


@pytest.fixture(autouse=True)
def nobody_elses_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWAY_SERVE_URL", raising=False)
