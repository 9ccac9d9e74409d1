"""Money as integers in minor units, and its exact conversions.

Exponents are those of ISO 4217 as published (package `iso4217`): 0 for JPY, 2 for USD, 3 for KWD.
Nothing here rounds except `share_minor`, and that says how.
"""

from decimal import Decimal
from typing import NamedTuple

from iso4217 import Currency

from mesh.errors import Invalid

_EXPONENTS: dict[str, int] = {c.code: c.exponent for c in Currency if c.exponent is not None}
_SCALES: dict[str, int] = {code: int("1" + "0" * n) for code, n in _EXPONENTS.items()}
_NANOS = 1_000_000_000


class UnknownCurrency(Invalid):
    """Not a currency of ISO 4217 that can be paid in."""

    reason = "UNKNOWN_CURRENCY"


class InexactMoney(Invalid):
    """An amount that the currency's minor unit cannot express, or malformed units and nanos."""

    reason = "INEXACT_MONEY"


class Units(NamedTuple):
    """The `units` and `nanos` of google.type.Money; they never differ in sign."""

    units: int
    nanos: int


def exponent(currency: str) -> int:
    """Return how many decimals the currency's minor unit has; raise UnknownCurrency."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(
            "an ISO 4217 currency code is needed", metadata={"currency": currency[:16]}
        ) from None


def to_units(amount_minor: int, currency: str) -> Units:
    """Split minor units into whole units and nanos; exact."""
    scale = _scale(currency)
    units, minor = divmod(abs(amount_minor), scale)
    nanos = minor * (_NANOS // scale)
    return Units(-units, -nanos) if amount_minor < 0 else Units(units, nanos)


def from_units(units: int, nanos: int, currency: str) -> int:
    """Join whole units and nanos into minor units.

    Raise InexactMoney when nanos are out of range, differ in sign from units, or are finer than
    the minor unit.
    """
    scale = _scale(currency)
    if not -_NANOS < nanos < _NANOS or (units > 0 > nanos) or (units < 0 < nanos):
        raise InexactMoney("nanos must be of the sign of units and less than one unit")
    minor, rest = divmod(abs(nanos), _NANOS // scale)
    if rest:
        raise _too_fine(currency)
    return units * scale + (-minor if nanos < 0 else minor)


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Return the amount in whole units, with the currency's number of decimals; exact."""
    # Built from digits: arithmetic would round to the context's 28 digits.
    digits = tuple(map(int, str(abs(amount_minor))))
    return Decimal((int(amount_minor < 0), digits, -exponent(currency)))


def from_decimal(amount: Decimal, currency: str) -> int:
    """Return minor units for an amount in whole units.

    Raise InexactMoney if it is finer than the minor unit, not finite, or absurd.
    """
    scale = _scale(currency)
    # Bounded before it is expanded: "1e999999" is a short text and a long integer.
    if not amount.is_finite() or len(amount.as_tuple().digits) > 30 or abs(amount.adjusted()) > 30:
        raise InexactMoney("an amount is a number of at most 30 digits")
    numerator, denominator = amount.as_integer_ratio()
    minor, rest = divmod(numerator * scale, denominator)
    if rest:
        raise _too_fine(currency)
    return minor


def share_minor(amount_minor: int, bps: int) -> int:
    """Return `bps` ten-thousandths of an amount of 0 or more, halves rounded up."""
    return (amount_minor * bps + 5_000) // 10_000


def _scale(currency: str) -> int:
    exponent(currency)
    return _SCALES[currency]


def _too_fine(currency: str) -> InexactMoney:
    return InexactMoney(
        f"{currency} has {exponent(currency)} decimals and the amount has more",
        metadata={"currency": currency},
    )
