"""Months and ranges of nights."""

from typing import Final

from staymesh.booking.v1 import listings_pb2 as pb

from booking_svc.convert.values import day, money, money_message
from booking_svc.domain.calendar import DateRange
from booking_svc.domain.money import Money
from booking_svc.domain.month import MonthView, Shown

_STATUS: Final = {shown: pb.NightStatus.Value(f"NIGHT_STATUS_{shown.name}") for shown in Shown}


def dates(request: pb.BlockDatesRequest | pb.UnblockDatesRequest | pb.SetPriceRequest) -> DateRange:
    """Read a range of nights; raise ValueInvalid for a day that does not exist."""
    return DateRange(
        listing_id=request.listing_id,
        start=day(request.start_date, "start_date"),
        end=day(request.end_date, "end_date"),
    )


def price(request: pb.SetPriceRequest) -> Money | None:
    """Read the price to set; None is back to the listing's own."""
    return money(request.price, "price") if request.HasField("price") else None


def month(view: MonthView) -> pb.GetAvailabilityResponse:
    """Return a month as a message."""
    return pb.GetAvailabilityResponse(
        listing_id=view.listing_id,
        month=str(view.month),
        nights=[
            pb.Night(
                date=night.date.isoformat(),
                status=_STATUS[night.status],
                price=(
                    None
                    if night.price_minor is None
                    else money_message(night.price_minor, view.currency)
                ),
            )
            for night in view.nights
        ],
    )


def change(listing_id: str, nights_changed: int) -> pb.CalendarChange:
    """Return how many nights a host's change has changed."""
    return pb.CalendarChange(listing_id=listing_id, nights_changed=nights_changed)
