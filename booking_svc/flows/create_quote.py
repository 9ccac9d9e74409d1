"""Quote a stay.

1. read the listing and those nights
2. refuse what the listing does not take, and nights that are taken
3. price it, and keep that price for 15 minutes
"""

from dataclasses import dataclass

from booking_svc.domain.calendar import check_free
from booking_svc.domain.listing import ListingNotFound, bookable
from booking_svc.domain.price import QUOTE_LIFE, Quote, price_of
from booking_svc.domain.stay import Stay, check_stay, local_date
from booking_svc.store.calendars import Calendars
from booking_svc.store.quotes import Quotes
from mesh.clock import Clock, epoch_ms
from mesh.ids import bucket_of, new_id


@dataclass(frozen=True, kw_only=True)
class CreateQuote:
    """Say what a stay would cost, and stand by it."""

    calendars: Calendars
    quotes: Quotes
    clock: Clock

    async def __call__(self, listing_id: str, stay: Stay) -> Quote:
        """Return a quote. Raise ListingNotFound, StayRefused, DatesUnavailable."""
        offer = await self.calendars.offer(listing_id, stay.check_in, stay.check_out)
        if offer is None:
            raise ListingNotFound("no such listing")
        listing = bookable(offer.listing)
        now = self.clock.now()
        check_stay(stay, listing.stay_rules, local_date(now, listing.details.time_zone))
        check_free(offer.calendar, stay)
        quote = Quote(
            quote_id=new_id("quo", now_ms=epoch_ms(now), bucket=bucket_of(listing_id)),
            listing_id=listing_id,
            stay=stay,
            price=price_of(listing.details, offer.calendar, stay),
            expires_at=now + QUOTE_LIFE,
        )
        await self.quotes.insert(quote)
        return quote
