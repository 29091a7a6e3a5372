"""What we sign, others verify with tools that are not ours, and one bit of difference is enough for them to refuse."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from model_signing import verifying

import dlm_sign.mini
from dlm.errors import SignatureInvalid
from dlm.share.keys import signer_named

MINISIGN = shutil.which("minisign")
STOCK = Path(sys.executable).with_name("model_signing")
needs_minisign = pytest.mark.skipif(MINISIGN is None, reason="Debian's minisign is not installed")


def offsets(size: int) -> list[tuple[int, int]]:
    """Bytes and bits to flip: the first, the last, the header of the frame, and 40 anywhere."""
    draw = random.Random("one bit\noffsets\nlamp")
    fixed = [(0, 0), (3, 7), (4, 1), (size - 1, 0), (size - 1, 7)]
    return [*fixed, *((draw.randrange(size), draw.randrange(8)) for _ in range(40))]


def flip(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def model_signing(path: Path) -> int:
    command = [STOCK, "verify", "key", path, "--signature", f"{path}.sig", "--public_key", f"{path}.pub"]
    return subprocess.run(command, capture_output=True, check=False).returncode


def minisign(path: Path, signature: Path, public: Path) -> int:
    command = [MINISIGN, "-V", "-q", "-m", path, "-x", signature, "-p", public]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_stock_model_signing_command_accepts_our_signature_and_refuses_one_flipped_bit(packed, ada, signed):
    signed(ada, packed)
    assert model_signing(packed) == 0
    data = packed.read_bytes()
    for at, bit in offsets(len(data))[:5]:
        packed.write_bytes(flip(data, at, bit))
        assert model_signing(packed) != 0, (at, bit)
    packed.write_bytes(data)
    assert model_signing(packed.rename(packed.with_name("adapter.dlm.pack"))) != 0
    for ending in (".sig", ".pub"):
        packed.with_name(packed.name + ending).rename(packed.with_name(f"adapter.dlm.pack{ending}"))
    assert model_signing(packed.with_name("adapter.dlm.pack")) == 0


def test_the_stock_library_refuses_one_flipped_bit_anywhere(packed, ada, signed):
    public = signed(ada, packed)
    stock = verifying.Config().use_elliptic_key_verifier(public_key=public)
    data, signature = packed.read_bytes(), packed.with_name(f"{packed.name}.sig")
    stock.verify(packed, signature)
    for at, bit in offsets(len(data)):
        packed.write_bytes(flip(data, at, bit))
        with pytest.raises(ValueError, match="Signature mismatch"):
            stock.verify(packed, signature)


@needs_minisign
def test_debians_minisign_accepts_our_signature_and_refuses_one_flipped_bit_anywhere(packed, ada, signed):
    public = signed(ada, packed, "minisign")
    data, signature = packed.read_bytes(), packed.with_name(f"{packed.name}.minisig")
    assert minisign(packed, signature, public) == 0
    for at, bit in offsets(len(data)):
        packed.write_bytes(flip(data, at, bit))
        assert minisign(packed, signature, public) == 1, (at, bit)


@needs_minisign
@pytest.mark.parametrize("password", [None, "geheim"])
def test_debians_minisign_signs_with_our_keys_and_we_accept_that(packed, ada, password, tmp_path):
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    signer = signer_named("minisign")
    signer.generate(private, public, password=password)
    command = [MINISIGN, "-S", *([] if password else ["-W"]), "-s", private, "-m", packed, "-t", "from Debian"]
    subprocess.run(command, input=f"{password}\n", text=True, check=True, capture_output=True)
    held = signer.verify(packed, packed.with_name(f"{packed.name}.minisig").read_bytes(), public=public.read_bytes())
    assert held.says == {"comment": "from Debian"}


@needs_minisign
def test_a_signature_of_an_old_minisign_is_verified_too_unless_it_takes_much_memory(packed, ada, tmp_path, monkeypatch):
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    signer = signer_named("minisign")
    signer.generate(private, public, password=None)
    subprocess.run([MINISIGN, "-S", "-l", "-W", "-s", private, "-m", packed], check=True, capture_output=True)
    signature = packed.with_name(f"{packed.name}.minisig").read_bytes()
    held = signer.verify(packed, signature, public=public.read_bytes())
    assert held.sha256 == sha256(packed)
    monkeypatch.setattr(dlm_sign.mini, "LARGEST_UNHASHED", 1000)
    with pytest.raises(SignatureInvalid, match="sign it again"):
        signer.verify(packed, signature, public=public.read_bytes())


def test_we_accept_what_the_stock_command_signed(packed, ada, tmp_path):
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    signer, place = signer_named("oms"), tmp_path / "s.sig"
    signer.generate(private, public, password=None)
    command = [STOCK, "sign", "key", packed, "--signature", place, "--private_key", private]
    subprocess.run(command, check=True, capture_output=True)
    held = signer.verify(packed, place.read_bytes(), public=public.read_bytes())
    assert held.sha256 == sha256(packed)


@pytest.mark.parametrize(("name", "ending"), [("oms", ".sig"), ("minisign", ".minisig")])
def test_we_refuse_one_flipped_bit_anywhere(packed, ada, signed, name, ending):
    public, signer = signed(ada, packed, name).read_bytes(), signer_named(name)
    data, signature = packed.read_bytes(), packed.with_name(packed.name + ending).read_bytes()
    assert signer.verify(packed, signature, public=public).sha256 == sha256(packed)
    for at, bit in offsets(len(data)):
        packed.write_bytes(flip(data, at, bit))
        with pytest.raises(SignatureInvalid, match=r"other bytes|is not what"):
            signer.verify(packed, signature, public=public)


@pytest.mark.parametrize(("name", "ending"), [("oms", ".sig"), ("minisign", ".minisig")])
def test_a_changed_signature_is_refused_or_says_the_same(packed, ada, signed, name, ending):
    """Bits that no format signs, such as an untrusted comment, change nothing; every other one is noticed."""
    public, signer = signed(ada, packed, name).read_bytes(), signer_named(name)
    signature = packed.with_name(packed.name + ending).read_bytes()
    good, draw, refused = signer.verify(packed, signature, public=public), random.Random(f"flips\n{name}"), 0
    for _ in range(120):
        changed = flip(signature, draw.randrange(len(signature)), draw.randrange(8))
        try:
            assert signer.verify(packed, changed, public=public) == good
        except SignatureInvalid:
            refused += 1
    assert refused > 60


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
