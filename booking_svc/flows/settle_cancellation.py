"""Give back, of a cancelled booking's money, what is owed.

1. ask the payment service to keep what is retained and return the rest
2. note what became of it, and tell

It may be run again at any point: the payment service answers a repetition the same.
"""

from dataclasses import dataclass

from booking_svc.convert.events import booking_changed
from booking_svc.domain.booking import Booking, settled
from booking_svc.flows.needs import Payments
from booking_svc.store.bookings import Bookings
from mesh.clock import Clock


@dataclass(frozen=True, kw_only=True)
class SettleCancellation:
    """Settle one cancelled booking."""

    bookings: Bookings
    payments: Payments
    clock: Clock

    async def __call__(self, booking: Booking) -> Booking:
        """Return the booking with its settled payment. Raise PaymentUnavailable: it stays owed."""
        payment = await self.payments.settle(booking)
        after = settled(booking, payment, self.clock.now())
        await self.bookings.settle(after, booking_changed(after, "booking.settled"))
        return after
