"""The server's key and certificate. Nobody vouches for it: an address names its digest, which says it all."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dlm.errors import StoreError

from .folder import IDENTITY, write_private
from .settings import MOST_MINUTES

if TYPE_CHECKING:
    from pathlib import Path

LIFE: Final = timedelta(days=30)
LEAST: Final = timedelta(minutes=MOST_MINUTES) + timedelta(days=1)
"""That a certificate still has to live when a server starts; tickets that name an older one have expired by then."""


@dataclass(frozen=True)
class Identity:
    """Whom the other side will find."""

    path: Path
    fingerprint: str
    """``sha256:`` and the digest of the certificate."""

    def context(self) -> ssl.SSLContext:
        """For the server's connections."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.path)
        return context


def identity_of(place: Path) -> Identity:
    """The identity in the folder ``place``, made when there is none or it is about to end.

    Raises:
        StoreError: the file is damaged.
    """
    path = place / IDENTITY
    if not path.exists() or _ends(path) - datetime.now(UTC) < LEAST:
        write_private(path, _made())
    path.chmod(0o600)
    return Identity(path, fingerprint(_certificate(path)))


def fingerprint(der: bytes) -> str:
    """What names a certificate."""
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def _certificate(path: Path) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except ValueError as problem:
        raise StoreError(
            f"{path} is damaged: remove it. Tickets that were given out are worth nothing then"
        ) from problem


def _ends(path: Path) -> datetime:
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(_certificate(path)).not_valid_after_utc


def _made() -> bytes:
    """A new key and its certificate, in one file so that they cannot part."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dlm serve")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
