"""Listings and their calendars, on real tables."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from booking_svc.domain.access import NotYours
from booking_svc.domain.booking import Booking, State
from booking_svc.domain.calendar import DateRange, DatesRefused, DatesUnavailable, PriceRefused
from booking_svc.domain.listing import (
    Details,
    EtagMismatch,
    ListingIncomplete,
    ListingNotFound,
    ListingStatus,
    StaysAhead,
)
from booking_svc.domain.money import Money
from booking_svc.domain.month import Month, Shown
from booking_svc.flows.list_bookings import PageRequest
from booking_svc.flows.update_listing import ListingEdit
from mesh.ids import new_id
from tests.integration.booking_svc.conftest import ARRIVAL, World
from tests.unit.booking_svc.homes import DETAILS


def edit(title: str, etag: str = "") -> ListingEdit:
    return ListingEdit(given=Details(title=title), paths={"title"}, etag=etag)


def dates(listing_id: str, nights: int = 3, first: int = 0) -> DateRange:
    start = ARRIVAL + timedelta(days=first)
    return DateRange(listing_id=listing_id, start=start, end=start + timedelta(days=nights))


async def test_a_draft_is_written_read_and_published(world: World) -> None:
    flows = world.service.flows
    with world.signed_in(world.host, "k"):
        draft = await flows.create_listing(DETAILS)
        assert await flows.create_listing(DETAILS) == draft
        shown = await flows.get_listing(draft.listing_id)
        assert (shown.listing, shown.exact) == (draft, True)
    with world.signed_in(world.guest), pytest.raises(ListingNotFound):
        await flows.get_listing(draft.listing_id)
    with world.signed_in(world.host):
        active = await flows.update_listing.publish(draft.listing_id)
        assert await flows.update_listing.publish(draft.listing_id) == active
    shown = await flows.get_listing(draft.listing_id)
    assert (shown.listing, shown.exact) == (active, False)
    assert (active.details, active.status) == (DETAILS, ListingStatus.ACTIVE)
    told = await world.events(draft.listing_id)
    assert [event.kind for event in told] == ["listing.created", "listing.published"]
    assert [event.listing_changed.version for event in told] == [1, 2]


async def test_an_incomplete_draft_is_not_published(world: World) -> None:
    flows = world.service.flows
    with world.signed_in(world.host):
        draft = await flows.create_listing(Details(title="Somewhere"))
        with pytest.raises(ListingIncomplete):
            await flows.update_listing.publish(draft.listing_id)
        assert (await flows.get_listing(draft.listing_id)).listing == draft


async def test_of_two_edits_of_one_version_the_second_is_refused(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    with world.signed_in(world.host):
        etag = (await flows.get_listing(listing_id)).listing.etag
        outcomes = await asyncio.gather(
            *(flows.update_listing.edit(listing_id, edit(f"T{n}", etag)) for n in range(2)),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["EtagMismatch", "Listing"]
        with pytest.raises(EtagMismatch):
            await flows.update_listing.edit(listing_id, edit("T3", etag))
        assert (await flows.update_listing.edit(listing_id, edit("T4"))).details.title == "T4"


async def test_a_stranger_changes_nothing(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    with world.signed_in(new_id("usr", now_ms=0)):
        for call in (
            flows.update_listing.edit(listing_id, edit("Mine")),
            flows.update_listing.publish(listing_id),
            flows.update_listing.delete(listing_id),
            flows.change_calendar.block(dates(listing_id), ""),
            flows.change_calendar.unblock(dates(listing_id)),
            flows.change_calendar.set_price(dates(listing_id), None),
        ):
            with pytest.raises(ListingNotFound):
                await call
        with pytest.raises(NotYours):
            await flows.list_host_listings(world.host, 0, "")


async def test_a_listing_with_stays_ahead_cannot_be_deleted(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    booking = await world.book(listing_id)
    with world.signed_in(world.host):
        with pytest.raises(StaysAhead):
            await flows.update_listing.delete(listing_id)
        await flows.cancel_booking(booking.booking_id, "closing")
        await flows.update_listing.delete(listing_id)
        with pytest.raises(ListingNotFound):
            await flows.get_listing(listing_id)
    with pytest.raises(ListingNotFound):
        await world.book(listing_id)
    last = (await world.events(listing_id))[-1]
    assert last.kind == "listing.deleted"
    assert last.listing_changed.version == 3


async def test_deleting_and_booking_at_once_never_leaves_a_stay_without_a_home(
    world: World,
) -> None:
    for _ in range(5):
        listing_id = await world.listing()

        async def delete(listing_id: str = listing_id) -> None:
            with world.signed_in(world.host):
                await world.service.flows.update_listing.delete(listing_id)

        outcomes = await asyncio.gather(delete(), world.book(listing_id), return_exceptions=True)
        assert len([one for one in outcomes if isinstance(one, Exception)]) == 1


async def test_blocked_nights_are_off_the_market_and_come_back(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    with world.signed_in(world.host):
        assert await flows.change_calendar.block(dates(listing_id, 2), "paint") == 2
        assert await flows.change_calendar.block(dates(listing_id), "paint") == 1
    with pytest.raises(DatesUnavailable):
        await world.book(listing_id)
    with world.signed_in(world.host):
        assert await flows.change_calendar.unblock(dates(listing_id, 30)) == 3
        assert await flows.change_calendar.unblock(dates(listing_id, 30)) == 0
    assert await world.nights(listing_id) == {}
    changes = [e.calendar_changed for e in await world.events(listing_id)][-3:]
    assert [change.version for change in changes] == [1, 2, 3]
    assert [len(change.nights) for change in changes] == [2, 1, 3]
    assert (await world.book(listing_id)).state is State.CONFIRMED


async def test_a_guests_nights_cannot_be_blocked_nor_freed(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    await world.book(listing_id)
    with world.signed_in(world.host):
        with pytest.raises(DatesUnavailable):
            await flows.change_calendar.block(dates(listing_id, 5, first=-2), "")
        assert await flows.change_calendar.unblock(dates(listing_id)) == 0
        with pytest.raises(DatesRefused):
            await flows.change_calendar.block(dates(listing_id, 5, first=-60), "")
    assert set((await world.nights(listing_id)).values()) == {"booked"}
    await world.no_orphans(listing_id)


async def test_blocking_and_booking_at_once_have_one_winner(world: World) -> None:
    for _ in range(5):
        listing_id = await world.listing()

        async def block(listing_id: str = listing_id) -> int:
            with world.signed_in(world.host):
                return await world.service.flows.change_calendar.block(dates(listing_id), "")

        outcomes = await asyncio.gather(block(), world.book(listing_id), return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, Exception)]
        assert [type(one) for one in refused] == [DatesUnavailable]
        await world.no_orphans(listing_id)


async def test_a_price_for_nights_is_charged_and_shown(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    with world.signed_in(world.host):
        change = flows.change_calendar.set_price
        assert await change(dates(listing_id, 1), Money(150_00, "USD")) == 1
        with pytest.raises(PriceRefused):
            await change(dates(listing_id), Money(150_00, "EUR"))
    july = await flows.get_availability(listing_id, Month.of("2026-07"))
    by_day = {night.date: night for night in july.nights}
    assert by_day[ARRIVAL].price_minor == 150_00
    assert by_day[ARRIVAL + timedelta(days=1)].price_minor == 100_00
    quote = await flows.create_quote(listing_id, world.request(listing_id).stay)
    assert quote.price.accommodation_minor == 350_00
    with world.signed_in(world.host):
        assert await change(dates(listing_id), None) == 1
    assert await world.nights(listing_id) == {}


async def test_a_month_says_why_each_night_is_not_free(world: World) -> None:
    listing_id, flows = await world.listing(), world.service.flows
    await world.book(listing_id)
    await world.book(listing_id, first=3, card="pm_card_3ds")
    with world.signed_in(world.host):
        await flows.change_calendar.block(dates(listing_id, 1, first=6), "")
    view = await flows.get_availability(listing_id, Month.of("2026-07"))
    assert [night.status for night in view.nights][5:13] == [
        *[Shown.BOOKED] * 3,
        *[Shown.HELD] * 3,
        Shown.BLOCKED,
        Shown.AVAILABLE,
    ]
    may = await flows.get_availability(listing_id, Month.of("2026-05"))
    assert {night.status for night in may.nights} == {Shown.PAST}


async def test_a_hosts_listings_come_page_by_page_from_all_shards(world: World) -> None:
    flows = world.service.flows
    made = []
    with world.signed_in(world.host):
        for n in range(7):
            world.clock.advance(timedelta(seconds=1))
            made.append(await flows.create_listing(replace(DETAILS, title=f"Home {n}")))
        seen, token = [], ""
        while True:
            page = await flows.list_host_listings("me", 3, token)
            seen += page.listings
            token = page.next_token
            if not token:
                break
    assert seen == made[::-1]
    assert len({world.shards.of(listing.listing_id) for listing in seen}) > 1


async def test_trips_and_reservations_come_latest_first_from_all_shards(world: World) -> None:
    homes = [await world.listing() for _ in range(6)]
    booked = [await world.book(home, first=n // 2) for n, home in enumerate(homes)]
    with pytest.raises(Exception, match="declined"):
        await world.book(homes[0], first=20, card="pm_card_declined")
    want = sorted(booked, key=lambda b: (b.check_in, b.booking_id), reverse=True)
    lists = world.service.flows.list_bookings

    async def all_pages(user_id: str, *, host: bool, state: State | None = None) -> list[Booking]:
        seen: list[Booking] = []
        token = ""
        with world.signed_in(user_id):
            while True:
                find = lists.of_host if host else lists.of_guest
                page = await find(PageRequest(user_id="me", state=state, size=2, token=token))
                seen += page.bookings
                token = page.next_token
                if not token:
                    return seen

    assert await all_pages(world.host, host=True) == want
    assert await all_pages(world.guest, host=False, state=State.CONFIRMED) == want
    everything = await all_pages(world.guest, host=False)
    assert len(everything) == 7  # the guest sees the attempt that failed; the host does not
    with world.signed_in(world.guest), pytest.raises(NotYours):
        await lists.of_guest(PageRequest(user_id=world.host, state=None, size=2, token=""))
