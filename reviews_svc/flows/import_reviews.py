"""Import reviews.

1. Ids follow from (source, source id), so the same reviews are the same reviews next time.
2. Each batch is put in shard by shard, one statement each; what is there already stays as it is.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from reviews_svc.domain.review import Review
from reviews_svc.store.reviews import Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many reviews were new, and how many were there already."""

    created: int
    unchanged: int


@dataclass(frozen=True, kw_only=True)
class ImportReviews:
    """Load reviews from elsewhere; loading twice changes nothing."""

    reviews: Reviews

    async def __call__(self, batches: AsyncIterator[Sequence[Review]]) -> Imported:
        """Load batch by batch: what came before an error stays, and loading again is safe."""
        created = seen = 0
        async for batch in batches:
            created += await self.reviews.import_all(batch)
            seen += len(batch)
        return Imported(created=created, unchanged=seen - created)
