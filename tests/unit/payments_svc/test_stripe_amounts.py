"""Amounts as Stripe counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments_svc.clients.processor import NotChargeable
from payments_svc.clients.stripe_amounts import from_stripe, to_stripe
from payments_svc.domain.money import Money
from pricing import UnknownCurrency


@pytest.mark.parametrize(
    ("minor", "currency", "units"),
    [
        (1234, "USD", 1234),
        (1234, "JPY", 1234),
        (1230, "KWD", 1230),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (1200, "MGA", 12),
    ],
)
def test_an_amount_is_what_stripe_means_by_it(minor: int, currency: str, units: int) -> None:
    assert to_stripe(Money(minor, currency)) == units
    assert from_stripe(units, currency.lower()) == Money(minor, currency)


@pytest.mark.parametrize(("minor", "currency"), [(1234, "KWD"), (1250, "MGA")])
def test_an_amount_finer_than_stripe_takes_it_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(NotChargeable):
        to_stripe(Money(minor, currency))


def test_a_currency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        to_stripe(Money(1, "XXY"))


@given(st.integers(0, 10**9), st.sampled_from(["USD", "JPY", "EUR", "ISK", "UGX", "CLP"]))
def test_there_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    assert from_stripe(to_stripe(Money(minor, currency)), currency.lower()).amount_minor == minor
