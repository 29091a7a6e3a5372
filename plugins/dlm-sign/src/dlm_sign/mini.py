"""minisign: an Ed25519 signature of the pack's BLAKE2b digest, in four lines of text."""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dlm.errors import SignatureInvalid, SigningFailed
from dlm.share.signer import Held, Signer
from dlm.store.files import write_atomic

from .files import password_needed, read_private, write_pair, wrong_password

if TYPE_CHECKING:
    from typing import BinaryIO

    from minisign import PublicKey, SecretKey, Signature

MEMORY = 2**27
"""Bytes that unlocking a key takes: scrypt with N = 2^17 and r = 8."""
WORK = 2**22
LARGEST_UNHASHED = 2**26
"""Bytes that a pack may have whose signature is of the file and not of its digest, as minisign made them once."""
_RAW = 32
_SHOWN = 200
"""Characters of a comment, which may have thousands."""
_P = 2**255 - 19
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_WEAK = frozenset({0, 1, _P - 1, _P, _P + 1, _ORDER_8, _P - _ORDER_8})
"""Of points with so few multiples that anybody can sign for them: their heights. libsodium refuses them, too."""


class Minisign(Signer):
    """The signer ``minisign``."""

    def generate(self, private: Path, public: Path, *, password: str | None) -> None:
        from minisign import KeyPair

        pair = KeyPair.generate()
        with pair.secret_key as secret:
            if password:
                secret.encrypt(password, opslimit=WORK, memlimit=MEMORY)
            write_pair(private, bytes(secret) + b"\n", public, f"{bytes(pair.public_key).decode()}\n")

    def locked(self, private: Path) -> bool:
        with _secret(private) as secret:
            return bool(secret.is_encrypted())

    def fingerprint(self, public: bytes) -> str:
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = Ed25519PublicKey.from_public_bytes(_raw(_public(public)))
        der = key.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        return f"sha256:{hashlib.sha256(der).hexdigest()}"

    def sign(self, pack: Path, out: Path, *, private: Path, password: str | None) -> bytes:
        with _secret(private) as secret:
            _unlock(secret, private, password)
            with _readable(pack, SigningFailed) as file:
                made = secret.sign(_Tee(file), trusted_comment=_comment(pack))
            public = secret.get_public_key()
        write_atomic(out, f"{bytes(made).decode()}\n", SigningFailed)
        return bytes(public) + b"\n"

    def names(self, signature: bytes, public: bytes) -> bool:
        _signature(signature)
        return _key_id(signature) == _key_id(bytes(_public(public)))

    def verify(self, pack: Path, signature: bytes, *, public: bytes) -> Held:
        from minisign import VerifyError

        key, said = _public(public), _signature(signature)
        if not self.names(signature, public):
            raise SignatureInvalid(f"it was made by another key than {self.fingerprint(public)}")
        with _readable(pack, SignatureInvalid) as file:
            if not said.is_prehashed() and pack.stat().st_size > LARGEST_UNHASHED:
                raise SignatureInvalid("it is of an old kind that takes the whole file into memory: sign it again")
            tee = _Tee(file)
            try:
                key.verify(tee, said)
            except VerifyError as problem:
                raise SignatureInvalid("the file, or the signature's comment, is not what this key signed") from problem
        return Held(tee.sha256.hexdigest(), {"comment": said.trusted_comment[:_SHOWN]})


class _Tee:
    """A file whose bytes are hashed as they are read, so that what was verified can be recognised."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """As of a file."""
        data = self._file.read(size)
        self.sha256.update(data)
        return data


def _secret(path: Path) -> SecretKey:
    from minisign import ParseError, SecretKey

    try:
        return SecretKey.from_bytes(read_private(path))
    except ParseError as problem:
        raise SigningFailed(f"{path} is no private key of minisign: `dlm key new --minisign` makes one") from problem


def _unlock(secret: SecretKey, path: Path, password: str | None) -> None:
    from minisign import Error

    if not secret.is_encrypted():
        return
    if not password:
        raise password_needed(path)
    try:
        secret.decrypt(password)
    except Error:
        raise wrong_password(path) from None


def _public(data: bytes) -> PublicKey:
    from minisign import ParseError, PublicKey

    try:
        key = PublicKey.from_bytes(data)
    except ParseError as problem:
        raise SignatureInvalid(f"it is no public key of minisign ({problem})") from problem
    if int.from_bytes(_raw(key), "little") % 2**255 in _WEAK:
        raise SignatureInvalid("it is a key that anybody can sign for: whoever gave it to you has made it so")
    return key


def _raw(key: PublicKey) -> bytes:
    """The 32 bytes of the point."""
    return base64.b64decode(key.to_base64())[-_RAW:]


def _signature(data: bytes) -> Signature:
    from minisign import ParseError, Signature

    try:
        return Signature.from_bytes(data)
    except ParseError as problem:
        raise SignatureInvalid(f"it is no signature of minisign ({problem})") from problem


def _key_id(data: bytes) -> bytes:
    """Eight bytes behind the algorithm's two in the second line, of keys and of signatures alike."""
    return base64.b64decode(data.splitlines()[1])[2:10]


def _comment(pack: Path) -> str:
    """As the stock program writes it; letters that it would not print are left out of the name."""
    name = "".join(letter for letter in pack.name if " " <= letter < "\x7f")
    return f"timestamp:{int(time.time())}\tfile:{name}\thashed"


def _readable(path: Path, error: type[SigningFailed] | type[SignatureInvalid]) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as problem:
        raise error(f"cannot read {path}: {problem.strerror or problem}") from problem
