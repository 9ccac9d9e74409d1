"""List a host's own listings, drafts included.

1. only one's own
2. ask every shard for a page, newest first, and keep the first of them all
"""

from dataclasses import dataclass

from booking_svc.domain.access import own_id
from booking_svc.domain.listing import Listing
from booking_svc.domain.paging import DEFAULT_SIZE, listing_after, listing_token
from booking_svc.store.listings import Listings
from mesh.aio import require_user


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """Listings, newest first, and the token of the next page (empty on the last)."""

    listings: list[Listing]
    next_token: str


@dataclass(frozen=True, kw_only=True)
class ListHostListings:
    """List by host."""

    listings: Listings

    async def __call__(self, host_id: str, size: int, token: str) -> ListingPage:
        """Return a page of one's listings. Raise NotYours, PageTokenInvalid."""
        owner_id = own_id(host_id, require_user().user_id)
        size = size or DEFAULT_SIZE
        found = await self.listings.of_host(owner_id, listing_after(token), size + 1)
        page = found[:size]
        more = len(found) > size
        return ListingPage(
            listings=page, next_token=listing_token(page[-1].listing_id) if more else ""
        )
