"""Show a listing's page.

1. find it
2. everybody sees an active one; a draft is there for its host alone
"""

from dataclasses import dataclass

from booking_svc.domain.listing import Listing, visible
from booking_svc.store.listings import Listings
from mesh.aio import rc


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A listing, and whether the viewer is its host and sees the exact place."""

    listing: Listing
    exact: bool


@dataclass(frozen=True, kw_only=True)
class GetListing:
    """Find one listing."""

    listings: Listings

    async def __call__(self, listing_id: str) -> Shown:
        """Return the listing; raise ListingNotFound."""
        principal = rc().principal
        viewer_id = None if principal is None else principal.user_id
        listing = visible(await self.listings.get(listing_id), viewer_id)
        return Shown(listing=listing, exact=listing.host_id == viewer_id)
