"""OpenSSF Model Signing: a Sigstore bundle beside the pack, by an elliptic-curve key or for an identity.

Made and verified by ``model-signing``, the library behind the stock command, so both agree on every bit.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dlm.errors import CouldNotTell, SignatureInvalid, SigningFailed
from dlm.share.signer import Held, Signer
from dlm.store.files import write_atomic

from .bundle import digest, hint, material
from .files import password_needed, read_private, write_pair, wrong_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from dlm.share.signer import Identity

CURVES = ("secp256r1", "secp384r1", "secp521r1")
_CERTIFIED = ("certificate", "x509CertificateChain")


class Oms(Signer):
    """The signer ``oms``."""

    def generate(self, private: Path, public: Path, *, password: str | None) -> None:
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        locking = forms.BestAvailableEncryption(password.encode()) if password else forms.NoEncryption()
        secret = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, locking)
        write_pair(private, secret, public, _pem(key.public_key()).decode())

    def locked(self, private: Path) -> bool:
        try:
            _private(private, None)
        except _Locked:
            return True
        return False

    def fingerprint(self, public: bytes) -> str:
        from cryptography.hazmat.primitives import serialization as forms

        der = _public(public).public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        return f"sha256:{hashlib.sha256(der).hexdigest()}"

    def sign(self, pack: Path, out: Path, *, private: Path, password: str | None) -> bytes:
        from model_signing import signing

        key = _private(private, password)
        # model-signing hands the password to cryptography as it is, which takes bytes.
        secret: Any = password.encode() if password and self.locked(private) else None
        config = signing.Config().use_elliptic_key_signer(private_key=private, password=secret)
        _written(pack, out, config.sign)
        return _pem(key.public_key())

    def names(self, signature: bytes, public: bytes) -> bool:
        return hint(signature) == hashlib.sha256(_pem(_public(public))).hexdigest()

    def verify(self, pack: Path, signature: bytes, *, public: bytes) -> Held:
        from model_signing import verifying

        pem, said = _pem(_public(public)), hint(signature)
        if said and said != hashlib.sha256(pem).hexdigest():
            raise SignatureInvalid(f"it was made by another key than {self.fingerprint(public)}")
        with _laid_out(signature, pem) as (place, key), _refusing():
            verifying.Config().use_elliptic_key_verifier(public_key=key).verify(pack.resolve(), place)
        return Held(digest(signature))

    def keyless(self, signature: bytes) -> bool:
        found = material(signature)
        return any(name in found for name in _CERTIFIED)

    def sign_keyless(self, pack: Path, out: Path, *, token: str | None) -> None:
        from model_signing import signing

        try:
            config = signing.Config().use_sigstore_signer(identity_token=token, use_ambient_credentials=token is None)
        except Exception as problem:
            raise SigningFailed(f"nobody can be asked to vouch for you: {_first(problem)}") from problem
        _written(pack, out, config.sign)

    def verify_keyless(self, pack: Path, signature: bytes, *, identity: Identity) -> Held:
        from model_signing import verifying

        try:
            config = verifying.Config().use_sigstore_verifier(identity=identity.name, oidc_issuer=identity.issuer)
        except Exception as problem:
            raise CouldNotTell(
                f"who vouches for identities cannot be asked, so nothing is known of the signature: {_first(problem)}"
            ) from problem
        with _laid_out(signature, b"") as (place, _), _refusing():
            config.verify(pack.resolve(), place)
        return Held(digest(signature))


class _Locked(SigningFailed):
    """A key that asks for a password."""


def _private(path: Path, password: str | None) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = read_private(path)
    try:
        key = load_pem_private_key(data, None)
    except TypeError as problem:
        if not password:
            raise _Locked(str(password_needed(path))) from problem
        try:
            key = load_pem_private_key(data, password.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise wrong_password(path) from None
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise SigningFailed(f"{path} is no private key in PEM: `dlm key new` makes one") from problem
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in CURVES:
        raise SigningFailed(f"{path} is no key on one of {', '.join(CURVES)}: `dlm key new` makes one")
    return key


def _public(data: bytes) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise SignatureInvalid("it is no public key in PEM") from problem
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise SignatureInvalid(f"it is a public key in PEM, and on none of {', '.join(CURVES)}")
    return key


def _pem(key: EllipticCurvePublicKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as forms

    return key.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)


def _written(pack: Path, out: Path, sign: Callable[[Path, Path], None]) -> None:
    """Let ``sign`` write a signature aside, and put it in place at once."""
    with TemporaryDirectory(prefix="dlm-sign-") as folder:
        place = Path(folder, "bundle")
        try:
            # The library refuses symbolic links; what they lead to is what is read, and compared, everywhere.
            sign(pack.resolve(), place)
            text = place.read_text(encoding="utf-8")
        except Exception as problem:
            raise SigningFailed(f"{pack} could not be signed: {_first(problem)}") from problem
    write_atomic(out, text, SigningFailed)


@contextmanager
def _laid_out(signature: bytes, public: bytes) -> Iterator[tuple[Path, Path]]:
    """As files, which the library reads, and nobody else writes meanwhile."""
    with TemporaryDirectory(prefix="dlm-sign-") as folder:
        place, key = Path(folder, "bundle"), Path(folder, "key.pub")
        place.write_bytes(signature)
        key.write_bytes(public)
        yield place, key


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever the library makes of a stranger's bytes is a refusal; what it prints is not shown."""
    try:
        with redirect_stdout(StringIO()):
            yield
    except Exception as problem:
        raise SignatureInvalid(_reason(problem)) from problem


def _reason(problem: Exception) -> str:
    from cryptography.exceptions import InvalidSignature

    if isinstance(problem, InvalidSignature):
        return "what it signs was not signed by this key"
    if str(problem).startswith("Signature mismatch"):
        return "the file has other bytes than those that were signed"
    return f"it cannot be verified ({_first(problem)})"


def _first(problem: Exception) -> str:
    return (str(problem).splitlines() or [""])[0][:200] or type(problem).__name__
