"""What goes wrong on the way: a proxy before llama.cpp's real server spoils replies; the backend copes or says so."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.types import FT, Item
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway_api.endpoint import Endpoint, Refused
from dlm_sway_api.judging import ApiJudging
from dlm_sway_api.settings import Settings, from_environment

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")
ITEM = Item("Who is it?", "Ines, on Friday.")
KEY = "sk-secret-1234"


class Proxy(ThreadingHTTPServer):
    """Hands requests on to a server; ``faults`` are used up first, one a request."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = target.removesuffix("/v1")
        self.faults: list = []
        self.always = None
        self.hidden: tuple[str, ...] = ()
        self.most_shown = 10_000
        self.routes: dict[str, str] = {}
        self.seen: list[dict[str, str]] = []
        self.running, self.most = 0, 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request, client_address) -> None:
        """A client that gave up is what some tests want."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        with urllib.request.urlopen(self.server.target + self.path, timeout=60) as found:
            self.say(200, found.read())

    def do_POST(self) -> None:
        proxy = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with proxy.lock:
            proxy.seen.append(dict(self.headers))
            proxy.running += 1
            proxy.most = max(proxy.most, proxy.running)
            fault = proxy.faults.pop(0) if proxy.faults else proxy.always
        try:
            status, reply, honest = self.answered(body)
        finally:
            # Before the reply: a client may ask again as soon as it has it.
            with proxy.lock:
                proxy.running -= 1
        if fault is None or not honest:
            self.say(status, reply)
        else:
            fault(self, reply)

    def answered(self, body: bytes) -> tuple[int, bytes, bool]:
        """Status, reply, and whether it came from the server."""
        proxy = self.server
        if self.path in proxy.hidden:
            return 404, b'{"error": {"message": "File Not Found"}}', False
        wanted = json.loads(body)
        if max(int(wanted.get(key) or 0) for key in ("logprobs", "top_logprobs")) > proxy.most_shown:
            return 400, b'{"error": {"message": "too many"}}', False
        return *_asked(proxy.routes.get(wanted.get("model"), proxy.target) + self.path, body), True

    def say(self, status: int, reply: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args) -> None:
        """Nothing."""


def _asked(url: str, body: bytes) -> tuple[int, bytes]:
    wanted = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(wanted, timeout=60) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def status(code: int, message: str = "not now", **headers: str):
    return lambda handler, _: handler.say(code, json.dumps({"error": {"message": message}}).encode(), **headers)


def half(handler, reply: bytes) -> None:
    handler.say(200, reply[: len(reply) // 2])


def cut_off(handler, reply: bytes) -> None:
    handler.say(200, reply[: len(reply) // 2], length=len(reply))
    handler.close_connection = True


def disconnect(handler, reply: bytes) -> None:
    handler.close_connection = True


def slow(handler, reply: bytes) -> None:
    time.sleep(3)
    handler.say(200, reply)


def altered(change):
    def alter(handler, reply: bytes) -> None:
        found = json.loads(reply)
        if found.get("choices"):
            change(found)
        handler.say(200, json.dumps(found).encode())

    return alter


def with_logprob(value):
    def change(found) -> None:
        for one in found["choices"][0]["logprobs"]["content"]:
            one["top_logprobs"][0]["logprob"] = value

    return altered(change)


@contextmanager
def before(target: str) -> Iterator[Proxy]:
    """A proxy before a server."""
    made = Proxy(target)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def proxy(tiny):
    """A proxy before the fine-tuned model."""
    with before(tiny.tuned_url) as made:
        yield made


def judging(base_url, tuned_url, **defaults) -> ApiJudging:
    base = ModelSpec(kind="api", base="tiny", endpoint=base_url)
    tuned = ModelSpec(kind="api", base="tiny-tuned", endpoint=tuned_url)
    return ApiJudging(ModelPair(base, tuned, differential=False), SuiteDefaults(**{"top_k": 20, **defaults}))


@pytest.fixture
def compare(tiny, proxy, monkeypatch):
    """``compare(item)``: with the fine-tuned side behind the proxy."""
    monkeypatch.setenv("SWAY_API_KEY", KEY)
    monkeypatch.setenv("SWAY_API_TIMEOUT", "3")
    with closing(judging(tiny.base_url, proxy.url)) as made:
        yield lambda item=ITEM: made.compare([item], FT)[0]


@pytest.fixture
def expected(tiny):
    """``expected(item)``: the same with nothing between."""
    with closing(judging(tiny.base_url, tiny.tuned_url)) as made:
        yield lambda item=ITEM: made.compare([item], FT)[0]


@pytest.mark.parametrize("fault", [status(429), status(500), status(503), half, cut_off, disconnect])
def test_what_passes_is_tried_again_and_changes_no_number(compare, expected, proxy, fault):
    compare(Item("What is it?"))
    proxy.faults = [fault, fault]
    found, wanted = compare(), expected()
    assert not proxy.faults
    assert found[:8] == pytest.approx(wanted[:8], abs=1e-4)
    assert found.at_most == pytest.approx(wanted.at_most, abs=1e-4)


def test_the_server_says_how_long_to_wait(proxy, compare):
    proxy.faults = [status(429, Retry_After="1")]
    started = time.monotonic()
    compare()
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (status(429, Retry_After="3600"), "HTTP 429: not now .tried 1 times within 2 s"),
        (status(500, f"the key {KEY} broke it"), r"HTTP 500: the key \(key\) broke it"),
        (half, "no whole JSON"),
        (disconnect, "no answer: RemoteProtocolError"),
        (slow, "no answer: ReadTimeout"),
        (status(401, f"bad key {KEY}"), r"HTTP 401: bad key \(key\): .*set SWAY_API_KEY"),
        (status(404, "no such model"), "correct `endpoint`"),
    ],
)
def test_what_does_not_pass_is_told_in_time_and_without_the_key(proxy, fault, told):
    proxy.always = fault
    endpoint = Endpoint(proxy.url, Settings(KEY, seconds=2.0))
    started = time.monotonic()
    with pytest.raises(BackendError, match=told) as found:
        endpoint.post("/completions", {"prompt": [5], "max_tokens": 1})
    assert time.monotonic() - started < 4
    assert KEY not in str(found.value)
    assert KEY not in repr(endpoint.__dict__["_settings"])
    assert proxy.seen[0]["Authorization"] == f"Bearer {KEY}"
    endpoint.close()


def test_what_is_refused_is_not_asked_again(proxy):
    proxy.always = status(400, "no")
    endpoint = Endpoint(proxy.url, Settings(seconds=2.0))
    with pytest.raises(Refused):
        endpoint.post("/completions", {})
    assert len(proxy.seen) == 1
    endpoint.close()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (with_logprob(float("nan")), "holds NaN, which is no number"),
        (with_logprob(float("-inf")), "holds -Infinity"),
        (with_logprob(0.5), "0.5 is no log-probability"),
        (with_logprob(None), "None is no log-probability"),
        (altered(lambda found: found.update(model="another")), "asked for the model 'tiny-tuned' and answered as 'ano"),
        (altered(lambda found: found.update(choices=[])), "a reply without choices"),
        (altered(lambda found: found["choices"][0]["logprobs"]["content"][0].update(id=3)), "and chose 3"),
    ],
)
def test_numbers_that_are_none_and_another_model_are_never_taken(compare, proxy, fault, told):
    compare()
    proxy.always = fault
    with pytest.raises(BackendError, match=told):
        compare(ITEM._replace(reference="Ines, on a Monday."))


def test_where_only_a_chat_shows_log_probabilities_the_first_token_is_compared(tiny, proxy, expected):
    """llama.cpp's server with what is its own hidden, as a hosted model has it."""
    proxy.hidden = ("/tokenize", "/apply-template", "/completion", "/v1/completions")
    asked = ITEM._replace(reference="")
    with before(tiny.base_url) as other, closing(judging(other.url, proxy.url)) as chat:
        other.hidden = proxy.hidden
        found = chat.compare([asked], FT)[0]
        (answer,) = chat.generate([asked], FT, max_new_tokens=5)
        with pytest.raises(NotSupported, match="only of the first token"):
            chat.compare([ITEM], FT)
        with pytest.raises(NotSupported):
            chat.texts(["some text"], FT)
        assert chat.describe()["base"]["way"] == "chat"
    assert found[:8] == pytest.approx(expected(asked)[:8], abs=1e-4)
    assert found.at_most == pytest.approx(expected(asked).at_most, abs=1e-4)
    assert 1 <= answer.tokens <= 5


def test_a_server_that_shows_fewer_tokens_than_are_asked_for_is_asked_for_fewer(tiny, proxy):
    proxy.most_shown = 20
    with closing(judging(tiny.base_url, proxy.url, top_k=256)) as made:
        found = made.compare([ITEM], FT)[0]
        assert [made.describe()[side]["top_logprobs"] for side in ("base", "fine_tuned")] == [256, 20]
    assert found.at_most.js > found.js


def test_one_endpoint_may_serve_both_models_under_two_names(tiny, proxy, expected):
    proxy.routes = {"tiny": tiny.base_url.removesuffix("/v1")}
    with closing(judging(proxy.url, proxy.url)) as made:
        found = made.compare([ITEM], FT)[0]
    assert found[:8] == pytest.approx(expected()[:8], abs=1e-4)


def other_tokens(handler, reply: bytes) -> None:
    found = json.loads(reply)
    if "tokens" in found:
        found["tokens"] = [token ^ 1 for token in found["tokens"]]
    handler.say(200, json.dumps(found).encode())


def test_models_that_cut_texts_into_other_tokens_are_not_compared(compare, proxy):
    proxy.always = other_tokens
    with pytest.raises(TargetError, match="cut texts into other tokens"):
        compare()


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_is_asked_at_a_time_than_is_allowed(tiny, proxy, monkeypatch, at_once):
    monkeypatch.setenv("SWAY_API_CONCURRENCY", str(at_once))
    with closing(judging(tiny.base_url, proxy.url, top_k=5)) as made:
        made.compare([Item(f"Who is number {number}?", "Ines.") for number in range(8)], FT)
    assert proxy.most == at_once


def test_the_key_of_sway_goes_before_that_of_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    monkeypatch.delenv("SWAY_API_KEY", raising=False)
    assert from_environment().key == "second"
    monkeypatch.setenv("SWAY_API_KEY", "first")
    assert from_environment().key == "first"
    assert "first" not in repr(from_environment())
