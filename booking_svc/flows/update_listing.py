"""Change a listing, publish it, or delete it.

1. read it, as its host
2. decide the next version
3. write that, if the listing is still the one it was made from, and tell

When another writer was first and the caller named no etag, begin again.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from booking_svc.convert.events import listing_changed
from booking_svc.domain.listing import (
    Details,
    EtagMismatch,
    Listing,
    check_etag,
    edited,
    owned,
    published,
    withdrawn,
)
from booking_svc.domain.stay import local_date
from booking_svc.flows.create_listing import PLACE_ENTROPY_BYTES
from booking_svc.store.listings import Listings
from mesh.aio import require_user
from mesh.clock import Clock

_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingEdit:
    """The fields that `paths` name, to be taken from `given`; `etag` empty overwrites."""

    given: Details
    paths: Collection[str]
    etag: str


@dataclass(frozen=True, kw_only=True)
class UpdateListing:
    """Write next versions of a host's listing."""

    listings: Listings
    clock: Clock

    async def edit(self, listing_id: str, edit: ListingEdit) -> Listing:
        """Return the edited listing.

        Raise ListingNotFound, EtagMismatch, ListingInvalid, ListingIncomplete.
        """
        entropy = secrets.token_bytes(PLACE_ENTROPY_BYTES)

        def decide(listing: Listing) -> Listing:
            check_etag(listing, edit.etag)
            return edited(listing, edit.given, edit.paths, self.clock.now(), entropy)

        return await self._next(listing_id, decide, "listing.updated")

    async def publish(self, listing_id: str) -> Listing:
        """Return the listing on the market.

        Raise ListingNotFound, ListingIncomplete, ListingNotPublishable.
        """
        return await self._next(
            listing_id, lambda listing: published(listing, self.clock.now()), "listing.published"
        )

    async def delete(self, listing_id: str) -> None:
        """Take the listing off the market for good; raise ListingNotFound, StaysAhead."""
        for _ in range(_TRIES):
            listing = await self._own(listing_id)
            now = self.clock.now()
            after = withdrawn(listing, now)
            today = local_date(now, listing.details.time_zone)
            event = listing_changed(after, "listing.deleted", now)
            if await self.listings.delete(after, today, event):
                return
        raise _moved()

    async def _next(
        self, listing_id: str, decide: Callable[[Listing], Listing], kind: str
    ) -> Listing:
        for _ in range(_TRIES):
            listing = await self._own(listing_id)
            after = decide(listing)
            if after is listing:
                return listing
            if await self.listings.save(after, listing_changed(after, kind, after.updated_at)):
                return after
        raise _moved()

    async def _own(self, listing_id: str) -> Listing:
        return owned(await self.listings.get(listing_id), require_user().user_id)


def _moved() -> EtagMismatch:
    return EtagMismatch("the listing keeps changing; read it again")
