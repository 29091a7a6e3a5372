"""One way to sign a pack: what a plugin implements for ``dlm sign``, ``dlm verify`` and the policy of ``dlm pull``.

A signature lies beside the pack and covers every byte of its file. Whose key counts is not decided here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Held(NamedTuple):
    """What a signature says that was found to hold."""

    sha256: str
    """In hex, of the bytes that were read of the pack: whoever reads it again compares."""
    says: Mapping[str, str] = {}
    """For people, such as a comment."""


class Identity(NamedTuple):
    """Whom a signature without a key has to be of."""

    name: str
    """As the certificate has it: an address, or a workflow's URL."""
    issuer: str
    """Who vouches for it, as a URL."""


class Signer(ABC):
    """One format of keys and signatures. Made without arguments; importing its module loads nothing heavy."""

    @abstractmethod
    def generate(self, private: Path, public: Path, *, password: str | None) -> None:
        """Make a new pair of keys; ``private`` is readable by its owner alone. Neither file is there yet.

        Raises:
            SigningFailed: they cannot be written.
        """

    @abstractmethod
    def locked(self, private: Path) -> bool:
        """Whether this private key asks for a password.

        Raises:
            SigningFailed: it cannot be read, or is no private key of this format.
        """

    @abstractmethod
    def fingerprint(self, public: bytes) -> str:
        """What names a public key: ``sha256:`` and 64 hex digits, of its DER SubjectPublicKeyInfo.

        Raises:
            SignatureInvalid: it is no public key of this format.
        """

    @abstractmethod
    def sign(self, pack: Path, out: Path, *, private: Path, password: str | None) -> bytes:
        """Write the signature of ``pack`` to ``out``, atomically; the public key that belongs to it.

        Raises:
            SigningFailed: the key cannot be read or used.
        """

    @abstractmethod
    def names(self, signature: bytes, public: bytes) -> bool:
        """Whether ``signature`` says that this key made it, which need not be true.

        Raises:
            SignatureInvalid: one of them is none of this format.
        """

    @abstractmethod
    def verify(self, pack: Path, signature: bytes, *, public: bytes) -> Held:
        """See to it that ``signature`` is that of every byte of ``pack`` under ``public``.

        Raises:
            SignatureInvalid: it is not; says in which way.
        """

    def keyless(self, signature: bytes) -> bool:
        """Whether it was made for an identity, with a key that nobody keeps.

        Raises:
            SignatureInvalid: it is no signature of this format.
        """
        return False

    def sign_keyless(self, pack: Path, out: Path, *, token: str | None) -> None:
        """Write a signature of ``pack`` for the identity of ``token``, or of whoever logs in.

        Raises:
            UsageProblem: this format has none such.
            SigningFailed: nobody vouches for the identity, or there is no way to those who do.
        """
        raise UsageProblem("signatures of this format are made with a key: leave out --keyless")

    def verify_keyless(self, pack: Path, signature: bytes, *, identity: Identity) -> Held:
        """As :meth:`verify`, of a signature that was made for ``identity``.

        Raises:
            SignatureInvalid: it is not, or is somebody else's.
        """
        raise UsageProblem("signatures of this format are made with a key: leave out --identity")
