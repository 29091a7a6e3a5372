"""Connections to one server and to no other: the one whose certificate has the digest that the ticket came with.

No authority is asked, no name is compared and no date is looked at; who has the ticket knows more than they do. The
digest is compared when the handshake is over and before anything is sent, so that nobody else sees the ticket.
"""

from __future__ import annotations

import hmac
import ssl

from dlm.errors import TransferRefused

from .identity import fingerprint


def pinned(cert: str, server: str) -> ssl.SSLContext:
    """A context whose connections end in :class:`TransferRefused` unless the certificate is ``cert``. ``server`` is
    what to call the other side."""

    class Pinned(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            found = fingerprint(self.getpeercert(binary_form=True) or b"")
            if not hmac.compare_digest(found.encode(), cert.encode()):
                self.close()
                raise TransferRefused(
                    f"somebody else answers at {server}: its certificate is {found}, and the address says {cert}. The "
                    "ticket was not sent. Ask whoever serves the document for the address as it is now"
                )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = Pinned
    return context
