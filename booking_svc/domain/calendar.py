"""The nights of a listing. A night that nobody has touched is free, at the listing's own price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from booking_svc.domain.money import Money
from booking_svc.domain.stay import Stay, nights_between
from mesh.errors import Conflict, Invalid


class NightStatus(StrEnum):
    """Why a night is not free."""

    BLOCKED = "blocked"
    HELD = "held"
    """Held for a guest who is paying."""
    BOOKED = "booked"


class DatesUnavailable(Conflict):
    """Some of the nights are taken."""

    reason = "DATES_UNAVAILABLE"


class DatesRefused(Invalid):
    """The host's dates are reversed, gone by, or too many."""

    reason = "DATES_REFUSED"


class Night(NamedTuple):
    """A night that differs from the default. `price_minor` None is the listing's own price.

    A tuple, because an import makes a million of them.
    """

    date: date
    status: NightStatus | None = None
    booking_id: str = ""
    price_minor: int | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Some nights of a listing as they were at `version`, which grows with each change."""

    listing_id: str
    version: int
    nights: Mapping[date, Night] = field(default_factory=dict)

    def at(self, day: date) -> Night:
        """Return a night."""
        return self.nights.get(day) or Night(date=day)

    @property
    def prices(self) -> Mapping[date, int]:
        """Return the nights that have a price of their own, in minor units."""
        return {
            day: night.price_minor
            for day, night in self.nights.items()
            if night.price_minor is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """Nights of a listing, from `start` to before `end`."""

    listing_id: str
    start: date
    end: date


def check_free(calendar: Calendar, stay: Stay, booking_id: str = "") -> None:
    """Raise DatesUnavailable when a night of the stay is taken by anything but `booking_id`."""
    for day in stay.dates():
        night = calendar.at(day)
        if night.status is not None and (not booking_id or night.booking_id != booking_id):
            raise DatesUnavailable("these nights are not free", metadata={"date": day.isoformat()})


MAX_NIGHTS_PER_CHANGE = 731
"""Two years at once are enough for a host, and few enough for one short transaction."""


def check_range(start: date, end: date, today: date) -> None:
    """Raise DatesRefused unless start to end (not part of it) is a range a host may change.

    Today's night may still be changed; the ones before are history.
    """
    if end <= start:
        raise DatesRefused(
            "end_date must be after start_date", violations=[("end_date", "must be after start")]
        )
    if start < today:
        raise DatesRefused(
            "the past cannot be changed", violations=[("start_date", f"is before today, {today}")]
        )
    if (end - start).days > MAX_NIGHTS_PER_CHANGE or end > today + timedelta(days=3660):
        raise DatesRefused(
            f"at most {MAX_NIGHTS_PER_CHANGE} nights at once, at most ten years ahead",
            violations=[("end_date", "is too far")],
        )


def blocked(calendar: Calendar, start: date, end: date, notes: str) -> Sequence[Night]:
    """Return the nights that change when a host takes a range off the market, all or none.

    Raise DatesUnavailable when a guest has one of them.
    """
    changed = []
    for day in nights_between(start, end):
        night = calendar.at(day)
        if night.status in (NightStatus.HELD, NightStatus.BOOKED):
            raise DatesUnavailable(
                "a guest has one of these nights", metadata={"date": day.isoformat()}
            )
        after = Night(
            date=day, status=NightStatus.BLOCKED, price_minor=night.price_minor, notes=notes
        )
        if after != night:
            changed.append(after)
    return changed


def unblocked(calendar: Calendar, start: date, end: date) -> Sequence[Night]:
    """Return the nights that change when a host puts a range back; guests' nights stay theirs."""
    return [
        Night(date=day, price_minor=calendar.at(day).price_minor)
        for day in nights_between(start, end)
        if calendar.at(day).status is NightStatus.BLOCKED
    ]


def priced(calendar: Calendar, start: date, end: date, price_minor: int | None) -> Sequence[Night]:
    """Return the nights whose price changes; None is back to the listing's own price.

    A booked night takes the new price too: its guest keeps the frozen one, the next one pays this.
    """
    changed = []
    for day in nights_between(start, end):
        night = calendar.at(day)
        if night.price_minor != price_minor:
            changed.append(
                Night(
                    date=day,
                    status=night.status,
                    booking_id=night.booking_id,
                    price_minor=price_minor,
                    notes=night.notes,
                )
            )
    return changed


def taken_by(calendar: Calendar, stay: Stay, booking_id: str, status: NightStatus) -> list[Night]:
    """Return the nights of a stay as they are once it has them."""
    return [
        Night(
            date=day,
            status=status,
            booking_id=booking_id,
            price_minor=calendar.at(day).price_minor,
        )
        for day in stay.dates()
    ]


def freed(calendar: Calendar, booking_id: str) -> list[Night]:
    """Return the nights of a booking as they are once it is over."""
    return [
        Night(date=night.date, price_minor=night.price_minor)
        for night in calendar.nights.values()
        if night.booking_id == booking_id
    ]


class PriceRefused(Invalid):
    """Not a price that a night of this listing can have."""

    reason = "PRICE_REFUSED"


def check_night_price(price: Money, currency: str) -> int:
    """Return the price in minor units; raise PriceRefused when it is none of this listing.

    `currency` is the listing's; empty while it has no price at all.
    """
    if not currency:
        raise PriceRefused(
            "the listing needs a base price first",
            violations=[("price", "the listing has no currency yet")],
        )
    if price.currency != currency:
        raise PriceRefused(
            f"the listing's prices are in {currency}",
            violations=[("price.currency_code", f"must be {currency}")],
        )
    if price.amount_minor <= 0:
        raise PriceRefused("a price is above zero", violations=[("price", "must be above zero")])
    return price.amount_minor
