"""A suite judged by a server, for commands that would run it themselves otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from dlm_sway.errors import Unreachable

from .client import ServeClient, ServeError

_PATIENCE: Final = 3600.0
"""Seconds. The server gives up by itself before; this is for one that died without a word."""
_LATER: Final = frozenset({0, 502, 503, 504})
"""Answers that may be others later: none, a proxy without its server, too many requests, out of time."""
_LONGEST: Final = 200
"""Characters that a server takes for a suite's name; of a longer path the end says most."""


def judge(address: str, suite: dict[str, Any], name: str, weights: Mapping[str, float] | None) -> dict[str, Any]:
    """The result JSON's data of ``suite``, which messages call ``name``, from the server at ``address``.

    Raises:
        Unreachable: the server is not there, or has no time now.
        ServeError: it refuses the suite, or is no such server.
    """
    with ServeClient(address, timeout=_PATIENCE, api_key=os.environ.get("SWAY_SERVE_KEY") or None) as client:
        try:
            return client.run(suite, weights=weights, name=name[-_LONGEST:])
        except ServeError as error:
            if error.status in _LATER:
                raise Unreachable(str(error)) from error
            raise
