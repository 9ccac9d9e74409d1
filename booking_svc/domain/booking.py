"""A stay and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from booking_svc.domain.cancellation import CancellationPolicy, refund_minor
from booking_svc.domain.payment import Payment, PaymentDeclined, PaymentState
from booking_svc.domain.price import Price
from booking_svc.domain.stay import local_date
from mesh.errors import FailedPrecondition, NotFound


class State(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"
    """The nights are held while the guest pays."""
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What may happen to a booking."""

    CONFIRM = "confirm"
    RELEASE = "release"
    """The house gives the nights back: declined, expired, or never paid."""
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"


TRANSITIONS: Final[Mapping[tuple[State, Action], State]] = {
    (State.PENDING, Action.CONFIRM): State.CONFIRMED,
    (State.PENDING, Action.RELEASE): State.CANCELLED,
    (State.PENDING, Action.CANCEL): State.CANCELLED,
    (State.CONFIRMED, Action.CANCEL): State.CANCELLED,
    (State.CONFIRMED, Action.CHECK_IN): State.CHECKED_IN,
    (State.CHECKED_IN, Action.CHECK_OUT): State.CHECKED_OUT,
}
"""Every step that exists; a missing one is `BookingStateRefuses`."""


class PaymentStatus(StrEnum):
    """What is known of the money."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    """Given back whole, or never taken."""
    PARTIALLY_REFUNDED = "partially_refunded"
    FAILED = "failed"


class CancelledBy(StrEnum):
    """Who ended a booking."""

    GUEST = "guest"
    HOST = "host"
    SYSTEM = "system"


class ReleaseReason(StrEnum):
    """Why the house gave a hold back; kept as the booking's cancellation reason."""

    DECLINED = "payment declined"
    EXPIRED = "the hold expired before it was paid"
    UNPAID = "the payment was never made"


class BookingStateRefuses(FailedPrecondition):
    """The booking is not in a state where this can happen."""

    reason = "BOOKING_STATE_REFUSES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A stay as it was agreed; its price, policy and time zone are frozen from the listing."""

    booking_id: str
    listing_id: str
    host_id: str
    guest_id: str
    check_in: date
    """The guest arrives on this day, in the listing's own calendar."""
    check_out: date
    guests: int
    price: Price
    cancellation_policy: CancellationPolicy
    time_zone: str
    listing_title: str
    created_at: datetime
    updated_at: datetime
    state: State = State.PENDING
    payment_status: PaymentStatus = PaymentStatus.PENDING
    confirmation_code: str = ""
    hold_expires_at: datetime | None = None
    cancelled_by: CancelledBy | None = None
    cancellation_reason: str = ""
    decline_code: str = ""
    """The card processor's word for its refusal, on a booking released for it."""
    refund_minor: int | None = None

    @property
    def retain_minor(self) -> int:
        """Return what the host and the house keep of a cancelled booking."""
        return self.price.total_minor - (self.refund_minor or 0)


def next_state(state: State, action: Action) -> State:
    """Return where `action` leads; raise BookingStateRefuses when the table has no such step."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise BookingStateRefuses(
            f"a booking that is {state} has no {action}", metadata={"state": state}
        ) from None


def confirmed(booking: Booking, code: str, now: datetime) -> Booking:
    """Return the booking once its payment is authorized."""
    return replace(
        booking,
        state=next_state(booking.state, Action.CONFIRM),
        payment_status=PaymentStatus.AUTHORIZED,
        confirmation_code=code,
        hold_expires_at=None,
        updated_at=now,
    )


def released(
    booking: Booking, reason: ReleaseReason, now: datetime, decline_code: str = ""
) -> Booking:
    """Return the booking given back by the house: the guest pays nothing."""
    declined = reason is ReleaseReason.DECLINED
    return replace(
        booking,
        state=next_state(booking.state, Action.RELEASE),
        payment_status=PaymentStatus.FAILED if declined else booking.payment_status,
        cancelled_by=CancelledBy.SYSTEM,
        cancellation_reason=reason.value,
        decline_code=decline_code,
        refund_minor=booking.price.total_minor,
        hold_expires_at=None,
        updated_at=now,
    )


def cancelled(booking: Booking, by: CancelledBy, reason: str, now: datetime) -> Booking:
    """Return the booking cancelled by a person, with the refund that is due.

    A host, and anybody before the stay is confirmed, gives everything back; a guest gets what the
    frozen policy says, counted in the listing's own days. Raise BookingStateRefuses when the stay
    has begun its states past confirmed, or its last day has come.
    """
    state = next_state(booking.state, Action.CANCEL)
    today = local_date(now, booking.time_zone)
    if today >= booking.check_out:
        raise BookingStateRefuses("the stay is over", metadata={"state": booking.state})
    total = booking.price.total_minor
    whole = by is not CancelledBy.GUEST or booking.state is State.PENDING
    days_before = (booking.check_in - today).days
    return replace(
        booking,
        state=state,
        cancelled_by=by,
        cancellation_reason=reason,
        refund_minor=(
            total if whole else refund_minor(booking.cancellation_policy, total, days_before)
        ),
        hold_expires_at=None,
        updated_at=now,
    )


def settled(booking: Booking, payment: Payment, now: datetime) -> Booking:
    """Return the cancelled booking with what became of its money."""
    return replace(
        booking,
        payment_status=_STATUS_OF.get(payment.state, booking.payment_status),
        updated_at=now,
    )


_STATUS_OF: Final[Mapping[PaymentState, PaymentStatus]] = {
    PaymentState.AUTHORIZED: PaymentStatus.AUTHORIZED,
    PaymentState.CAPTURED: PaymentStatus.CAPTURED,
    PaymentState.DECLINED: PaymentStatus.FAILED,
    PaymentState.VOIDED: PaymentStatus.REFUNDED,
    PaymentState.REFUNDED: PaymentStatus.REFUNDED,
    PaymentState.PARTIALLY_REFUNDED: PaymentStatus.PARTIALLY_REFUNDED,
    PaymentState.NONE: PaymentStatus.REFUNDED,
}

_CODE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0, O, 1, I and L, which sound or look like another."""
CODE_LENGTH: Final = 6


def confirmation_code(entropy: bytes) -> str:
    """Return six letters and digits to say at the door, from 8 or more random bytes."""
    number = int.from_bytes(entropy[:8])
    letters = []
    for _ in range(CODE_LENGTH):
        number, index = divmod(number, len(_CODE_ALPHABET))
        letters.append(_CODE_ALPHABET[index])
    return "".join(letters)


class BookingNotFound(NotFound):
    """There is no such booking, or it is not the caller's; the two look the same."""

    reason = "BOOKING_NOT_FOUND"


class OwnListing(FailedPrecondition):
    """Hosts do not book their own homes; they block the dates."""

    reason = "OWN_LISTING"


class HoldEnded(FailedPrecondition):
    """The hold ended before it was paid, and the nights were given back; book again."""

    reason = "HOLD_ENDED"


def party(booking: Booking | None, user_id: str) -> tuple[Booking, CancelledBy]:
    """Return the booking and whether the user is its guest or its host; raise BookingNotFound."""
    if booking is not None and user_id == booking.guest_id:
        return booking, CancelledBy.GUEST
    if booking is not None and user_id == booking.host_id:
        return booking, CancelledBy.HOST
    raise BookingNotFound("no such booking")


def answer(booking: Booking) -> Booking:
    """Return the booking as the answer to the guest who makes it, or raise why it failed."""
    if booking.cancelled_by is not CancelledBy.SYSTEM:
        return booking
    if booking.cancellation_reason == ReleaseReason.DECLINED:
        raise PaymentDeclined(
            "the card was declined", metadata={"decline_code": booking.decline_code}
        )
    raise HoldEnded(booking.cancellation_reason)
