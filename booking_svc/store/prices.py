"""A frozen price as json, for quotes and bookings."""

from datetime import date
from typing import Any

from booking_svc.domain.price import Nights, Price, Tax


def json_of(price: Price) -> dict[str, Any]:
    """Return a price as it is stored."""
    return {
        "currency": price.currency,
        "nights": [[n.first.isoformat(), n.length, n.price_minor] for n in price.nights],
        "accommodation": price.accommodation_minor,
        "cleaning_fee": price.cleaning_fee_minor,
        "service_fee": price.service_fee_minor,
        "taxes": [list(tax) for tax in price.taxes],
    }


def price_of(stored: dict[str, Any]) -> Price:
    """Read a stored price."""
    return Price(
        currency=stored["currency"],
        nights=tuple(
            Nights(date.fromisoformat(first), length, minor)
            for first, length, minor in stored["nights"]
        ),
        accommodation_minor=stored["accommodation"],
        cleaning_fee_minor=stored["cleaning_fee"],
        service_fee_minor=stored["service_fee"],
        taxes=tuple(Tax(name, minor) for name, minor in stored["taxes"]),
    )
