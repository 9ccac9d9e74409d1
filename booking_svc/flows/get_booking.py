"""Show a booking to its guest or its host.

1. find it; for anybody else it is not there
"""

from dataclasses import dataclass

from booking_svc.domain.booking import Booking, party
from booking_svc.store.bookings import Bookings
from mesh.aio import require_user


@dataclass(frozen=True, kw_only=True)
class GetBooking:
    """Find one booking."""

    bookings: Bookings

    async def __call__(self, booking_id: str) -> Booking:
        """Return the booking; raise BookingNotFound."""
        booking, _ = party(await self.bookings.get(booking_id), require_user().user_id)
        return booking
