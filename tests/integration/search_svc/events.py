"""Synthetic events of listings around a point that no other test looks at."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from staymesh.booking.v1 import listings_pb2 as booking
from staymesh.events.v1 import events_pb2 as pb

from mesh.bus import Outbound, Producer
from mesh.clock import SystemClock, epoch_ms
from mesh.ids import new_id
from pricing import exponent, to_units
from search_svc.domain.days import day_of
from search_svc.domain.place import Point
from search_svc.store.projection import CALENDARS, LISTINGS

NOW = SystemClock().now()
TODAY = NOW.date()


def a_place(chance: random.Random) -> Point:
    """Return a point somewhere on Earth, off the poles and the 180th meridian."""
    return Point(round(chance.uniform(-60, 60), 4), round(chance.uniform(-170, 170), 4))


def some_id(chance: random.Random) -> str:
    return new_id("lst", now_ms=epoch_ms(NOW), entropy=chance.randbytes(9))


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def changed(listing_id: str, version: int, point: Point, **own: Any) -> Outbound:
    """Return a ListingChanged."""
    usual: dict[str, Any] = {
        "listing_id": listing_id,
        "status": booking.LISTING_STATUS_ACTIVE,
        "title": f"Cabin {listing_id[-6:]}",
        "property_type": booking.PROPERTY_TYPE_HOUSE,
        "address": booking.Address(city="Lisbon", country_code="PT"),
        "location": LatLng(latitude=point.lat, longitude=point.lng),
        "max_guests": 4,
        "bedrooms": 2,
        "beds": 3,
        "bathrooms": 1.5,
        "amenities": ["kitchen", "wifi"],
        "base_price": money(12_000, "EUR"),
        "cleaning_fee": money(4_000, "EUR"),
        "min_nights": 1,
        "max_nights": 365,
    }
    message = booking.Listing(**usual | own)
    event = pb.Event(listing_changed=pb.ListingChanged(listing=message, version=version))
    return Outbound(topic=LISTINGS, key=listing_id, payload=event.SerializeToString())


def calendar(listing_id: str, version: int, nights: Sequence[tuple[int, bool, int]]) -> Outbound:
    """Return a CalendarChanged; nights are days from today, available, price in minor units."""
    first = day_of(TODAY)
    message = pb.CalendarChanged(
        listing_id=listing_id,
        version=version,
        nights=[
            pb.CalendarNight(day=first + offset, available=free, price_minor=price)
            for offset, free, price in nights
        ],
    )
    event = pb.Event(calendar_changed=message)
    return Outbound(topic=CALENDARS, key=listing_id, payload=event.SerializeToString())


def money(amount_minor: int, currency: str) -> Money:
    units, nanos = to_units(amount_minor, currency)
    return Money(currency_code=currency, units=units, nanos=nanos)


def minor(amount: Money) -> int:
    scale: int = 10 ** exponent(amount.currency_code)
    total: int = amount.units * scale + amount.nanos * scale // 10**9
    return total


@dataclass
class Village:
    """Listings around one point, and what was told of them."""

    producer: Producer
    chance: random.Random
    point: Point
    ids: list[str] = field(default_factory=list)

    async def tell(self, *records: Outbound) -> None:
        """Publish, and wait until Kafka has it."""
        assert await self.producer.publish(records) == [None] * len(records)

    async def build(self, count: int, **own: Any) -> list[str]:
        """Publish new listings."""
        ids = [some_id(self.chance) for _ in range(count)]
        await self.tell(*(changed(one, 1, self.near(), **own) for one in ids))
        self.ids += ids
        return ids

    def near(self) -> Point:
        """Return a point up to about 3 km away."""
        spread = 0.02
        return Point(
            self.point.lat + self.chance.uniform(-spread, spread),
            self.point.lng + self.chance.uniform(-spread, spread),
        )

    async def take(self, listing_id: str, version: int, first: int, nights: int) -> None:
        """Publish that nights are taken."""
        taken = [(first + n, False, 0) for n in range(nights)]
        await self.tell(calendar(listing_id, version, taken))
