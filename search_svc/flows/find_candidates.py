"""Find the next candidates of a search: listings that fit, whatever their dates.

1. look in the cache, which asks once for all who want the same batch; what it has from before a
   listing of the area changed is not looked at
2. else ask Elasticsearch
3. when it is away, late or answers in part, ask PostgreSQL the same question, and say so
"""

from dataclasses import dataclass

import structlog

from mesh.aio import within
from mesh.errors import Kind, MeshError, Unavailable
from search_svc.domain.listing import Position
from search_svc.domain.search import Criteria
from search_svc.flows.needs import CandidateCache, CandidateSource, FoundBatch, Generations

_log = structlog.stdlib.get_logger(__name__)
_NOT_THE_INDEX = frozenset({Kind.INVALID, Kind.CANCELLED})
INDEX = "elasticsearch"


class CandidatesUnavailable(Unavailable):
    """Nobody can say which listings there are."""

    reason = "SEARCH_UNAVAILABLE"


@dataclass(frozen=True, kw_only=True)
class FindCandidates:
    """Candidates in batches of `batch`, best first."""

    cache: CandidateCache
    generations: Generations
    index: CandidateSource
    projection: CandidateSource
    batch: int
    index_seconds: float

    async def __call__(self, criteria: Criteria, after: Position | None) -> FoundBatch:
        """Return the batch that comes after a position; raise when PostgreSQL is away too."""
        where = "" if after is None else f":{after.rank}:{after.listing_id}"
        generation = await self.generations.of(criteria.area)
        key = f"{criteria.fingerprint()}:{generation}:{self.batch}{where}"
        found = await self.cache.get(key, lambda: self._ask(criteria, after))
        if found is None:
            raise CandidatesUnavailable
        return found

    async def _ask(self, criteria: Criteria, after: Position | None) -> FoundBatch:
        try:
            async with within(self.index_seconds):
                return FoundBatch(batch=await self.index.candidates(criteria, after, self.batch))
        except MeshError as error:
            if error.kind in _NOT_THE_INDEX:
                raise
            _log.warning("PostgreSQL answers for Elasticsearch", error=repr(error))
        batch = await self.projection.candidates(criteria, after, self.batch)
        return FoundBatch(batch=batch, missing=(INDEX,))
