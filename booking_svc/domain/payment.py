"""What booking has to know of a payment."""

from dataclasses import dataclass
from enum import StrEnum

from mesh.errors import FailedPrecondition, Unavailable


class PaymentState(StrEnum):
    """Where the money of a booking stands; the contract's states."""

    PENDING = "pending"
    """Asked for, outcome not known yet."""
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    REQUIRES_ACTION = "requires_action"
    """The cardholder has to do something first (3-D Secure)."""
    VOIDED = "voided"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    NONE = "none"
    """No payment was ever asked for."""

    @property
    def secured(self) -> bool:
        """Whether the money is ours to take: the booking can be confirmed."""
        return self in (PaymentState.AUTHORIZED, PaymentState.CAPTURED)

    @property
    def undecided(self) -> bool:
        """Whether it may still turn out either way."""
        return self in (PaymentState.PENDING, PaymentState.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One booking's payment, as the payment service tells it."""

    state: PaymentState
    decline_code: str = ""


class PaymentDeclined(FailedPrecondition):
    """The card was refused; nothing is held. Another card needs a new idempotency key."""

    reason = "PAYMENT_DECLINED"


class PaymentUnavailable(Unavailable):
    """How the payment ended is not known. The same idempotency key goes on where it stopped."""

    reason = "PAYMENT_UNAVAILABLE"
