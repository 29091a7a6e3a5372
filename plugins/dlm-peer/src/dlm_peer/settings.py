"""What the owner of a server decides when it starts, and how patient a server is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
PORT: Final = 7337
MOST_MINUTES: Final = 7 * 24 * 60
"""That a ticket may live: the certificate it names has to outlive it."""


@dataclass(frozen=True)
class Settings:
    """Of one server, for as long as it runs."""

    uses: int = 1
    """Pulls that a ticket is good for."""
    tickets: int = 1
    minutes: int = 15
    """That tickets live."""
    at_once: int = 4
    """Downloads at the same time; more are asked to come again."""
    per_minute: int = 30
    """Requests that a ticket may make for each of its uses."""
    grace: int = 30
    """Seconds to finish downloads when the server is stopped."""


@dataclass(frozen=True)
class Patience:
    """With connections. Seconds, unless named otherwise."""

    arriving: float = 10.0
    """From the first packet to the end of an answer that is no download: encryption, headers, refusals."""
    stalled: float = 30.0
    """For a download to take the next part, of up to :attr:`buffer` bytes."""
    waiting: int = 256
    """Connections that may be arriving at once; one more, and the oldest of the busiest address has to go."""
    headers: int = 8 * 1024
    """Bytes of a request's headers."""
    buffer: int = 128 * 1024
    """Bytes of a download kept in memory for a client that is slow."""
