"""One file to a server, and the signatures beside it."""

from __future__ import annotations

import base64
import hashlib
import random
import tracemalloc
from types import SimpleNamespace

import pytest

from dlm.errors import TransferFailed, TransferRefused, UsageProblem
from dlm.share.transport import Parcel
from dlm_https.clients import client_for
from dlm_https.replies import Refused
from dlm_https.transport import Https
from dlm_https.uploading import Upload, upload

DATA = random.Random("a pack").randbytes(3 * 2**20 + 17)
NAME = "/models/lamp.dlm.pack"


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "lamp.dlm.pack"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def send(site, pack, misbehave):
    said = []

    def run(path=NAME, method="PUT", **more):
        what = Upload(site.url + path, pack, method)
        more.setdefault("rules", misbehave.fast)
        with client_for(what.url) as client:
            upload(client, what, progress=lambda *_: None, say=said.append, **more)

    run.said = said
    return run


def breaking(most):
    """Take ``most`` bytes and go."""

    def act(handler):
        data = handler.take(most)
        if handler.command == "PATCH":
            handler.site.uploads[handler.path].data += data
        handler.close_connection = True

    return act


def refusing(code, body=b"", **headers):
    def act(handler):
        handler.take()
        handler.answer(code, {"Content-Type": "text/plain", **headers}, body)

    return act


def sent(site, *methods):
    return [one for one in site.asked if one.method in methods]


def test_a_file_is_put_with_its_length_and_its_digest(site, send):
    send()
    assert site.files[NAME] == DATA
    (put,) = sent(site, "PUT")
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert put.headers["content-length"] == str(len(DATA))
    assert put.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert "content-range" not in put.headers
    assert not [name for name in put.headers if name.startswith("upload-")]


def test_a_put_that_broke_is_made_again(site, send):
    site.puts = [breaking(2**20), refusing(503)]
    send()
    assert site.files[NAME] == DATA
    assert len(sent(site, "PUT")) == 3


def test_a_put_that_always_breaks_ends(site, send):
    site.puts = [refusing(500)] * 9
    with pytest.raises(TransferFailed, match=r"HTTP 500.*tried 4 times"):
        send()


@pytest.mark.parametrize("code", [400, 403, 413, 507])
def test_a_server_that_says_no_is_asked_once(site, send, code):
    site.puts = [refusing(code, b"the quota is used up")]
    with pytest.raises(Refused, match=f"HTTP {code} .the quota is used up."):
        send()
    assert len(sent(site, "PUT")) == 1


def test_a_server_without_put_is_said_to_have_none(site, send):
    site.puts = [refusing(405)]
    with pytest.raises(TransferRefused, match=r"takes no PUT.*--set method=POST"):
        send()
    send(method="POST")
    assert site.files[NAME] == DATA


def test_nothing_is_sent_to_where_a_server_leads(site, send):
    site.puts = [refusing(307, Location="https://example.org/other?secret=1")]
    with pytest.raises(TransferRefused, match=r"leads to https://example.org/other, and nothing is sent") as caught:
        send()
    assert "secret" not in str(caught.value)


def test_a_server_that_kept_half_of_it_is_found_out(site, send):
    def half(handler):
        site.files[NAME] = handler.take()[:1000]
        handler.answer(201)

    site.puts = [half]
    with pytest.raises(TransferFailed, match="holds 1,000 bytes of it"):
        send()


def test_a_large_file_takes_no_memory(site, pack, misbehave):
    def take(handler):
        for _ in range(64):
            handler.rfile.read(2**20)
        handler.answer(201)

    with pack.open("r+b") as file:
        file.truncate(64 * 2**20)
    site.puts = [take]
    with client_for(site.url) as client:
        tracemalloc.start()
        upload(client, Upload(site.url + NAME, pack), progress=lambda *_: None, say=print, rules=misbehave.fast)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 8 * 2**20


@pytest.mark.parametrize("at", [0, 1, 2**20, len(DATA)])
def test_a_resumable_upload_goes_on_where_it_broke_off(site, send, at):
    site.resumable = ""
    site.puts = [lambda handler: handler.put(), breaking(at)]
    send()
    assert site.files[NAME] == DATA
    offsets = [int(one.headers["upload-offset"]) for one in sent(site, "PATCH")]
    assert offsets[0] == 0
    assert offsets[-1] == at
    assert {one.headers["upload-draft-interop-version"] for one in sent(site, "PATCH", "OPTIONS")} == {"8"}


def test_a_resumable_upload_goes_on_in_another_process(site, send, tmp_path, misbehave):
    site.resumable = ""
    site.puts = [lambda handler: handler.put(), breaking(2**20 - 1)]
    with pytest.raises(TransferFailed):
        send(rules=misbehave.fast._replace(tries=1))
    notes = list((tmp_path / "home" / "pushing").iterdir())
    assert [note.stat().st_mode & 0o777 for note in notes] == [0o600]
    began = len(site.asked)
    send()
    assert site.files[NAME] == DATA
    assert [one.method for one in site.asked[began:]] == ["OPTIONS", "HEAD", "PATCH", "HEAD"]
    assert not list((tmp_path / "home" / "pushing").iterdir())


def test_another_file_begins_an_upload_of_its_own(site, send, pack):
    site.resumable = ""
    site.puts = [lambda handler: handler.put(), *[breaking(100)] * 9]
    with pytest.raises(TransferFailed):
        send()
    site.puts = []
    pack.write_bytes(DATA[::-1])
    send()
    assert site.files[NAME] == DATA[::-1]


def test_an_upload_that_the_server_forgot_begins_anew(site, send):
    def forget(handler):
        handler.take(100)
        site.uploads.clear()
        handler.close_connection = True

    site.resumable = ""
    site.puts = [lambda handler: handler.put(), forget]
    send()
    assert site.files[NAME] == DATA
    assert any("has forgotten" in line for line in send.said)


def test_an_upload_is_made_in_parts_no_larger_than_the_server_takes(site, send):
    site.resumable = "max-append-size=1000000"
    send()
    assert site.files[NAME] == DATA
    sizes = [int(one.headers["content-length"]) for one in sent(site, "PATCH")]
    assert sizes == [1_000_000, 1_000_000, 1_000_000, len(DATA) - 3_000_000]


def test_a_file_that_is_larger_than_the_server_takes_is_not_begun(site, send):
    site.resumable = "max-size=1000, max-age=3600"
    with pytest.raises(TransferRefused, match="up to 1,000 bytes"):
        send()
    assert sent(site, "PUT", "PATCH") == []


def test_a_server_that_takes_nothing_of_what_is_sent_ends(site, send):
    def nothing(handler):
        handler.take()
        handler.answer(204)

    site.resumable = ""
    site.puts = [lambda handler: handler.put(), *[nothing] * 20]
    with pytest.raises(TransferFailed, match="took nothing"):
        send()
    assert len(sent(site, "PATCH")) < 10


def test_a_refusal_of_the_whole_is_no_reason_to_go_on(site, send, tmp_path):
    site.resumable = ""
    no = refusing(422, b"no pack", **{"Upload-Complete": "?1"})
    site.puts = [lambda handler: handler.put(), no]
    with pytest.raises(Refused, match=r"422 .no pack."):
        send()
    assert not list((tmp_path / "home" / "pushing").iterdir())


def test_an_upload_is_not_taken_to_a_place_that_is_not_encrypted(site, send):
    site.resumable = ""
    site.puts = [refusing(201, Location="http://example.org/uploads/1")]
    with pytest.raises(TransferRefused, match="not safe"):
        send()


def test_the_token_does_not_follow_an_upload_to_another_host(site, send, misbehave, monkeypatch):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", site.url.removeprefix("http://"))
    with misbehave.serve(misbehave.site(resumable="")) as other:

        def elsewhere(handler):
            handler.take()
            other.uploads["/there"] = SimpleNamespace(target=NAME, length=len(DATA), data=b"", complete=False)
            handler.answer(201, {"Location": f"{other.url}/there"})

        site.resumable = ""
        site.puts = [elsewhere]
        send()
    assert other.files[NAME] == DATA
    assert {one.headers.get("authorization") for one in site.asked} == {"Bearer TOKEN"}
    assert {one.headers.get("authorization") for one in other.asked} == {None}


@pytest.fixture
def parcel(pack, tmp_path):
    signature = tmp_path / "lamp.dlm.pack.sig"
    signature.write_bytes(b"{}")
    manifest = SimpleNamespace(document=SimpleNamespace(name="lamp.dlm"))
    return Parcel(pack, manifest, "sha256:0", {".sig": signature})


def test_signatures_lie_beside_a_pack_before_the_query_and_old_ones_go(site, parcel):
    site.files["/models/lamp.dlm.pack.minisig"] = b"of an earlier pack"
    done = Https().send(parcel, f"{site.url}/models/?key=SECRET", progress=lambda *_: None, say=print)
    assert done.source == f"{site.url}{NAME}"
    assert [one.path for one in sent(site, "PUT")] == [f"{NAME}?key=SECRET", f"{NAME}.sig?key=SECRET"]
    assert "SECRET" not in str(done)


def test_an_old_signature_that_cannot_be_removed_is_told(site, parcel):
    site.files[f"{NAME}.minisig"] = b"of an earlier pack"
    site.deletes = False
    done = Https().send(parcel, f"{site.url}{NAME}", progress=lambda *_: None, say=print)
    assert ".minisig of an earlier pack still lies there" in done.notes[0]


def test_a_refusal_says_how_a_token_is_given(site, parcel):
    site.puts = [refusing(401)]
    with pytest.raises(Refused, match=r"HTTP 401.*DLM_SHARE_AUTH='Bearer ...' DLM_SHARE_HOST=127.0.0.1:\d+"):
        Https().send(parcel, f"{site.url}/models/", progress=lambda *_: None, say=print)


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(site, parcel, monkeypatch):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN-123")
    monkeypatch.setenv("DLM_SHARE_HOST", site.url.removeprefix("http://"))
    site.puts = [refusing(403, b"TOKEN-123 may not")]
    with pytest.raises(Refused, match=r"may not.*did not accept the token") as caught:
        Https().send(parcel, f"{site.url}/models/", progress=lambda *_: None, say=print)
    assert "TOKEN-123" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("http://example.org/x.pack?key=SECRET", "not encrypted"),
        ("https://ada:SECRET@example.org/x.pack", "holds a password"),
        ("https:///x.pack", "no address"),
        ("https://example.org", "no file"),
        ("https://example.org:99999/x", "no address"),
        ("https://example.org/a b", "no address"),
        ("http://127.0.0.1.example.org/x.pack", "not encrypted"),
    ],
)
def test_addresses_that_are_none_are_refused_without_their_secrets(place, said):
    for check in (lambda: Https().check_fetch(place), lambda: Https().check_send(place, {})):
        with pytest.raises(UsageProblem, match=said) as caught:
            check()
        assert "SECRET" not in str(caught.value)


def test_a_token_without_a_host_is_refused(monkeypatch):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    for check in (lambda: Https().check_fetch(FILE), lambda: Https().check_send(FILE, {})):
        with pytest.raises(UsageProblem, match=r"export DLM_SHARE_HOST=example.org:8443") as caught:
            check()
        assert "TOKEN" not in str(caught.value)


FILE = "https://example.org:8443/x.pack"


@pytest.mark.parametrize(
    ("host", "sends"),
    [
        ("example.org:8443", True),
        ("EXAMPLE.org:8443", True),
        ("example.org", False),
        ("evil-example.org:8443", False),
        ("example.org:8443.evil.org", None),
    ],
)
def test_a_token_goes_to_its_host_and_port_alone(monkeypatch, host, sends):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", host)
    if sends is None:
        with pytest.raises(UsageProblem, match="is no host"):
            client_for(FILE)
        return
    with client_for(FILE) as client:
        assert ("authorization" in client.headers) == sends


def test_what_httpx_logs_shows_no_query(site, misbehave, caplog):
    import logging

    site.files[NAME] = DATA
    with caplog.at_level(logging.DEBUG):
        assert Https().head(f"{site.url}{NAME}?key=SECRET", 100) == DATA[:100]
    assert "SECRET" not in caplog.text


def test_the_head_of_what_cannot_be_had_is_nothing(site):
    assert Https().head(f"{site.url}/nothing.pack", 100) is None
    assert Https().head("http://127.0.0.1:1/nothing.pack", 100) is None
