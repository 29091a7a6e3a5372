"""Addresses that look like others, and servers that dribble, lie, and lead to where nobody wants to go."""

from __future__ import annotations

import gzip
import random
import time
import tracemalloc

import pytest

from dlm.errors import TransferFailed, TransferRefused, UsageProblem
from dlm_https import replies, transport
from dlm_https.clients import authorization, client_for
from dlm_https.downloading import download
from dlm_https.replies import Refused
from dlm_https.transport import Https
from dlm_https.uploading import Upload, upload

DATA = random.Random("a pack").randbytes(2**20 + 17)
NAME = "/lamp.dlm.pack"


@pytest.fixture
def fetch(site, tmp_path, misbehave):
    site.files[NAME] = DATA

    def run():
        with client_for(site.url) as client:
            path = tmp_path / "lamp.dlm.pack"
            return download(
                client, site.url + NAME, path, progress=lambda *_: None, say=lambda _: None, rules=misbehave.fast
            )

    return run


@pytest.mark.parametrize(
    "host",
    "stra\xdfe.de file\u017f.example.org \u0430pple.example files\u3002example.org ex%61mple.org a\\.example "
    "a..example .example -a.example xn--\xe9.example a'b".split(" "),
)
def test_a_host_that_is_written_in_other_letters_is_none(monkeypatch, host):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", "strasse.de")
    for check in (Https().check_fetch, lambda place: Https().check_send(place, {})):
        with pytest.raises(UsageProblem, match="no name of a host"):
            check(f"https://{host}/x.pack")


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("strasse.de", "stra\xdfe.de"),
        ("files.example.org", "file\u017f.example.org"),
        ("fish.example", "\ufb01sh.example"),
    ],
)
def test_a_token_does_not_go_to_a_host_that_folds_to_the_one_it_is_for(monkeypatch, named, asked):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", named)
    assert authorization(f"https://{named}/x") == {"Authorization": "Bearer TOKEN"}
    assert authorization(f"https://{asked}/x") == {}
    monkeypatch.setenv("DLM_SHARE_HOST", asked)
    with pytest.raises(UsageProblem, match="is no host"):
        authorization(f"https://{named}/x")


def test_an_address_without_end_is_none():
    with pytest.raises(UsageProblem, match="no address"):
        Https().check_fetch(f"https://example.org/{'x' * 70_000}")


def dribbling(code, every=0.05, count=400, **headers):
    def act(handler):
        handler.send_response(code)
        for name, value in {"Content-Length": str(count), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.flush()
        for _ in range(count):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(every)

    return act


def test_a_beginning_that_dribbles_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(transport, "_LOOK", 0.5)
    site.script = [dribbling(200)]
    began = time.monotonic()
    assert set(Https().head(site.url + NAME, 2**18)) == {ord("x")}
    assert time.monotonic() - began < 5


def test_the_words_of_a_refusal_that_dribble_are_not_waited_for(site, fetch, monkeypatch):
    monkeypatch.setattr(replies, "_LOOK", 0.5)
    site.script = [dribbling(404, Content_Type="text/plain")]
    began = time.monotonic()
    with pytest.raises(Refused, match="HTTP 404"):
        fetch()
    assert time.monotonic() - began < 5


def test_the_words_of_a_refusal_are_not_unpacked(site, fetch, misbehave):
    bomb = gzip.compress(bytes(64 * 2**20))
    site.script = [misbehave.answer(404, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, bomb)]
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="HTTP 404"):
            fetch()
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("tag", ['"\xe9t\xe9"', '"\xff"', '"a\tb"'])
def test_a_tag_that_cannot_be_sent_back_tells_nothing(site, fetch, misbehave, tag):
    site.etag = lambda data: tag
    site.script = [misbehave.drop(1000)]
    assert fetch().path.read_bytes() == DATA


@pytest.fixture
def send(site, tmp_path, misbehave):
    path = tmp_path / "lamp.dlm.pack"
    path.write_bytes(DATA)

    def run():
        with client_for(site.url) as client:
            what = Upload(site.url + NAME, path)
            upload(client, what, progress=lambda *_: None, say=lambda _: None, rules=misbehave.fast)

    return run


def leading(code, place):
    def act(handler):
        handler.take()
        handler.answer(code, {"Location": place})

    return act


@pytest.mark.parametrize("place", ["http://[", "https://a:b:c/", "//\xe9\x80/", "http://\\", "https://xn--/x"])
@pytest.mark.parametrize("code", [201, 307])
def test_a_server_that_leads_to_no_address_at_all_is_refused(site, send, code, place):
    site.resumable = "" if code == 201 else None
    site.puts = [leading(code, place)] * 4
    with pytest.raises((TransferRefused, TransferFailed)):
        send()


def test_an_offset_of_thousands_of_digits_begins_anew(site, send):
    site.resumable = ""
    lied = []

    def broken(handler):
        handler.take(1000)
        handler.close_connection = True

    def asked(handler):
        # HEAD is not scripted, so the answer to it is changed here, once.
        own = type(handler).do_HEAD
        type(handler).do_HEAD = lambda one: (
            own(one)
            if lied or "/uploads/" not in one.path
            else one.answer(204, {"Upload-Offset": lied.append(1) or "9" * 6000})
        )
        handler.put()

    site.puts = [asked, broken]
    send()
    assert lied
    assert site.files[NAME] == DATA


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/x", "https://localhost/x", "https://[::1]/x", "file:///etc/x"])
def test_no_server_elsewhere_has_its_uploads_on_this_machine(place):
    from dlm_https.resumable import _may_take

    assert not _may_take(place, "https://files.example.org/lamp.dlm.pack")
    assert _may_take(place, "http://127.0.0.1:8/x") == (not place.startswith("file"))
    assert _may_take("https://store.example.org/x", "https://files.example.org/lamp.dlm.pack")


@pytest.mark.parametrize("place", ["https://xn--/x", "http://[", "//a:b:c/"])
def test_a_download_that_is_led_to_no_address_at_all_is_refused(site, fetch, misbehave, place):
    site.script = [misbehave.answer(302, {"Location": place})] * 8
    with pytest.raises((TransferRefused, TransferFailed)):
        fetch()
