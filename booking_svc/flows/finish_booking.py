"""Make of a pending booking what its payment says.

1. authorized: confirm it, book its nights, tell
2. refused or gone: give the nights back, tell
3. still open: leave it as it is

The request that made the booking does this, and the sweeper after a crash; whoever comes second
finds it done.
"""

import secrets
from dataclasses import dataclass

import structlog

from booking_svc.convert.events import booking_changed
from booking_svc.domain.booking import (
    Booking,
    ReleaseReason,
    State,
    confirmation_code,
    confirmed,
    released,
)
from booking_svc.domain.payment import Payment, PaymentState
from booking_svc.flows.measures import REVENUE, SUCCESSES
from booking_svc.store.bookings import Bookings
from mesh.clock import Clock
from pricing import to_decimal

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class FinishBooking:
    """Confirm or release."""

    bookings: Bookings
    clock: Clock

    async def __call__(self, booking: Booking, payment: Payment) -> Booking:
        """Return the booking as it is afterwards, also when somebody else was first."""
        if payment.state.secured:
            return await self.confirm(booking)
        if payment.state is PaymentState.DECLINED:
            return await self.release(booking, ReleaseReason.DECLINED, payment.decline_code)
        if payment.state.undecided:
            return booking
        return await self.release(booking, ReleaseReason.UNPAID)

    async def confirm(self, booking: Booking) -> Booking:
        """Confirm a booking whose payment is authorized.

        One that was ended meanwhile stays so, and its money is owed back.
        """
        after = confirmed(booking, confirmation_code(secrets.token_bytes(8)), self.clock.now())
        if await self.bookings.confirm(after, booking_changed(after, "booking.confirmed")):
            SUCCESSES.inc()
            price = after.price
            REVENUE.labels(price.currency).inc(float(to_decimal(price.total_minor, price.currency)))
            return after
        now_is = await self._again(booking)
        if now_is.state is State.CANCELLED:
            _log.warning("paid after its end; giving it back", booking_id=booking.booking_id)
            await self.bookings.owe_settlement(booking.booking_id, self.clock.now())
        return now_is

    async def release(
        self, booking: Booking, reason: ReleaseReason, decline_code: str = ""
    ) -> Booking:
        """Give the nights of a booking back that was not paid for.

        Unless the card was refused, an authorization may still arrive late: it is settled then.
        """
        now = self.clock.now()
        after = released(booking, reason, now, decline_code)
        settle_due_at = None if reason is ReleaseReason.DECLINED else now
        event = booking_changed(after, "booking.released")
        if await self.bookings.end(after, booking.state, settle_due_at, event):
            return after
        return await self._again(booking)

    async def _again(self, booking: Booking) -> Booking:
        found = await self.bookings.get_to_decide(booking.booking_id)
        assert found is not None, f"{booking.booking_id} is gone"
        return found
