"""Loaded backends by content key: each is loaded once however many ask, used by one at a time, and the one that was
not used for longest goes when another needs its room. Runs on the event loop; only loading and closing use threads."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm_sway.errors import SwayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dlm_sway.suite.choosing import Chosen

    In = Callable[[Callable[[], Any]], Awaitable[Any]]
    """Runs a function in a thread that may use models."""


class Warm(NamedTuple):
    """A loaded backend, and what it said about itself."""

    chosen: Chosen
    described: dict[str, object]


@dataclass
class _Place:
    chosen: Chosen
    users: int = 0
    """Requests that use it or wait for it; without any it may go."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    described: dict[str, object] | None = None
    failure: SwayError | None = None
    spoiled: bool = False
    """Whether something went wrong that nobody foresaw: then the models may be in any state."""


class Shelf:
    """At most ``most`` backends. ``load`` runs what takes long and uses models."""

    def __init__(self, most: int, load: In) -> None:
        self.most = most
        self.loads = 0
        """How often a backend was loaded, since the start."""
        self._load = load
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._going = 0
        self._changed = asyncio.Condition()

    def loaded(self) -> list[Warm]:
        """What is loaded, most recently used last."""
        return [Warm(one.chosen, one.described) for one in self._places.values() if one.described is not None]

    @asynccontextmanager
    async def lend(self, key: str, chosen: Chosen) -> AsyncIterator[Warm]:
        """The backend of ``key``, for this request alone; ``chosen`` is loaded where there is none yet.

        Raises:
            SwayError: it cannot be loaded. All who wait for it are told; who asks later tries again.
        """
        place = await self._placed(key, chosen)
        try:
            async with place.lock:
                warm = await self._ready(place, chosen)
                try:
                    yield warm
                except SwayError:
                    raise  # the request was wrong, or out of time: the models are as they were
                except Exception:
                    place.spoiled = True
                    raise
        finally:
            await self._left(key, place)

    async def close(self) -> None:
        """Free everything, once it is not in use."""
        while self._places:
            _, place = self._places.popitem()
            async with place.lock:
                await self._load(place.chosen.backend.close)

    async def _placed(self, key: str, chosen: Chosen) -> _Place:
        while key not in self._places and not self._has_room():
            if (idle := self._idle()) is not None:
                await self._remove(idle)
                continue
            async with self._changed:
                await self._changed.wait_for(lambda: key in self._places or self._has_room() or self._idle())
        place = self._places.setdefault(key, _Place(chosen))
        place.users += 1
        self._places.move_to_end(key)
        return place

    def _has_room(self) -> bool:
        return len(self._places) + self._going < self.most

    def _idle(self) -> str | None:
        """The key that was not used for longest, of those that nobody uses."""
        return next((key for key, place in self._places.items() if not place.users), None)

    async def _remove(self, key: str) -> None:
        """Close a backend. Its room is free when its memory is."""
        place = self._places.pop(key)
        self._going += 1
        try:
            await self._load(place.chosen.backend.close)
        finally:
            self._going -= 1
            await self._tell()

    async def _ready(self, place: _Place, chosen: Chosen) -> Warm:
        if place.failure is not None:
            raise place.failure
        if place.spoiled:
            await self._load(place.chosen.backend.close)
            place.chosen, place.described, place.spoiled = chosen, None, False
        if place.described is None:
            try:
                place.described = await self._load(place.chosen.backend.describe)
            except SwayError as error:
                place.failure = error
                raise
            self.loads += 1
        return Warm(place.chosen, place.described or {})

    async def _left(self, key: str, place: _Place) -> None:
        place.users -= 1
        unloaded = place.described is None or place.failure is not None
        if unloaded and not place.users and self._places.get(key) is place:
            await self._remove(key)
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
