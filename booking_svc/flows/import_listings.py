"""Load listings in bulk, for the importers and the demo world.

1. read a batch, and leave out what was loaded before
2. check each home; its id comes from its source
3. load what is new, a shard at a time, with nights and events
4. go on with the next batch; at the end, say which listing each became
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from staymesh.booking.v1 import listings_pb2 as pb

from booking_svc.convert.imports import home
from booking_svc.domain.imported import imported_id
from booking_svc.store.imports import Imports
from mesh.clock import Clock


@dataclass(slots=True, kw_only=True)
class Summary:
    """What was loaded. `ids` are source ids with their listings, in the order they came."""

    created: int = 0
    unchanged: int = 0
    nights: int = 0
    ids: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ImportListings:
    """Load batches as they come."""

    imports: Imports
    clock: Clock

    async def __call__(self, batches: AsyncIterator[pb.ImportListingsRequest]) -> Summary:
        """Return what was loaded; raise ImportRefused: batches before that one are in."""
        summary = Summary()
        async for batch in batches:
            await self._load(batch.source, batch.listings, summary)
        return summary

    async def _load(
        self, source: str, messages: Sequence[pb.ImportedListing], summary: Summary
    ) -> None:
        now = self.clock.now()
        ids = {one.source_id: imported_id(source, one.source_id) for one in messages}
        known = await self.imports.known(source, ids)
        homes = []
        for message in messages:
            if message.source_id not in known:
                homes.append(home(source, message, now, secrets.token_bytes(8)))
                await asyncio.sleep(0)  # let the guests' calls in between
        loaded = await self.imports.load(source, homes, now)
        known |= loaded.listing_ids
        summary.created += loaded.created
        summary.unchanged += len(messages) - loaded.created
        summary.nights += loaded.nights
        summary.ids += [(one.source_id, known[one.source_id]) for one in messages]
