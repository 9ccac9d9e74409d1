"""A shard says what a naive look at every night would say, at the price that a quote would name."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import Rates, price_stay, resolve
from search_svc.domain.calendar import Calendar, CalendarChange, NightChange
from search_svc.domain.days import date_of, day_of
from search_svc.domain.listing import Listing
from search_svc.domain.nights import WINDOW_DAYS, NightBits
from search_svc.domain.shard import ShardState, Terms
from search_svc.domain.stay import Stay
from tests.unit.search_svc.makers import listing, listing_id

FIRST = day_of(date(2026, 7, 1))


@dataclass
class Naive:
    """The oracle: a dictionary of nights for each listing."""

    taken: dict[int, set[int]] = field(default_factory=dict)

    def put(self, ordinal: int, day: int, taken: bool) -> None:
        nights = self.taken.setdefault(ordinal, set())
        (nights.add if taken else nights.discard)(day)


WRITES = st.lists(
    st.tuples(st.integers(0, 200), st.integers(FIRST - 3, FIRST + 700), st.booleans()), max_size=60
)


@given(WRITES, st.integers(0, 300), st.integers(0, WINDOW_DAYS - 1), st.integers(1, 30))
def test_bitsets_agree_with_a_set_of_nights_also_after_the_window_moved(
    writes: list[tuple[int, int, bool]], days_later: int, start: int, nights: int
) -> None:
    bits, naive = NightBits(FIRST, capacity=64), Naive()
    for ordinal, day, taken in writes:
        bits.grow(ordinal + 1)
        bits.put(ordinal, day, taken=taken)
        naive.put(ordinal, day, taken)
    bits.roll(FIRST + days_later)
    bits.grow(201)
    first = bits.first_day + start
    end = min(first + nights, bits.end_day)
    ordinals = np.arange(201)
    expected = [
        any(day in naive.taken.get(ordinal, ()) for day in range(first, end))
        for ordinal in range(201)
    ]
    assert bits.any_taken(ordinals, first, end).tolist() == expected
    for ordinal in naive.taken:
        kept = sorted(day for day in naive.taken[ordinal] if day >= bits.first_day)
        assert list(bits.taken_days(ordinal)) == kept


@given(WRITES, st.integers(0, 300))
def test_a_bitmap_that_is_loaded_replaces_every_night(
    writes: list[tuple[int, int, bool]], days_later: int
) -> None:
    bits = NightBits(FIRST)
    for _, day, taken in writes:
        bits.put(5, day, taken=taken)
    bits.load(5, FIRST - 8, bytes([0b1, 0b1]) + bytes(80) + bytes([0b1]))
    expected = [FIRST, FIRST - 8 + 82 * 8]
    assert list(bits.taken_days(5)) == expected
    bits.roll(FIRST + days_later)
    assert list(bits.taken_days(5)) == [day for day in expected if day >= bits.first_day]


def test_nights_outside_the_window_are_not_guessed_at() -> None:
    bits = NightBits(FIRST)
    for first, end in ((FIRST - 1, FIRST + 1), (FIRST, FIRST + WINDOW_DAYS + 1), (FIRST, FIRST)):
        with pytest.raises(ValueError, match="window"):
            bits.any_taken(np.array([0]), first, end)


PRICE = st.integers(1, 5_000_000)
LISTINGS = st.builds(
    lambda number, place, **own: listing(
        number, country_code=place[0], state=place[1], city=place[2], **own
    ),
    number=st.integers(0, 9),
    place=st.sampled_from(
        [("PT", "", "Lisbon"), ("US", "NY", "Albany"), ("SG", "", "Singapore"), ("", "", "")]
    ),
    version=st.integers(1, 4),
    active=st.booleans(),
    max_guests=st.integers(1, 6),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    base_price_minor=PRICE,
    weekend_price_minor=st.none() | PRICE,
    cleaning_fee_minor=st.integers(0, 99_999),
    min_nights=st.integers(1, 4),
    max_nights=st.integers(3, 40),
)
CHANGES = st.builds(
    CalendarChange,
    listing_id=st.integers(0, 9).map(listing_id),
    version=st.integers(1, 6),
    nights=st.lists(
        st.builds(
            NightChange,
            day=st.integers(FIRST, FIRST + 20),
            available=st.booleans(),
            price_minor=st.just(0) | PRICE,
        ),
        max_size=8,
    ).map(tuple),
)
STAYS = st.builds(
    lambda start, nights, guests: Stay(
        check_in=date_of(FIRST + start), check_out=date_of(FIRST + start + nights), guests=guests
    ),
    st.integers(0, 20),
    st.integers(1, 12),
    st.integers(1, 6),
)


def expected_total(one: Listing, calendar: Calendar, stay: Stay) -> int | None:
    """Return the total that a quote would say, None when the stay is refused."""
    days = range(stay.first_day, stay.end_day)
    if not one.active or not one.min_nights <= stay.nights <= one.max_nights:
        return None
    if stay.guests > one.max_guests or any(calendar.is_taken(day) for day in days):
        return None
    rates = Rates(
        currency=one.currency,
        base_price_minor=one.base_price_minor,
        weekend_price_minor=one.weekend_price_minor,
        cleaning_fee_minor=one.cleaning_fee_minor,
        overrides={date_of(day): price for day, price in calendar.prices.items()},
        taxes=resolve(one.country_code, one.state, one.city, stay.check_in),
    )
    return price_stay(rates, stay.check_in, stay.check_out, stay.guests).total_minor


@settings(max_examples=200, deadline=None)
@given(st.lists(LISTINGS | CHANGES, max_size=25), STAYS)
def test_what_is_found_and_its_total_are_what_booking_would_say(
    events: list[Listing | CalendarChange], stay: Stay
) -> None:
    state = ShardState(FIRST, capacity=1)
    listings, calendars = dict[str, Listing](), dict[str, Calendar]()
    for event in events:
        key = event.listing_id
        if isinstance(event, Listing):
            news = event.version > (listings[key].version if key in listings else 0)
            assert state.put_listing(key, event.version, Terms.of(event)) == news
            if news:
                listings[key] = event
        else:
            state.change_calendar(event)
            calendars[key] = calendars.get(key, Calendar()).changed(event, FIRST)
    asked = [listing_id(number) for number in range(12)]
    totals = {
        key: total
        for key in asked
        if key in listings
        and (total := expected_total(listings[key], calendars.get(key, Calendar()), stay))
        is not None
    }
    found = state.check(asked, stay)
    assert {asked[one.nth]: one.price.total_minor for one in found} == totals
    assert [one.nth for one in found] == sorted(one.nth for one in found)


@given(st.lists(CHANGES, max_size=12))
def test_a_snapshot_and_the_events_behind_it_end_in_the_same_state(
    changes: list[CalendarChange],
) -> None:
    followed, calendars = ShardState(FIRST), dict[str, Calendar]()
    half = len(changes) // 2
    for number, change in enumerate(changes):
        followed.change_calendar(change)
        if number < half:
            key = change.listing_id
            calendars[key] = calendars.get(key, Calendar()).changed(change, FIRST)
    loaded = ShardState(FIRST)
    for key, calendar in calendars.items():
        loaded.load_calendar(key, calendar)
    for change in changes:  # from the beginning again: versions leave out what was loaded
        loaded.change_calendar(change)
    for number in range(10):
        key = listing_id(number)
        assert loaded.calendar(key) == followed.calendar(key)


def test_a_stay_beyond_the_window_finds_nothing() -> None:
    state = ShardState(FIRST)
    state.put_listing(listing_id(), 1, Terms.of(listing()))
    start = date_of(FIRST)
    for first, last in ((-1, 3), (WINDOW_DAYS - 2, WINDOW_DAYS + 1)):
        stay = Stay(
            check_in=start + timedelta(days=first),
            check_out=start + timedelta(days=last),
            guests=1,
        )
        assert state.check([listing_id()], stay) == []
    assert len(state) == 1


def test_an_unknown_listing_and_an_empty_question_find_nothing() -> None:
    state = ShardState(FIRST)
    stay = Stay(check_in=date_of(FIRST), check_out=date_of(FIRST + 2), guests=1)
    assert state.check([], stay) == []
    assert state.check([listing_id(4)], stay) == []
