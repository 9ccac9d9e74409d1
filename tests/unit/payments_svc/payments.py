"""A booking, what it asks for, and a payment to begin with."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from mesh.ids import new_id
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Ask, Payment, asked

NOW: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BOOKING: Final = new_id("bkg", now_ms=1, bucket=0x321, entropy=b"stay-stay-stay")
GUEST: Final = new_id("usr", now_ms=1, bucket=2, entropy=b"guest-guest-guest")
ASK: Final = Ask(
    booking_id=BOOKING,
    guest_id=GUEST,
    amount=Money(100_00, "USD"),
    payment_method_id="pm_card_visa",
)


def payment(**changes: Any) -> Payment:
    """Return the pending payment of BOOKING, changed."""
    return replace(asked(ASK, NOW), **changes)


def intent(status: IntentStatus, **changes: Any) -> Intent:
    """Return what the processor says of it."""
    return Intent(**{"processor_id": "pi_1", "status": status, **changes})
