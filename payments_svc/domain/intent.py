"""What the card processor says of one payment: facts, not decisions of ours."""

from dataclasses import dataclass
from enum import StrEnum


class IntentStatus(StrEnum):
    """Where the processor's side of a payment stands."""

    PROCESSING = "processing"
    """Under way; asking again later tells more."""
    CHALLENGED = "challenged"
    """The cardholder has to do something first (3-D Secure)."""
    REFUSED = "refused"
    """The card said no, or the cardholder failed the challenge. Nothing is held."""
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELLED = "cancelled"
    """Given up by us, or by the processor when an authorization lapsed. Nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One payment as the processor knows it; amounts in the currency's ISO minor unit."""

    processor_id: str
    """Empty when the processor never made one, as for a card that does not exist."""
    status: IntentStatus
    captured_minor: int = 0
    refunded_minor: int = 0
    """What we gave back of what was captured."""
    decline_code: str = ""
