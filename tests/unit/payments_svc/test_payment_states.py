"""The state machine of payments, walked at random and looked at cell by cell."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.ids import bucket_of
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money
from payments_svc.domain.payment import (
    FACTS,
    OVER,
    TRANSITIONS,
    Action,
    IntentMixedUp,
    Payment,
    PaymentClosed,
    PaymentMismatch,
    PaymentStateRefuses,
    State,
    action_of,
    check_same,
    event_of,
    next_state,
    payment_id_of,
)
from payments_svc.domain.settlement import (
    RetainsTooMuch,
    SettledOtherwise,
    learned,
    settling,
)
from tests.unit.payments_svc.payments import ASK, BOOKING, NOW, intent, payment

LATER = NOW + timedelta(seconds=1)
AMOUNT = ASK.amount.amount_minor

intents = st.one_of(
    st.sampled_from([s for s in IntentStatus if s is not IntentStatus.CAPTURED]).map(intent),
    st.integers(1, AMOUNT).flatmap(
        lambda captured: st.integers(0, captured).map(
            lambda refunded: intent(
                IntentStatus.CAPTURED, captured_minor=captured, refunded_minor=refunded
            )
        )
    ),
)
steps = st.lists(st.one_of(intents, st.integers(0, AMOUNT)), max_size=12)


def step(known: Payment, what: Intent | int) -> Payment:
    """Take one step; a number is a settlement that keeps so much."""
    if isinstance(what, Intent):
        return learned(known, what, LATER)
    return settling(known, Money(what, "USD"), LATER)


@given(steps)
def test_whatever_happens_money_stays_within_what_was_asked(walk: list[Intent | int]) -> None:
    known = payment()
    for what in walk:
        with suppress(PaymentStateRefuses, RetainsTooMuch, SettledOtherwise):
            known = step(known, what)
        assert 0 <= known.refunded_minor <= known.captured_minor <= AMOUNT
        assert (known.due_at is not None) == known.unfinished


@given(steps)
def test_a_payment_that_was_given_up_is_never_authorized_again(walk: list[Intent | int]) -> None:
    known = settling(payment(), Money(0, "USD"), LATER)
    for what in walk:
        if isinstance(what, Intent):
            known = learned(known, what, LATER)
            assert known.state not in (State.AUTHORIZED, State.REQUIRES_ACTION, State.PENDING)
            assert known.retain_minor == 0


@given(st.sampled_from(sorted(OVER)), intents)
def test_what_is_over_stays_as_it_is_whatever_is_told_late(state: State, told: Intent) -> None:
    known = payment(state=state, processor_id="pi_1", due_at=None)
    assert learned(known, told, LATER) is known


def test_every_state_but_a_settlement_takes_or_refuses_each_fact_by_the_table() -> None:
    for state in State:
        for action in Action:
            if (state, action) in TRANSITIONS:
                assert next_state(state, action) is TRANSITIONS[state, action]
            else:
                with pytest.raises(PaymentStateRefuses):
                    next_state(state, action)


def test_every_state_can_be_reached() -> None:
    reached = {State.PENDING, State.CLOSED}
    while more := {to for (at, _), to in TRANSITIONS.items() if at in reached} - reached:
        reached |= more
    assert reached == set(State)


def test_every_status_but_under_way_is_a_fact() -> None:
    told = {action_of(intent(status, captured_minor=1)) for status in IntentStatus}
    told.add(action_of(intent(IntentStatus.CAPTURED, captured_minor=2, refunded_minor=1)))
    told.add(action_of(intent(IntentStatus.CAPTURED, captured_minor=2, refunded_minor=2)))
    assert told == FACTS | {None}


def test_a_fact_is_written_once_and_told_once() -> None:
    before = payment()
    after = learned(before, intent(IntentStatus.AUTHORIZED), LATER)
    assert (after.state, after.processor_id, after.due_at) == (State.AUTHORIZED, "pi_1", None)
    told = event_of(before, after)
    assert told is not None
    assert told.kind == "payment.authorized"
    assert learned(after, intent(IntentStatus.AUTHORIZED), LATER) is after
    assert event_of(after, after) is None


def test_what_is_under_way_is_not_told() -> None:
    assert event_of(None, payment()) is None
    given_up = settling(payment(), Money(0, "USD"), LATER)
    assert event_of(payment(), given_up) is None


def test_a_refusal_keeps_the_processors_word_for_it() -> None:
    refused = intent(IntentStatus.REFUSED, decline_code="insufficient_funds")
    known = learned(payment(), refused, LATER)
    assert (known.state, known.decline_code) == (State.DECLINED, "insufficient_funds")


def test_an_intent_under_way_is_remembered_and_decides_nothing() -> None:
    known = learned(payment(), intent(IntentStatus.PROCESSING), LATER)
    assert (known.state, known.processor_id) == (State.PENDING, "pi_1")
    assert known.due_at == payment().due_at


def test_a_second_intent_for_one_payment_is_an_alarm() -> None:
    known = payment(processor_id="pi_1")
    with pytest.raises(IntentMixedUp):
        learned(known, intent(IntentStatus.AUTHORIZED, processor_id="pi_2"), LATER)


def test_a_booking_has_one_payment_id_in_its_own_bucket() -> None:
    assert payment_id_of(BOOKING) == payment_id_of(BOOKING)
    assert bucket_of(payment_id_of(BOOKING)) == bucket_of(BOOKING)


def test_the_same_ask_is_the_same_payment_and_another_is_refused() -> None:
    check_same(payment(), ASK)
    with pytest.raises(PaymentMismatch):
        check_same(payment(), replace(ASK, amount=Money(1, "USD")))


@pytest.mark.parametrize("state", [State.SETTLING, State.VOIDED, State.CAPTURED, State.REFUNDED])
def test_a_payment_that_was_given_up_cannot_be_asked_for(state: State) -> None:
    with pytest.raises(PaymentClosed):
        check_same(payment(state=state, retain_minor=0), ASK)


def test_a_hold_that_lapsed_by_itself_is_an_answer() -> None:
    check_same(payment(state=State.VOIDED), ASK)
