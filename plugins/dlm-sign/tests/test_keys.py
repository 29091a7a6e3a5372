"""Keys: who may read them, what unlocks them, and that nothing secret is ever told."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dlm.errors import PackInvalid, SignatureInvalid, SigningFailed, UsageProblem
from dlm.share import keys
from dlm.share.keys import signer_named
from dlm.share.signing import prepare, sign

SECRET = "korrekt-pferd-batterie"
BOTH = pytest.mark.parametrize("signer", ["oms", "minisign"])


@BOTH
@pytest.mark.parametrize("password", [None, SECRET])
def test_a_private_key_is_its_owners_alone(ada, signer, password):
    old = os.umask(0)
    try:
        made = keys.new(ada.home, signer, password=password)
    finally:
        os.umask(old)
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.private.parent.stat().st_mode) == 0o700
    assert made.locked == (password is not None)
    assert SECRET.encode() not in made.private.read_bytes()
    assert sorted(path.name for path in made.private.parent.iterdir()) == [
        f"default.{signer}.key",
        f"default.{signer}.pub",
    ]


@BOTH
def test_a_locked_key_signs_with_its_password_and_no_other(packed, ada, signer):
    made = keys.new(ada.home, signer, password=SECRET)
    wanted = prepare(packed, signer=signer, home=ada.home)
    assert wanted.locked
    for wrong in (SECRET + "x", "", None, "\0", "ü" * 300):
        with pytest.raises(SigningFailed, match="password") as told:
            sign(wanted, password=wrong)
        assert SECRET not in str(told.value)
    assert not list(packed.parent.glob("*sig"))
    assert sign(wanted, password=SECRET).fingerprint == made.fingerprint


@BOTH
def test_a_password_in_letters_of_any_script_unlocks(packed, ada, signer):
    keys.new(ada.home, signer, password="pass wört ✓")
    assert sign(prepare(packed, signer=signer, home=ada.home), password="pass wört ✓").fingerprint


@BOTH
def test_a_key_is_never_replaced(ada, signer):
    before = keys.new(ada.home, signer).private.read_bytes()
    with pytest.raises(UsageProblem, match="none is ever replaced"):
        keys.new(ada.home, signer)

    def make(number: int) -> str:
        try:
            signer_named(signer).generate(ada.home / "keys" / "x.key", ada.home / "keys" / "x.pub", password=None)
        except SigningFailed:
            return "refused"
        return "made"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == ["made", *["refused"] * 7]
    assert keys.own(ada.home)[0].private.read_bytes() == before


def test_a_key_that_others_may_read_is_told_of(ada):
    made = keys.new(ada.home, "oms")
    made.private.chmod(0o644)
    assert f"chmod 600 {made.private}" in keys.own(ada.home)[0].note


@BOTH
def test_what_is_no_key_is_refused_by_name(packed, ada, signer, tmp_path):
    place = tmp_path / "some.key"
    for content in (
        b"",
        b"not a key",
        b"\xff" * 100,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ):
        place.write_bytes(content)
        with pytest.raises(SigningFailed, match=str(place)):
            prepare(packed, signer=signer, key=str(place), home=ada.home)
    place.write_bytes(b"a" * 70_000)
    with pytest.raises(SigningFailed, match="larger than any key"):
        prepare(packed, signer=signer, key=str(place), home=ada.home)
    with pytest.raises(UsageProblem, match="there is no key"):
        prepare(packed, signer=signer, key=str(tmp_path / "absent.key"), home=ada.home)


@pytest.mark.parametrize(
    "generate", [ed25519.Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP256K1())]
)
def test_a_key_that_the_stock_tool_would_not_take_is_refused_before_anything_is_signed(packed, ada, tmp_path, generate):
    key, place = generate(), tmp_path / "odd.key"
    place.write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()))
    with pytest.raises(SigningFailed, match="secp256r1"):
        prepare(packed, key=str(place), home=ada.home)
    public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SignatureInvalid, match="secp256r1"):
        signer_named("oms").fingerprint(public)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_keys_that_were_made_elsewhere_sign_too(packed, ada, tmp_path, curve):
    place = tmp_path / "elsewhere.key"
    key = ec.generate_private_key(curve)
    place.write_bytes(
        key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption())
    )
    made = sign(prepare(packed, key=str(place), home=ada.home))
    held = signer_named("oms").verify(packed, made.signature.read_bytes(), public=made.public.read_bytes())
    assert len(held.sha256) == 64


def test_a_fingerprint_is_that_of_the_key_however_it_is_written(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    signer = signer_named("oms")
    assert signer.fingerprint(pem) == signer.fingerprint(b"Ada's key\n" + pem.replace(b"\n", b"\r\n"))
    other = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(SignatureInvalid, match="on none of"):
        signer.fingerprint(other.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo))


@BOTH
def test_a_link_to_a_pack_is_signed_and_verified_as_the_pack(packed, ada, signer):
    keys.new(ada.home, signer)
    link = packed.with_name("link.pack")
    link.symlink_to(packed.name)
    made = sign(prepare(link, signer=signer, home=ada.home))
    held = signer_named(signer).verify(packed, made.signature.read_bytes(), public=made.public.read_bytes())
    assert signer_named(signer).verify(link, made.signature.read_bytes(), public=made.public.read_bytes()) == held


def test_a_damaged_pack_is_not_signed(packed, ada):
    keys.new(ada.home, "oms")
    data = packed.read_bytes()
    packed.write_bytes(data[: len(data) // 2])
    with pytest.raises(PackInvalid):
        sign(prepare(packed, home=ada.home))
    assert not list(packed.parent.glob("*.sig"))


def test_which_key_signs_is_said_by_name_file_or_default(packed, ada, tmp_path):
    with pytest.raises(UsageProblem, match="`dlm key new`"):
        prepare(packed, home=ada.home)
    first = keys.new(ada.home, "oms", "one")
    assert prepare(packed, home=ada.home).private == first.private
    second = keys.new(ada.home, "oms", "two")
    with pytest.raises(UsageProblem, match="one, two"):
        prepare(packed, home=ada.home)
    assert prepare(packed, key="two", home=ada.home).private == second.private
    assert prepare(packed, key=str(first.private), home=ada.home).private == first.private
    third = keys.new(ada.home, "oms")
    assert prepare(packed, home=ada.home).private == third.private
    for name in ("", "../one", "a/b", ".one"):
        with pytest.raises(UsageProblem, match="no name for a key"):
            keys.new(ada.home, "oms", name)
