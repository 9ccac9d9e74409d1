"""Batches of imported listings."""

from datetime import UTC, datetime

from staymesh.booking.v1 import listings_pb2 as pb

from booking_svc.convert.listings import STATUS_OF, details
from booking_svc.convert.values import ValueInvalid, day
from booking_svc.domain.imported import (
    ImportedHome,
    ImportRefused,
    check_imported,
    imported_id,
    imported_nights,
)
from booking_svc.domain.listing import Listing, ListingStatus, public_location


def home(source: str, message: pb.ImportedListing, now: datetime, entropy: bytes) -> ImportedHome:
    """Read one home; raise ImportRefused with its source id.

    `entropy`, 8 bytes, places the point that guests are shown.
    """
    try:
        said = details(message.listing)
    except ValueInvalid as error:
        raise ImportRefused(
            f"{message.source_id}: {error.message}",
            metadata={"source_id": message.source_id},
            violations=error.violations,
        ) from error
    listing = message.listing
    created_at = listing.create_time.ToDatetime(UTC) if listing.HasField("create_time") else now
    return check_imported(
        ImportedHome(
            source_id=message.source_id,
            listing=Listing(
                listing_id=imported_id(source, message.source_id),
                host_id=listing.host_id,
                status=STATUS_OF.get(listing.status, ListingStatus.ACTIVE),
                details=said,
                public_location=public_location(said, entropy),
                rating=listing.rating,
                review_count=listing.review_count,
                superhost=listing.superhost,
                created_at=created_at,
                updated_at=now,
            ),
            nights=imported_nights(
                day(message.calendar_start, "calendar_start")
                if message.calendar_start
                else now.date(),
                message.unavailable,
                message.prices_minor,
            ),
        )
    )
