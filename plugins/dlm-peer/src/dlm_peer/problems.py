"""What a server says no with: one JSON object (RFC 9457), whose ``reason`` the other side words in its own way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

Reason = Literal[
    "no-such-place",
    "no-such-method",
    "no-ticket",
    "not-ours",
    "expired",
    "other-pack",
    "used-up",
    "no-pull",
    "no-body",
    "no-such-part",
    "too-often",
    "too-many",
    "broken",
]
_SAID: dict[Reason, tuple[int, str]] = {
    "no-such-place": (404, "nothing is served here"),
    "no-such-method": (405, "files are read here, with GET or HEAD"),
    "no-ticket": (401, "a ticket is needed: Authorization: Bearer TICKET"),
    "not-ours": (403, "this server did not give out that ticket"),
    "expired": (403, "the ticket has expired"),
    "other-pack": (403, "the ticket is for another version of the document than is served now"),
    "used-up": (403, "the ticket was used as often as it may be"),
    "no-pull": (400, "a pull names itself: Dlm-Pull: 32 hexadecimal digits"),
    "no-body": (400, "a request here has no body"),
    "no-such-part": (416, "the file ends before that"),
    "too-often": (429, "this ticket has asked too often"),
    "too-many": (503, "as many as may download at once do so now"),
    "broken": (500, "the server cannot do that now; its own output says why"),
}


class Problem(Exception):
    """An answer that is no file."""

    def __init__(self, reason: Reason, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason, self.headers = reason, dict(headers or {})

    @property
    def status(self) -> int:
        """Of the answer."""
        return _SAID[self.reason][0]

    def response(self) -> Response:
        """The answer."""
        status, title = _SAID[self.reason]
        told = {"type": "about:blank", "title": title, "status": status, "reason": self.reason}
        headers = {**CLOSING, **self.headers}
        return Response(json.dumps(told), status, headers, media_type="application/problem+json")


CLOSING = {"Connection": "close", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Every answer ends its connection: one that was kept open would have to be watched, and a pull has few requests."""
