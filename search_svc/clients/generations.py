"""How often the listings of each cell of the map have changed in the index, kept in Redis.

It is part of the key of a cached batch, so a batch is outdated as soon as a cell that it looked at
has changed. Without Redis nothing is cached, and nothing need be outdated.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from mesh.data.redis import CacheUnavailable, Redis, redis_errors
from search_svc.domain.cells import cells_at, cells_of
from search_svc.domain.place import Area, Point

_PREFIX: Final = "search-cell:"
_KEPT_SECONDS: Final = 3600
"""Longer than a batch is cached: a count that expired begins anew, and its old batches are gone."""


class Generations:
    """Counters of cells."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._prefix = f"{_PREFIX}{namespace}:"

    async def of(self, area: Area) -> str:
        """Return what changes when a listing in the area has changed."""
        cells = cells_of(area)
        try:
            counts = await self._redis.mget([self._prefix + cell for cell in cells])
        except CacheUnavailable:
            return ""
        return hashlib.sha256(repr(counts).encode()).hexdigest()[:12]

    async def advance(self, points: Iterable[Point]) -> None:
        """Count a change in the cells of these points; raise CacheUnavailable."""
        pipeline = self._redis.pipeline(transaction=False)
        for cell in sorted({cell for point in points for cell in cells_at(point)}):
            pipeline.incr(self._prefix + cell)
            pipeline.expire(self._prefix + cell, _KEPT_SECONDS)
        with redis_errors():
            await pipeline.execute()
