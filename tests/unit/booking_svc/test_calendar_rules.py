"""Nights: free unless somebody has them, priced as the listing unless the host says otherwise."""

from datetime import date, timedelta

import pytest

from booking_svc.domain.calendar import (
    Calendar,
    DatesRefused,
    DatesUnavailable,
    Night,
    NightStatus,
    PriceRefused,
    blocked,
    check_free,
    check_night_price,
    check_range,
    freed,
    priced,
    taken_by,
    unblocked,
)
from booking_svc.domain.money import Money
from tests.unit.booking_svc.homes import BOOKING, LISTING, STAY

FIRST = STAY.check_in
END = STAY.check_out


def calendar(*nights: Night) -> Calendar:
    return Calendar(listing_id=LISTING, version=4, nights={n.date: n for n in nights})


def taken(day: date, status: NightStatus = NightStatus.BOOKED, booking_id: str = BOOKING) -> Night:
    return Night(date=day, status=status, booking_id=booking_id, price_minor=5)


BLOCKED = Night(date=FIRST, status=NightStatus.BLOCKED, notes="paint")


def test_an_untouched_calendar_is_free() -> None:
    check_free(calendar(), STAY)
    check_free(calendar(Night(date=FIRST, price_minor=7)), STAY)
    check_free(calendar(taken(END)), STAY)  # the night of check-out is not part of the stay


@pytest.mark.parametrize("night", [BLOCKED, taken(FIRST), taken(FIRST, NightStatus.HELD)])
def test_a_taken_night_is_not_free(night: Night) -> None:
    with pytest.raises(DatesUnavailable) as refused:
        check_free(calendar(night), STAY, "bkg_another")
    assert refused.value.metadata == {"date": FIRST.isoformat()}


def test_ones_own_held_nights_are_free_for_oneself() -> None:
    check_free(calendar(taken(FIRST, NightStatus.HELD)), STAY, BOOKING)


def test_blocking_is_refused_over_a_guest_and_keeps_prices() -> None:
    with pytest.raises(DatesUnavailable):
        blocked(calendar(taken(FIRST + timedelta(days=1))), FIRST, END, "")
    changed = blocked(
        calendar(BLOCKED, Night(date=FIRST + timedelta(days=1), price_minor=7)), FIRST, END, "paint"
    )
    assert [(n.date, n.price_minor) for n in changed] == [
        (FIRST + timedelta(days=1), 7),
        (FIRST + timedelta(days=2), None),
    ]


def test_unblocking_leaves_guests_nights_alone() -> None:
    changed = unblocked(calendar(BLOCKED, taken(FIRST + timedelta(days=1))), FIRST, END)
    assert changed == [Night(date=FIRST)]


def test_a_price_changes_only_nights_that_cost_something_else() -> None:
    booked = taken(FIRST + timedelta(days=1))
    changed = priced(calendar(Night(date=FIRST, price_minor=9), booked), FIRST, END, 9)
    assert [n.date for n in changed] == [booked.date, FIRST + timedelta(days=2)]
    assert (changed[0].status, changed[0].booking_id) == (booked.status, booked.booking_id)
    assert priced(calendar(Night(date=FIRST, price_minor=9)), FIRST, END, None) == [
        Night(date=FIRST)
    ]


def test_what_a_stay_takes_it_gives_back_with_its_price() -> None:
    before = calendar(Night(date=FIRST, price_minor=9))
    held = taken_by(before, STAY, BOOKING, NightStatus.HELD)
    assert [n.price_minor for n in held] == [9, None, None]
    others = taken(END, booking_id="bkg_another")
    assert freed(calendar(*held, others), BOOKING) == [
        Night(date=day, price_minor=before.at(day).price_minor) for day in STAY.dates()
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (2, 1), (-1, 3), (0, 732), (3660, 3661)],
)
def test_ranges_that_make_no_sense_are_refused(start: int, end: int) -> None:
    with pytest.raises(DatesRefused):
        check_range(FIRST + timedelta(days=start), FIRST + timedelta(days=end), FIRST)


def test_tonight_may_be_changed() -> None:
    check_range(FIRST, FIRST + timedelta(days=731), FIRST)


@pytest.mark.parametrize(
    ("price", "currency"),
    [(Money(5, "EUR"), "USD"), (Money(0, "USD"), "USD"), (Money(5, "USD"), "")],
)
def test_a_nights_price_is_above_zero_in_the_listings_currency(price: Money, currency: str) -> None:
    with pytest.raises(PriceRefused):
        check_night_price(price, currency)
    assert check_night_price(Money(5, "USD"), "USD") == 5
