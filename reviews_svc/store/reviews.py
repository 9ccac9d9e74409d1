"""Reviews, each in the shard of its listing."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mesh.aio import Group
from mesh.data.postgres import Record, Shards
from mesh.data.sql import load
from reviews_svc.domain.paging import Cursor
from reviews_svc.domain.review import Review

_q: Final = load(Path(__file__).with_name("reviews.sql"))
_SHARDS_AT_ONCE: Final = 4


class Reviews:
    """The reviews of all shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def page(self, listing_id: str, after: Cursor | None, size: int) -> list[Review]:
        """Return the `size` newest reviews of a listing, of those that come `after` a place."""
        rows = await self._shards.fetch(
            self._shards.of(listing_id),
            _q.page_of_listing,
            listing_id,
            after.published_at if after else None,
            after.review_id if after else None,
            size,
        )
        return [_review(row) for row in rows]

    async def import_all(self, reviews: Iterable[Review]) -> int:
        """Put those in that are not there yet; return how many."""
        by_shard: dict[int, list[Review]] = {}
        for review in reviews:
            by_shard.setdefault(self._shards.of(review.listing_id), []).append(review)
        async with Group(limit=_SHARDS_AT_ONCE) as group:
            tasks = [await group.go(self._import(n, some)) for n, some in by_shard.items()]
        return sum(task.result() for task in tasks)

    async def _import(self, shard: int, reviews: Sequence[Review]) -> int:
        rows = await self._shards.write(
            shard,
            _q.import_reviews,
            [review.review_id for review in reviews],
            [review.listing_id for review in reviews],
            [review.reviewer_name for review in reviews],
            [review.text for review in reviews],
            [review.rating or 0 for review in reviews],
            [review.published_at for review in reviews],
            idempotent=True,
        )
        return int(rows[0]["created"])


def _review(row: Record) -> Review:
    return Review(
        review_id=row["review_id"],
        listing_id=row["listing_id"],
        reviewer_name=row["reviewer_name"],
        text=row["text"],
        rating=row["rating"],
        published_at=row["published_at"],
    )
