"""What needs no server: tickets, addresses, ranges, pace, and what is kept of them."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.errors import StoreError, UsageProblem
from dlm_peer import identity, tickets
from dlm_peer.address import Address, parse, shown
from dlm_peer.folder import opened, secret_of
from dlm_peer.ledger import Ledger, Unknown, UsedUp
from dlm_peer.pace import Pace
from dlm_peer.ranges import Part, Unsatisfiable, wanted
from dlm_peer.transport import Peer

ID = "01J0000000000000000000000A"
SECRET = bytes(range(32))
DIGEST = f"sha256:{'ab' * 32}"
CERT = f"sha256:{'cd' * 32}"
TICKET = tickets.Ticket(bytes(12), 2_000_000_000, 3, DIGEST)
TOKEN = tickets.seal(TICKET, ID, SECRET)
PLACE = f"peer://10.0.0.7:7337/{ID}?token={TOKEN}&cert={CERT}"


def test_a_ticket_says_what_it_was_sealed_with_and_only_to_who_sealed_it():
    assert tickets.check(TOKEN, ID, SECRET) == TICKET
    assert tickets.read(TOKEN).digest == DIGEST
    for dlm_id, secret in ((ID[:-1] + "B", SECRET), (ID, SECRET[::-1])):
        with pytest.raises(tickets.NoTicket, match="not given out here"):
            tickets.check(TOKEN, dlm_id, secret)


def test_no_bit_of_a_ticket_can_be_changed():
    raw = base64.urlsafe_b64decode(TOKEN + "=")
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(tickets.NoTicket):
            tickets.check(base64.urlsafe_b64encode(changed).decode().rstrip("="), ID, SECRET)


@given(st.text(max_size=200) | st.text("ABCabc019-_", min_size=tickets.LENGTH, max_size=tickets.LENGTH))
def test_no_other_text_is_a_ticket(text):
    with pytest.raises(tickets.NoTicket):
        tickets.check(text, ID, SECRET)


def test_two_texts_are_never_the_same_ticket():
    # 119 characters hold two bits more than 89 bytes do.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for last in alphabet:
        try:
            accepted.append(tickets.check(TOKEN[:-1] + last, ID, SECRET))
        except tickets.NoTicket:
            continue
    assert accepted == [TICKET]


@pytest.mark.parametrize("host", ["10.0.0.7", "ada.example", "::1", "fe80::1", "localhost"])
@pytest.mark.parametrize("port", [1, 7337, 65535])
def test_an_address_is_read_as_it_was_written(host, port):
    address = Address(host, port, ID, TOKEN, CERT)
    assert parse(str(address)) == address
    assert address.ticket == TICKET


def test_without_a_port_an_address_has_the_usual_one():
    assert parse(PLACE.replace(":7337", "")).port == 7337


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (PLACE.replace("peer:", "https:"), "no address"),
        (PLACE.replace("10.0.0.7", "ada:pass@10.0.0.7"), "no address"),
        (PLACE.replace("10.0.0.7", "10.0.0.7/x"), "no address|names no document"),
        (PLACE.replace("7337", "0"), "no address"),
        (PLACE.replace("7337", "70000"), "no address"),
        (PLACE.replace("//10.0.0.7", "//[::1"), "no address"),
        (PLACE + "#x", "no address"),
        (PLACE.replace(ID, "../../etc"), "names no document"),
        (PLACE.replace(ID, ID.lower()), "names no document"),
        (PLACE.replace(ID, f"{ID}/pack"), "names no document"),
        (PLACE.partition("?")[0], "no token and no cert"),
        (PLACE.partition("&")[0], "no cert"),
        (PLACE + f"&token={TOKEN}", "more than token and cert"),
        (PLACE + "&then=1", "more than token and cert"),
        (PLACE.replace(CERT, "sha256:abc"), "cert that is not"),
        (PLACE.replace(CERT, CERT.replace("sha256", "sha1")), "cert that is not"),
        (PLACE.replace(TOKEN, TOKEN[:-4]), "token that is no ticket"),
        (PLACE.replace(TOKEN, "+" + TOKEN[1:]), "token that is no ticket"),
    ],
)
def test_what_is_no_address_is_refused_without_telling_the_ticket(place, words):
    with pytest.raises(UsageProblem, match=words) as caught:
        Peer().check_fetch(place)
    assert TOKEN[:20] not in str(caught.value)
    assert "dlm serve" in str(caught.value)


@given(st.text(max_size=100))
def test_any_text_is_shown_or_refused_and_nothing_else(text):
    assert "?" not in shown(text)
    with pytest.raises(UsageProblem):
        parse(f"peer:{text}")


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 50) | st.none())
def test_a_range_is_what_slicing_gives(size, start, last):
    data = bytes(range(size))
    header = f"bytes={start}-{'' if last is None else last}"
    try:
        part = wanted(header, None, '"a"', size)
    except Unsatisfiable:
        assert start >= size
        return
    if part is None:
        assert last is not None
        assert last < start
        return
    assert data[part.start : part.end] == data[start : None if last is None else last + 1] != b""


@pytest.mark.parametrize(
    "header", ["bytes=0-1,3-4", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "bytes=1-0", "bytes=--1"]
)
def test_what_is_no_single_range_gets_everything(header):
    assert wanted(header, None, '"a"', 10) is None


def test_the_end_can_be_asked_for_and_another_file_is_not_gone_on_with():
    assert wanted("bytes=-4", None, '"a"', 10) == Part(6, 10)
    assert wanted("bytes=4-", '"a"', '"a"', 10) == Part(4, 10)
    for other in ('"b"', 'W/"a"', "Mon, 23 Nov 2026 06:00:00 GMT"):
        assert wanted("bytes=4-", other, '"a"', 10) is None
    with pytest.raises(Unsatisfiable):
        wanted("bytes=-0", None, '"a"', 10)


def test_a_ticket_may_ask_at_once_as_often_as_in_a_minute_and_then_at_that_pace():
    now = 100.0
    pace = Pace(lambda: now)
    assert [pace.wait("a", 30) for _ in range(30)] == [0.0] * 30
    assert pace.wait("a", 30) == pytest.approx(2.0)
    assert pace.wait("b", 30) == 0.0
    now += 2.0
    assert pace.wait("a", 30) == 0.0
    assert pace.wait("a", 30) > 0
    now += 3600
    assert sum(pace.wait("a", 30) == 0.0 for _ in range(100)) == 30


def test_uses_are_counted_by_pull_and_remembered(tmp_path):
    book = Ledger(tmp_path, now=0)
    book.give(TICKET)

    async def several() -> None:
        await asyncio.gather(*(book.book(TICKET, f"{one:032x}") for one in (1, 2, 1, 2, 1)))

    asyncio.run(several())
    again = Ledger(tmp_path, now=0)
    asyncio.run(again.book(TICKET, f"{3:032x}"))
    with pytest.raises(UsedUp):
        asyncio.run(again.book(TICKET, f"{4:032x}"))
    asyncio.run(again.book(TICKET, f"{1:032x}"))
    with pytest.raises(Unknown):
        asyncio.run(again.book(tickets.fresh(2_000_000_000, 1, DIGEST), f"{1:032x}"))
    assert Ledger(tmp_path, now=2_000_000_001).until == 0


def test_a_line_that_was_cut_short_counts_for_nothing_and_spoils_no_other(tmp_path):
    book = Ledger(tmp_path, now=0)
    book.give(TICKET)
    with (tmp_path / "tickets.log").open("ab") as file:
        file.write(f"\npull {TICKET.nonce.hex()} {'1' * 20}".encode())
    asyncio.run(book.book(TICKET, "2" * 32))
    again = Ledger(tmp_path, now=0)
    assert again.until == TICKET.expires
    for one in ("2", "3", "4"):
        asyncio.run(again.book(TICKET, one * 32))
    with pytest.raises(UsedUp):
        asyncio.run(again.book(TICKET, "1" * 32))


def test_what_a_server_keeps_is_its_owners_alone_and_one_server_has_it(tmp_path):
    with opened(tmp_path, ID) as place:
        secret, first = secret_of(place), identity.identity_of(place)
        for path in (place / "secret", place / "identity.pem"):
            assert path.stat().st_mode & 0o777 == 0o600
        assert place.stat().st_mode & 0o777 == 0o700
        with pytest.raises(UsageProblem, match="served already"), opened(tmp_path, ID):
            pass
        (place / "spool" / "left").write_bytes(b"over")
    with opened(tmp_path, ID) as place:
        assert (secret_of(place), identity.identity_of(place)) == (secret, first)
        assert not list((place / "spool").iterdir())


def test_a_certificate_that_is_about_to_end_is_made_anew(tmp_path, monkeypatch):
    first = identity.identity_of(tmp_path)
    monkeypatch.setattr(identity, "LEAST", identity.LIFE + timedelta(days=1))
    assert identity.identity_of(tmp_path).fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ["secret", "identity.pem"])
def test_a_damaged_file_is_told_of(tmp_path, name):
    (tmp_path / name).write_text("zz")
    with pytest.raises(StoreError, match="damaged: remove it"):
        secret_of(tmp_path) if name == "secret" else identity.identity_of(tmp_path)
