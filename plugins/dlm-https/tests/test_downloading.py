"""One file, whatever the server does on the way."""

from __future__ import annotations

import hashlib
import json
import random
import time

import httpx
import pytest

from dlm.errors import StoreError, TransferFailed, TransferRefused
from dlm_https.clients import client_for
from dlm_https.downloading import download
from dlm_https.replies import Refused

DATA = random.Random("a pack").randbytes(3 * 2**20 + 17)
OTHER = random.Random("another pack").randbytes(2 * 2**20)
NAME = "/lamp.dlm.pack"


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "arriving"
    folder.mkdir()
    return folder / "lamp.dlm.pack"


@pytest.fixture
def fetch(site, path, misbehave):
    site.files[NAME] = DATA
    said = []

    def run(url: str | None = None, **more):
        url = url or site.url + NAME
        more.setdefault("rules", misbehave.fast)
        with client_for(url) as client:
            return download(client, url, path, progress=lambda done, total: None, say=said.append, **more)

    run.said = said
    return run


def left(path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_a_file_arrives_and_says_how_far_it_is(site, path, misbehave):
    site.files[NAME] = DATA
    seen = []
    with client_for(site.url) as client:
        url = site.url + NAME
        download(client, url, path, progress=lambda *far: seen.append(far), say=print, rules=misbehave.fast)
    assert path.read_bytes() == DATA
    assert seen == sorted(seen)
    assert seen[-1] == (len(DATA), len(DATA))


@pytest.mark.parametrize("at", [0, 1, 65_535, 65_536, 2**20, len(DATA) - 1])
def test_what_broke_off_is_gone_on_with(site, path, fetch, misbehave, at):
    site.script = [misbehave.drop(at)]
    fetch()
    assert path.read_bytes() == DATA
    ranges = [one.headers.get("range") for one in site.gets()]
    assert ranges == [None, f"bytes={at}-" if at else None]


def test_many_breaks_that_each_bring_something_never_end_it(site, path, fetch, misbehave):
    rules = misbehave.fast._replace(tries=2)
    site.files[NAME] = data = DATA * 3
    site.script = [misbehave.drop(2**20 + 5) for _ in range(8)]
    fetch(rules=rules)
    assert path.read_bytes() == data
    assert len(site.gets()) == 9


def test_a_server_that_gives_a_few_bytes_each_time_is_given_up(site, path, fetch, misbehave):
    site.script = [misbehave.drop(10) for _ in range(20)]
    with pytest.raises(TransferFailed, match=r"tried 4 times.*run the same command again"):
        fetch()
    assert len(site.gets()) == 4
    assert path.with_name(f"{path.name}.part").stat().st_size == 40


def test_the_next_process_goes_on_where_the_last_one_was(site, path, fetch, misbehave):
    site.script = [misbehave.drop(2**20)]
    with pytest.raises(TransferFailed):
        fetch(rules=misbehave.fast._replace(tries=1))
    fetch()
    assert path.read_bytes() == DATA
    assert site.gets()[-1].headers["range"] == f"bytes={2**20}-"
    assert left(path) == ["lamp.dlm.pack", "lamp.dlm.pack.part.json"]


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(site, path, fetch, misbehave):
    def change(handler):
        handler.serve(most=2**20)
        site.files[NAME] = OTHER

    site.script = [change]
    fetch()
    assert path.read_bytes() == OTHER
    assert any("has changed" in line for line in fetch.said)


def test_a_server_that_ignores_ranges_sends_all_of_it_again(site, path, fetch, misbehave):
    site.ranges = False
    site.script = [misbehave.drop(2**20)]
    fetch()
    assert path.read_bytes() == DATA
    assert any("sends all of it" in line for line in fetch.said)


def test_without_anything_that_tells_two_files_apart_nothing_is_gone_on_with(site, path, fetch, misbehave):
    site.etag = lambda data: None
    site.script = [misbehave.drop(2**20)]
    fetch()
    assert path.read_bytes() == DATA
    assert [one.headers.get("range") for one in site.gets()] == [None, None]


def test_a_weak_etag_tells_nothing(site, path, fetch, misbehave):
    site.etag = lambda data: 'W/"1"'
    site.script = [misbehave.drop(2**20)]
    fetch()
    assert path.read_bytes() == DATA
    assert [one.headers.get("range") for one in site.gets()] == [None, None]


@pytest.mark.parametrize(("age", "resumed"), [(60, True), (0, False)])
def test_a_date_tells_two_files_apart_where_it_is_old_enough(site, path, fetch, misbehave, age, resumed):
    from email.utils import formatdate

    site.etag = lambda data: None
    site.headers["Last-Modified"] = formatdate(time.time() - age, usegmt=True)
    site.script = [misbehave.drop(2**20)]
    fetch()
    assert path.read_bytes() == DATA
    assert (site.gets()[1].headers.get("if-range") == site.headers["Last-Modified"]) == resumed


@pytest.mark.parametrize(
    "said",
    [
        "bytes 0-99/{size}",
        "bytes 1048577-{last}/{size}",
        "bytes 1048576-{last}/9",
        "items 1-2/3",
        "bytes 9-8/{size}",
        "",
    ],
)
def test_a_part_that_was_not_asked_for_is_not_put_behind_what_is_there(site, path, fetch, misbehave, said):
    text = said.format(size=len(DATA), last=len(DATA) - 1)
    wrong = misbehave.answer(206, {"Content-Range": text} if text else {}, b"x" * 100)
    site.script = [misbehave.drop(2**20), wrong]
    fetch()
    assert path.read_bytes() == DATA


def test_another_tag_on_a_part_is_noticed(site, path, fetch, misbehave):
    whole = f"bytes {2**20}-{len(DATA) - 1}/{len(DATA)}"
    mixed = misbehave.answer(206, {"Content-Range": whole, "ETag": '"else"'}, OTHER[: len(DATA) - 2**20])
    site.script = [misbehave.drop(2**20), mixed]
    fetch()
    assert path.read_bytes() == DATA


def test_a_file_that_became_shorter_is_fetched_from_the_start(site, path, fetch, misbehave):
    site.script = [misbehave.drop(2**20), misbehave.answer(416, {"Content-Range": "bytes */10"})]
    fetch()
    assert path.read_bytes() == DATA


def test_a_length_that_is_too_long_is_no_whole_file(site, path, fetch, misbehave):
    site.script = [lambda handler: handler.serve(length=len(DATA) + 1) for _ in range(9)]
    with pytest.raises(TransferFailed, match="another part than"):
        fetch()
    assert not path.exists()
    assert len(site.gets()) < 9


def test_a_length_that_is_too_short_gives_no_more_than_it_says(site, path, fetch, misbehave):
    site.script = [lambda handler: handler.serve(length=100)]
    assert fetch().size == 100


def test_servers_that_give_a_file_in_parts_are_asked_for_the_next(site, path, fetch, misbehave):
    def part(handler):
        start = int(handler.asked.headers["range"][6:-1])
        end = min(start + 2**20, len(DATA)) - 1
        headers = {"Content-Range": f"bytes {start}-{end}/{len(DATA)}", "ETag": site.etag(DATA)}
        handler.answer(206, headers, DATA[start : end + 1])

    site.script = [misbehave.drop(2**20), part, part]
    fetch()
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(site, path, fetch, misbehave, code):
    site.script = [misbehave.answer(code), misbehave.answer(code, {"Retry-After": "0"})]
    fetch()
    assert path.read_bytes() == DATA
    assert any(f"HTTP {code}" in line for line in fetch.said)


def test_a_server_is_given_the_time_that_it_asks_for(site, path, fetch, misbehave):
    site.script = [misbehave.answer(429, {"Retry-After": "1"})]
    began = time.monotonic()
    fetch()
    assert 1 <= time.monotonic() - began < 3


def test_nobody_waits_for_an_hour(site, path, fetch, misbehave):
    site.script = [misbehave.answer(503, {"Retry-After": "3600"})]
    with pytest.raises(TransferFailed, match="asks to wait for 3600 s"):
        fetch()


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451])
def test_what_does_not_pass_is_said_at_once(site, path, fetch, misbehave, code):
    site.script = [misbehave.answer(code, {"Content-Type": "text/plain"}, b"not\x1b[31m today")]
    with pytest.raises(Refused, match=f"HTTP {code}.*today") as caught:
        fetch()
    assert caught.value.status == code
    assert "\x1b" not in str(caught.value)
    assert len(site.gets()) == 1


def test_silence_ends_an_attempt(site, path, misbehave):
    site.files[NAME] = DATA
    site.script = [misbehave.silent(1.5)]
    with httpx.Client(timeout=0.3) as client:
        download(client, site.url + NAME, path, progress=lambda *_: None, say=print, rules=misbehave.fast)
    assert path.read_bytes() == DATA


def test_a_trickle_ends_an_attempt(site, path, fetch, misbehave):
    def trickle(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    site.script = [trickle]
    fetch(rules=misbehave.fast._replace(stall=0.4))
    assert path.read_bytes() == DATA
    assert any("bytes in" in line for line in fetch.said)


def test_more_than_may_come_is_not_fetched(site, path, fetch):
    with pytest.raises(TransferRefused, match="may have 1,000"):
        fetch(largest=1000)
    assert left(path) == []


def test_an_endless_body_without_a_length_is_stopped(site, path, fetch, misbehave):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * 65536)
        handler.close_connection = True

    site.script = [endless]
    with pytest.raises(TransferRefused, match="more than the 1,000,000 bytes"):
        fetch(largest=1_000_000)
    assert left(path) == []


def test_an_encoding_that_nobody_asked_for_is_refused(site, path, fetch, misbehave):
    site.script = [misbehave.answer(200, {"Content-Encoding": "gzip"}, b"x")]
    with pytest.raises(TransferFailed, match="packed once more"):
        fetch()


def test_a_whole_file_is_kept_where_it_is_the_one_that_is_there(site, path, fetch):
    fetch()
    before = path.stat().st_mtime_ns
    assert fetch().size == len(DATA)
    assert path.stat().st_mtime_ns == before
    site.files[NAME] = OTHER
    fetch()
    assert path.read_bytes() == OTHER


def test_all_bytes_without_a_name_are_a_whole_file(site, path, fetch, misbehave):
    """The process was killed between the last byte and the new name."""
    path.with_name(f"{path.name}.part").write_bytes(DATA)
    note = {"validator": site.etag(DATA), "total": len(DATA)}
    path.with_name(f"{path.name}.part.json").write_text(json.dumps(note))
    fetch()
    assert path.read_bytes() == DATA
    assert site.gets()[0].headers["if-none-match"] == site.etag(DATA)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"validator": 3, "total": 1}', '{"total": 1}', None])
def test_bytes_of_which_nobody_knows_what_they_are_do_not_count(site, path, fetch, note):
    path.with_name(f"{path.name}.part").write_bytes(b"anything")
    if note is not None:
        path.with_name(f"{path.name}.part.json").write_text(note)
    fetch()
    assert path.read_bytes() == DATA
    assert "range" not in site.gets()[0].headers


def test_a_disk_without_room_is_said_before_anything_comes(site, path, fetch, monkeypatch):
    monkeypatch.setattr("dlm_https.downloading.free_megabytes", lambda path: 1)
    with pytest.raises(StoreError, match=r"3 MB are to come.*1 free: make room.*same command"):
        fetch()


def test_a_redirect_is_followed_and_the_token_stays_behind(site, path, fetch, misbehave, monkeypatch):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", site.url.removeprefix("http://"))
    with misbehave.serve(misbehave.site({NAME: DATA})) as other:
        site.script = [misbehave.answer(302, {"Location": other.url + NAME})]
        fetch()
    assert path.read_bytes() == DATA
    assert site.gets()[0].headers["authorization"] == "Bearer TOKEN"
    assert "authorization" not in other.gets()[0].headers


def test_a_redirect_on_the_same_host_keeps_the_token(site, path, fetch, misbehave, monkeypatch):
    monkeypatch.setenv("DLM_SHARE_AUTH", "Bearer TOKEN")
    monkeypatch.setenv("DLM_SHARE_HOST", site.url.removeprefix("http://"))
    site.files["/new.pack"] = DATA
    site.script = [misbehave.answer(307, {"Location": "/new.pack"})]
    fetch()
    assert [one.headers.get("authorization") for one in site.gets()] == ["Bearer TOKEN"] * 2


def test_a_redirect_to_a_place_that_is_not_encrypted_is_refused(site, path, fetch, misbehave):
    site.script = [misbehave.answer(302, {"Location": "http://example.org/x.pack?secret=1"})]
    with pytest.raises(TransferRefused, match="not encrypted") as caught:
        fetch()
    assert "secret" not in str(caught.value)


def test_redirects_end(site, path, fetch, misbehave):
    site.script = [misbehave.answer(302, {"Location": NAME}) for _ in range(9)]
    with pytest.raises(TransferRefused, match="gave up after 5 redirects"):
        fetch()
    assert len(site.gets()) == 6


def test_a_certificate_has_to_be_trusted(site, path, fetch, misbehave, certificate, monkeypatch):
    file, context = certificate
    with misbehave.serve(misbehave.site({NAME: DATA}), context=context) as secure:
        with pytest.raises(TransferFailed, match="SSL_CERT_FILE"):
            fetch(secure.url + NAME)
        assert secure.gets() == []
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        fetch(secure.url + NAME)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(DATA).digest()


def test_half_a_handshake_is_tried_again_and_given_up(path, misbehave):
    with misbehave.serve(misbehave.site({NAME: DATA})) as plain:
        url = plain.url.replace("http://", "https://") + NAME
        with client_for(url) as client, pytest.raises(TransferFailed, match="no connection"):
            download(client, url, path, progress=lambda *_: None, say=print, rules=misbehave.fast)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_a_server_does_a_file_is_never_wrong(site, path, fetch, misbehave, seed):
    """Breaks, errors, other files and lies in any order: it fails, or what lies there is a file that was there."""
    chance = random.Random(f"{seed}\nmisbehaving\n")
    contents = [chance.randbytes(chance.randrange(1, 400_000)) for _ in range(3)]
    site.files[NAME] = contents[0]

    def another(handler):
        handler.serve(most=chance.randrange(100_000))
        site.files[NAME] = chance.choice(contents)

    def wrong_part(handler):
        handler.answer(
            206, {"Content-Range": f"bytes {chance.randrange(9)}-99/{chance.randrange(100, 300)}"}, b"y" * 91
        )

    def ways():
        return chance.choice(
            [
                misbehave.drop(chance.randrange(300_000)),
                misbehave.drop(chance.randrange(300_000), ranges=False),
                misbehave.answer(chance.choice([416, 429, 500, 503])),
                another,
                wrong_part,
                lambda handler: handler.serve(length=len(site.files[NAME]) + 5),
            ]
        )

    for _ in range(4):
        site.script = [ways() for _ in range(chance.randrange(6))]
        try:
            fetch()
        except (TransferFailed, TransferRefused):
            assert not path.exists()
        else:
            assert path.read_bytes() in contents
    site.script = []
    fetch()
    assert path.read_bytes() == site.files[NAME]
