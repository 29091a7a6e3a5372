"""Keys and signatures that were made to be mistaken for others."""

from __future__ import annotations

import base64

import pytest

from dlm.errors import SignatureInvalid
from dlm.share import trust_store
from dlm.share.keys import new
from dlm.share.sidecars import beside
from dlm.share.trusting import judge
from dlm_sign.mini import Minisign

DLM_ID = "01J0000000000000000000000A"
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
PRIME_ORDER = 2**252 + 27742317777372353535851937790883648493


def added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points of Ed25519's curve."""
    (a, b), (c, d) = one, other
    bend = D * a * b * c * d % P
    return (a * d + b * c) * pow(1 + bend, P - 2, P) % P, (b * d + a * c) * pow(1 - bend, P - 2, P) % P


def times(count: int, point: tuple[int, int]) -> tuple[int, int]:
    found = (0, 1)
    while count:
        found = added(found, point) if count & 1 else found
        point, count = added(point, point), count >> 1
    return found


def weak() -> set[int]:
    """Heights of the eight points that are left of a point when it is taken as often as the group's prime says."""
    found = set()
    for height in range(2, 40):
        square = (height * height - 1) * pow(D * height * height + 1, P - 2, P) % P
        root = pow(square, (P + 3) // 8, P)
        for side in (root, root * pow(2, (P - 1) // 4, P) % P):
            if (side * side - square) % P == 0:
                found.add(times(PRIME_ORDER, (side, height))[1])
    return found


def judged(machine, pack, policy="warn", **more):
    return judge(pack, beside(pack), policy=policy, name=DLM_ID, home=machine.home, **more)


@pytest.fixture
def double(ada, machine, tmp_path):
    """A file that is Ada's key in PEM, and Mallory's in minisign's format."""
    pem = new(ada.home, "oms", "ada").public.read_text().split("\n")
    mallory = machine("mallory")
    line = new(mallory.home, "minisign", "m").public.read_text().split("\n")[1]
    path = tmp_path / "ada.pub"
    path.write_text(f"untrusted comment: {pem[0]} {''.join(pem[1:-2])} {pem[-2]}\n{line}\n")
    return mallory, path


def test_a_file_that_is_two_keys_lets_neither_in(packed, grace, signed, double):
    mallory, path = double
    with pytest.raises(SignatureInvalid, match="two keys in one file"):
        trust_store.add(grace.home, path, "ada")
    place = grace.home / "trusted-keys" / "ada.pub"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(path.read_bytes())
    signed(mallory, packed, "minisign", "m")
    assert judged(grace, packed).status == "unknown-signer"
    keys, notes = trust_store.trusted(grace.home)
    assert keys == ()
    assert "two keys in one file" in notes[0]


def minisign_key(point: bytes) -> bytes:
    return b"untrusted comment: x\n" + base64.b64encode(b"Ed" + b"\1" * 8 + point) + b"\n"


@pytest.mark.parametrize("height", [*sorted(weak()), P, P + 1])
@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_a_key_that_anybody_can_sign_for_is_none(packed, height, sign):
    key = minisign_key((height | sign).to_bytes(32, "little"))
    with pytest.raises(SignatureInvalid, match="anybody can sign for"):
        Minisign().fingerprint(key)
    one = (1).to_bytes(32, "little")
    blank = base64.b64encode(one + bytes(32))
    forged = b"untrusted comment: x\n" + base64.b64encode(b"ED" + b"\1" * 8 + one + bytes(32))
    with pytest.raises(SignatureInvalid, match="anybody can sign for"):
        Minisign().verify(packed, forged + b"\ntrusted comment: hi\n" + blank + b"\n", public=key)


def test_who_passes_a_pack_on_with_a_signature_of_their_own_does_not_become_its_maker(
    packed, ada, grace, machine, signed
):
    mallory = machine("mallory")
    signed(ada, packed)
    signed(mallory, packed, "minisign")
    first = judged(grace, grace.bring(packed), first_use=True)
    assert first.status == "recorded"
    assert len(trust_store.recorded(grace.home, DLM_ID).keys) == 2
    # The next one is Mallory's alone.
    alone = mallory.bring(packed, sidecars=False)
    signed(mallory, alone, "minisign")
    for path in grace.folder.glob("*"):
        path.unlink()
    for policy in ("warn", "enforce"):
        with pytest.raises(SignatureInvalid, match=r"lacks the oms signature by sha256:"):
            judged(grace, grace.bring(alone), policy)
    # And Ada's alone is taken when her key was compared.
    own = ada.home / "keys" / "default.oms.pub"
    trust_store.add(grace.home, own, "ada")
    (packed.with_name(packed.name + ".minisig")).unlink()
    for path in grace.folder.glob("*"):
        path.unlink()
    assert judged(grace, grace.bring(packed), "enforce").status == "trusted"


def test_a_recorded_key_is_not_got_around_by_unpacking_elsewhere(packed, ada, grace, machine, signed):
    signed(ada, packed)
    first = grace.bring(packed)
    assert grace.run("unpack", first, "--trust-on-first-use").exit_code == 0
    alone = machine("mallory").bring(packed, sidecars=False)
    signed(machine("mallory"), alone)
    there = ["--home", grace.folder / "other", "--out", grace.folder / "elsewhere"]
    refused = grace.run("unpack", alone, *there)
    assert refused.exit_code == 1
    assert "THE KEY HAS CHANGED" in refused.output
    for ending in (".sig", ".pub"):
        alone.with_name(alone.name + ending).unlink()
    assert "is not signed" in grace.run("unpack", alone, *there).output
    assert not (grace.folder / "other" / "store").exists()
    # What counts at home counts there, too.
    done = grace.run("unpack", first, *there, "--policy", "enforce")
    assert done.exit_code == 0, done.output
