"""Messages to domain and back."""

import pytest
from google.type.money_pb2 import Money as MoneyMessage
from staymesh.events.v1 import events_pb2
from staymesh.payments.v1 import payments_pb2 as pb

from mesh.errors import Kind
from payments_svc import convert
from payments_svc.domain.money import Money
from payments_svc.domain.payment import PaymentChanged, State
from tests.unit.payments_svc.payments import ASK, BOOKING, GUEST, payment


def request(**amount: object) -> pb.AuthorizePaymentRequest:
    return pb.AuthorizePaymentRequest(
        booking_id=BOOKING,
        guest_id=GUEST,
        payment_method_id="pm_card_visa",
        amount=MoneyMessage(**{"currency_code": "USD", **amount}),
    )


def test_an_ask_is_read_in_minor_units() -> None:
    assert convert.ask(request(units=100)) == ASK
    assert convert.ask(request(units=1, currency_code="KWD")).amount == Money(1000, "KWD")


@pytest.mark.parametrize(
    "amount",
    [
        {},
        {"units": -1},
        {"nanos": 1},
        {"units": 1, "nanos": -500_000_000},
        {"units": 1, "currency_code": "XXY"},
        {"units": 1, "currency_code": ""},
        {"units": 2**62},
    ],
)
def test_an_amount_nobody_can_pay_is_invalid_and_named(amount: dict[str, object]) -> None:
    with pytest.raises(convert.AmountInvalid) as caught:
        convert.ask(request(**amount))
    assert caught.value.kind is Kind.INVALID
    assert caught.value.violations[0].field == "amount"


def test_keeping_nothing_is_an_amount() -> None:
    settle = pb.SettleCancellationRequest(
        booking_id=BOOKING, retain=MoneyMessage(currency_code="USD")
    )
    assert convert.retain(settle) == Money(0, "USD")


def test_every_state_has_a_word_in_the_contract() -> None:
    told = {state: convert.payment(payment(state=state)).state for state in State}
    assert pb.PAYMENT_STATE_UNSPECIFIED not in told.values()
    assert told[State.SETTLING] == pb.PAYMENT_STATE_PENDING
    assert told[State.CLOSED] == pb.PAYMENT_STATE_NONE
    assert len(set(told.values())) == len(pb.PaymentState.values()) - 1


def test_a_payment_is_told_with_its_amounts() -> None:
    told = convert.payment(payment(captured_minor=30_05, refunded_minor=1, processor_id="pi_1"))
    assert (told.amount.units, told.amount.nanos) == (100, 0)
    assert (told.captured.units, told.captured.nanos) == (30, 50_000_000)
    assert (told.refunded.units, told.refunded.nanos) == (0, 10_000_000)
    assert told.processor_id == "pi_1"


def test_a_change_told_twice_is_one_event() -> None:
    known = payment(state=State.AUTHORIZED, version=1)
    first, again = (convert.event(PaymentChanged(known)) for _ in range(2))
    assert first == again
    told = events_pb2.Event.FromString(first.payload)
    assert (told.kind, told.aggregate_id) == ("payment.authorized", known.payment_id)
    assert told.payment_changed.payment.booking_id == BOOKING
    later = convert.event(PaymentChanged(payment(state=State.AUTHORIZED, version=2)))
    assert events_pb2.Event.FromString(later.payload).event_id != told.event_id
