"""Hold the nights of a stay for a guest who is about to pay.

1. read the listing and those nights; losers leave here
2. decide: dates, guests, price
3. take the listing's lock and its fencing token
4. hold: one round trip, on the very calendar that was decided on; if that has moved while we
   waited for the lock, read and decide once more
5. let go of the lock; if a rival was in the way all the same, begin again
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from booking_svc.convert.events import booking_changed, calendar_changed
from booking_svc.domain.booking import Booking, OwnListing
from booking_svc.domain.calendar import (
    Calendar,
    DatesUnavailable,
    NightStatus,
    check_free,
    taken_by,
)
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
            plan = await self._plan(request, decide=attempt > 1)
            plan, outcome = await self._locked(request, plan)
            match outcome:
                case HoldOutcome.HELD:
                    return plan.booking
                case HoldOutcome.EXISTS:
                    known = await self.bookings.get_to_decide(request.booking_id)
                    assert known is not None
                    return known
                case HoldOutcome.TAKEN:
                    raise DatesUnavailable("these nights are not free")
                case HoldOutcome.NOT_ACTIVE:
                    raise ListingNotFound("no such listing")
                case HoldOutcome.STALE:
                    await self.fence.forget(request.listing_id)
            await self.pause(_RIVALRY.backoff_seconds(attempt))
        raise ListingBusy("many are booking this home at this moment; try again")

    async def _plan(self, request: StayRequest, *, decide: bool) -> "_Plan":
        stay = request.stay
        offer = await self.calendars.offer(
            request.listing_id, stay.check_in, stay.check_out, decide=decide
        )
        if offer is None:
            raise ListingNotFound("no such listing")
        return self._decide(request, offer)

    def _decide(self, request: StayRequest, offer: Offer) -> "_Plan":
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
        return _Plan(booking, offer.calendar, stay)

    async def _locked(self, request: StayRequest, plan: "_Plan") -> tuple["_Plan", HoldOutcome]:
        async with self.fence.lock(request.listing_id) as token:
            outcome = await self._try(plan, token)
            if outcome is HoldOutcome.MOVED:
                plan = await self._plan(request, decide=True)
                outcome = await self._try(plan, token)
        return plan, outcome

    async def _try(self, plan: "_Plan", token: int | None) -> HoldOutcome:
        booking, calendar = plan.booking, plan.calendar
        held = taken_by(calendar, plan.stay, booking.booking_id, NightStatus.HELD)
        events = (
            calendar_changed(booking.listing_id, calendar.version + 1, held, booking.created_at),
            booking_changed(booking, "booking.held"),
        )
        return await self.bookings.hold(
            booking,
            calendar_version=calendar.version,
            token=token,
            lease_until=lease_end(self.clock.now()),
            events=events,
        )


class _Plan(NamedTuple):
    """The booking to make, and the calendar that it was decided on."""

    booking: Booking
    calendar: Calendar
    stay: Stay
