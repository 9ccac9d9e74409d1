"""Homes that come from elsewhere, in bulk."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from booking_svc.domain.calendar import Night, NightStatus
from booking_svc.domain.listing import Listing, ListingStatus, check_complete, check_details
from mesh.errors import Invalid, MeshError
from mesh.ids import BUCKETS, derive_id, parse


class ImportRefused(Invalid):
    """A home of the batch breaks a rule; the metadata names it, and nothing of it was loaded."""

    reason = "IMPORT_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedHome:
    """A listing as its source has it, with those nights that differ from the default."""

    source_id: str
    listing: Listing
    nights: Sequence[Night]


def imported_id(source: str, source_id: str) -> str:
    """Return the id that a home always gets, so that loading it twice meets the same row."""
    seed = f"{source}|{source_id}"
    bucket = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2]) % BUCKETS
    return derive_id("lst", now_ms=0, bucket=bucket, seed=seed)


def check_imported(home: ImportedHome) -> ImportedHome:
    """Return a home that can be shown and booked; raise ImportRefused with why it cannot."""
    listing = home.listing
    try:
        parse(listing.host_id, "usr")
        check_details(listing.details)
        if listing.status is ListingStatus.ACTIVE:
            check_complete(listing.details)
    except MeshError as error:
        raise ImportRefused(
            f"{home.source_id}: {error.message}",
            metadata={"source_id": home.source_id},
            violations=error.violations,
        ) from error
    return home


def imported_nights(start: date, unavailable: bytes, prices_minor: Sequence[int]) -> list[Night]:
    """Return the nights that differ from the default.

    `unavailable` has one bit a night from `start`, least significant first; `prices_minor` one
    price a night, 0 for the listing's own. Raise ImportRefused for a price below zero.
    """
    bits = int.from_bytes(unavailable, "little")
    length = max(bits.bit_length(), len(prices_minor))
    prices = [*prices_minor, *[0] * (length - len(prices_minor))]
    if min(prices, default=0) < 0:
        raise ImportRefused("a price is never negative")
    first, blocked = start.toordinal(), NightStatus.BLOCKED
    return [
        Night(date.fromordinal(first + offset), blocked if bit else None, "", price or None)
        for offset, (bit, price) in enumerate(zip(_each_bit(bits, length), prices, strict=True))
        if bit or price
    ]


def _each_bit(bits: int, length: int) -> Iterator[bool]:
    """Yield `length` bits, least significant first."""
    return (digit == "1" for digit in reversed(f"{bits:0{length}b}"[:length]))
