from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    Breakdown,
    InvalidStay,
    NightKind,
    Rates,
    TaxBase,
    TaxRule,
    UnknownCurrency,
    price_stay,
    total_from_accommodation_minor,
    total_minor,
)

MONDAY = date(2027, 3, 1)
PRICES = st.integers(0, 5_000_000)


def nights_from(day: date, count: int) -> date:
    return day + timedelta(days=count)


@st.composite
def rules(draw: st.DrawFn) -> TaxRule:
    return TaxRule(
        name="tax",
        jurisdiction="XX",
        bps=draw(st.integers(0, 3000)),
        base=draw(st.sampled_from(TaxBase)),
        max_nights=draw(st.none() | st.integers(1, 40)),
    )


@st.composite
def rates_of_any_listing(draw: st.DrawFn) -> Rates:
    days = st.integers(-5, 60).map(lambda n: nights_from(MONDAY, n))
    return Rates(
        currency=draw(st.sampled_from(["JPY", "USD", "KWD"])),
        base_price_minor=draw(PRICES),
        weekend_price_minor=draw(st.none() | PRICES),
        overrides=draw(st.dictionaries(days, PRICES, max_size=20)),
        cleaning_fee_minor=draw(PRICES),
        service_fee_bps=draw(st.integers(0, 3000)),
        taxes=tuple(draw(st.lists(rules(), max_size=3))),
    )


STAYS = st.tuples(st.integers(0, 20), st.integers(1, 45)).map(
    lambda s: (nights_from(MONDAY, s[0]), nights_from(MONDAY, s[0] + s[1]))
)


@given(rates_of_any_listing(), STAYS, st.integers(1, 16))
def test_the_lines_sum_to_the_total(rates: Rates, stay: tuple[date, date], guests: int) -> None:
    price = price_stay(rates, *stay, guests)
    assert sum(line.amount_minor for line in price.night_lines) == price.accommodation_minor
    assert price.total_minor == (
        price.accommodation_minor
        + price.cleaning_fee_minor
        + price.service_fee_minor
        + sum(line.amount_minor for line in price.tax_lines)
    )


@given(rates_of_any_listing(), STAYS)
def test_the_fast_total_is_the_total(rates: Rates, stay: tuple[date, date]) -> None:
    price = price_stay(rates, *stay, 2)
    assert total_minor(rates, *stay, 2) == price.total_minor
    accommodation = sum(
        rates.night_price_minor(nights_from(stay[0], n)) for n in range(price.nights)
    )
    assert total_from_accommodation_minor(rates, accommodation, price.nights) == price.total_minor


@given(rates_of_any_listing(), STAYS)
def test_night_lines_are_the_nights_in_order_each_at_its_price(
    rates: Rates, stay: tuple[date, date]
) -> None:
    lines = price_stay(rates, *stay, 2).night_lines
    nights = [nights_from(line.first_night, n) for line in lines for n in range(line.nights)]
    assert nights == [nights_from(stay[0], n) for n in range((stay[1] - stay[0]).days)]
    prices = [line.price_minor for line in lines for _ in range(line.nights)]
    assert prices == [rates.night_price_minor(night) for night in nights]
    for one, next_one in pairwise(lines):
        assert (one.price_minor, one.kind) != (next_one.price_minor, next_one.kind)


@given(rates_of_any_listing(), STAYS)
def test_the_same_input_gives_the_same_price(rates: Rates, stay: tuple[date, date]) -> None:
    assert price_stay(rates, *stay, 2) == price_stay(rates, *stay, 2)


def price(rates: Rates, nights: int, first: date = MONDAY) -> Breakdown:
    return price_stay(rates, first, nights_from(first, nights), 2)


def test_a_week_line_by_line() -> None:
    """Mon-Thu at 100, Wed overridden at 80, Fri and Sat at 150, Sun at 100."""
    wednesday = nights_from(MONDAY, 2)
    tax = TaxRule(name="city", jurisdiction="XX", bps=1000, base=TaxBase.WITH_CLEANING)
    rates = Rates(
        currency="USD",
        base_price_minor=100_00,
        weekend_price_minor=150_00,
        overrides={wednesday: 80_00},
        cleaning_fee_minor=40_00,
        taxes=(tax,),
    )
    week = price(rates, 7)
    assert [(line.nights, line.price_minor, line.kind) for line in week.night_lines] == [
        (2, 100_00, NightKind.BASE),
        (1, 80_00, NightKind.OVERRIDE),
        (1, 100_00, NightKind.BASE),
        (2, 150_00, NightKind.WEEKEND),
        (1, 100_00, NightKind.BASE),
    ]
    assert week.accommodation_minor == 780_00
    assert week.service_fee_minor == 109_20
    assert [line.amount_minor for line in week.tax_lines] == [82_00]
    assert week.total_minor == 780_00 + 40_00 + 109_20 + 82_00


def test_the_weekend_is_friday_and_saturday_night() -> None:
    rates = Rates(currency="USD", base_price_minor=1, weekend_price_minor=2)
    prices = [rates.night_price_minor(nights_from(MONDAY, n)) for n in range(7)]
    assert prices == [1, 1, 1, 1, 2, 2, 1]


def test_an_override_counts_on_a_weekend_too_even_when_it_is_nothing() -> None:
    friday = nights_from(MONDAY, 4)
    rates = Rates(currency="USD", base_price_minor=1, weekend_price_minor=2, overrides={friday: 0})
    assert price(rates, 1, friday).accommodation_minor == 0
    assert total_minor(rates, friday, nights_from(friday, 1), 1) == 0


@pytest.mark.parametrize(
    ("base", "taxed"),
    [
        (TaxBase.ACCOMMODATION, 1000),
        (TaxBase.WITH_CLEANING, 1000 + 300),
        (TaxBase.WITH_FEES, 1000 + 300 + 140),
    ],
)
def test_a_tax_is_a_share_of_its_base(base: TaxBase, taxed: int) -> None:
    rule = TaxRule(name="t", jurisdiction="XX", bps=10_000, base=base)
    rates = Rates(currency="USD", base_price_minor=1000, cleaning_fee_minor=300, taxes=(rule,))
    assert price(rates, 1).taxes_minor == taxed


def test_a_long_stay_is_residence_and_not_taxed() -> None:
    rule = TaxRule(name="t", jurisdiction="XX", bps=1000, max_nights=29)
    rates = Rates(currency="USD", base_price_minor=1000, taxes=(rule,))
    assert price(rates, 29).taxes_minor == 2900
    assert price(rates, 30).tax_lines == ()


@pytest.mark.parametrize(
    ("check_out", "guests", "field"),
    [
        (MONDAY, 1, "check_out"),
        (date(2027, 2, 28), 1, "check_out"),
        (date(2030, 1, 1), 1, "check_out"),
        (date(2027, 3, 2), 0, "guests"),
    ],
)
def test_a_stay_nobody_can_have_is_refused_by_both_ways(
    check_out: date, guests: int, field: str
) -> None:
    rates = Rates(currency="USD", base_price_minor=1)
    for ask in (price_stay, total_minor):
        with pytest.raises(InvalidStay) as caught:
            ask(rates, MONDAY, check_out, guests)
        assert caught.value.violations[0].field == field


def test_rates_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UnknownCurrency):
        Rates(currency="usd", base_price_minor=1)
    with pytest.raises(ValueError, match="negative"):
        Rates(currency="USD", base_price_minor=-1)
    with pytest.raises(ValueError, match="negative"):
        Rates(currency="USD", base_price_minor=1, overrides={MONDAY: -1})
    with pytest.raises(ValueError, match="bps"):
        Rates(currency="USD", base_price_minor=1, service_fee_bps=10_001)
