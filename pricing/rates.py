"""What a listing charges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from pricing.money import exponent
from pricing.taxes import TaxRule

FRIDAY, SATURDAY = 4, 5
SERVICE_FEE_BPS = 1400
"""The guest's service fee: 14 % of the accommodation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The prices and fees of one listing, in minor units of `currency`.

    A night costs its override if it has one, else on Friday and Saturday the weekend price if
    there is one, else the base price. Raise ValueError for a negative amount and UnknownCurrency
    for a currency that is none.
    """

    currency: str
    base_price_minor: int
    weekend_price_minor: int | None = None
    overrides: Mapping[date, int] = field(default_factory=lambda: MappingProxyType({}))
    """Price of single nights, by the date of the evening."""
    cleaning_fee_minor: int = 0
    service_fee_bps: int = SERVICE_FEE_BPS
    taxes: tuple[TaxRule, ...] = ()
    """The rules resolved for the listing's place and the day of check-in."""

    def __post_init__(self) -> None:
        exponent(self.currency)
        amounts = (self.base_price_minor, self.weekend_price_minor or 0, self.cleaning_fee_minor)
        if min(amounts) < 0 or min(self.overrides.values(), default=0) < 0:
            raise ValueError("a price is never negative")
        if not 0 <= self.service_fee_bps <= 10_000:
            raise ValueError(f"a fee is from 0 to 10000 bps, not {self.service_fee_bps}")

    def usual_price_minor(self, night: date) -> int:
        """Return the price of a night without its override."""
        if self.weekend_price_minor is not None and is_weekend(night):
            return self.weekend_price_minor
        return self.base_price_minor

    def night_price_minor(self, night: date) -> int:
        """Return the price of a night, named by the date of its evening."""
        override = self.overrides.get(night)
        return self.usual_price_minor(night) if override is None else override


def is_weekend(night: date) -> bool:
    """Return whether the night begins on a Friday or a Saturday."""
    return night.weekday() in (FRIDAY, SATURDAY)
