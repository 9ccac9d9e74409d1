"""Create a draft.

1. check what the host says, as far as it goes
2. write the listing with its empty calendar, and tell

Under an idempotency key the id comes from the key, so a run that crashed makes no second draft.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from booking_svc.convert.events import listing_changed
from booking_svc.domain.listing import (
    Details,
    Listing,
    ListingStatus,
    check_details,
    public_location,
)
from booking_svc.store.listings import Listings
from mesh.aio import rc, require_user
from mesh.clock import Clock, epoch_ms
from mesh.ids import BUCKETS, derive_id, new_id

PLACE_ENTROPY_BYTES: Final = 8


@dataclass(frozen=True, kw_only=True)
class CreateListing:
    """Make a draft of what a host says."""

    listings: Listings
    clock: Clock

    async def __call__(self, details: Details) -> Listing:
        """Return the draft; raise ListingInvalid."""
        host_id = require_user().user_id
        check_details(details)
        now = self.clock.now()
        listing = Listing(
            listing_id=_id_for(host_id, epoch_ms(now)),
            host_id=host_id,
            status=ListingStatus.DRAFT,
            details=details,
            public_location=public_location(details, secrets.token_bytes(PLACE_ENTROPY_BYTES)),
            created_at=now,
            updated_at=now,
        )
        if await self.listings.insert(listing, listing_changed(listing, "listing.created", now)):
            return listing
        known = await self.listings.get(listing.listing_id)
        return known or listing


def _id_for(host_id: str, now_ms: int) -> str:
    call = rc().idempotency
    if call is None:
        return new_id("lst", now_ms=now_ms)
    return derive_id(
        "lst",
        now_ms=call.first_seen_ms,
        bucket=call.first_seen_ms % BUCKETS,
        seed=f"{host_id}|{call.key}",
    )
