"""Values that many messages carry: money, dates, instants, points."""

from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money as MoneyMessage

from booking_svc.domain.money import Money
from booking_svc.domain.place import Point
from mesh.errors import Invalid, MeshError
from pricing import from_units, to_units

LARGEST_MINOR = 10**12
"""Beyond any price of a stay, and far from where sums leave 64 bits."""


class ValueInvalid(Invalid):
    """A date or an amount that does not exist; the violation names the field."""

    reason = "VALUE_INVALID"


def money_message(amount_minor: int, currency: str) -> MoneyMessage:
    """Return an amount in minor units as units and nanos."""
    units, nanos = to_units(amount_minor, currency)
    return MoneyMessage(currency_code=currency, units=units, nanos=nanos)


def money(message: MoneyMessage, field: str) -> Money:
    """Read an amount; raise ValueInvalid naming `field` when it is not one of its currency."""
    try:
        minor = from_units(message.units, message.nanos, message.currency_code)
    except MeshError as error:
        raise ValueInvalid(error.message, violations=[(field, error.message)]) from error
    if not -LARGEST_MINOR <= minor <= LARGEST_MINOR:
        raise ValueInvalid("the amount is out of range", violations=[(field, "is out of range")])
    return Money(minor, message.currency_code)


def day(text: str, field: str) -> date:
    """Read "2026-07-01"; raise ValueInvalid naming `field` when there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueInvalid(f"{field} is not a day", violations=[(field, "no such day")]) from error


def timestamp(instant: datetime) -> Timestamp:
    """Return an aware instant as a message; exact to the microsecond."""
    message = Timestamp()
    message.FromDatetime(instant.astimezone(UTC))
    return message


def latlng(point: Point) -> LatLng:
    """Return a point as a message."""
    return LatLng(latitude=point.lat, longitude=point.lng)


def point(message: LatLng) -> Point:
    """Read a point, anywhere: the domain says whether it is on Earth."""
    return Point(lat=message.latitude, lng=message.longitude)
