"""Bring Elasticsearch up to the projection, whatever was down meanwhile.

1. make sure that there is an index; a new one gets every listing again
2. write the listings whose newest version it does not have, a few hundred at once
3. note which versions it has; one that it refuses is logged and left out until it changes
4. once searches can see them, outdate what is cached of the cells they lie in
5. when none waits, sleep until something changes
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import Counter

from mesh.aio import within
from mesh.bus.backoff import Backoff
from mesh.errors import DeadlineExceeded, Internal, MeshError, Unavailable
from search_svc.domain.listing import Listing
from search_svc.domain.place import Point
from search_svc.flows.needs import Generations, IndexedListings, ListingIndex

_log = structlog.stdlib.get_logger(__name__)
_INDEXED: Final = Counter("search_indexed", "Listings sent to Elasticsearch.", ["outcome"])
_BATCH: Final = 500
_LOOK_SECONDS: Final = 5.0
"""Between two looks at an index that nobody writes to: it may have been removed."""


class IndexListings:
    """One worker; it never ends by itself."""

    def __init__(
        self,
        listings: IndexedListings,
        index: ListingIndex,
        generations: Generations,
        refresh_seconds: int,
    ) -> None:
        self._listings = listings
        self._index = index
        self._generations = generations
        self._refresh_seconds = refresh_seconds
        self._wake = asyncio.Event()
        self._unseen: set[Point] = set()
        self._see_at = 0.0

    def wake(self) -> None:
        """Tell that listings have changed."""
        self._wake.set()

    async def forever(self) -> None:
        """Index on and on, waiting out what is away."""
        backoff = Backoff()
        while True:
            try:
                await self.catch_up()
                await self._outdate()
            except MeshError as error:
                _log.warning("not indexed", error=repr(error))
                await backoff.pause()
                continue
            backoff.reset()
            await self._sleep()

    async def catch_up(self) -> int:
        """Index until no listing waits; return how many were written."""
        written = 0
        while True:
            self._wake.clear()
            if await self._index.ensure(self._refresh_seconds):
                await self._listings.forget_indexed()
            waiting = await self._listings.waiting(_BATCH)
            if not waiting:
                return written
            await self._write(waiting)
            await self._listings.mark_indexed({one.listing_id: one.version for one in waiting})
            written += len(waiting)
            self._note(waiting)
            await self._outdate()

    def _note(self, listings: Sequence[Listing]) -> None:
        """Remember where listings changed, until the index is due to be refreshed."""
        if not self._unseen:
            self._see_at = asyncio.get_running_loop().time() + self._refresh_seconds
        self._unseen |= {listing.point for listing in listings}

    async def _outdate(self) -> None:
        """Outdate what is cached around the listings that searches can see now."""
        if self._unseen and asyncio.get_running_loop().time() >= self._see_at:
            await self._index.refresh()
            seen, self._unseen = self._unseen, set()
            try:
                await self._generations.advance(seen)
            except Unavailable as error:
                _log.warning("cached candidates not outdated", error=repr(error))

    async def _write(self, listings: Sequence[Listing]) -> None:
        try:
            await self._index.write(listings)
        except Internal as error:
            if len(listings) == 1:
                _INDEXED.labels("refused").inc()
                _log.error("not indexable", listing=listings[0].listing_id, error=repr(error))
                return
            for listing in listings:  # find the one that is refused
                await self._write([listing])
        else:
            _INDEXED.labels("written").inc(len(listings))

    async def _sleep(self) -> None:
        seconds = _LOOK_SECONDS
        if self._unseen:
            seconds = max(0.0, self._see_at - asyncio.get_running_loop().time())
        try:
            async with within(seconds):
                await self._wake.wait()
        except DeadlineExceeded:
            return
