"""Clients that do nothing, or little: nobody else waits for them."""

from __future__ import annotations

import re
import socket
import time
from contextlib import ExitStack, suppress

from dlm_peer.transport import Peer

HURRY = {"arriving": 1.5, "stalled": 1.5, "waiting": 20, "settings": {"uses": 9, "at_once": 1}}


def fetch(place, folder):
    folder.mkdir()
    return Peer().fetch(place, folder, progress=lambda done, total: None, say=lambda _: None)


def silent(address, stack, source="127.0.0.1"):
    link = stack.enter_context(socket.socket())
    link.settimeout(10)
    link.bind((source, 0))
    link.connect((address.host, address.port))
    return link


def seconds_until_cut(link) -> float:
    began = time.monotonic()
    with suppress(ConnectionResetError):
        while link.recv(4096):
            pass
    return time.monotonic() - began


def test_hundreds_of_silent_connections_do_not_stop_a_pull(small, serve, tmp_path):
    served = serve(small, patience=HURRY)
    with ExitStack() as stack:
        for _ in range(300):
            silent(served.addresses[0], stack)
        began = time.monotonic()
        fetch(served.place, tmp_path / "bob")
        assert time.monotonic() - began < 1.5
    served.stop()
    assert re.fullmatch(r"127\.0\.0\.1 took [\d,]+ bytes in \d+\.\d s\n", served.stderr)


def test_who_is_silent_is_cut_off_in_time_however_far_they_got(small, serve, http_to):
    served = serve(small, patience=HURRY)
    asked = http_to(served.addresses[0])
    with ExitStack() as stack:
        nothing = silent(asked.address, stack)
        hello = silent(asked.address, stack)
        hello.sendall(bytes.fromhex("16030102000100"))
        private = stack.enter_context(asked.connect())
        headers = stack.enter_context(asked.connect())
        headers.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for link in (nothing, hello, private, headers):
            assert seconds_until_cut(link) < 3
    served.stop()
    assert served.stderr == ""


def test_who_sends_a_byte_at_a_time_is_cut_off_too(small, serve, http_to):
    asked = http_to(serve(small, patience=HURRY).addresses[0])
    began = time.monotonic()
    with asked.connect() as link, suppress(OSError):
        while time.monotonic() - began < 5:
            link.sendall(b"X")
            time.sleep(0.1)
    assert time.monotonic() - began < 4


def test_those_who_crowd_make_room_and_not_those_who_came_before(small, serve, http_to):
    asked = http_to(serve(small, patience=HURRY | {"arriving": 20.0}).addresses[0])
    with ExitStack() as stack:
        early = stack.enter_context(asked.connect())
        for _ in range(60):
            silent(asked.address, stack, "127.0.0.2")
        early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert early.recv(100).startswith(b"HTTP/1.1 404")


def test_a_download_that_nobody_reads_gives_its_place_back(large, serve, http_to):
    served = serve(large, patience=HURRY)
    asked = http_to(served.addresses[0])
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers().items())
    with asked.connect(receive=4096) as link:
        link.sendall(f"GET {asked.path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        assert link.recv(12) == b"HTTP/1.1 200"
        assert asked.ask("HEAD")[0] == 503
        served.hears("broke off after", 5)
        status, _, body = asked.ask()
        assert (status, len(body) > 15_000_000) == (200, True)


def test_a_slow_reader_gets_everything(large, serve, http_to):
    served = serve(large, patience=HURRY)
    asked = http_to(served.addresses[0])
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers().items())
    got = 0
    with asked.connect(receive=65536) as link:
        link.sendall(f"GET {asked.path} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4999999\r\n{head}\r\n".encode())
        while data := link.recv(1 << 18):
            got += len(data)
            time.sleep(0.01 if got < 4_700_000 else 0.04)
    assert got > 5_000_000


def test_headers_without_an_end_are_refused(small, serve, http_to):
    asked = http_to(serve(small).addresses[0])
    with asked.connect() as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 10_000)
        assert link.recv(100).startswith(b"HTTP/1.1 400")


def test_one_connection_gets_one_answer(small, serve, http_to):
    asked = http_to(serve(small).addresses[0])
    with asked.connect() as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        got = b""
        while data := link.recv(4096):
            got += data
    assert got.count(b"HTTP/1.1 404") == 1
