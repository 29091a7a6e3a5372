"""A server that is a process of its own: who gets what, and how it begins and ends."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dlm.errors import TransferFailed, TransferRefused
from dlm.share.receiving import receive
from dlm_peer import identity, tickets
from dlm_peer.address import parse
from dlm_peer.transport import Peer

DLM = [sys.executable, "-c", "from dlm.cli.main import main; main()"]


def fetch(place, folder, say=lambda _: None):
    folder.mkdir(exist_ok=True)
    return Peer().fetch(place, folder, progress=lambda done, total: None, say=say)


def dlm(*arguments, home):
    command = [*DLM, *map(str, arguments)]
    env = {**os.environ, "DLM_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)


def cold(served, **changed):
    """The served ticket's address with another ticket: the server's own hand, but other words."""
    address = served.addresses[0]
    secret = bytes.fromhex((served.folder / "secret").read_text())
    words = tickets.Ticket(**{**vars(address.ticket), **changed})
    return str(address).replace(address.token, tickets.seal(words, address.dlm_id, secret))


def test_one_line_takes_a_document_to_another_home(small, serve, tmp_path):
    served = serve(small, "--uses", "1")
    bob = tmp_path / "bob"
    done = dlm("pull", served.place, "--out", bob / "docs", home=bob / "home")
    assert done.returncode == 0, done.stderr
    assert (bob / "docs" / "lamp.dlm").read_bytes() == small.document.read_bytes()
    weights = "adapter/versions/v0001/adapter_model.safetensors"
    of = [home / "store" / served.addresses[0].dlm_id / weights for home in (small.home, bob / "home")]
    assert of[0].read_bytes() == of[1].read_bytes()
    assert served.told["digest"] in done.stdout
    served.hears("127.0.0.1 took")
    again = dlm("pull", served.place, "--out", tmp_path / "eve", home=tmp_path / "eve")
    assert again.returncode == 1
    assert "used as often as it may be, which is once" in again.stderr
    token = served.addresses[0].token
    assert not [text for text in (done.stdout, done.stderr, again.stderr, served.stderr) if token[:30] in text]
    assert served.stop() == 0
    assert not (served.folder / "spool").exists()


def test_what_arrives_is_the_pack_that_the_ticket_is_for(small, serve, tmp_path):
    served = serve(small)
    fetched = fetch(served.place, tmp_path / "bob")
    assert receive(fetched.pack, None).digest == fetched.digest == served.told["digest"]
    assert served.addresses[0].ticket.digest == fetched.digest


def test_a_pull_that_broke_off_goes_on_with_a_killed_and_restarted_server(large, serve, tmp_path, http_to):
    first = serve(large)
    port, place = str(first.addresses[0].port), first.place
    status, headers, body = http_to(first.addresses[0]).ask(Range="bytes=0-999999")
    assert (status, len(body)) == (206, 1_000_000)
    whole = int(headers["content-range"].rpartition("/")[2])
    first.stop(signal.SIGKILL)
    second = serve(large, "--port", port)
    # The same pull goes on from where it was, though the ticket has no use left for another.
    asked = http_to(first.addresses[0])
    status, _, rest = asked.ask(Range="bytes=1000000-", If_Range=headers["etag"])
    assert (status, len(body) + len(rest)) == (206, whole)
    assert f'"{hashlib.sha256(body + rest).hexdigest()}"' == headers["etag"]
    with pytest.raises(TransferRefused, match="used as often as it may be"):
        fetch(place, tmp_path / "eve")
    fetch(second.place, tmp_path / "bob")


def test_every_refusal_has_words_of_its_own(small, serve, tmp_path, http_to):
    served = serve(small, "--uses", "50", "--rate-limit", "10000")
    asked, path = http_to(served.addresses[0]), f"/v1/{served.addresses[0].dlm_id}/pack"
    expired = parse(cold(served, expires=int(time.time()) - 1))
    strange = parse(cold(served, nonce=bytes(12)))
    other = parse(cold(served, digest=f"sha256:{'0' * 64}"))
    for place, words in ((expired, "has expired"), (strange, "did not give out"), (other, "trained or changed since")):
        with pytest.raises(TransferRefused, match=words) as caught:
            fetch(str(place), tmp_path / "eve")
        assert place.token not in str(caught.value)
    with pytest.raises(TransferRefused, match="no document 01J0000000000000000000000B is served there"):
        fetch(served.place.replace("000A?", "000B?"), tmp_path / "eve")
    for words, status, reason in (
        ({"headers": {}}, 401, "no-ticket"),
        ({"headers": {}, "path": f"{path}?token={asked.address.token}"}, 401, "no-ticket"),
        ({"headers": {"Authorization": "Basic eA=="}}, 401, "no-ticket"),
        ({"headers": asked.headers("A" * tickets.LENGTH)}, 403, "not-ours"),
        ({"headers": asked.headers(pull="../../x")}, 400, "no-pull"),
        ({"headers": {**asked.headers(), "Content-Length": "9"}}, 400, "no-body"),
        ({"headers": {**asked.headers(), "Range": "bytes=999999999-"}}, 416, "no-such-part"),
        ({"path": "/"}, 404, "no-such-place"),
        ({"path": f"{path}.sig"}, 404, "no-such-place"),
        ({"path": f"{path}/"}, 404, "no-such-place"),
        ({"path": f"{path}/../../../secret"}, 404, "no-such-place"),
        ({"path": f"/v1/{asked.address.dlm_id}/%2e%2e"}, 404, "no-such-place"),
        ({"method": "POST"}, 405, "no-such-method"),
        ({"method": "DELETE"}, 405, "no-such-method"),
        ({"method": "PUT", "path": "/x"}, 404, "no-such-place"),
    ):
        assert asked.reason(**words) == (status, reason), words
    assert asked.ask("GET", headers=asked.headers())[0] == 200


def test_answers_say_no_more_than_they_have_to(small, serve, http_to):
    asked = http_to(serve(small).addresses[0])
    status, headers, whole = asked.ask()
    assert status == 200
    assert set(headers) == {
        "accept-ranges", "cache-control", "connection", "content-length", "content-type", "date", "etag",
        "x-content-type-options",
    }  # fmt: skip
    assert headers["connection"] == "close"
    status, headed, body = asked.ask("HEAD")
    assert (status, body, headed["content-length"], headed["etag"]) == (200, b"", str(len(whole)), headers["etag"])
    assert asked.ask(If_None_Match=headers["etag"])[::2] == (304, b"")
    assert asked.ask(Range="bytes=-7")[::2] == (206, whole[-7:])
    assert asked.ask(Range="bytes=5-7", If_Range='"other"')[::2] == (200, whole)


def test_only_tls_13_is_spoken(small, serve):
    address = serve(small).addresses[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((address.host, address.port)) as plain,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(plain),
    ):
        pass
    with socket.create_connection((address.host, address.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in plain.recv(4096)


def test_somebody_else_at_the_address_never_sees_the_ticket(small, serve, tmp_path):
    served = serve(small)
    (tmp_path / "mallory").mkdir()
    mallory = identity.identity_of(tmp_path / "mallory").context()
    got = []

    def impersonate(listener: socket.socket) -> None:
        with listener.accept()[0] as plain, mallory.wrap_socket(plain, server_side=True) as connection:
            try:
                got.append(connection.recv(4096))
            except OSError:
                got.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=impersonate, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(TransferRefused, match=r"somebody else answers at 127\.0\.0\.1") as caught:
            fetch(served.place.replace(f":{served.addresses[0].port}/", f":{port}/"), tmp_path / "bob")
        thread.join()
    assert got == [b""]
    assert served.addresses[0].token not in str(caught.value)


def test_nobody_at_the_address_is_a_failure_that_can_be_tried_again(small, serve, tmp_path, monkeypatch):
    served = serve(small)
    served.stop()
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(
        TransferFailed, match=rf"^peer://127\.0\.0\.1:{served.addresses[0].port}/.*no connection.*`dlm serve` still run"
    ):
        fetch(served.place, tmp_path / "bob")


def test_too_many_and_too_often_are_told_when_to_come_again(large, serve, http_to, tmp_path):
    served = serve(large, "--uses", "2", "--max-concurrency", "1", "--rate-limit", "6")
    asked = http_to(served.addresses[0])
    with asked.connect(receive=4096) as slow:
        slow.sendall(request(asked))
        assert slow.recv(15).startswith(b"HTTP/1.1 200")
        for _ in range(40):  # who is sent away for want of room has not asked
            status, headers, _ = asked.ask()
            assert (status, headers["retry-after"]) == (503, "2")
    served.hears("broke off after")
    statuses = [asked.ask("HEAD")[0] for _ in range(11)]
    assert statuses == [200] * 11
    while (answer := asked.ask("HEAD"))[0] == 200:
        assert len(statuses) < 20
        statuses.append(200)
    assert (answer[0], answer[2]) == (429, b"")
    assert answer[1]["retry-after"] in ("1", "2", "3", "4", "5")
    heard = []
    fetch(served.place, tmp_path / "bob", say=heard.append)
    assert "this ticket has asked too often; trying again in" in heard[0]


def request(asked, pull="0" * 32, path=None) -> bytes:
    lines = [f"GET {path or asked.path} HTTP/1.1", "Host: x"]
    return "\r\n".join([*lines, *(f"{name}: {one}" for name, one in asked.headers(pull=pull).items()), "", ""]).encode()


def test_a_stop_waits_for_downloads_and_lets_nobody_else_in(large, serve, http_to):
    served = serve(large)
    asked = http_to(served.addresses[0])
    idle = socket.create_connection((asked.address.host, asked.address.port))
    with idle, asked.connect(receive=65536) as link:
        link.sendall(request(asked))
        got = len(link.recv(65536))
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"):
            asked.connect()
        assert served.process.poll() is None
        while data := link.recv(1 << 20):
            got += len(data)
    assert got > served.told["bytes"]
    assert served.process.wait(10) == 0
    assert time.monotonic() - began < 8
    assert served.stderr.endswith("stopped\n")
    assert "Traceback" not in served.stderr


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(large, serve, http_to, second):
    served = serve(large)
    asked = http_to(served.addresses[0])
    with asked.connect(receive=4096) as link:
        link.sendall(request(asked))
        link.recv(100)
        served.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert served.process.poll() is None
        began = time.monotonic()
        code = served.stop(second)
    assert time.monotonic() - began < 3
    assert code == 130
    assert "Traceback" not in served.stderr


def test_a_download_that_does_not_end_is_cut_when_the_grace_is_over(large, serve, http_to):
    served = serve(large, "--grace", "1")
    asked = http_to(served.addresses[0])
    with asked.connect(receive=4096) as link:
        link.sendall(request(asked))
        link.recv(100)
        began = time.monotonic()
        assert served.stop(signal.SIGINT) == 130
        assert 1 <= time.monotonic() - began < 5
    assert "Traceback" not in served.stderr


def test_what_is_trained_meanwhile_is_served_after_a_restart_and_not_before(small, serve, tmp_path):
    first = serve(small, "--uses", "9")
    before = fetch(first.place, tmp_path / "one").digest
    text = small.document.read_text().replace("Ada Hale built", "Bo Lind built")
    small.document.write_text(text)
    assert train(small).returncode == 0
    assert fetch(first.place, tmp_path / "two").digest == before
    port = str(first.addresses[0].port)
    first.stop()
    second = serve(small, "--port", port)
    with pytest.raises(TransferRefused, match="trained or changed since the ticket was given out"):
        fetch(first.place, tmp_path / "three")
    assert fetch(second.place, tmp_path / "four").digest != before


def train(trained):
    code = (
        "import sys, dlm\nfrom pathlib import Path\nfrom dlm.testing import only_plugins\n"
        "from dlm.testing.toy import ToyPlugin\n"
        "with only_plugins(ToyPlugin()): dlm.train(Path(sys.argv[1]), home=Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(trained.document), str(trained.home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_server_ends_with_its_last_ticket(small, serve):
    served = serve(small)
    log = served.folder / "tickets.log"
    served.stop()
    assert re.search(r"ticket [0-9a-f]{24} \d+", log.read_text())
    code = (
        "import sys, time\nfrom pathlib import Path\nimport dlm_peer.counter as counter\n"
        "class Early:\n    @staticmethod\n    def time(): return time.time() - 58.0\n"
        "counter.time = Early\nfrom dlm.cli.main import main\n"
        "sys.argv[0] = 'dlm'\nmain()"
    )
    log.unlink()
    command = [sys.executable, "-c", code, "serve", str(small.document), "--port", "0", "--token-ttl-minutes", "1"]
    env = {**os.environ, "DLM_HOME": str(small.home)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30)
    assert done.returncode == 0
    assert done.stderr.endswith("stopped: no ticket is valid any more\n")


def test_a_document_that_was_never_trained_is_refused_with_the_command_that_trains_it(tmp_path):
    document = tmp_path / "new.dlm"
    document.write_text(
        "---\ndlm_id: 01J0000000000000000000000C\ndlm_version: 15\nbase_model: smollm2-135m\n---\nHi.\n"
    )
    done = dlm("serve", document, home=tmp_path / "home")
    assert done.returncode == 2
    assert f"run `dlm train {document}` first" in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--public",), "give both --public and --i-know-this-is-public"),
        (("--i-know-this-is-public",), "give both --public and --i-know-this-is-public"),
        (("--host", "0.0.0.0"), "can be reached from other machines"),
        (("--host", "ada.example"), "can be reached from other machines"),
        (("--token-ttl-minutes", "999999"), "token-ttl-minutes"),
        (("--uses", "0"), "uses"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(small, options, words):
    done = dlm("serve", small.document, *options, home=small.home)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_taken_and_a_document_that_is_served_already_are_told_of(small, serve):
    served = serve(small)
    done = dlm("serve", small.document, home=small.home)
    assert done.returncode == 2
    assert "being served already" in done.stderr
    served.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = dlm("serve", small.document, "--port", taken.getsockname()[1], home=small.home)
    assert done.returncode == 2
    assert "Choose another port with --port" in done.stderr


def test_a_public_server_names_an_address_of_this_machine(small, serve, tmp_path):
    served = serve(small, "--public", "--i-know-this-is-public", "--host", "127.0.0.2", "--tickets", "3")
    assert {address.host for address in served.addresses} == {"127.0.0.2"}
    assert len({address.token for address in served.addresses}) == 3
    for number, place in enumerate(served.told["tickets"]):
        fetch(place, tmp_path / str(number))
    served.stop()
    everywhere = serve(small, "--public", "--i-know-this-is-public", "--host", "localhost")
    assert everywhere.addresses[0].host == "localhost"
    with socket.create_connection(("127.0.0.3", everywhere.addresses[0].port)):
        pass


def test_people_are_shown_what_to_paste(small, tmp_path):
    command = [*DLM, "serve", str(small.document), "--port", "0", "--uses", "30"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DLM_HOME": str(small.home)}
    )
    lines = [process.stdout.readline().rstrip("\n") for _ in range(8)]
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()
    assert lines[0].startswith("serving lamp.dlm v0001, profile share, ")
    assert lines[3] == "On the other side, within 15 minutes, for 30 pulls:"
    place = re.fullmatch(r"  dlm pull '(peer://.*)'", lines[4])[1]
    assert parse(place).ticket.uses == 30
    assert re.fullmatch(r"Serves until [-\d :]*\d\d:\d\d, when the last ticket expires; Ctrl-C ends it.", lines[6])
    assert max(len(line) for line in lines if "peer://" not in line) <= 80


def test_signatures_travel_with_the_pack_and_are_judged_where_it_arrives(small, serve, tmp_path):
    made = dlm("key", "new", "--name", "ada", "--no-password", home=small.home)
    assert made.returncode == 0, made.stderr
    served = serve(small, "--sign", "--uses", "2")
    assert served.told["beside"] == [".sig", ".pub"]
    done = dlm("pull", served.place, "--out", tmp_path / "bob", "--policy", "enforce", home=tmp_path / "bob")
    assert done.returncode == 1, "nobody there has trusted the key"
    first = dlm(
        "pull", served.place, "--out", tmp_path / "bob", "--policy", "enforce", "--trust-on-first-use",
        home=tmp_path / "bob",
    )  # fmt: skip
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "bob" / "lamp.dlm").exists()


def test_a_key_without_sign_is_a_usage_error(small):
    done = dlm("serve", small.document, "--key", "ada", home=small.home)
    assert (done.returncode, "give --sign, too" in done.stderr) == (2, True)


def test_a_class_shares_a_ticket_and_each_waits_for_its_turn(small, serve, tmp_path):
    served = serve(small, "--uses", "30", "--max-concurrency", "2", "--rate-limit", "4")
    with ThreadPoolExecutor(30) as pool:
        done = list(pool.map(lambda number: fetch(served.place, tmp_path / str(number)), range(30)))
    assert {fetched.digest for fetched in done} == {served.told["digest"]}
    with pytest.raises(TransferRefused, match="which is 30 times"):
        fetch(served.place, tmp_path / "late")


def test_noise_gets_no_answer_that_matters_and_stops_nobody(small, serve, http_to, tmp_path):
    served = serve(small)
    asked, chance = http_to(served.addresses[0]), random.Random("noise")
    starts = [b"", b"GET ", b"GET / HTTP/1.1\r\n", b"GET " + asked.path.encode() + b" HTTP/1.1\r\nHost: x\r\n"]
    for number in range(60):
        noise = starts[number % 4] + chance.randbytes(chance.randrange(1, 2000)) + b"\r\n\r\n"
        with asked.connect() as link, suppress(OSError):
            link.sendall(noise)
            assert link.recv(4096)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 405")
    fetch(served.place, tmp_path / "bob")
    served.stop()
    assert "Traceback" not in served.stderr
    assert "bug" not in served.stderr


def test_a_server_that_cannot_write_down_a_use_gives_nothing_away_and_says_why(small, serve, http_to, tmp_path):
    served = serve(small)
    log = served.folder / "tickets.log"
    kept = log.read_bytes()
    log.unlink()
    log.mkdir()
    assert http_to(served.addresses[0]).reason() == (500, "broken")
    assert f"cannot write {log}" in served.stderr
    log.rmdir()
    log.write_bytes(kept)
    fetch(served.place, tmp_path / "bob")
