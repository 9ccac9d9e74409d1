"""calendar.csv: one row a listing and night, gathered to one calendar a listing."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial

from stack.imports.fields import price_minor
from stack.imports.rejects import Rejects

FILE = "calendar.csv"
# The columns that are read, in this order; one that a file lacks is empty.
COLUMNS = ("listing_id", "date", "available", "price", "adjusted_price")
NightRow = Sequence[str]
MAX_NIGHTS = 1024


@dataclass(slots=True)
class Nights:
    """The nights of one listing, by their place after the snapshot's first night.

    A bit and eight bytes a night: the largest cities have tens of millions of them.
    """

    unavailable: int = 0
    prices: "array[int]" = field(default_factory=lambda: array("q"))

    def set_price(self, night: int, price: int) -> None:
        """Note the price of a night, in minor units."""
        if night >= len(self.prices):
            self.prices.frombytes(bytes(8 * (night + 1 - len(self.prices))))
        self.prices[night] = price

    def shift(self, by: int) -> None:
        """Move every night `by` places on."""
        self.unavailable <<= by
        if self.prices:
            self.prices = array("q", bytes(8 * by)) + self.prices

    def usual_price(self) -> int | None:
        """Return the price that most nights have; None when no night has one."""
        common = Counter(price for price in self.prices if price).most_common(1)
        return common[0][0] if common else None

    def bitmap(self) -> bytes:
        """Return one bit a night, least significant first; set where it is off the market."""
        return self.unavailable.to_bytes((self.unavailable.bit_length() + 7) // 8, "little")

    def overrides(self, base: int) -> list[int]:
        """Return one price a night, 0 where it is `base` or unknown; empty when all are."""
        own = [0 if price == base else price for price in self.prices]
        while own and not own[-1]:
            own.pop()
        return own


def read_nights(rows: Iterable[NightRow], exponent: int, rejects: Rejects) -> dict[str, Nights]:
    """Gather calendar rows to listings; rows that make no sense are counted in `rejects`.

    A city has a million rows and a few hundred different days and prices, so each is read once.
    """
    nights: dict[str, Nights] = {}
    first: date | None = None
    day_of = cache(_day)
    price_of = cache(partial(_price, exponent=exponent))
    for listing_id, text, available, *prices in rows:
        day = day_of(text)
        if day is None:
            rejects.count(FILE, "wrong_date")
            continue
        if first is None or day < first:
            first = _earlier(first, day, nights)
        offset = (day - first).days
        # adjusted_price is what a night costs after the host's rules; often it is empty.
        price = price_of(prices[1]) or price_of(prices[0])
        reason = _fault(offset, available, price)
        if reason:
            rejects.count(FILE, reason)
            continue
        own = nights.get(listing_id)
        if own is None:
            own = nights[listing_id] = Nights()
        if available == "f":
            own.unavailable |= 1 << offset
        if price:
            own.set_price(offset, price)
    return nights


def _fault(offset: int, available: str, price: int) -> str:
    if offset >= MAX_NIGHTS:
        return "too_far_ahead"
    if available not in ("t", "f"):
        return "wrong_availability"
    return "wrong_price" if price < 0 else ""


def _price(text: str, exponent: int) -> int:
    """Return a price in minor units, 0 where there is none, -1 where it is no price."""
    try:
        return price_minor(text, exponent) or 0
    except ValueError:
        return -1


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _earlier(first: date | None, day: date, nights: dict[str, Nights]) -> date:
    """Move what was read so far when a row turns out to lie before the first night."""
    if first is not None:
        for own in nights.values():
            own.shift((first - day).days)
    return day
