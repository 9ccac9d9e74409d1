"""The end of a booking's payment: what to keep, and which steps at the processor that takes.

A settlement is decided once and written down before anything is done; then each step follows from
what the processor says is so, so it can be taken up again after any crash.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from mesh.errors import Conflict, FailedPrecondition, Invalid
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money
from payments_svc.domain.payment import (
    OVER,
    RECOVERED_AFTER,
    Action,
    Ask,
    Payment,
    State,
    next_state,
    payment_id_of,
    with_fact,
    with_id,
)


class RetainsTooMuch(FailedPrecondition):
    """More is to be kept than was authorized, or than is there to keep."""

    reason = "RETAINS_TOO_MUCH"


class SettledOtherwise(Conflict):
    """The payment was settled already, keeping another amount."""

    reason = "SETTLED_OTHERWISE"


class CurrencyMismatch(Invalid):
    """The amount to keep is in another currency than the payment."""

    reason = "CURRENCY_MISMATCH"


@dataclass(frozen=True, slots=True)
class Void:
    """Give up the intent: a hold goes back to the card, a challenge leads nowhere."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Take a part of the hold, or all; the rest goes back to the card."""

    amount_minor: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Give back of what was taken."""

    amount_minor: int


Step = Void | Capture | Refund


def closed(booking_id: str, retain: Money, now: datetime) -> Payment:
    """Return the mark that a booking nobody ever asked money for cannot be paid any more.

    Raise RetainsTooMuch unless nothing is kept.
    """
    if retain.amount_minor != 0:
        raise RetainsTooMuch("nothing was authorized", metadata={"booking_id": booking_id})
    return Payment(
        payment_id=payment_id_of(booking_id),
        ask=Ask(
            booking_id=booking_id,
            guest_id="",
            amount=Money(0, retain.currency),
            payment_method_id="",
        ),
        state=State.CLOSED,
        asked_at=now,
        updated_at=now,
    )


def settling(payment: Payment, retain: Money, now: datetime) -> Payment:
    """Return the payment with its settlement decided; itself when it is decided, or over.

    Raise CurrencyMismatch, SettledOtherwise, RetainsTooMuch.
    """
    if payment.state is not State.CLOSED and retain.currency != payment.ask.amount.currency:
        raise CurrencyMismatch(metadata={"currency": payment.ask.amount.currency})
    if payment.retain_minor is not None:
        if payment.retain_minor != retain.amount_minor:
            raise SettledOtherwise(metadata={"retained_minor": str(payment.retain_minor)})
        return payment
    if retain.amount_minor > _keepable_minor(payment):
        raise RetainsTooMuch(metadata={"keepable_minor": str(_keepable_minor(payment))})
    if payment.state in OVER:
        return payment
    return replace(
        payment,
        state=next_state(payment.state, Action.SETTLE),
        retain_minor=retain.amount_minor,
        due_at=now + RECOVERED_AFTER,
        attempts=0,
        updated_at=now,
        version=payment.version + 1,
    )


def next_step(payment: Payment, intent: Intent) -> Step | None:
    """Return what the processor has to do next for a SETTLING payment; None when it is done."""
    retain = payment.retain_minor or 0
    match intent.status:
        case IntentStatus.CANCELLED:
            return None
        case IntentStatus.REFUSED:
            # Closed all the same: whoever holds its client secret could confirm it again.
            return Void() if intent.processor_id else None
        case IntentStatus.AUTHORIZED if retain:
            return Capture(retain)
        case IntentStatus.CAPTURED:
            surplus = intent.captured_minor - intent.refunded_minor - retain
            return Refund(surplus) if surplus > 0 else None
    return Void()


def learned(payment: Payment, intent: Intent, now: datetime) -> Payment:
    """Return the payment in the light of a fact; while SETTLING only its end counts."""
    if payment.state is State.SETTLING and next_step(payment, intent) is not None:
        return with_id(payment, intent, now)
    return with_fact(payment, intent, now)


def fell_short(payment: Payment) -> bool:
    """Return whether less could be kept than was decided, as of a hold that had lapsed."""
    kept = payment.captured_minor - payment.refunded_minor
    return not payment.unfinished and (payment.retain_minor or 0) > kept


def _keepable_minor(payment: Payment) -> int:
    if payment.state is State.AUTHORIZED:
        return payment.ask.amount.amount_minor
    return payment.captured_minor - payment.refunded_minor
