"""Requests to a real server on loopback: results, sharing of models, limits, and words for everything that is wrong."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest

from dlm_sway.errors import AdapterMismatch
from dlm_sway.report.document import to_dict
from dlm_sway.spec.load import received
from dlm_sway.suite.run import run
from dlm_sway_serve.settings import Settings

CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.fixture
def settings(root: Path) -> Settings:
    return Settings(root, cache=False)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def http(settings: Settings, manager, log, said: list[str], serving):
    with serving(settings, manager, said) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def error(answer: httpx.Response, status: int) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def test_a_run_gives_the_result_that_sway_run_gives(http, root, manager, settings, suite):
    answer = http.post("/run", json={"spec": suite()})
    assert answer.status_code == 200
    served = answer.json()
    assert served.pop("request_seconds") >= 0
    jsonschema.validate(served, json.loads((CONTRACTS / "sway-report.schema.json").read_text()))
    alone = to_dict(run(received(suite(), manager, "<serve>", root), manager=manager, cache=False))
    for changing in ("started_at", "finished_at", "wall_seconds", "backend_stats"):
        served.pop(changing), alone.pop(changing)
    for document in (served, alone):
        for probe in document["probes"]:
            probe.pop("duration_s")
    assert served["provenance"].pop("command") == "POST /run"
    assert served == json.loads(json.dumps(alone))
    assert [probe["verdict"] for probe in served["probes"]] == ["pass", "fail"]
    assert served["gate"]["exit_code"] == 1


def test_seed_weights_threshold_and_name_of_a_request_count(http, suite):
    asked = {"spec": suite(), "seed": 7, "weights": {"adherence": 1}, "threshold": 0.125, "spec_path": "mine.yaml"}
    served = http.post("/run", json=asked).json()
    assert served["probes"][0]["message"].endswith("seed 7")
    assert served["gate"]["threshold"] == 0.125
    assert served["score"]["weights"]["adherence"] == 1
    assert served["spec_path"] == "mine.yaml"


def test_a_score_runs_the_named_entries_and_the_null_adapter_alone(http, log, suite):
    entries = ({"name": "nulls", "kind": "null_adapter", "runs": 19}, {"name": "bad", "kind": "no such probe"})
    spec = suite("one", *entries, {"name": "a", "kind": "moved"}, {"name": "b", "kind": "moved"})
    found = http.post("/score", json={"spec": spec, "probe_names": ["b"]}).json()
    assert set(found) == {"probes", "request_seconds"}
    assert [probe["name"] for probe in found["probes"]] == ["b"]
    assert " nulls 19 " in found["probes"][0]["message"]


def test_a_score_of_an_entry_that_is_not_there_names_it(http, suite):
    told = error(http.post("/score", json={"spec": suite(), "probe_names": ["a", "bb"]}), 400)
    assert told["message"] == "<serve>:0: probe_names: no entry of the suite is called 'bb': did you mean 'b'?"


def test_two_hundred_requests_at_once_load_one_model_and_none_fails(http, log, suite):
    log.load_seconds = 0.3
    with ThreadPoolExecutor(200) as crowd:
        asked = {"spec": suite(), "probe_names": ["a"]}
        answers = list(crowd.map(lambda _: http.post("/score", json=asked).json(), range(200)))
    assert [answer["probes"][0]["verdict"] for answer in answers] == ["pass"] * 200
    assert log.loads == ["one"]
    assert log.most_at_once == 1
    stats = http.get("/stats").json()
    assert (stats["request_count"], stats["failed_count"], stats["loads"], stats["waiting"]) == (200, 0, 1, 0)


def test_the_model_that_was_not_used_for_longest_makes_room(http, log, suite):
    for adapter in ("one", "two", "one", "three", "one", "two"):
        assert http.post("/score", json={"spec": suite(adapter), "probe_names": ["a"]}).status_code == 200
    assert log.loads == ["one", "two", "three", "two"]
    assert log.closed == 2
    health = http.get("/health").json()
    assert [Path(model["adapter"]).name for model in health["loaded_models"]] == ["one", "two"]
    assert health["loaded_models"][0]["dtype"] == "fp64"
    assert health["max_loaded_models"] == 2


def test_an_adapter_that_was_trained_again_in_the_same_folder_is_loaded_again(http, log, root, suite):
    ask = {"spec": suite(), "probe_names": ["a"]}
    http.post("/score", json=ask)
    http.post("/score", json=ask)
    (root / "one" / "weights").write_text("eno")  # as long as before
    http.post("/score", json=ask)
    assert log.loads == ["one", "one"]


def test_a_suite_with_another_template_or_seed_gets_a_model_of_its_own(http, log, suite):
    for defaults in ({}, {"template": "raw"}, {"alpha": 0.01}):
        http.post("/run", json={"spec": suite(defaults=defaults)})
    assert len(log.loads) == 2


def test_a_model_that_cannot_say_what_it_is_is_never_shared(http, log, suite):
    for _ in range(2):
        http.post("/score", json={"spec": suite(kind="nameless"), "probe_names": ["a"]})
    assert (len(log.loads), log.closed) == (2, 2)
    assert http.get("/health").json()["loaded_models"] == []


def test_a_model_that_cannot_be_loaded_is_tried_once_for_all_who_wait_and_again_for_who_asks_later(http, log, suite):
    log.broken, log.load_seconds = AdapterMismatch("12 of 12 keys match no module: train it on this base"), 0.5
    with ThreadPoolExecutor(20) as crowd:
        started = time.monotonic()
        answers = list(crowd.map(lambda _: http.post("/run", json={"spec": suite()}), range(20)))
    assert time.monotonic() - started < 5
    told = error(answers[0], 400)
    assert {answer.text for answer in answers} == {answers[0].text}
    assert told["message"] == "12 of 12 keys match no module: train it on this base"
    assert (told["type"], told["exit_code"], told["exit_code_name"]) == ("AdapterMismatch", 2, "usage or suite error")
    log.broken = None
    assert http.post("/run", json={"spec": suite()}).status_code == 200


def test_after_a_bug_the_model_is_loaded_anew_and_the_answer_says_that_it_is_a_bug(http, log, monkeypatch, suite):
    assert http.post("/run", json={"spec": suite()}).status_code == 200
    monkeypatch.setattr("dlm_sway_serve.judge.run", lambda *_, **__: 1 / 0)
    told = error(http.post("/run", json={"spec": suite()}), 500)
    assert told["message"].startswith("this is a bug in sway or in a plugin")
    assert "ZeroDivisionError" not in json.dumps(told)
    monkeypatch.setattr("dlm_sway_serve.judge.run", run)
    assert http.post("/run", json={"spec": suite()}).status_code == 200
    assert (len(log.loads), log.closed) == (2, 1)


def test_a_probe_with_a_bug_is_a_verdict_as_on_the_command_line(http, suite):
    spec = suite("one", {"name": "bug", "kind": "moved", "fail": "bug"})
    (probe,) = http.post("/run", json={"spec": spec}).json()["probes"]
    assert probe["verdict"] == "error"
    assert "ZeroDivisionError: nothing to divide" in probe["message"]


def test_mistakes_in_a_suite_come_one_by_one(http, suite):
    spec = suite("nowhere", {"name": "a", "kind": "move"})
    told = error(http.post("/run", json={"spec": spec, "spec_path": "sway.yaml"}), 400)
    assert told["type"] == "SpecError"
    assert [fault["where"] for fault in told["faults"]] == ["models.ft.adapter", "suite[0] (a).kind"]
    assert "sway.yaml:0: suite[0] (a).kind: " in told["message"]
    assert "did you mean 'moved'?" in told["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trust_remote_code": True}, "trust_remote_code cannot be set from outside"),
        ({"entry_point": "os:system"}, "entry_point cannot be set from outside"),
        ({"kind": "custom"}, "no installed plugin offers the backend 'custom'"),
        ({"adapter": "../../etc"}, "no such folder among those that are served"),
        ({"adapter": "/"}, "no such folder among those that are served"),
    ],
)
def test_a_request_names_no_code_no_server_and_nothing_outside_the_root(http, log, change, words, suite):
    spec = suite()
    spec["models"]["ft"] |= change
    assert words in error(http.post("/run", json={"spec": spec}), 400)["message"]
    assert log.loads == []


ALLOWED = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/",
        "http://127.0.0.1:9/v2",
        "http://127.0.0.1:9/v1/../v2",
        "http://127.0.0.1:9/v1@example.org",
        "http://127.0.0.1:90/v1",
        "HTTP://127.0.0.1:9/v1",
        " http://127.0.0.1:9/v1",
    ],
)
@pytest.mark.parametrize("allowed", [frozenset(), frozenset({ALLOWED})])
@pytest.mark.parametrize("side", ["base", "ft"])
def test_no_request_makes_the_server_ask_an_address_that_its_owner_did_not_allow(
    root, manager, log, suite, serving, address, allowed, side
):
    spec = suite()
    spec["models"][side]["endpoint"] = address
    with serving(Settings(root, endpoints=allowed), manager) as url:
        told = error(httpx.post(f"{url}/score", json={"spec": spec, "probe_names": ["a"]}), 403)
    assert told["type"] == "WrongServer"
    assert f"models.{side}.endpoint" in told["message"]
    assert "--allow-endpoint" in told["message"]
    assert log.loads == []


def test_an_address_that_the_owner_allowed_may_be_named_and_opens_no_path(root, manager, log, suite, serving):
    spec = suite()
    for side in ("base", "ft"):
        spec["models"][side]["endpoint"] = f"{ALLOWED}/"
    with serving(Settings(root, endpoints=frozenset({ALLOWED})), manager) as url:
        assert httpx.post(f"{url}/run", json={"spec": spec}).status_code == 200
        spec["models"]["base"]["base"] = spec["models"]["ft"]["base"] = "../beside"
        assert "no such folder among those" in error(httpx.post(f"{url}/run", json={"spec": spec}), 400)["message"]


def test_what_is_no_request_is_told_key_by_key(http):
    told = error(http.post("/run", json={"spec": [], "more": 1, "threshold": 2, "weights": {"nothing": 1}}), 422)
    for words in ("body.spec: ", "body.more: Extra inputs", "body.threshold: ", "no category is called 'nothing'"):
        assert words in told["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"spec": {"x": NaN}}', "NaN is no number in JSON"),
        (b'{"spec": {"x": 1e999}}', "too large"),
        (b'{"spec": {"x": "\\ud800"}}', "half a character"),
        (b'{"spec": ' + b'{"x":' * 100 + b"1" + b"}" * 101, "nested more than 64 deep"),
        (b"[" * 500_000, "nested more than 64 deep"),
        (b'{"spec": {"x": ' + b"9" * 10_000 + b"}}", "10000 digits"),
        (b'{"spec": "\xff"}', "not UTF-8"),
        (b'{"spec": {', "JSON decode error"),
        (b"", "Field required"),
    ],
)
def test_a_body_that_is_not_strict_json_is_refused(http, body, words):
    answer = http.post("/run", content=body, headers={"Content-Type": "application/json"})
    assert words in error(answer, 422)["message"]


def test_a_suite_over_one_megabyte_is_refused_and_one_below_is_read(http, suite):
    def ask(size: int) -> httpx.Response:
        return http.post("/run", json={"spec": suite(defaults={"system_prompt": "x" * size})})

    assert ask(990_000).status_code == 200
    assert "larger than 1,000,000 bytes" in error(ask(1_000_000), 413)["message"]
    with suppress(httpx.TransportError):  # the server does not listen to twenty megabytes
        assert ask(20_000_000).status_code == 413
    assert http.get("/health").status_code == 200


def test_a_body_without_end_is_cut_off(http):
    def endless():
        while True:
            yield b" " * 65536

    with suppress(httpx.TransportError):
        answer = http.post("/run", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    assert http.get("/health").status_code == 200


def test_a_body_of_another_type_is_refused(http):
    assert (
        "send JSON" in error(http.post("/run", content=b"{}", headers={"Content-Type": "text/plain"}), 415)["message"]
    )


def test_other_addresses_and_methods_are_errors_of_the_same_form(http):
    assert error(http.get("/nothing"), 404)["type"] == "NoSuchEndpoint"
    assert error(http.get("/run"), 405)["exit_code"] == 2


def test_health_answers_while_a_model_works(http, log, suite):
    working, on = threading.Event(), threading.Event()
    log.question = lambda: (working.set(), on.wait(20))
    with ThreadPoolExecutor(1) as other:
        run_it = other.submit(http.post, "/run", json={"spec": suite()})
        assert working.wait(20)
        assert http.get("/health", timeout=5).status_code == 200
        assert http.get("/stats", timeout=5).json()["waiting"] == 1
        on.set()
        assert run_it.result().status_code == 200


def test_what_takes_too_long_is_answered_in_time_and_the_model_is_free_again_soon(root, manager, log, suite, serving):
    log.question_seconds = 0.2
    with serving(Settings(root, cache=False, seconds=1.0), manager) as url, httpx.Client(base_url=url) as client:
        started = time.monotonic()
        told = error(client.post("/run", json={"spec": suite()}, timeout=30), 504)
        assert time.monotonic() - started < 5
        assert told["message"] == "no answer within 1 seconds: ask for fewer probes or nulls"
        assert told["exit_code_name"] == "runtime failure"
        log.question_seconds = 0.0
        assert client.post("/run", json={"spec": suite()}, timeout=30).status_code == 200
        assert log.loads == ["one"]


def test_more_requests_than_may_wait_are_sent_away(root, manager, log, suite, serving):
    working, on = threading.Event(), threading.Event()
    log.question = lambda: (working.set(), on.wait(20))
    settings = Settings(root, cache=False, most_waiting=1)
    with serving(settings, manager) as url, httpx.Client(base_url=url) as client, ThreadPoolExecutor(1) as other:
        run_it = other.submit(client.post, "/run", json={"spec": suite()}, timeout=30)
        assert working.wait(20)
        answer = client.post("/run", json={"spec": suite()})
        assert error(answer, 503)["type"] == "Busy"
        assert answer.headers["Retry-After"]
        on.set()
        assert run_it.result().status_code == 200


def test_a_run_that_nobody_waits_for_ends_before_its_next_question(http, log, suite):
    log.question_seconds = 0.3
    with pytest.raises(httpx.ReadTimeout):
        http.post("/run", json={"spec": suite()}, timeout=1.0)
    for _ in range(100):
        if not http.get("/stats").json()["waiting"]:
            break
        time.sleep(0.05)
    stats = http.get("/stats").json()
    assert (stats["waiting"], stats["failed_count"], stats["request_count"]) == (0, 1, 0)


def test_two_models_work_side_by_side_where_the_owner_allows_it(root, manager, log, suite, serving):
    both = threading.Barrier(2, timeout=20)
    log.question = lambda: both.wait()
    settings = Settings(root, cache=False, at_once=2)
    with serving(settings, manager) as url, httpx.Client(base_url=url) as client, ThreadPoolExecutor(2) as crowd:
        answers = crowd.map(lambda name: client.post("/run", json={"spec": suite(name)}, timeout=30), ("one", "two"))
        assert [answer.status_code for answer in answers] == [200, 200]


def test_what_was_asked_once_is_remembered_on_disk_like_in_sway_run(root, manager, log, suite, serving):
    settings = Settings(root)
    for expected in (0, 1):
        with serving(settings, manager) as url, httpx.Client(base_url=url) as client:
            stats = client.post("/run", json={"spec": suite()}, timeout=30).json()["backend_stats"]
            assert (stats["disk_hits"] > 0) == bool(expected)


class TestWhoMayAsk:
    KEY = "a-key-of-some-length"

    @pytest.fixture
    def settings(self, root):
        return Settings(root, cache=False, api_key=self.KEY)

    @pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", "Basic a-key-of-some-length", "Bearer é"])
    @pytest.mark.parametrize("path", ["/health", "/stats", "/openapi.json", "/nothing"])
    def test_without_the_key_nothing_is_told(self, http, given, path):
        headers = {} if given is None else {"Authorization": given.encode()}
        answer = http.get(path, headers=headers)
        assert error(answer, 401)["type"] == "WrongKey"
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_without_the_key_the_body_is_not_even_read(self, http, log):
        assert http.post("/run", content=b"{", headers={"Content-Type": "application/json"}).status_code == 401

    def test_with_the_key_everything_answers_by_any_name(self, http):
        headers = {"Authorization": f"bearer {self.KEY}", "Host": "sway.example"}
        assert http.get("/health", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "192.168.0.1", "", "[", "localhost.evil.example"])
def test_without_a_key_only_this_machines_names_are_answered(http, host):
    assert error(http.get("/health", headers={"Host": host}), 403)["type"] == "WrongPlace"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8377", "127.0.0.1", "[::1]:8377"])
def test_every_name_of_this_machine_is_answered(http, host):
    assert http.get("/health", headers={"Host": host}).status_code == 200


def test_without_a_key_no_page_of_another_site_may_ask(http, log, suite):
    answer = http.post("/run", json={"spec": suite()}, headers={"Origin": "https://evil.example"})
    assert "no page of another site" in error(answer, 403)["message"]
    assert log.loads == []


def test_every_answer_is_told_to_the_owner_in_one_line(http, said):
    http.get("/health?x=%0Aforged")
    http.get("/a%0Ab")
    assert said[0].startswith("GET /health 200 ")
    assert said[1].startswith("GET /a%0Ab 404 ")


def test_a_slow_body_is_given_up(settings, manager, log, serving):
    with serving(replace(settings, body_seconds=0.3), manager) as url:
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port), timeout=20) as raw:
            head = (
                "POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            raw.sendall(head.encode())
            assert b"408" in raw.recv(4096).split(b"\r\n")[0]
