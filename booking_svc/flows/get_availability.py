"""Show each night of a month.

1. read the listing and the month's nights
2. say of each night whether it is free, why not, and what it costs
"""

from dataclasses import dataclass

from booking_svc.domain.listing import ListingNotFound, visible
from booking_svc.domain.month import Month, MonthView, month_view
from booking_svc.domain.stay import local_date
from booking_svc.store.calendars import Calendars
from mesh.aio import rc
from mesh.clock import Clock


@dataclass(frozen=True, kw_only=True)
class GetAvailability:
    """Show a month of a listing's calendar."""

    calendars: Calendars
    clock: Clock

    async def __call__(self, listing_id: str, month: Month) -> MonthView:
        """Return the month; raise ListingNotFound."""
        offer = await self.calendars.offer(listing_id, month.start, month.end)
        if offer is None:
            raise ListingNotFound("no such listing")
        principal = rc().principal
        listing = visible(offer.listing, None if principal is None else principal.user_id)
        today = local_date(self.clock.now(), listing.details.time_zone)
        return month_view(listing.details, offer.calendar, month, today)
