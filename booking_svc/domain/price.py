"""What a stay costs: priced by `pricing`, kept in the words that guests are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from booking_svc.domain.calendar import Calendar
from booking_svc.domain.listing import Details
from booking_svc.domain.money import Money
from booking_svc.domain.stay import Stay
from mesh.errors import Conflict, FailedPrecondition, Invalid
from pricing import Rates, price_stay, resolve

QUOTE_LIFE: Final = timedelta(minutes=15)
TOLERANCE_PERCENT: Final = 5
"""How far a price may have moved from what the guest saw, without a quote."""


class Nights(NamedTuple):
    """Consecutive nights of one price."""

    first: date
    length: int
    price_minor: int


class Tax(NamedTuple):
    """What one tax comes to."""

    name: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of a stay, line by line, in minor units of `currency`."""

    currency: str
    nights: tuple[Nights, ...]
    accommodation_minor: int
    cleaning_fee_minor: int
    service_fee_minor: int
    taxes: tuple[Tax, ...]

    @property
    def total_minor(self) -> int:
        """Return what the guest pays: the sum of the lines."""
        fees = self.cleaning_fee_minor + self.service_fee_minor
        return self.accommodation_minor + fees + sum(tax.amount_minor for tax in self.taxes)

    def nightly(self) -> Iterator[tuple[date, int]]:
        """Yield each night with its price."""
        for line in self.nights:
            for offset in range(line.length):
                yield line.first + timedelta(days=offset), line.price_minor


class PriceChanged(Conflict):
    """The price has moved too far from what the guest saw; the metadata has the new total."""

    reason = "PRICE_CHANGED"


class CurrencyMismatch(Invalid):
    """The total that the guest saw is in another currency than the price."""

    reason = "CURRENCY_MISMATCH"


class QuoteExpired(FailedPrecondition):
    """The quote is older than 15 minutes, or was never given; ask for a new one."""

    reason = "QUOTE_EXPIRED"


class QuoteMismatch(Invalid):
    """The quote is for another stay."""

    reason = "QUOTE_MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price that holds until `expires_at`."""

    quote_id: str
    listing_id: str
    stay: Stay
    price: Price
    expires_at: datetime


def rates_of(details: Details, calendar: Calendar | None = None, on: date | None = None) -> Rates:
    """Return what a listing charges, with the taxes of a check-in on day `on`.

    The listing must have a base price; published ones do.
    """
    assert details.base_price is not None, "a published listing has a base price"
    address, weekend, cleaning = details.address, details.weekend_price, details.cleaning_fee
    return Rates(
        currency=details.base_price.currency,
        base_price_minor=details.base_price.amount_minor,
        weekend_price_minor=None if weekend is None else weekend.amount_minor,
        cleaning_fee_minor=0 if cleaning is None else cleaning.amount_minor,
        overrides={} if calendar is None else calendar.prices,
        taxes=() if on is None else resolve(address.country_code, address.state, address.city, on),
    )


def price_of(details: Details, calendar: Calendar, stay: Stay) -> Price:
    """Price a stay at a listing; `calendar` covers its nights."""
    rates = rates_of(details, calendar, on=stay.check_in)
    priced = price_stay(rates, stay.check_in, stay.check_out, stay.guests)
    return Price(
        currency=priced.currency,
        nights=tuple(
            Nights(line.first_night, line.nights, line.price_minor) for line in priced.night_lines
        ),
        accommodation_minor=priced.accommodation_minor,
        cleaning_fee_minor=priced.cleaning_fee_minor,
        service_fee_minor=priced.service_fee_minor,
        taxes=tuple(Tax(line.rule.name, line.amount_minor) for line in priced.tax_lines),
    )


def check_agreed(price: Price, agreed: Money) -> None:
    """Raise PriceChanged when the price is more than 5 % from what the guest agreed to.

    Raise CurrencyMismatch when they agreed to another currency, which says nothing of this price.
    """
    if agreed.currency != price.currency:
        raise CurrencyMismatch(
            f"the total is in {price.currency}",
            violations=[("expected_total.currency_code", f"must be {price.currency}")],
        )
    if abs(price.total_minor - agreed.amount_minor) * 100 > agreed.amount_minor * TOLERANCE_PERCENT:
        raise PriceChanged(
            "the price has changed",
            metadata={"total_minor": str(price.total_minor), "currency": price.currency},
        )


def quoted(quote: Quote | None, listing_id: str, stay: Stay, now: datetime) -> Price:
    """Return the price that a quote keeps; raise QuoteExpired or QuoteMismatch."""
    if quote is None or quote.expires_at <= now:
        raise QuoteExpired("the quote has expired; ask for a new one")
    if quote.listing_id != listing_id or quote.stay != stay:
        raise QuoteMismatch(
            "the quote is for another stay",
            violations=[("quote_id", "is for another listing, other dates or guests")],
        )
    return quote.price
