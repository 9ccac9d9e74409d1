"""What the flows need from others; `clients` has the real ones."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from booking_svc.domain.booking import Booking
from booking_svc.domain.payment import Payment


class Payments(Protocol):
    """One payment for one booking. Each call may be repeated and answers the same.

    Every method raises PaymentUnavailable when the outcome is not known.
    """

    async def authorize(self, booking: Booking, payment_method_id: str) -> Payment:
        """Reserve the booking's total; a declined card is an answer. Raise what says it is none."""
        ...

    async def find(self, booking_id: str) -> Payment:
        """Return where the payment stands, asked of the card processor if need be."""
        ...

    async def settle(self, booking: Booking) -> Payment:
        """Keep what a cancelled booking retains and give the rest back.

        After it, an authorization of the same booking comes to nothing.
        """
        ...


class Fence(Protocol):
    """The lock of a listing: rivals come one after another. The database is the guarantee."""

    def lock(self, listing_id: str) -> AbstractAsyncContextManager[int | None]:
        """Wait for the lock and give a token that only grows; None when nobody can count.

        Raise DeadlineExceeded or Exhausted when the wait is too long.
        """
        ...

    async def forget(self, listing_id: str) -> None:
        """Drop a counter that the database has refused; the next token is above its floor."""
        ...
