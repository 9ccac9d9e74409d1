"""Prices, quotes, and what a guest agreed to."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from booking_svc.domain.calendar import Calendar, Night
from booking_svc.domain.money import Money
from booking_svc.domain.month import Month, MonthInvalid, Shown, month_view
from booking_svc.domain.price import (
    CurrencyMismatch,
    Price,
    PriceChanged,
    Quote,
    QuoteExpired,
    QuoteMismatch,
    check_agreed,
    price_of,
    quoted,
)
from booking_svc.domain.stay import Stay
from booking_svc.store.prices import json_of
from booking_svc.store.prices import price_of as price_from_json
from tests.unit.booking_svc.homes import BOOKING, DETAILS, LISTING, NOW, STAY

FREE = Calendar(listing_id=LISTING, version=0)
TUESDAY = STAY.check_in + timedelta(days=1)
WITH_OVERRIDE = Calendar(
    listing_id=LISTING, version=1, nights={TUESDAY: Night(date=TUESDAY, price_minor=150_00)}
)


def test_a_price_is_nights_cleaning_service_and_the_places_taxes() -> None:
    price = price_of(DETAILS, WITH_OVERRIDE, STAY)
    assert list(price.nightly()) == [
        (STAY.check_in, 100_00),
        (TUESDAY, 150_00),
        (TUESDAY + timedelta(days=1), 100_00),
    ]
    assert (price.accommodation_minor, price.cleaning_fee_minor) == (350_00, 50_00)
    assert price.service_fee_minor == 49_00  # 14 % of the nights
    assert [tax.amount_minor for tax in price.taxes] == [16_00, 16_00]  # New York: 4 % and 4 %
    assert price.total_minor == 481_00


def test_a_price_survives_being_stored() -> None:
    price = price_of(DETAILS, WITH_OVERRIDE, STAY)
    assert price_from_json(json_of(price)) == price


@pytest.mark.parametrize("minor", [481_00, 458_10, 506_31])
def test_a_price_within_five_percent_of_what_was_seen_is_taken(minor: int) -> None:
    check_agreed(price_of(DETAILS, WITH_OVERRIDE, STAY), Money(minor, "USD"))


@pytest.mark.parametrize("minor", [458_09, 506_32, 0, -481_00])
def test_a_price_that_moved_more_is_refused_with_the_new_one(minor: int) -> None:
    with pytest.raises(PriceChanged) as refused:
        check_agreed(price_of(DETAILS, WITH_OVERRIDE, STAY), Money(minor, "USD"))
    assert refused.value.metadata == {"total_minor": "48100", "currency": "USD"}


def test_agreeing_in_another_currency_is_agreeing_to_nothing() -> None:
    with pytest.raises(CurrencyMismatch):
        check_agreed(price_of(DETAILS, FREE, STAY), Money(432_00, "EUR"))


@pytest.fixture
def price() -> Price:
    return price_of(DETAILS, FREE, STAY)


@pytest.fixture
def quote(price: Price) -> Quote:
    expires_at = NOW + timedelta(minutes=15)
    return Quote(
        quote_id="quo_1", listing_id=LISTING, stay=STAY, price=price, expires_at=expires_at
    )


def test_a_quote_holds_its_price_until_it_expires(quote: Quote) -> None:
    just_before = quote.expires_at - timedelta(microseconds=1)
    assert quoted(quote, LISTING, STAY, just_before) is quote.price
    with pytest.raises(QuoteExpired):
        quoted(quote, LISTING, STAY, quote.expires_at)
    with pytest.raises(QuoteExpired):
        quoted(None, LISTING, STAY, NOW)


@pytest.mark.parametrize(
    ("listing_id", "stay"),
    [
        (BOOKING, STAY),
        (LISTING, replace(STAY, guests=3)),
        (LISTING, replace(STAY, check_out=date(2026, 7, 10))),
    ],
)
def test_a_quote_is_for_one_stay(quote: Quote, listing_id: str, stay: Stay) -> None:
    with pytest.raises(QuoteMismatch):
        quoted(quote, listing_id, stay, NOW)


def test_a_month_shows_each_night_with_its_price() -> None:
    july = Month.of("2026-07")
    view = month_view(DETAILS, WITH_OVERRIDE, july, today=date(2026, 7, 3))
    assert len(view.nights) == 31
    assert [n.status for n in view.nights[:3]] == [Shown.PAST, Shown.PAST, Shown.AVAILABLE]
    assert view.nights[TUESDAY.day - 1].price_minor == 150_00
    assert view.nights[30].price_minor == 100_00
    unpriced = month_view(replace(DETAILS, base_price=None), FREE, july, today=date(2026, 7, 1))
    assert {n.price_minor for n in unpriced.nights} == {None}


@pytest.mark.parametrize("text", ["0000-01", "9999-12", "2026-13"])
def test_a_month_that_no_calendar_reaches_is_refused(text: str) -> None:
    with pytest.raises(MonthInvalid):
        Month.of(text)


def test_december_ends_in_january() -> None:
    assert Month.of("2026-12").end == date(2027, 1, 1)
    assert str(Month.of("2026-02")) == "2026-02"
