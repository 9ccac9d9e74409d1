"""Homes that come from elsewhere, in bulk."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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
    if any(price < 0 for price in prices_minor):
        raise ImportRefused("a price is never negative")
    taken = int.from_bytes(unavailable, "little")
    nights = []
    for offset in range(max(taken.bit_length(), len(prices_minor))):
        blocked = taken >> offset & 1
        price = prices_minor[offset] if offset < len(prices_minor) else 0
        if blocked or price:
            nights.append(
                Night(
                    date=start + timedelta(days=offset),
                    status=NightStatus.BLOCKED if blocked else None,
                    price_minor=price or None,
                )
            )
    return nights
