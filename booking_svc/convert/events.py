"""What we tell the others: events as they go into the outbox."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from staymesh.events.v1 import events_pb2 as pb

from booking_svc.convert.bookings import booking as booking_message
from booking_svc.convert.listings import listing as listing_message
from booking_svc.convert.values import timestamp
from booking_svc.domain.booking import Booking
from booking_svc.domain.calendar import Night
from booking_svc.domain.listing import Listing
from mesh.clock import epoch_ms
from mesh.ids import bucket_of, derive_id

_TOPIC_OF: Final = {
    "listing": "staymesh.listings",
    "calendar": "staymesh.calendars",
    "booking": "staymesh.bookings",
}
"""By the first word of an event's kind."""
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEvent:
    """One record for the outbox; `key` is the aggregate whose story it is a part of."""

    topic: str
    key: str
    kind: str
    payload: bytes


def listing_changed(listing: Listing, kind: str, now: datetime) -> OutboundEvent:
    """Tell the listing as it is now. Its exact point is for our own services' eyes."""
    location = listing.details.location
    changed = pb.ListingChanged(
        listing=listing_message(listing, exact=False),
        version=listing.version,
        lat=0.0 if location is None else location.lat,
        lng=0.0 if location is None else location.lng,
    )
    event = pb.Event(listing_changed=changed)
    return _event(kind, listing.listing_id, str(listing.version), now, event)


def calendar_changed(
    listing_id: str, version: int, nights: Iterable[Night], now: datetime
) -> OutboundEvent:
    """Tell nights as they are at `version` of the listing's calendar."""
    changed = pb.CalendarChanged(
        listing_id=listing_id,
        version=version,
        nights=[
            pb.CalendarNight(
                day=night.date.toordinal() - _EPOCH_DAY,
                available=night.status is None,
                price_minor=night.price_minor or 0,
            )
            for night in nights
        ],
    )
    event = pb.Event(calendar_changed=changed)
    return _event("calendar.changed", listing_id, str(version), now, event)


def booking_changed(booking: Booking, kind: str) -> OutboundEvent:
    """Tell the booking as it is now; `kind` as "booking.confirmed"."""
    changed = pb.BookingChanged(booking=booking_message(booking))
    event = pb.Event(booking_changed=changed)
    at = booking.updated_at
    return _event(kind, booking.booking_id, at.isoformat(), at, event)


def _event(kind: str, key: str, version: str, now: datetime, event: pb.Event) -> OutboundEvent:
    """Finish an event. Its id is made of what it tells, so telling it again is the same event."""
    event.event_id = derive_id(
        "evt", now_ms=epoch_ms(now), bucket=bucket_of(key), seed=f"{kind}|{key}|{version}"
    )
    event.kind = kind
    event.aggregate_id = key
    event.occur_time.CopyFrom(timestamp(now))
    topic = _TOPIC_OF[kind.partition(".")[0]]
    return OutboundEvent(topic=topic, key=key, kind=kind, payload=event.SerializeToString())
