"""Book a stay.

1. the booking's id comes from the idempotency key: a run that crashed is gone on with, and one
   whose hold was given back is begun anew
2. hold the nights (hold_stay.py); whoever loses leaves with nothing
3. authorize the payment, outside of any transaction and any lock
4. confirm, or give the nights back (finish_booking.py)

A crash between two steps leaves a pending booking, which the same key or the sweeper finishes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from booking_svc.domain.booking import Booking, CancelledBy, ReleaseReason, State, answer
from booking_svc.domain.money import Money
from booking_svc.domain.payment import PaymentState, PaymentUnavailable
from booking_svc.domain.price import Price, check_agreed, price_of, quoted
from booking_svc.domain.stay import Stay
from booking_svc.flows.finish_booking import FinishBooking
from booking_svc.flows.hold_stay import HoldStay, StayRequest, lease_end
from booking_svc.flows.measures import ATTEMPTS, FAILURES
from booking_svc.flows.needs import Payments
from booking_svc.store.bookings import Bookings
from booking_svc.store.calendars import Offer
from booking_svc.store.quotes import Quotes
from mesh.aio import IdempotentCall, rc, require_user
from mesh.clock import Clock
from mesh.errors import MeshError
from mesh.ids import bucket_of, derive_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBooking:
    """What a guest asks for: a stay, at a quote's price, near the total seen, or at any price."""

    listing_id: str
    stay: Stay
    quote_id: str
    expected_total: Money | None
    payment_method_id: str


@dataclass(frozen=True, kw_only=True)
class CreateBooking:
    """Hold, pay, confirm."""

    bookings: Bookings
    quotes: Quotes
    hold: HoldStay
    payments: Payments
    finish: FinishBooking
    clock: Clock

    async def __call__(self, request: NewBooking) -> Booking:
        """Return the booking: confirmed, or pending while the cardholder has something to do.

        Raise what `HoldStay` raises, QuoteExpired, QuoteMismatch, CurrencyMismatch, PriceChanged,
        PaymentDeclined, PaymentUnavailable, HoldEnded.
        """
        ATTEMPTS.inc()
        try:
            return await self._book(request)
        except MeshError as error:
            FAILURES.labels(error.reason).inc()
            raise
        except Exception:
            FAILURES.labels("UNKNOWN").inc()
            raise

    async def _book(self, request: NewBooking) -> Booking:
        guest_id = require_user().user_id
        booking_id, booking = await self._take_up(guest_id, request.listing_id)
        if booking is None:
            booking = await self.hold(
                StayRequest(
                    booking_id=booking_id,
                    guest_id=guest_id,
                    listing_id=request.listing_id,
                    stay=request.stay,
                    price=await self._pricing(request),
                )
            )
        if booking.state is State.PENDING:
            booking = await self._pay(booking, request.payment_method_id)
        return answer(booking)

    async def _take_up(self, guest_id: str, listing_id: str) -> tuple[str, Booking | None]:
        """Return the id to book under, and what an earlier run under this key left there.

        A booking that the house gave up (its run crashed before it paid, or the card was declined)
        is a try that failed; the next try has an id of its own. Each run makes one at most.
        """
        call = rc().idempotency
        assert call is not None, "the contract requires an idempotency key"
        for number in range(call.attempt):
            booking_id = _id_of(call, guest_id, listing_id, number)
            booking = await self._known(booking_id)
            if booking is None or booking.cancelled_by is not CancelledBy.SYSTEM:
                return booking_id, booking
        return _id_of(call, guest_id, listing_id, call.attempt), None

    async def _known(self, booking_id: str) -> Booking | None:
        """Return the booking that an earlier run under this key made, kept from the sweeper."""
        leased = await self.bookings.extend_lease(booking_id, lease_end(self.clock.now()))
        return leased or await self.bookings.get_to_decide(booking_id)

    async def _pricing(self, request: NewBooking) -> Callable[[Offer], Price]:
        """Return what tells the price of an offer, or that the guest did not agree to it."""
        if request.quote_id:
            quote = await self.quotes.get(request.quote_id)
            price = quoted(quote, request.listing_id, request.stay, self.clock.now())
            return lambda _: price
        agreed = request.expected_total

        def fresh(offer: Offer) -> Price:
            price = price_of(offer.listing.details, offer.calendar, request.stay)
            if agreed is not None:
                check_agreed(price, agreed)
            return price

        return fresh

    async def _pay(self, booking: Booking, payment_method_id: str) -> Booking:
        try:
            payment = await self.payments.authorize(booking, payment_method_id)
        except PaymentUnavailable:
            raise
        except MeshError:
            # The payment was refused before it began, as with a card that does not exist.
            await self.finish.release(booking, ReleaseReason.UNPAID)
            raise
        if payment.state is PaymentState.PENDING:
            raise PaymentUnavailable("how the payment ended is not known yet; send the same again")
        return await self.finish(booking, payment)


def _id_of(call: IdempotentCall, guest_id: str, listing_id: str, number: int) -> str:
    return derive_id(
        "bkg",
        now_ms=call.first_seen_ms,
        bucket=bucket_of(listing_id),
        seed=f"{guest_id}|{call.key}|{number}",
    )
