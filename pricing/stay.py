"""Price a stay: `price_stay` line by line, `total_minor` for when only the sum is asked for.

Every line is rounded by itself, halves up, and the total is the sum of the lines, so what a guest
adds up by hand is what the guest pays.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from mesh.errors import Invalid
from pricing.money import share_minor
from pricing.rates import FRIDAY, SATURDAY, Rates, is_weekend
from pricing.taxes import TaxRule

MAX_NIGHTS = 731
_ONE_DAY = timedelta(days=1)


class InvalidStay(Invalid):
    """Dates or guests that no stay can have, whatever the listing."""

    reason = "INVALID_STAY"


class NightKind(StrEnum):
    """Why a night has its price."""

    BASE = "base"
    WEEKEND = "weekend"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightLine:
    """Consecutive nights of one price and kind."""

    first_night: date
    nights: int
    price_minor: int
    kind: NightKind

    @property
    def amount_minor(self) -> int:
        """Return the price of all its nights."""
        return self.nights * self.price_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """What one tax comes to."""

    rule: TaxRule
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The price of a stay, line by line, in minor units of `currency`."""

    currency: str
    nights: int
    night_lines: tuple[NightLine, ...]
    accommodation_minor: int
    cleaning_fee_minor: int
    service_fee_minor: int
    tax_lines: tuple[TaxLine, ...]

    @property
    def taxes_minor(self) -> int:
        """Return the sum of the taxes."""
        return sum(line.amount_minor for line in self.tax_lines)

    @property
    def total_minor(self) -> int:
        """Return what the guest pays: the sum of the lines."""
        return (
            self.accommodation_minor
            + self.cleaning_fee_minor
            + self.service_fee_minor
            + self.taxes_minor
        )


def price_stay(rates: Rates, check_in: date, check_out: date, guests: int) -> Breakdown:
    """Price the nights from `check_in` to the one before `check_out`.

    Dates are the listing's local calendar. Raise InvalidStay for reversed or empty dates, more
    than 731 nights, or fewer than one guest.
    """
    nights = _count_nights(check_in, check_out, guests)
    night_lines = _night_lines(rates, check_in, nights)
    accommodation = sum(line.amount_minor for line in night_lines)
    service_fee = share_minor(accommodation, rates.service_fee_bps)
    return Breakdown(
        currency=rates.currency,
        nights=nights,
        night_lines=night_lines,
        accommodation_minor=accommodation,
        cleaning_fee_minor=rates.cleaning_fee_minor,
        service_fee_minor=service_fee,
        tax_lines=_tax_lines(rates, nights, accommodation, service_fee),
    )


def total_minor(rates: Rates, check_in: date, check_out: date, guests: int) -> int:
    """Return `price_stay(...).total_minor` without visiting every night; same errors."""
    nights = _count_nights(check_in, check_out, guests)
    accommodation = nights * rates.base_price_minor
    if rates.weekend_price_minor is not None:
        extra = rates.weekend_price_minor - rates.base_price_minor
        accommodation += extra * _weekend_nights(check_in, nights)
    for night, price in rates.overrides.items():
        if check_in <= night < check_out:
            accommodation += price - rates.usual_price_minor(night)
    return total_from_accommodation_minor(rates, accommodation, nights)


def total_from_accommodation_minor(rates: Rates, accommodation_minor: int, nights: int) -> int:
    """Add fees and taxes to a sum of night prices: for search, which keeps a price per night.

    Of `rates` it reads only the fees and the taxes.
    """
    service_fee = share_minor(accommodation_minor, rates.service_fee_bps)
    total = accommodation_minor + rates.cleaning_fee_minor + service_fee
    for line in _tax_lines(rates, nights, accommodation_minor, service_fee):
        total += line.amount_minor
    return total


def _count_nights(check_in: date, check_out: date, guests: int) -> int:
    nights = (check_out - check_in).days
    if nights < 1:
        raise InvalidStay(
            "the stay must end after it begins",
            violations=[("check_out", "must be later than check_in")],
        )
    if nights > MAX_NIGHTS:
        raise InvalidStay(
            f"a stay is {MAX_NIGHTS} nights at most",
            violations=[("check_out", f"at most {MAX_NIGHTS} nights after check_in")],
        )
    if guests < 1:
        raise InvalidStay("somebody must stay", violations=[("guests", "must be 1 or more")])
    return nights


def _night_lines(rates: Rates, check_in: date, nights: int) -> tuple[NightLine, ...]:
    lines: list[NightLine] = []
    first, count, current = check_in, 0, _night(rates, check_in)
    for offset in range(nights):
        night = check_in + offset * _ONE_DAY
        this = _night(rates, night)
        if this != current:
            lines.append(_line(first, count, current))
            first, count, current = night, 0, this
        count += 1
    return (*lines, _line(first, count, current))


def _night(rates: Rates, night: date) -> tuple[int, NightKind]:
    if night in rates.overrides:
        kind = NightKind.OVERRIDE
    elif rates.weekend_price_minor is not None and is_weekend(night):
        kind = NightKind.WEEKEND
    else:
        kind = NightKind.BASE
    return rates.night_price_minor(night), kind


def _line(first: date, nights: int, priced: tuple[int, NightKind]) -> NightLine:
    return NightLine(first_night=first, nights=nights, price_minor=priced[0], kind=priced[1])


def _tax_lines(
    rates: Rates, nights: int, accommodation: int, service_fee: int
) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(
            rule=rule,
            amount_minor=share_minor(
                rule.base_minor(accommodation, rates.cleaning_fee_minor, service_fee), rule.bps
            ),
        )
        for rule in rates.taxes
        if rule.applies_to(nights)
    )


def _weekend_nights(check_in: date, nights: int) -> int:
    weeks, rest = divmod(nights, 7)
    first = check_in.weekday()
    return 2 * weeks + sum((first + i) % 7 in (FRIDAY, SATURDAY) for i in range(rest))
