"""The newest versions of listings, as the indexer heard them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from mesh.data import sql
from mesh.data.postgres import Record, Shards, Transaction
from mesh.ids import shard_of
from search_svc.domain.candidates import Batch
from search_svc.domain.listing import Card, Listing, Position, PropertyType
from search_svc.domain.place import Box, Point
from search_svc.domain.search import Criteria
from search_svc.domain.shard import Terms

_Q: Final = sql.load(Path(__file__).with_suffix(".sql"))
_ONLY: Final = 0
"""Search's database has one shard: what is searched together lies together."""


async def put(transaction: Transaction, listings: Iterable[Listing]) -> None:
    """Write versions of distinct listings; an older one changes nothing."""
    rows = [_row(listing) for listing in listings]
    await transaction.execute(_Q.put, *zip(*rows, strict=True))


async def terms(
    transaction: Transaction, partitions: Sequence[int]
) -> AsyncIterator[tuple[str, int, Terms]]:
    """Yield the id, version and terms of every listing of these partitions."""
    async for row in transaction.stream(_Q.terms, list(partitions)):
        yield row["listing_id"], row["version"], Terms(*(row[field] for field in Terms._fields))


class Listings:
    """The projection, for those who read it or index it."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def candidates(self, criteria: Criteria, after: Position | None, size: int) -> Batch:
        """Return the next candidates: the answer that Elasticsearch would give."""
        area, filters = criteria.area, criteria.filters
        boxes = [_box(box) for box in area.boxes()]
        rows = await self._shards.fetch(
            _ONLY,
            _Q.candidates,
            area.centre.lat,
            area.centre.lng,
            area.radius_km,
            *boxes,
            filters.guests,
            list(filters.amenities),
            [str(kind) for kind in filters.property_types],
            filters.instant_book,
            filters.superhost,
            filters.min_bedrooms,
            filters.min_beds,
            filters.min_bathrooms,
            filters.min_rating,
            None if after is None else after.rank,
            None if after is None else after.listing_id,
            size,
        )
        return Batch(cards=tuple(Card(*row) for row in rows), last=len(rows) < size)

    async def waiting(self, count: int) -> list[Listing]:
        """Return listings whose newest version is not in Elasticsearch yet."""
        return [_listing(row) for row in await self._shards.fetch(_ONLY, _Q.waiting, count)]

    async def mark_indexed(self, versions: Mapping[str, int]) -> None:
        """Note the versions that Elasticsearch has acknowledged, by listing."""
        ids, numbers = list(versions), list(versions.values())
        await self._shards.write(_ONLY, _Q.mark_indexed, ids, numbers, idempotent=True)

    async def forget_indexed(self) -> None:
        """Let every listing be indexed again."""
        await self._shards.write(_ONLY, _Q.forget_indexed, idempotent=True)


def _box(box: Box) -> asyncpg.Box:
    return asyncpg.Box((box.east, box.north), (box.west, box.south))


def _row(listing: Listing) -> tuple[object, ...]:
    return (
        listing.listing_id,
        shard_of(listing.listing_id),
        listing.version,
        listing.active,
        listing.title,
        str(listing.property_type),
        listing.city,
        listing.state,
        listing.country_code,
        listing.point.lat,
        listing.point.lng,
        listing.max_guests,
        listing.bedrooms,
        listing.beds,
        listing.bathrooms,
        ",".join(listing.amenities),
        listing.instant_book,
        listing.superhost,
        listing.rating,
        listing.review_count,
        listing.currency,
        listing.base_price_minor,
        listing.weekend_price_minor,
        listing.cleaning_fee_minor,
        listing.min_nights,
        listing.max_nights,
        listing.rank,
    )


def _listing(row: Record) -> Listing:
    plain = {
        name: value
        for name, value in row.items()
        if name not in ("property_type", "lat", "lng", "amenities")
    }
    return Listing(
        **plain,
        property_type=PropertyType(row["property_type"]),
        point=Point(row["lat"], row["lng"]),
        amenities=tuple(row["amenities"]),
    )
