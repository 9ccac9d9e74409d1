from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    InexactMoney,
    UnknownCurrency,
    exponent,
    from_decimal,
    from_units,
    share_minor,
    to_decimal,
    to_units,
)

CURRENCIES = st.sampled_from(["JPY", "USD", "EUR", "SGD", "KWD", "CLF"])
AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("KRW", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)]
)
def test_a_minor_unit_has_the_decimals_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("currency", ["", "usd", "US", "ZZZ", "XAU", "XXX", "USD "])
def test_what_cannot_be_paid_in_is_no_currency(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        exponent(currency)


@given(AMOUNTS, CURRENCIES)
def test_units_and_nanos_round_trip(amount: int, currency: str) -> None:
    units, nanos = to_units(amount, currency)
    assert units * nanos >= 0
    assert from_units(units, nanos, currency) == amount


@given(AMOUNTS, CURRENCIES)
def test_decimals_round_trip(amount: int, currency: str) -> None:
    decimal = to_decimal(amount, currency)
    assert -decimal.as_tuple().exponent == exponent(currency)  # type: ignore[operator]
    assert from_decimal(decimal, currency) == amount


@pytest.mark.parametrize(
    ("units", "nanos", "currency"),
    [
        (1, 5_000_000, "USD"),  # half a cent
        (1, 1, "KWD"),
        (1, 500_000_000, "JPY"),
        (1, 1_000_000_000, "USD"),
        (1, -10_000_000, "USD"),
        (-1, 10_000_000, "USD"),
    ],
)
def test_units_and_nanos_that_are_no_amount_are_refused(
    units: int, nanos: int, currency: str
) -> None:
    with pytest.raises(InexactMoney):
        from_units(units, nanos, currency)


@pytest.mark.parametrize("text", ["1.005", "0.001", "NaN", "Infinity", "1e999999", "1e-999999"])
def test_a_decimal_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InexactMoney):
        from_decimal(Decimal(text), "USD")


def test_a_decimal_with_idle_zeros_is_exact() -> None:
    assert from_decimal(Decimal("1234.5000"), "USD") == 123450
    assert from_decimal(Decimal("1E+3"), "JPY") == 1000


@pytest.mark.parametrize(
    ("amount", "bps", "share"), [(100, 1400, 14), (25, 200, 1), (24, 200, 0), (0, 1400, 0)]
)
def test_half_a_minor_unit_is_rounded_up(amount: int, bps: int, share: int) -> None:
    assert share_minor(amount, bps) == share


@given(st.integers(0, 10**15), st.integers(0, 10_000))
def test_a_share_is_within_half_a_minor_unit_of_exact(amount: int, bps: int) -> None:
    assert -10_000 < 2 * (share_minor(amount, bps) * 10_000 - amount * bps) <= 10_000
