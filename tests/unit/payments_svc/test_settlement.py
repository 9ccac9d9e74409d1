"""What it takes to end a payment, against a processor in miniature."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Payment, PaymentStateRefuses, State
from payments_svc.domain.settlement import (
    Capture,
    CurrencyMismatch,
    Refund,
    RetainsTooMuch,
    SettledOtherwise,
    Void,
    closed,
    fell_short,
    learned,
    next_step,
    settling,
)
from tests.unit.payments_svc.payments import ASK, BOOKING, NOW, intent, payment

LATER = NOW + timedelta(seconds=1)
AMOUNT = ASK.amount.amount_minor


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def authorized() -> Payment:
    return payment(state=State.AUTHORIZED, processor_id="pi_1", due_at=None)


def done_at_the_processor(now_is: Intent, step: Void | Capture | Refund) -> Intent:
    """Be the processor: do a step that its state allows."""
    match step:
        case Void():
            assert now_is.status not in (IntentStatus.CAPTURED, IntentStatus.CANCELLED)
            return replace(now_is, status=IntentStatus.CANCELLED)
        case Capture(minor):
            assert now_is.status is IntentStatus.AUTHORIZED
            assert 0 < minor <= AMOUNT
            return replace(now_is, status=IntentStatus.CAPTURED, captured_minor=minor)
        case Refund(minor):
            assert now_is.status is IntentStatus.CAPTURED
            assert 0 < minor <= now_is.captured_minor - now_is.refunded_minor
            return replace(now_is, refunded_minor=now_is.refunded_minor + minor)


def settled(known: Payment, now_is: Intent) -> tuple[Payment, Intent]:
    """Take every step that is left."""
    for _ in range(4):
        known = learned(known, now_is, LATER)
        if known.state is not State.SETTLING:
            return known, now_is
        step = next_step(known, now_is)
        assert step is not None
        now_is = done_at_the_processor(now_is, step)
    raise AssertionError(f"never ends: {known} {now_is}")


@given(st.integers(0, AMOUNT))
def test_of_a_hold_exactly_what_is_retained_is_taken(retain: int) -> None:
    known, now_is = settled(
        settling(authorized(), usd(retain), LATER), intent(IntentStatus.AUTHORIZED)
    )
    assert (known.captured_minor, known.refunded_minor) == (retain, 0)
    assert known.state is (State.CAPTURED if retain else State.VOIDED)
    assert now_is.status is (IntentStatus.CAPTURED if retain else IntentStatus.CANCELLED)


@given(st.integers(1, AMOUNT), st.data())
def test_of_what_was_taken_all_but_what_is_retained_goes_back(
    captured: int, data: st.DataObject
) -> None:
    refunded = data.draw(st.integers(0, captured))
    retain = data.draw(st.integers(0, captured - refunded))
    taken = intent(IntentStatus.CAPTURED, captured_minor=captured, refunded_minor=refunded)
    known = learned(authorized(), replace(taken, refunded_minor=0), LATER)
    known, now_is = settled(settling(known, usd(retain), LATER), taken)
    assert now_is.captured_minor - now_is.refunded_minor == retain
    assert known.captured_minor - known.refunded_minor == retain


@given(st.sampled_from([s for s in IntentStatus if s is not IntentStatus.CAPTURED]))
def test_nothing_stays_authorized_of_a_payment_whose_outcome_was_not_known(
    status: IntentStatus,
) -> None:
    known, now_is = settled(settling(payment(), usd(0), LATER), intent(status))
    assert known.state is State.VOIDED
    assert now_is.status is IntentStatus.CANCELLED


def test_a_card_that_never_was_needs_no_step() -> None:
    refused = intent(IntentStatus.REFUSED, processor_id="", decline_code="resource_missing")
    known, _ = settled(settling(payment(), usd(0), LATER), refused)
    assert known.state is State.DECLINED


def test_the_same_settlement_again_changes_nothing_and_another_is_refused() -> None:
    once = settling(authorized(), usd(10), LATER)
    assert settling(once, usd(10), LATER) is once
    with pytest.raises(SettledOtherwise):
        settling(once, usd(0), LATER)


def test_more_than_was_authorized_is_never_kept() -> None:
    with pytest.raises(RetainsTooMuch):
        settling(authorized(), usd(AMOUNT + 1), LATER)


@pytest.mark.parametrize(
    "state", [State.PENDING, State.REQUIRES_ACTION, State.DECLINED, State.VOIDED]
)
def test_nothing_is_kept_of_what_is_not_held(state: State) -> None:
    with pytest.raises(RetainsTooMuch):
        settling(payment(state=state), usd(1), LATER)


def test_a_settlement_that_keeps_nothing_leaves_what_is_over_alone() -> None:
    for state in (State.DECLINED, State.VOIDED, State.REFUNDED):
        known = payment(state=state, due_at=None)
        assert settling(known, usd(0), LATER) is known


def test_a_settlement_speaks_the_payments_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        settling(authorized(), Money(0, "EUR"), LATER)


def test_a_booking_nobody_asked_money_for_is_closed_for_good() -> None:
    mark = closed(BOOKING, usd(0), NOW)
    assert mark.state is State.CLOSED
    assert not mark.unfinished
    assert settling(mark, Money(0, "EUR"), LATER) is mark
    with pytest.raises(RetainsTooMuch):
        closed(BOOKING, usd(1), NOW)


def test_a_hold_that_lapsed_keeps_less_than_was_decided_and_says_so() -> None:
    known, _ = settled(settling(authorized(), usd(10), LATER), intent(IntentStatus.CANCELLED))
    assert known.state is State.VOIDED
    assert fell_short(known)


def test_a_settlement_is_not_decided_twice_for_a_partly_refunded_payment() -> None:
    known = payment(
        state=State.PARTIALLY_REFUNDED, captured_minor=100, refunded_minor=40, due_at=None
    )
    assert settling(known, usd(60), LATER).state is State.SETTLING
    with pytest.raises(RetainsTooMuch):
        settling(known, usd(61), LATER)
    with pytest.raises(PaymentStateRefuses):
        settling(payment(state=State.SETTLING, captured_minor=1), usd(0), LATER)
