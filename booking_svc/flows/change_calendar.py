"""Block nights, unblock them, or set their price.

1. find the listing, as its host
2. refuse dates that make no sense
3. decide and write in one transaction, all nights or none, and tell
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from booking_svc.domain.calendar import (
    Calendar,
    DateRange,
    Night,
    blocked,
    check_night_price,
    check_range,
    priced,
    unblocked,
)
from booking_svc.domain.listing import Listing, owned
from booking_svc.domain.money import Money
from booking_svc.domain.stay import local_date
from booking_svc.store.calendars import Calendars
from booking_svc.store.listings import Listings
from mesh.aio import require_user
from mesh.clock import Clock


@dataclass(frozen=True, kw_only=True)
class ChangeCalendar:
    """Change nights of a host's listing. Each method returns how many nights changed."""

    listings: Listings
    calendars: Calendars
    clock: Clock

    async def block(self, dates: DateRange, notes: str) -> int:
        """Take nights off the market. Raise ListingNotFound, DatesRefused, DatesUnavailable."""
        await self._checked(dates)
        return await self._change(dates, lambda c: blocked(c, dates.start, dates.end, notes))

    async def unblock(self, dates: DateRange) -> int:
        """Put blocked nights back. Raise ListingNotFound, DatesRefused."""
        await self._checked(dates)
        return await self._change(dates, lambda c: unblocked(c, dates.start, dates.end))

    async def set_price(self, dates: DateRange, price: Money | None) -> int:
        """Set the price of nights, None for the listing's own.

        Raise ListingNotFound, DatesRefused, PriceRefused.
        """
        listing = await self._checked(dates)
        minor = None if price is None else check_night_price(price, listing.details.currency)
        return await self._change(dates, lambda c: priced(c, dates.start, dates.end, minor))

    async def _checked(self, dates: DateRange) -> Listing:
        found = await self.listings.get(dates.listing_id)
        listing = owned(found, require_user().user_id)
        today = local_date(self.clock.now(), listing.details.time_zone)
        check_range(dates.start, dates.end, today)
        return listing

    async def _change(self, dates: DateRange, decide: Callable[[Calendar], Sequence[Night]]) -> int:
        return await self.calendars.change(
            dates.listing_id, dates.start, dates.end, decide, self.clock.now()
        )
