"""``sway serve`` as a process of its own: starting, refusing to start, stopping."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlm_sway.errors import SpecError
from dlm_sway_serve import ServeClient, ServeError
from dlm_sway_serve.client import ServeRefused

ENV = {key: value for key, value in os.environ.items() if key != "SWAY_SERVE_KEY"}
SLOW = """\
import importlib.util, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("kit", sys.argv[1])
kit = importlib.util.module_from_spec(spec); spec.loader.exec_module(kit)
from dlm_sway_serve.serving import serve
from dlm_sway_serve.settings import Settings
kit.Counted.log.question_seconds = float(sys.argv[3])
say = lambda line: print(line, file=sys.stderr, flush=True)
serve(Settings(Path(sys.argv[2]), cache=False), kit.make_manager(), "127.0.0.1", 0, int(sys.argv[4]), say)
"""


def started(*command: str, **env: str) -> tuple[subprocess.Popen[str], str]:
    """A server and its address."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**ENV, **env})
    line = process.stderr.readline()
    return process, re.search(r"http://\S+\d", line).group()


def sway(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dlm_sway", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**ENV, **env}, timeout=60)


def test_the_command_serves_with_its_key_and_ends_with_zero_when_told_to(tmp_path):
    command = (sys.executable, "-m", "dlm_sway", "serve", "--port", "0", "--root", str(tmp_path))
    process, url = started(*command, SWAY_SERVE_KEY="of-the-environment")
    try:
        with ServeClient(url, api_key="of-the-environment") as client:
            assert client.health()["status"] == "ok"
            assert client.stats()["request_count"] == 0
        with ServeClient(url) as client, pytest.raises(ServeRefused, match="needs its key") as caught:
            client.health()
        assert (caught.value.status, caught.value.kind, caught.value.exit_code) == (401, "WrongKey", 2)
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told.endswith("stopped\n")
    assert "of-the-environment" not in told


def test_ctrl_c_ends_with_130(tmp_path):
    process, url = started(sys.executable, "-m", "dlm_sway", "serve", "--port", "0", "--root", str(tmp_path))
    with ServeClient(url) as client:
        client.health()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in told) == (130, False)


def stopped_while_it_answers(root: Path, spec: dict, question_seconds: float, grace: int):
    """What a client got whose answer was on its way when the server was stopped; how that ended, in which time."""
    kit = str(Path(__file__).with_name("conftest.py"))
    process, url = started(sys.executable, "-c", SLOW, kit, str(root), str(question_seconds), str(grace))
    with ServeClient(url) as client, ThreadPoolExecutor(1) as other:
        answer = other.submit(client.run, spec)
        while not client.stats()["waiting"]:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, told = process.communicate(timeout=60)
    return answer, process.returncode, told, time.monotonic() - began


def test_what_is_being_answered_is_finished_before_the_server_stops(root, suite):
    answer, code, _, _ = stopped_while_it_answers(root, suite(), 0.1, 20)
    assert [probe["verdict"] for probe in answer.result()["probes"]] == ["pass", "fail"]
    assert code == 0


def test_what_is_not_finished_in_time_is_given_up_after_the_question_it_is_at(root, suite):
    answer, code, told, seconds = stopped_while_it_answers(root, suite(), 1.0, 1)
    assert isinstance(answer.exception(), ServeError)
    assert (code, told.endswith("stopped\n")) == (0, True)
    assert seconds < 8  # of the seventeen that all questions take


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_off_this_machine_nothing_is_served_without_a_key(host):
    done = sway("--host", host, "--port", "0")
    assert done.returncode == 2
    assert "can be reached from other machines, and there is no key: set one with export SWAY_SERVE_KEY=" in done.stderr


def test_an_address_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = sway("--port", str(port))
    assert done.returncode == 2
    assert f"127.0.0.1:{port}: Address already in use" in done.stderr


@pytest.mark.parametrize("key", ["", "two words", "schlüssel"])
def test_a_key_that_fits_into_no_header_is_refused(key):
    done = sway("--api-key", key)
    assert (done.returncode, "printable ASCII" in done.stderr) == (2, True)


class TestClient:
    @pytest.fixture
    def client(self, root, manager, log, serving):
        from dlm_sway_serve.settings import Settings

        with serving(Settings(root, cache=False), manager) as url, ServeClient(url) as client:
            yield client

    def test_a_suite_file_here_is_asked_about_there(self, client, tmp_path):
        path = tmp_path / "sway.yaml"
        models = "models: {base: {kind: counted, base: base}, ft: {kind: counted, base: base, adapter: one}}"
        path.write_text(f"version: 1\n{models}\nsuite: [{{name: a, kind: moved}}]\n")
        result = client.run(path, seed=4, threshold=0.5)
        assert (result["spec_path"], result["provenance"]["seed"]) == (str(path), 4)
        assert client.score(str(path), ["a"])["probes"][0]["verdict"] == "pass"
        assert client.health()["loaded_models"]

    def test_mistakes_come_back_as_they_are(self, client, suite):
        with pytest.raises(ServeRefused) as caught:
            client.run(suite("nowhere"))
        assert [fault.where for fault in caught.value.faults] == ["models.ft.adapter"]
        assert str(caught.value) == str(SpecError(caught.value.faults))

    @pytest.mark.parametrize(
        ("status", "text", "words"),
        [
            ("200 OK", '{"probes": [NaN]}', "NaN is no number in JSON"),
            ("200 OK", '{"probes": [', "but not as `sway serve` does"),
            ("200 OK", "[]", "the answer is no object"),
            ("500 No", "<html>", "answered 500, but not as"),
            ("500 No", '{"error": "x"}', "its error has another form"),
        ],
    )
    def test_a_server_that_is_not_sway_is_told_apart(self, status, text, words):
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())

            threading.Thread(target=answer).start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with ServeClient(url) as client, pytest.raises(ServeError) as caught:
                client.health()
        assert words in str(caught.value)

    def test_no_server_and_no_answer_in_time_say_what_to_do(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with ServeClient(url, timeout=0.2) as client, pytest.raises(ServeError, match="raise `timeout`"):
                client.health()
        with ServeClient(url) as client, pytest.raises(ServeError, match="is `sway serve` running there"):
            client.health()
