"""Signatures for an identity, as far as they go without anybody who vouches: nothing here leaves this machine."""

from __future__ import annotations

import base64
import json
import socket

import pytest

from dlm.errors import CouldNotTell, SignatureInvalid, SigningFailed, UsageProblem
from dlm.share.keys import signer_named
from dlm.share.sidecars import beside
from dlm.share.signer import Identity
from dlm.share.signing import sign_keyless
from dlm.share.trusting import judge

DLM_ID = "01J0000000000000000000000A"
ADA = Identity("ada@example.org", "https://accounts.example.org")


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """Names do not resolve and nothing can be connected to; the trust roots that were fetched before are not here."""

    def refuse(*_, **__):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))


@pytest.fixture
def keyless(packed, ada, signed):
    """A bundle that says that it was made for an identity."""
    signed(ada, packed).unlink()
    place = packed.with_name(f"{packed.name}.sig")
    bundle = json.loads(place.read_bytes())
    bundle["verificationMaterial"] = {
        "certificate": {"rawBytes": base64.b64encode(b"no certificate").decode()},
        "tlogEntries": [],
    }
    place.write_text(json.dumps(bundle))
    return packed


def test_a_signature_for_an_identity_is_recognised_and_says_how_to_check_it(keyless, grace):
    standing = judge(keyless, beside(keyless), policy="warn", name=DLM_ID, home=grace.home, first_use=True)
    assert standing.status == "unchecked"
    assert "--identity WHO --issuer URL" in standing.notes[0]
    with pytest.raises(SignatureInvalid, match="--identity WHO --issuer URL"):
        judge(keyless, beside(keyless), policy="enforce", name=DLM_ID, home=grace.home)


def test_without_a_way_to_those_who_vouch_nothing_is_said_to_hold(keyless, grace):
    with pytest.raises(CouldNotTell, match="cannot be asked"):
        judge(keyless, beside(keyless), policy="warn", name=DLM_ID, home=grace.home, identity=ADA)


def test_a_signature_by_a_key_does_not_stand_for_an_identity(packed, ada, signed):
    signed(ada, packed)
    with pytest.raises(SignatureInvalid, match="not by the identity ada@example"):
        judge(packed, beside(packed), policy="warn", name=DLM_ID, home=ada.home, identity=ADA)


def test_signing_for_an_identity_fails_without_a_network_and_leaves_nothing(packed):
    with pytest.raises(SigningFailed, match="vouch"):
        sign_keyless(packed, token="not.a.token")
    assert not list(packed.parent.glob("*.sig"))


def test_minisign_knows_no_identities(packed):
    with pytest.raises(UsageProblem, match="leave out --keyless"):
        sign_keyless(packed, signer="minisign")
    assert not signer_named("minisign").keyless(b"")


def test_keyless_goes_with_no_key(packed, ada):
    assert ada.run("sign", packed, "--keyless", "--key", "default").exit_code == 2
    assert ada.run("sign", packed, "--identity-token", "-", stdin="x").exit_code == 2
