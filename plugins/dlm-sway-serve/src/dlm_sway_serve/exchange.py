"""Requests and answers of FastAPI, with strict JSON in both directions."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from .strict import loads


class StrictAnswer(JSONResponse):
    """An answer that any parser reads."""

    def render(self, content: Any) -> bytes:
        """ASCII only: half a character in a model's text must not lose a result."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


class StrictRequest(Request):
    """A request whose body is read with :func:`~.strict.loads`."""

    async def json(self) -> Any:
        """The body's data."""
        return loads(await self.body())


class StrictRoute(APIRoute):
    """An endpoint that gets a :class:`StrictRequest`."""

    def get_route_handler(self) -> Any:
        """As the original, with another way to read the body."""
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await original(StrictRequest(request.scope, request.receive))

        return handler
