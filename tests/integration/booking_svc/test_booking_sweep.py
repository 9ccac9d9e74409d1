"""What a crash left is finished or undone; several sweepers share the work."""

import asyncio
from datetime import timedelta

import pytest

from booking_svc.domain.booking import Booking, PaymentStatus, State
from booking_svc.domain.payment import PaymentState, PaymentUnavailable
from booking_svc.flows.hold_stay import LONGEST_REQUEST_SECONDS
from tests.integration.booking_svc.conftest import World

A_REQUESTS_LIFE = timedelta(seconds=LONGEST_REQUEST_SECONDS + 2)


async def left_pending(world: World, *, paid: bool) -> tuple[str, str]:
    """Make a booking whose request died between hold and confirm."""
    listing_id = await world.listing()
    world.payments.stopped = not paid
    world.payments.lose_answers = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="crashed")
    world.payments.stopped = world.payments.lose_answers = False
    (row,) = await world.rows("bookings", listing_id)
    assert row["status"] == "pending"
    return listing_id, row["booking_id"]


async def found(world: World, booking_id: str) -> Booking:
    booking = await world.bookings.get(booking_id)
    assert booking is not None
    return booking


async def test_a_request_at_work_is_left_alone(world: World) -> None:
    _, booking_id = await left_pending(world, paid=True)
    world.clock.advance(A_REQUESTS_LIFE - timedelta(seconds=1))
    await world.service.sweep()
    assert (await found(world, booking_id)).state is State.PENDING


async def test_a_crash_after_paying_ends_confirmed(world: World) -> None:
    listing_id, booking_id = await left_pending(world, paid=True)
    world.clock.advance(A_REQUESTS_LIFE)
    await world.service.sweep()
    booking = await found(world, booking_id)
    assert (booking.state, booking.payment_status) == (State.CONFIRMED, PaymentStatus.AUTHORIZED)
    assert set((await world.nights(listing_id)).values()) == {"booked"}
    again = await world.book(listing_id, key="crashed", attempt=1)
    assert again == booking


async def test_a_crash_before_paying_gives_the_nights_back(world: World) -> None:
    listing_id, booking_id = await left_pending(world, paid=False)
    world.clock.advance(A_REQUESTS_LIFE)
    await world.service.sweep()
    assert (await found(world, booking_id)).state is State.CANCELLED
    assert await world.nights(listing_id) == {}
    # A charge that is still on its way comes to nothing: the payment is closed already.
    assert world.payments.states[booking_id] is PaymentState.VOIDED


async def test_a_declined_card_that_nobody_heard_of_gives_the_nights_back(world: World) -> None:
    listing_id, booking_id = await left_pending(world, paid=True)
    world.payments.states[booking_id] = PaymentState.DECLINED
    world.clock.advance(A_REQUESTS_LIFE)
    await world.service.sweep()
    booking = await found(world, booking_id)
    assert (booking.state, booking.decline_code) == (State.CANCELLED, "insufficient_funds")
    await world.no_orphans(listing_id)


async def test_a_rerun_of_the_request_keeps_the_sweeper_away(world: World) -> None:
    listing_id, booking_id = await left_pending(world, paid=False)
    world.clock.advance(timedelta(seconds=15))
    world.payments.stopped = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="crashed", attempt=1)
    world.payments.stopped = False
    world.clock.advance(timedelta(seconds=15))
    await world.service.sweep()
    assert (await found(world, booking_id)).state is State.PENDING


async def test_a_card_that_wants_an_action_is_asked_for_until_it_is_done(world: World) -> None:
    listing_id = await world.listing()
    booking = await world.book(listing_id, card="pm_card_3ds")
    world.clock.advance(A_REQUESTS_LIFE)
    await world.service.sweep()
    assert (await found(world, booking.booking_id)).state is State.PENDING
    world.payments.states[booking.booking_id] = PaymentState.AUTHORIZED
    await world.service.sweep()  # taken by the sweep before, for a moment
    world.clock.advance(timedelta(seconds=15))
    await world.service.sweep()
    assert (await found(world, booking.booking_id)).state is State.CONFIRMED


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_hold_ends_with_its_time_whether_payments_answer_or_not(
    world: World, reachable: bool
) -> None:
    listing_id = await world.listing()
    booking = await world.book(listing_id, card="pm_card_3ds")
    world.payments.stopped = not reachable
    world.clock.advance(timedelta(minutes=15))
    await world.service.sweep()
    assert (await found(world, booking.booking_id)).state is State.CANCELLED
    assert await world.nights(listing_id) == {}
    world.payments.stopped = False
    world.clock.advance(timedelta(seconds=15))
    await world.service.sweep()
    assert world.payments.settled[booking.booking_id] == 0


async def test_a_cancellation_whose_settling_failed_is_settled_later(world: World) -> None:
    booking = await world.book(await world.listing())
    world.payments.stopped = True
    with world.signed_in(world.guest):
        after = await world.service.flows.cancel_booking(booking.booking_id, "")
    assert (after.state, after.payment_status) == (State.CANCELLED, PaymentStatus.AUTHORIZED)
    world.payments.stopped = False
    await world.service.sweep()
    assert booking.booking_id not in world.payments.settled  # it is the request's for 20 seconds
    world.clock.advance(timedelta(seconds=20))
    await world.service.sweep()
    assert world.payments.settled[booking.booking_id] == 0
    assert (await found(world, booking.booking_id)).payment_status is PaymentStatus.REFUNDED
    assert [e.kind for e in await world.events(booking.booking_id)][-1] == "booking.settled"


async def test_sweepers_at_once_do_each_thing_once(world: World) -> None:
    listing_id, booking_id = await left_pending(world, paid=True)
    world.clock.advance(A_REQUESTS_LIFE)
    await asyncio.gather(*(world.service.sweep() for _ in range(8)))
    kinds = [event.kind for event in await world.events(booking_id)]
    assert kinds == ["booking.held", "booking.confirmed"]
    await world.no_orphans(listing_id)


async def test_what_is_too_old_is_forgotten(world: World) -> None:
    listing_id = await world.listing()
    quote = await world.service.flows.create_quote(listing_id, world.request(listing_id).stay)
    await world.service.purge()
    assert len(await world.rows("quotes", listing_id)) == 1
    world.clock.set(quote.expires_at + timedelta(days=1, seconds=1))
    await world.service.purge()
    assert await world.rows("quotes", listing_id) == []
