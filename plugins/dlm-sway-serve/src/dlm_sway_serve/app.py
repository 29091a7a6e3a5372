"""The endpoints: what is asked goes to :mod:`.judge`, what goes wrong comes back in the words of the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from dlm_sway._plugkit.errors import PluginError
from dlm_sway.errors import SwayError

from .bodies import Failed, Health, RunAnswer, RunRequest, ScoreAnswer, ScoreRequest, Stats
from .errors import Refused, body, described, status_of
from .exchange import StrictAnswer, StrictRoute
from .guard import Guard
from .judge import Judge
from .stopping import Stop

if TYPE_CHECKING:
    from dlm_sway._plugkit.plugins import PluginManager

    from .settings import Settings

BUG: Final = "this is a bug in sway or in a plugin: `sway plugins` shows their versions, the server's log has the rest"
_ERRORS: Final[dict[int | str, str]] = {
    400: "What `sway` itself would refuse: a mistake in the suite, or models that cannot be used.",
    401: "No key, or a wrong one.",
    403: "Asked from another site or by another name than localhost, without a key; or about a model at an address"
    " that the owner did not allow.",
}
_BODY_ERRORS: Final[dict[int | str, str]] = {
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The body has other keys or values than are asked for.",
    500: "A bug.",
    503: "Too many requests wait.",
    504: "No answer within the server's time limit.",
}


def make_app(settings: Settings, manager: PluginManager, say: Callable[[str], None] = lambda _: None) -> FastAPI:
    """The server's ASGI application. ``say`` hears a line for every answer."""
    judge = Judge(settings, manager)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        await judge.close()

    app = FastAPI(title="sway serve", version="1", lifespan=living, docs_url=None, redoc_url=None)
    app.include_router(_endpoints(judge, settings))
    app.add_middleware(Guard, settings=settings, say=say)
    for kind, answer in _HANDLERS.items():
        app.add_exception_handler(kind, answer)
    app.openapi = lambda: _with_key(FastAPI.openapi(app))  # type: ignore[method-assign]
    return app


def _endpoints(judge: Judge, settings: Settings) -> APIRouter:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/health", response_model=Health, responses=_failures(401, 403))
    async def health() -> StrictAnswer:
        """That the server answers, and which models are loaded."""
        return StrictAnswer(judge.health())

    @router.get("/stats", response_model=Stats, responses=_failures(401, 403))
    async def stats() -> StrictAnswer:
        """What the server did so far."""
        return StrictAnswer(judge.stats())

    @router.post("/run", response_model=RunAnswer, responses=_failures(*_ERRORS, *_BODY_ERRORS))
    async def run(asked: RunRequest, request: Request) -> StrictAnswer:
        """Run a suite, as `sway run` does."""
        return StrictAnswer(await _attended(request, settings, lambda stop: judge.run(asked, stop)))

    @router.post("/score", response_model=ScoreAnswer, responses=_failures(*_ERRORS, *_BODY_ERRORS))
    async def score(asked: ScoreRequest, request: Request) -> StrictAnswer:
        """Run some entries of a suite, as `sway run` does with a suite that holds only these and the null adapter."""
        return StrictAnswer(await _attended(request, settings, lambda stop: judge.score(asked, stop)))

    return router


async def _attended(
    request: Request, settings: Settings, answer: Callable[[Stop], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The answer, which is given up when whoever asked has gone."""
    stop = Stop(settings.seconds)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stop.now("whoever asked has gone")

    watching = asyncio.create_task(watch())
    try:
        return await answer(stop)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _failures(*statuses: int | str) -> dict[int | str, dict[str, Any]]:
    meanings = {**_ERRORS, **_BODY_ERRORS}
    return {status: {"model": Failed, "description": meanings[status]} for status in statuses}


def _with_key(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the key, which only some servers ask for."""
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes["key"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{}, {"key": []}]
    return document


async def _said(_: Request, error: Exception) -> StrictAnswer:
    assert isinstance(error, (SwayError, PluginError))
    return StrictAnswer(described(error), status_of(error), error.headers if isinstance(error, Refused) else None)


async def _misread(_: Request, error: Exception) -> StrictAnswer:
    assert isinstance(error, RequestValidationError)
    lines = []
    for one in error.errors():
        place = ".".join(str(part) for part in one["loc"])
        detail = one.get("ctx", {}).get("error")
        lines.append(f"{place}: {one['msg']}" + (f": {detail}" if isinstance(detail, str) else ""))
    return StrictAnswer(body("RequestError", "\n".join(lines), 2), 422)


async def _no_such(request: Request, error: Exception) -> StrictAnswer:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}: ask /openapi.json what there is"
    return StrictAnswer(body("NoSuchEndpoint", message, 2), error.status_code, error.headers)


async def _bug(_: Request, error: Exception) -> StrictAnswer:
    return StrictAnswer(body("Bug", BUG, 3), 500)


_HANDLERS: Final[dict[type[Exception], Callable[[Request, Exception], Awaitable[StrictAnswer]]]] = {
    SwayError: _said,
    PluginError: _said,
    RequestValidationError: _misread,
    HTTPException: _no_such,
    Exception: _bug,
}
