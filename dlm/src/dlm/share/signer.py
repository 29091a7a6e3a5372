"""One way to sign a pack: what a plugin implements for ``dlm sign``, ``dlm verify`` and the policy of ``dlm pull``.

A signature lies beside the pack and covers every byte of its file. Whose key counts is not decided here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class Signer(ABC):
    """One format of keys and signatures. Made without arguments; importing its module loads nothing heavy."""

    suffix: ClassVar[str]
    """Of the file beside the pack, such as ``.sig``."""

    @abstractmethod
    def generate(self, private: Path, public: Path, *, password: str | None) -> None:
        """Make a new pair of keys; ``private`` is readable by its owner alone. Neither file is there yet."""

    @abstractmethod
    def fingerprint(self, public: bytes) -> str:
        """What names a public key, ``sha256:`` and 64 hex digits, the same for every way to write that key down.

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
    def verify(self, pack: Path, signature: Path, *, public: bytes) -> dict[str, str]:
        """See to it that ``signature`` is that of every byte of ``pack`` under ``public``; what else it says, for
        people, such as a trusted comment.

        Raises:
            SignatureInvalid: it is not; says in which way.
        """
