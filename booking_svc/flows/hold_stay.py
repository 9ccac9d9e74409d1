"""Hold the nights of a stay for a guest who is about to pay.

1. read the listing and those nights; losers leave here
2. decide: dates, guests, price
3. take the listing's lock and its fencing token
4. hold: one round trip, on the very calendar that was decided on
5. let go of the lock; if a rival was in the way, begin again
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from booking_svc.convert.events import booking_changed, calendar_changed
from booking_svc.domain.booking import Booking, OwnListing
from booking_svc.domain.calendar import DatesUnavailable, NightStatus, check_free, taken_by
from booking_svc.domain.listing import ListingNotFound, bookable
from booking_svc.domain.price import Price
from booking_svc.domain.stay import Stay, check_stay, local_date
from booking_svc.flows.needs import Fence
from booking_svc.store.bookings import Bookings, HoldOutcome
from booking_svc.store.calendars import Calendars, Offer
from mesh.aio import Retry, remaining
from mesh.clock import Clock
from mesh.errors import Unavailable

HOLD_LIFE: Final = timedelta(minutes=15)
"""How long a guest may take to pay (3-D Secure)."""
LONGEST_REQUEST_SECONDS: Final = 20.0
_LEASE_SLACK_SECONDS: Final = 2.0
_RIVALRY: Final = Retry(attempts=40, base_seconds=0.01, cap_seconds=0.2)


class ListingBusy(Unavailable):
    """Too many people book this home at this moment; nothing was held, try again."""

    reason = "LISTING_BUSY"


class FenceBusy(Unavailable):
    """Somebody else holds the listing's lock."""

    reason = "LISTING_BUSY"


@dataclass(frozen=True, slots=True, kw_only=True)
class StayRequest:
    """Who wants which nights, under which booking id; `price` says yes or no to what it costs."""

    booking_id: str
    guest_id: str
    listing_id: str
    stay: Stay
    price: Callable[[Offer], Price]


def lease_end(now: datetime) -> datetime:
    """Return until when the running request may be at work on a booking; then the sweeper may."""
    left = remaining()
    seconds = LONGEST_REQUEST_SECONDS if left is None else min(left, LONGEST_REQUEST_SECONDS)
    return now + timedelta(seconds=seconds + _LEASE_SLACK_SECONDS)


@dataclass(frozen=True, kw_only=True)
class HoldStay:
    """Hold a stay, or say why not."""

    calendars: Calendars
    bookings: Bookings
    fence: Fence
    clock: Clock
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, request: StayRequest) -> Booking:
        """Return the pending booking.

        Raise ListingNotFound, StayRefused, OwnListing, DatesUnavailable, ListingBusy, and what
        `request.price` raises.
        """
        for attempt in range(1, _RIVALRY.attempts + 1):
            stay = request.stay
            offer = await self.calendars.offer(
                request.listing_id, stay.check_in, stay.check_out, decide=attempt > 1
            )
            booking, offer = self._decide(request, offer)
            outcome = await self._try(booking, offer)
            match outcome:
                case HoldOutcome.HELD:
                    return booking
                case HoldOutcome.EXISTS:
                    known = await self.bookings.get_to_decide(booking.booking_id)
                    assert known is not None
                    return known
                case HoldOutcome.TAKEN:
                    raise DatesUnavailable("these nights are not free")
                case HoldOutcome.NOT_ACTIVE:
                    raise ListingNotFound("no such listing")
            await self.pause(_RIVALRY.backoff_seconds(attempt))
        raise ListingBusy("many are booking this home at this moment; try again")

    def _decide(self, request: StayRequest, offer: Offer | None) -> tuple[Booking, Offer]:
        if offer is None:
            raise ListingNotFound("no such listing")
        listing = bookable(offer.listing)
        now, stay, details = self.clock.now(), request.stay, listing.details
        if request.guest_id == listing.host_id:
            raise OwnListing("this is your own listing; block the dates instead")
        check_stay(stay, listing.stay_rules, local_date(now, details.time_zone))
        check_free(offer.calendar, stay, request.booking_id)
        booking = Booking(
            booking_id=request.booking_id,
            listing_id=listing.listing_id,
            host_id=listing.host_id,
            guest_id=request.guest_id,
            check_in=stay.check_in,
            check_out=stay.check_out,
            guests=stay.guests,
            price=request.price(offer),
            cancellation_policy=details.cancellation_policy,
            time_zone=details.time_zone,
            listing_title=details.title,
            hold_expires_at=now + HOLD_LIFE,
            created_at=now,
            updated_at=now,
        )
        return booking, offer

    async def _try(self, booking: Booking, offer: Offer) -> HoldOutcome:
        stay = Stay(check_in=booking.check_in, check_out=booking.check_out, guests=booking.guests)
        calendar, now = offer.calendar, booking.created_at
        held = taken_by(calendar, stay, booking.booking_id, NightStatus.HELD)
        events = (
            calendar_changed(booking.listing_id, calendar.version + 1, held, now),
            booking_changed(booking, "booking.held"),
        )
        try:
            async with self.fence.lock(booking.listing_id) as token:
                return await self.bookings.hold(
                    booking,
                    calendar_version=calendar.version,
                    token=token,
                    lease_until=lease_end(now),
                    events=events,
                )
        except FenceBusy:
            return HoldOutcome.BUSY
