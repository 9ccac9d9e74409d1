"""The life of a booking: one table, walked at random."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from booking_svc.domain.booking import (
    CODE_LENGTH,
    TRANSITIONS,
    Action,
    BookingNotFound,
    BookingStateRefuses,
    CancelledBy,
    HoldEnded,
    PaymentStatus,
    ReleaseReason,
    State,
    answer,
    cancelled,
    confirmation_code,
    confirmed,
    next_state,
    party,
    released,
    settled,
)
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.payment import Payment, PaymentDeclined, PaymentState
from tests.unit.booking_svc.homes import GUEST, HOST, NOW, STAY, booking


class Life(RuleBasedStateMachine):
    """Try every action in every order; what the table lacks must change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.booking = booking()
        self.was_confirmed = False

    def _try(self, action: Action, do: object) -> None:
        allowed = (self.booking.state, action) in TRANSITIONS
        before = self.booking
        try:
            self.booking = do()  # type: ignore[operator]
        except BookingStateRefuses:
            assert not allowed
            assert self.booking is before
        else:
            assert allowed
            assert self.booking.state is TRANSITIONS[before.state, action]

    @rule()
    def confirm(self) -> None:
        self._try(Action.CONFIRM, lambda: confirmed(self.booking, "ABC234", NOW))
        self.was_confirmed |= self.booking.state is State.CONFIRMED

    @rule()
    def release(self) -> None:
        self._try(Action.RELEASE, lambda: released(self.booking, ReleaseReason.EXPIRED, NOW))

    @rule()
    def cancel(self) -> None:
        self._try(Action.CANCEL, lambda: cancelled(self.booking, CancelledBy.GUEST, "", NOW))

    @rule()
    def check_in(self) -> None:
        self._try(
            Action.CHECK_IN,
            lambda: replace(self.booking, state=next_state(self.booking.state, Action.CHECK_IN)),
        )

    @rule()
    def check_out(self) -> None:
        self._try(
            Action.CHECK_OUT,
            lambda: replace(self.booking, state=next_state(self.booking.state, Action.CHECK_OUT)),
        )

    @precondition(lambda self: self.booking.state is State.CANCELLED)
    @rule()
    def settle(self) -> None:
        self.booking = settled(self.booking, Payment(state=PaymentState.VOIDED), NOW)

    @invariant()
    def the_end_is_explained_and_nothing_is_given_back_twice(self) -> None:
        one = self.booking
        assert (one.state is State.CANCELLED) == (one.cancelled_by is not None)
        assert (one.state is State.CANCELLED) == (one.refund_minor is not None)
        if one.refund_minor is not None:
            assert 0 <= one.refund_minor <= one.price.total_minor
            assert one.refund_minor + one.retain_minor == one.price.total_minor

    @invariant()
    def only_a_confirmed_booking_has_a_code(self) -> None:
        assert bool(self.booking.confirmation_code) == self.was_confirmed


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=8)
TestLife = Life.TestCase


def test_a_guest_gets_the_policys_share_by_the_listings_own_day() -> None:
    stay = confirmed(booking(), "ABC234", NOW)  # moderate: all 5 days before, half after
    total = stay.price.total_minor
    # 2 July, 03:59 UTC is still 1 July in New York: five days before the 6th.
    late_evening = datetime(2026, 7, 2, 3, 59, tzinfo=UTC)
    assert cancelled(stay, CancelledBy.GUEST, "", late_evening).refund_minor == total
    midnight = late_evening + timedelta(minutes=1)
    assert cancelled(stay, CancelledBy.GUEST, "", midnight).refund_minor == (total + 1) // 2


def test_a_host_who_cancels_gives_everything_back() -> None:
    stay = confirmed(booking(cancellation_policy=CancellationPolicy.STRICT), "ABC234", NOW)
    now = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)
    after = cancelled(stay, CancelledBy.HOST, "burst pipe", now)
    assert after.refund_minor == after.price.total_minor
    assert (after.cancelled_by, after.cancellation_reason) == (CancelledBy.HOST, "burst pipe")


def test_a_guest_who_has_not_paid_yet_owes_nothing() -> None:
    strict = booking(cancellation_policy=CancellationPolicy.STRICT)
    after = cancelled(strict, CancelledBy.GUEST, "", datetime(2026, 7, 6, tzinfo=UTC))
    assert after.refund_minor == after.price.total_minor


def test_a_stay_whose_last_day_has_come_cannot_be_cancelled() -> None:
    stay = confirmed(booking(), "ABC234", NOW)
    morning_of_departure = datetime(2026, 7, 9, 13, 0, tzinfo=UTC)
    with pytest.raises(BookingStateRefuses):
        cancelled(stay, CancelledBy.GUEST, "", morning_of_departure)
    assert STAY.check_out == morning_of_departure.date()


def test_only_guest_and_host_find_a_booking_and_a_stranger_sees_none() -> None:
    one = booking()
    assert party(one, GUEST) == (one, CancelledBy.GUEST)
    assert party(one, HOST) == (one, CancelledBy.HOST)
    with pytest.raises(BookingNotFound) as stranger:
        party(one, "usr_somebody")
    with pytest.raises(BookingNotFound) as absent:
        party(None, GUEST)
    assert (stranger.value.message, stranger.value.metadata) == (
        absent.value.message,
        absent.value.metadata,
    )


def test_a_declined_booking_always_answers_declined_and_an_expired_one_that_it_is_over() -> None:
    declined = released(booking(), ReleaseReason.DECLINED, NOW, "insufficient_funds")
    assert declined.payment_status is PaymentStatus.FAILED
    with pytest.raises(PaymentDeclined) as refused:
        answer(declined)
    assert refused.value.metadata == {"decline_code": "insufficient_funds"}
    with pytest.raises(HoldEnded):
        answer(released(booking(), ReleaseReason.EXPIRED, NOW))
    by_guest = cancelled(booking(), CancelledBy.GUEST, "", NOW)
    assert answer(by_guest) is by_guest


@pytest.mark.parametrize("entropy", [b"\0" * 8, b"\xff" * 8, b"12345678"])
def test_a_code_has_six_unmistakable_letters_and_digits(entropy: bytes) -> None:
    code = confirmation_code(entropy)
    assert len(code) == CODE_LENGTH
    assert code.isalnum()
    assert not set(code) & set("01OIL")
    assert code == confirmation_code(entropy)
