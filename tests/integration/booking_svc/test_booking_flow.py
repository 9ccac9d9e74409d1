"""A booking from request to end, on real tables."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from booking_svc.domain.booking import (
    Booking,
    BookingNotFound,
    CancelledBy,
    OwnListing,
    PaymentStatus,
    State,
)
from booking_svc.domain.calendar import DateRange, DatesUnavailable
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.listing import ListingNotFound
from booking_svc.domain.money import Money
from booking_svc.domain.payment import PaymentDeclined, PaymentState, PaymentUnavailable
from booking_svc.domain.stay import StayRefused
from mesh.errors import MeshError
from mesh.ids import new_id
from tests.integration.booking_svc.conftest import ARRIVAL, NOW, World

NIGHTS = {ARRIVAL + timedelta(days=i) for i in range(3)}


async def test_a_paid_stay_is_confirmed_and_told(world: World) -> None:
    listing_id = await world.listing()
    booking = await world.book(listing_id)
    assert (booking.state, booking.payment_status) == (State.CONFIRMED, PaymentStatus.AUTHORIZED)
    assert len(booking.confirmation_code) == 6
    assert await world.nights(listing_id) == dict.fromkeys(NIGHTS, "booked")
    assert await world.bookings.get(booking.booking_id) == booking
    told = await world.events(booking.booking_id)
    assert [event.kind for event in told] == ["booking.held", "booking.confirmed"]
    assert told[1].booking_changed.booking.confirmation_code == booking.confirmation_code
    changed = (await world.events(listing_id))[-1].calendar_changed
    assert [(night.available, night.price_minor) for night in changed.nights] == [(False, 0)] * 3
    assert changed.version == 1
    assert (await world.rows("calendars", listing_id))[0]["version"] == 1


async def test_two_hundred_rivals_have_one_winner_and_leave_nothing(world: World) -> None:
    listing_id = await world.listing()

    async def try_it(n: int) -> Booking | MeshError:
        try:
            return await world.book(listing_id, guest=new_id("usr", now_ms=n), first=n % 3)
        except MeshError as error:
            return error

    outcomes = await asyncio.gather(*(try_it(n) for n in range(200)))
    winners = [one for one in outcomes if isinstance(one, Booking)]
    assert len(winners) == 1
    assert {e.reason for e in outcomes if isinstance(e, MeshError)} == {"DATES_UNAVAILABLE"}
    assert world.payments.authorizations == 1
    assert len(await world.rows("bookings", listing_id)) == 1
    await world.no_orphans(listing_id)


async def test_rivals_for_different_nights_all_win(world: World) -> None:
    listing_id = await world.listing()
    booked = await asyncio.gather(
        *(world.book(listing_id, first=3 * n, guest=new_id("usr", now_ms=n)) for n in range(12))
    )
    assert {one.state for one in booked} == {State.CONFIRMED}
    await world.no_orphans(listing_id)
    versions = [e.calendar_changed.version for e in await world.events(listing_id)][-12:]
    assert versions == list(range(1, 13))


async def test_a_declined_card_holds_nothing_and_each_try_under_its_key_says_so(
    world: World,
) -> None:
    listing_id = await world.listing()
    for attempt in (0, 1):
        with pytest.raises(PaymentDeclined) as refused:
            await world.book(listing_id, key="k", card="pm_card_declined", attempt=attempt)
        assert refused.value.metadata == {"decline_code": "insufficient_funds"}
    assert await world.nights(listing_id) == {}
    rows = await world.rows("bookings", listing_id)
    ends = [(row["status"], row["cancelled_by"], row["settle_due_at"]) for row in rows]
    assert ends == [("cancelled", "system", None)] * 2
    changes = [e.calendar_changed for e in await world.events(listing_id)][-2:]
    assert [{n.available for n in change.nights} for change in changes] == [{False}, {True}]
    assert (await world.book(listing_id, key="k2")).state is State.CONFIRMED


async def test_a_price_of_ones_own_comes_back_when_the_nights_do(world: World) -> None:
    listing_id = await world.listing()
    schema = f"shard_{world.shards.of(listing_id):02d}"
    await world.admin.execute(
        f"INSERT INTO {schema}.nights (listing_id, night, price_minor) VALUES ($1, $2, 10000)",
        listing_id,
        ARRIVAL,
    )
    with pytest.raises(PaymentDeclined):
        await world.book(listing_id, card="pm_card_declined")
    assert await world.nights(listing_id) == {ARRIVAL: None}
    held, freed = [e.calendar_changed for e in await world.events(listing_id)][-2:]
    assert [n.price_minor for n in held.nights] == [10000, 0, 0]
    assert (freed.nights[0].available, freed.nights[0].price_minor) == (True, 10000)


async def test_a_lost_answer_leaves_it_pending_and_the_same_key_goes_on(world: World) -> None:
    listing_id = await world.listing()
    world.payments.lose_answers = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="k")
    (row,) = await world.rows("bookings", listing_id)
    assert row["status"] == "pending"
    with pytest.raises(DatesUnavailable):
        await world.book(listing_id, key="another")
    world.payments.lose_answers = False
    booking = await world.book(listing_id, key="k", attempt=1)
    assert (booking.booking_id, booking.state) == (row["booking_id"], State.CONFIRMED)
    assert world.payments.authorizations == 1
    await world.no_orphans(listing_id)


async def test_a_hold_that_is_there_already_is_gone_on_with(world: World) -> None:
    """The answer to the hold was lost, and nobody told us that this is a second attempt."""
    listing_id = await world.listing()
    world.payments.stopped = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="k")
    world.payments.stopped = False
    assert (await world.book(listing_id, key="k")).state is State.CONFIRMED
    assert len(await world.rows("bookings", listing_id)) == 1


async def test_one_key_a_hundred_times_makes_one_booking(world: World) -> None:
    listing_id = await world.listing()
    booked = await asyncio.gather(*(world.book(listing_id, key="same") for _ in range(100)))
    assert len({one.booking_id for one in booked}) == 1
    assert {one.state for one in booked} == {State.CONFIRMED}
    assert len({one.confirmation_code for one in booked}) == 1
    assert world.payments.authorizations == 1
    await world.no_orphans(listing_id)


async def test_a_card_that_wants_an_action_leaves_it_pending(world: World) -> None:
    listing_id = await world.listing()
    booking = await world.book(listing_id, card="pm_card_3ds")
    assert booking.state is State.PENDING
    assert booking.hold_expires_at == NOW + timedelta(minutes=15)
    assert await world.nights(listing_id) == dict.fromkeys(NIGHTS, "held")


async def test_bad_stays_and_unknown_listings_are_refused(world: World) -> None:
    listing_id = await world.listing()
    with pytest.raises(StayRefused):
        await world.book(listing_id, first=-60)
    with pytest.raises(StayRefused):
        await world.book(listing_id, nights=1)
    with pytest.raises(ListingNotFound):
        await world.book(new_id("lst", now_ms=0))
    with pytest.raises(OwnListing):
        await world.book(listing_id, guest=world.host)
    assert await world.rows("bookings", listing_id) == []


async def test_a_quote_keeps_its_price_and_a_moved_price_is_refused(world: World) -> None:
    listing_id = await world.listing()
    flows = world.service.flows
    request = world.request(listing_id)
    quote = await flows.create_quote(listing_id, request.stay)
    assert quote.price.total_minor == request.expected_total.amount_minor  # type: ignore[union-attr]
    with world.signed_in(world.host):
        dates = DateRange(listing_id=listing_id, start=ARRIVAL, end=ARRIVAL + timedelta(days=3))
        assert await flows.change_calendar.set_price(dates, Money(200_00, "USD")) == 3
    with pytest.raises(MeshError) as moved:
        await world.book(listing_id)
    assert moved.value.reason == "PRICE_CHANGED"
    with world.signed_in(world.guest, "k"):
        booking = await flows.create_booking(
            replace(request, quote_id=quote.quote_id, expected_total=None)
        )
    assert booking.price == quote.price
    world.clock.advance(timedelta(minutes=15))
    with world.signed_in(world.guest, "k2"), pytest.raises(MeshError) as expired:
        await flows.create_booking(replace(request, quote_id=quote.quote_id))
    assert expired.value.reason == "QUOTE_EXPIRED"


async def test_a_guest_cancels_and_gets_what_the_policy_says(world: World) -> None:
    listing_id = await world.listing(cancellation_policy=CancellationPolicy.MODERATE)
    booking = await world.book(listing_id)
    total = booking.price.total_minor
    world.clock.set(NOW + timedelta(days=32))  # 3 July: three days before
    with world.signed_in(world.guest):
        after = await world.service.flows.cancel_booking(booking.booking_id, "ill")
        again = await world.service.flows.cancel_booking(booking.booking_id, "twice")
    assert (after.state, after.cancelled_by) == (State.CANCELLED, CancelledBy.GUEST)
    assert after.refund_minor == total // 2
    assert world.payments.settled == {booking.booking_id: total - total // 2}
    assert after.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert (again.refund_minor, again.cancellation_reason) == (after.refund_minor, "ill")
    assert await world.nights(listing_id) == {}
    kinds = [event.kind for event in await world.events(booking.booking_id)]
    assert kinds[-2:] == ["booking.cancelled", "booking.settled"]
    assert (await world.book(listing_id, nights=4)).state is State.CONFIRMED


async def test_a_host_cancels_and_everything_goes_back(world: World) -> None:
    listing_id = await world.listing()
    booking = await world.book(listing_id)
    with world.signed_in(world.host):
        after = await world.service.flows.cancel_booking(booking.booking_id, "burst pipe")
    assert after.refund_minor == booking.price.total_minor
    assert after.payment_status is PaymentStatus.REFUNDED
    assert world.payments.settled == {booking.booking_id: 0}


async def test_a_strangers_booking_is_not_there(world: World) -> None:
    booking = await world.book(await world.listing())
    flows = world.service.flows
    with world.signed_in(new_id("usr", now_ms=0)):
        with pytest.raises(BookingNotFound):
            await flows.get_booking(booking.booking_id)
        with pytest.raises(BookingNotFound):
            await flows.cancel_booking(booking.booking_id, "")
    with world.signed_in(world.guest):
        assert await flows.get_booking(booking.booking_id) == booking
        with pytest.raises(BookingNotFound):
            await flows.get_booking(new_id("bkg", now_ms=0))


async def test_cancelled_while_it_is_being_paid_gives_the_money_back(world: World) -> None:
    listing_id = await world.listing()
    world.payments.lose_answers = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="k")
    (row,) = await world.rows("bookings", listing_id)
    pending = await world.bookings.get(row["booking_id"])
    assert pending is not None
    with world.signed_in(world.guest):
        await world.service.flows.cancel_booking(pending.booking_id, "")
    finish = world.service.flows.create_booking.finish
    after = await finish.confirm(pending)  # the request that was on its way with the card's yes
    assert after.state is State.CANCELLED
    (row,) = await world.rows("bookings", listing_id)
    assert row["settle_due_at"] == NOW
    await world.service.sweep()
    assert world.payments.states[pending.booking_id] is PaymentState.VOIDED
    (row,) = await world.rows("bookings", listing_id)
    assert row["settle_due_at"] is None


async def test_a_key_whose_hold_was_given_up_meanwhile_books_anew(world: World) -> None:
    listing_id = await world.listing()
    world.payments.stopped = True
    with pytest.raises(PaymentUnavailable):
        await world.book(listing_id, key="k")
    world.payments.stopped = False
    world.clock.advance(timedelta(seconds=30))
    await world.service.sweep()
    booking = await world.book(listing_id, key="k", attempt=1)
    assert booking.state is State.CONFIRMED
    rows = await world.rows("bookings", listing_id)
    given_up, anew = sorted(rows, key=lambda row: row["created_at"])
    assert (given_up["status"], given_up["cancelled_by"]) == ("cancelled", "system")
    assert anew["booking_id"] == booking.booking_id
    await world.no_orphans(listing_id)
