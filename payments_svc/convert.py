"""Protobuf to domain and back."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money as MoneyMessage
from staymesh.events.v1 import events_pb2
from staymesh.payments.v1 import payments_pb2 as pb

from mesh.clock import epoch_ms
from mesh.errors import Invalid, MeshError
from mesh.ids import bucket_of, derive_id
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Ask, Payment, PaymentChanged, State
from pricing import from_units, to_units

TOPIC: Final = "staymesh.payments"
_LARGEST_MINOR: Final = 10**12
"""What the processor takes at most, and far from where sums leave 64 bits."""

_STATE_OF: Final = {
    State.PENDING: pb.PAYMENT_STATE_PENDING,
    State.AUTHORIZED: pb.PAYMENT_STATE_AUTHORIZED,
    State.REQUIRES_ACTION: pb.PAYMENT_STATE_REQUIRES_ACTION,
    State.DECLINED: pb.PAYMENT_STATE_DECLINED,
    State.CAPTURED: pb.PAYMENT_STATE_CAPTURED,
    # Decided, not done: to others its outcome is not known yet.
    State.SETTLING: pb.PAYMENT_STATE_PENDING,
    State.VOIDED: pb.PAYMENT_STATE_VOIDED,
    State.REFUNDED: pb.PAYMENT_STATE_REFUNDED,
    State.PARTIALLY_REFUNDED: pb.PAYMENT_STATE_PARTIALLY_REFUNDED,
    State.CLOSED: pb.PAYMENT_STATE_NONE,
}


class AmountInvalid(Invalid):
    """An amount that does not exist or that nobody can pay; the violation names the field."""

    reason = "AMOUNT_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEvent:
    """One record for the outbox; `key` is the aggregate whose story it is a part of."""

    topic: str
    key: str
    kind: str
    payload: bytes


def ask(request: pb.AuthorizePaymentRequest) -> Ask:
    """Read what is to be authorized; raise AmountInvalid."""
    amount = _money(request.amount, "amount")
    if amount.amount_minor == 0:
        raise _amount_invalid("amount", "must be more than zero")
    return Ask(
        booking_id=request.booking_id,
        guest_id=request.guest_id,
        amount=amount,
        payment_method_id=request.payment_method_id,
    )


def retain(request: pb.SettleCancellationRequest) -> Money:
    """Read what is to be kept; raise AmountInvalid."""
    return _money(request.retain, "retain")


def payment(known: Payment) -> pb.Payment:
    """Return a payment as others see it."""
    currency = known.ask.amount.currency
    return pb.Payment(
        payment_id=known.payment_id,
        booking_id=known.booking_id,
        state=_STATE_OF[known.state],
        amount=_money_message(known.ask.amount.amount_minor, currency),
        captured=_money_message(known.captured_minor, currency),
        refunded=_money_message(known.refunded_minor, currency),
        decline_code=known.decline_code,
        processor_id=known.processor_id,
    )


def nothing(booking_id: str) -> pb.Payment:
    """Return what is known of a booking that no payment was ever asked for."""
    return pb.Payment(booking_id=booking_id, state=pb.PAYMENT_STATE_NONE)


def event(changed: PaymentChanged) -> OutboundEvent:
    """Return the record that tells a change. Its id is made of it: told again, it is the same."""
    known = changed.payment
    message = events_pb2.Event(
        event_id=derive_id(
            "evt",
            now_ms=epoch_ms(known.updated_at),
            bucket=bucket_of(known.payment_id),
            seed=f"{changed.kind}|{known.payment_id}|{known.version}",
        ),
        kind=changed.kind,
        aggregate_id=known.payment_id,
        occur_time=_timestamp(known.updated_at),
        payment_changed=events_pb2.PaymentChanged(payment=payment(known)),
    )
    return OutboundEvent(
        topic=TOPIC,
        key=known.payment_id,
        kind=changed.kind,
        payload=message.SerializeToString(),
    )


def _money(message: MoneyMessage, field: str) -> Money:
    try:
        minor = from_units(message.units, message.nanos, message.currency_code)
    except MeshError as error:
        raise _amount_invalid(field, error.message) from error
    if not 0 <= minor <= _LARGEST_MINOR:
        raise _amount_invalid(field, "is out of range")
    return Money(minor, message.currency_code)


def _amount_invalid(field: str, why: str) -> AmountInvalid:
    return AmountInvalid(f"{field} {why}", violations=[(field, why)])


def _money_message(amount_minor: int, currency: str) -> MoneyMessage:
    units, nanos = to_units(amount_minor, currency)
    return MoneyMessage(currency_code=currency, units=units, nanos=nanos)


def _timestamp(instant: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(instant.astimezone(UTC))
    return message
