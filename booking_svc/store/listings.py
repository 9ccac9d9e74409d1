"""Listings."""

from datetime import date
from pathlib import Path
from typing import Any, Final

from booking_svc.convert.events import OutboundEvent
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.listing import Details, Listing, ListingStatus, PropertyType, StaysAhead
from booking_svc.domain.money import Money
from booking_svc.domain.place import Address, Point
from booking_svc.store.outbox import publish
from mesh.data.postgres import Record, Shards, Transaction
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("listings.sql"))


class Listings:
    """The listings of all shards. Reads answer None for one that is deleted or never was."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def insert(self, listing: Listing, event: OutboundEvent) -> bool:
        """Put a new listing in, with its calendar; False when it is there already."""

        async def body(tx: Transaction) -> bool:
            if not await tx.fetch(_q.insert_listing, *row_of(listing)):
                return False
            await publish(tx, event)
            return True

        return await self._shards.transact(self._shards.of(listing.listing_id), body)

    async def get(self, listing_id: str) -> Listing | None:
        """Return a listing."""
        row = await self._shards.fetchrow(self._shards.of(listing_id), _q.get_listing, listing_id)
        return None if row is None else listing_of(row)

    async def save(self, listing: Listing, event: OutboundEvent) -> bool:
        """Write the next version of a listing; False when another writer was first."""

        async def body(tx: Transaction) -> bool:
            if not await tx.fetch(_q.update_listing, *row_of(listing)):
                return False
            await publish(tx, event)
            return True

        return await self._shards.transact(self._shards.of(listing.listing_id), body)

    async def delete(self, listing: Listing, today: date, event: OutboundEvent) -> bool:
        """Delete the version before this one; False when another writer was first.

        Raise StaysAhead. A stay that is being booked at the same moment makes one of the two
        transactions run again.
        """

        async def body(tx: Transaction) -> bool:
            if await tx.fetchval(_q.stays_ahead, listing.listing_id, today):
                raise StaysAhead("the listing still has stays to come")
            gone = (listing.listing_id, listing.version, listing.updated_at)
            if not await tx.fetch(_q.delete_listing, *gone):
                return False
            await publish(tx, event)
            return True

        return await self._shards.transact(self._shards.of(listing.listing_id), body)

    async def of_host(self, host_id: str, after: str | None, limit: int) -> list[Listing]:
        """Return a host's listings, newest first, from all shards."""
        rows = await self._shards.each(_q.listings_of_host, host_id, after, limit)
        found = sorted(map(listing_of, rows), key=lambda listing: listing.listing_id, reverse=True)
        return found[:limit]


COLUMNS: Final = (
    *("listing_id", "host_id", "status", "version", "title", "description", "property_type"),
    *("street", "city", "state", "country_code", "postal_code", "lat", "lng"),
    *("public_lat", "public_lng", "time_zone", "max_guests", "bedrooms", "beds", "bathrooms"),
    *("amenities", "currency", "base_price_minor", "weekend_price_minor", "cleaning_fee_minor"),
    *("min_nights", "max_nights", "instant_book", "cancellation_policy", "check_in_time"),
    *("check_out_time", "rating", "review_count", "superhost", "created_at", "updated_at"),
)
"""The order of `row_of`, which is that of the queries."""


def row_of(listing: Listing) -> tuple[Any, ...]:
    """Return a listing as the values of COLUMNS."""
    details, address = listing.details, listing.details.address
    location, public = details.location, listing.public_location
    base, weekend, cleaning = details.base_price, details.weekend_price, details.cleaning_fee
    return (
        listing.listing_id,
        listing.host_id,
        listing.status.value,
        listing.version,
        details.title,
        details.description,
        details.property_type.value,
        *(address.street, address.city, address.state, address.country_code, address.postal_code),
        *((None, None) if location is None else (location.lat, location.lng)),
        *((None, None) if public is None else (public.lat, public.lng)),
        details.time_zone,
        details.max_guests,
        details.bedrooms,
        details.beds,
        details.bathrooms,
        list(details.amenities),
        details.currency,
        0 if base is None else base.amount_minor,
        None if weekend is None else weekend.amount_minor,
        0 if cleaning is None else cleaning.amount_minor,
        details.min_nights,
        details.max_nights,
        details.instant_book,
        details.cancellation_policy.value,
        details.check_in_time,
        details.check_out_time,
        listing.rating,
        listing.review_count,
        listing.superhost,
        listing.created_at,
        listing.updated_at,
    )


def listing_of(row: Record) -> Listing:
    """Read a row with COLUMNS."""
    return Listing(
        listing_id=row["listing_id"],
        host_id=row["host_id"],
        status=ListingStatus(row["status"]),
        version=row["version"],
        details=_details_of(row),
        public_location=_point(row["public_lat"], row["public_lng"]),
        rating=row["rating"],
        review_count=row["review_count"],
        superhost=row["superhost"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _details_of(row: Record) -> Details:
    currency = row["currency"]
    return Details(
        title=row["title"],
        description=row["description"],
        property_type=PropertyType(row["property_type"]),
        address=Address(
            street=row["street"],
            city=row["city"],
            state=row["state"],
            country_code=row["country_code"],
            postal_code=row["postal_code"],
        ),
        location=_point(row["lat"], row["lng"]),
        time_zone=row["time_zone"],
        max_guests=row["max_guests"],
        bedrooms=row["bedrooms"],
        beds=row["beds"],
        bathrooms=row["bathrooms"],
        amenities=tuple(row["amenities"]),
        base_price=_money(row["base_price_minor"] or None, currency),
        weekend_price=_money(row["weekend_price_minor"], currency),
        cleaning_fee=_money(row["cleaning_fee_minor"] or None, currency),
        min_nights=row["min_nights"],
        max_nights=row["max_nights"],
        instant_book=row["instant_book"],
        cancellation_policy=CancellationPolicy(row["cancellation_policy"]),
        check_in_time=row["check_in_time"],
        check_out_time=row["check_out_time"],
    )


def _point(lat: float | None, lng: float | None) -> Point | None:
    return None if lat is None or lng is None else Point(lat, lng)


def _money(amount_minor: int | None, currency: str) -> Money | None:
    return None if amount_minor is None else Money(amount_minor, currency)
