"""What events mean to search."""

import pytest
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from staymesh.booking.v1 import listings_pb2 as booking
from staymesh.events.v1 import events_pb2 as events

from mesh.bus import Message
from mesh.errors import Invalid
from search_svc import convert
from search_svc.domain.calendar import CalendarChange, NightChange
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Listing, PropertyType
from search_svc.domain.place import Point
from search_svc.events import Events
from tests.unit.search_svc.makers import listing_id


def changed(**own: object) -> events.Event:
    usual: dict[str, object] = {
        "listing_id": listing_id(1),
        "status": booking.LISTING_STATUS_ACTIVE,
        "title": "Loft",
        "property_type": booking.PROPERTY_TYPE_ROOM,
        "location": LatLng(latitude=1.5, longitude=2.5),
        "base_price": Money(currency_code="EUR", units=12, nanos=500_000_000),
        "amenities": ["wifi", "kitchen"],
    }
    message = booking.Listing(**usual | own)  # type: ignore[arg-type]
    return events.Event(
        listing_changed=events.ListingChanged(listing=message, version=7, lat=1.4999, lng=2.5001)
    )


def read(event: events.Event) -> Listing | CalendarChange | None:
    return convert.news(event.SerializeToString())


def test_a_listing_is_read_with_defaults_and_only_its_public_point() -> None:
    one = read(changed(title="Lo\0ft"))
    assert isinstance(one, Listing)
    assert (one.version, one.active, one.title) == (7, True, "Loft")
    assert one.property_type is PropertyType.ROOM
    assert one.point == Point(1.5, 2.5)
    assert (one.currency, one.base_price_minor, one.weekend_price_minor) == ("EUR", 1250, None)
    assert (one.min_nights, one.max_nights, one.bedrooms) == (1, 365, None)
    assert one.amenities == ("kitchen", "wifi")


@pytest.mark.parametrize(
    "own",
    [
        {"status": booking.LISTING_STATUS_DRAFT},
        {"status": booking.LISTING_STATUS_INACTIVE},
        {"status": booking.LISTING_STATUS_SUSPENDED},
        {"location": None},
        {"base_price": None},
        {"base_price": Money(currency_code="EUR")},
    ],
)
def test_what_cannot_be_shown_is_not_found(own: dict[str, object]) -> None:
    one = read(changed(**own))
    assert isinstance(one, Listing)
    assert not one.active


def test_a_calendar_is_read_and_other_events_are_none_of_ours() -> None:
    nights = [events.CalendarNight(day=20_000, available=False, price_minor=5)]
    event = events.Event(
        calendar_changed=events.CalendarChanged(listing_id=listing_id(2), version=3, nights=nights)
    )
    assert read(event) == CalendarChange(
        listing_id=listing_id(2), version=3, nights=(NightChange(20_000, False, 5),)
    )
    assert read(events.Event(user_changed=events.UserChanged())) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff",
        changed(base_price=Money(currency_code="XXY", units=1)).SerializeToString(),
        changed(listing_id="lst_bad").SerializeToString(),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(payload: bytes) -> None:
    with pytest.raises(Invalid):
        convert.news(payload)


async def test_an_unreadable_record_does_not_hold_up_the_others() -> None:
    heard: list[Heard] = []

    async def flow(batch: object) -> None:
        heard.extend(batch)  # type: ignore[arg-type]

    payloads = [b"\xff\xff", changed().SerializeToString()]
    await Events(flow).apply(
        [
            Message(
                topic="staymesh.listings",
                partition=3,
                offset=offset,
                key="",
                payload=payload,
                headers={},
                timestamp_ms=0,
            )
            for offset, payload in enumerate(payloads)
        ]
    )
    assert [(one.offset, one.news is None) for one in heard] == [(0, True), (1, False)]
