"""Amounts as Stripe counts them: https://docs.stripe.com/currencies.

Its units are those of ISO 4217, but for the few currencies named here.
"""

from typing import Final

from payments_svc.clients.processor import NotChargeable
from payments_svc.domain.money import Money
from pricing import exponent

_DECIMALS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}
"""ISO has 0, 0 and 2: two that Stripe once counted in hundredths, and one it counts whole."""


def to_stripe(amount: Money) -> int:
    """Return the amount in Stripe's units; raise NotChargeable, UnknownCurrency."""
    factor, divisor = _scales(amount.currency)
    units, rest = divmod(amount.amount_minor * factor, divisor)
    step = 10 if _decimals(amount.currency) == 3 else 1
    if rest or units % step:
        raise NotChargeable(
            "the amount is finer than the processor takes it",
            metadata={"currency": amount.currency},
        )
    return units


def from_stripe(units: int, currency: str) -> Money:
    """Return an amount that Stripe told, `currency` in its lower case."""
    currency = currency.upper()
    factor, divisor = _scales(currency)
    return Money(units * divisor // factor, currency)


def _decimals(currency: str) -> int:
    return _DECIMALS.get(currency, exponent(currency))


def _scales(currency: str) -> tuple[int, int]:
    shift = _decimals(currency) - exponent(currency)
    scale = int("1" + "0" * abs(shift))
    return (scale, 1) if shift >= 0 else (1, scale)
