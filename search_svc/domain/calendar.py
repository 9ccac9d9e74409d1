"""The nights of a listing, compact: a bitmap of those that are taken, and the prices of some.

A night that nobody has touched is free, at the listing's own price. Nights gone by fall off when
the calendar is next changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class NightChange(NamedTuple):
    """A night as it is now. `price_minor` 0 is the listing's own price."""

    day: int
    available: bool
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChange:
    """What one version of a listing's calendar changed."""

    listing_id: str
    version: int
    nights: tuple[NightChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The nights of a listing as of `version`; 0 before anything was heard.

    Bit n of `taken` is the night `first_day + n`.
    """

    version: int = 0
    first_day: int = 0
    taken: int = 0
    prices: Mapping[int, int] = field(default_factory=dict)

    def is_taken(self, day: int) -> bool:
        """Return whether the night cannot be had."""
        return day >= self.first_day and bool(self.taken >> (day - self.first_day) & 1)

    def since(self, day: int) -> "Calendar":
        """Return the calendar without the nights before `day`."""
        if day <= self.first_day:
            return self
        return Calendar(
            version=self.version,
            first_day=day,
            taken=self.taken >> (day - self.first_day),
            prices={d: price for d, price in self.prices.items() if d >= day},
        )

    def changed(self, change: CalendarChange, first_day: int) -> "Calendar":
        """Return the calendar after a change, from `first_day` on.

        A change that is not newer than the calendar was in it already, and changes nothing.
        """
        if change.version <= self.version:
            return self
        kept = self.since(first_day)
        taken, prices = kept.taken, dict(kept.prices)
        for night in change.nights:
            if night.day < kept.first_day:
                continue
            bit = 1 << (night.day - kept.first_day)
            taken = taken & ~bit if night.available else taken | bit
            if night.price_minor:
                prices[night.day] = night.price_minor
            else:
                prices.pop(night.day, None)
        return Calendar(
            version=change.version, first_day=kept.first_day, taken=taken, prices=prices
        )

    def taken_bytes(self) -> bytes:
        """Return the bitmap as bytes, least significant bit first, no longer than it must be."""
        return self.taken.to_bytes((self.taken.bit_length() + 7) // 8, "little")
