"""Quotes, bookings and their prices."""

from typing import Final

from staymesh.booking.v1 import booking_pb2 as pb

from booking_svc.convert.listings import POLICY
from booking_svc.convert.values import day, money_message, timestamp
from booking_svc.domain.booking import Booking, CancelledBy, PaymentStatus, State
from booking_svc.domain.price import Price, Quote
from booking_svc.domain.stay import Stay

STATUS: Final = {state: pb.BookingStatus.Value(f"BOOKING_STATUS_{state.name}") for state in State}
STATE_OF: Final = {number: state for state, number in STATUS.items()}
_PAYMENT_STATUS: Final = {
    status: pb.PaymentStatus.Value(f"PAYMENT_STATUS_{status.name}") for status in PaymentStatus
}
_CANCELLED_BY: Final = {by: pb.CancelledBy.Value(f"CANCELLED_BY_{by.name}") for by in CancelledBy}


def stay(request: pb.CreateQuoteRequest | pb.CreateBookingRequest) -> Stay:
    """Read dates and guests; raise ValueInvalid for a day that does not exist."""
    return Stay(
        check_in=day(request.check_in, "check_in"),
        check_out=day(request.check_out, "check_out"),
        guests=request.guests,
    )


def price(value: Price) -> pb.PriceBreakdown:
    """Return a price as a message, with each night by itself."""
    currency = value.currency
    return pb.PriceBreakdown(
        nights=sum(line.length for line in value.nights),
        nightly=[
            pb.NightlyPrice(date=night.isoformat(), price=money_message(minor, currency))
            for night, minor in value.nightly()
        ],
        accommodation=money_message(value.accommodation_minor, currency),
        cleaning_fee=money_message(value.cleaning_fee_minor, currency),
        service_fee=money_message(value.service_fee_minor, currency),
        taxes=[
            pb.TaxLine(name=tax.name, amount=money_message(tax.amount_minor, currency))
            for tax in value.taxes
        ],
        total=money_message(value.total_minor, currency),
    )


def quote(value: Quote) -> pb.Quote:
    """Return a quote as a message."""
    return pb.Quote(
        quote_id=value.quote_id,
        listing_id=value.listing_id,
        check_in=value.stay.check_in.isoformat(),
        check_out=value.stay.check_out.isoformat(),
        guests=value.stay.guests,
        price=price(value.price),
        expire_time=timestamp(value.expires_at),
    )


def booking(value: Booking) -> pb.Booking:
    """Return a booking as a message."""
    refund, hold_end = value.refund_minor, value.hold_expires_at
    return pb.Booking(
        booking_id=value.booking_id,
        listing_id=value.listing_id,
        host_id=value.host_id,
        guest_id=value.guest_id,
        check_in=value.check_in.isoformat(),
        check_out=value.check_out.isoformat(),
        guests=value.guests,
        status=STATUS[value.state],
        payment_status=_PAYMENT_STATUS[value.payment_status],
        confirmation_code=value.confirmation_code,
        price=price(value.price),
        cancellation_policy=POLICY[value.cancellation_policy],
        cancelled_by=(
            pb.CANCELLED_BY_UNSPECIFIED
            if value.cancelled_by is None
            else _CANCELLED_BY[value.cancelled_by]
        ),
        cancellation_reason=value.cancellation_reason,
        refund=None if refund is None else money_message(refund, value.price.currency),
        hold_expire_time=None if hold_end is None else timestamp(hold_end),
        create_time=timestamp(value.created_at),
        update_time=timestamp(value.updated_at),
        listing_title=value.listing_title,
    )
