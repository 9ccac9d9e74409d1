"""Stripe's documented test payment methods, and how each behaves.

Source: https://docs.stripe.com/testing (cards by payment method id).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a test card does when it is asked for money."""

    code: str = ""
    """The error code of a card that declines; empty for one that does not."""
    decline_code: str = ""
    message: str = ""
    challenges: bool = False
    """Whether the cardholder must authenticate (3-D Secure) when present."""


_GOOD = Card()
_CHALLENGE = Card(challenges=True)


def _declined(decline_code: str, message: str, code: str = "card_declined") -> Card:
    return Card(code=code, decline_code=decline_code, message=message)


_GENERIC = _declined("generic_decline", "Your card was declined.")
_POOR = _declined("insufficient_funds", "Your card has insufficient funds.")

CARDS = {
    "pm_card_visa": _GOOD,
    "pm_card_visa_debit": _GOOD,
    "pm_card_mastercard": _GOOD,
    "pm_card_amex": _GOOD,
    "pm_card_chargeDeclined": _GENERIC,
    "pm_card_visa_chargeDeclined": _GENERIC,
    "pm_card_chargeDeclinedInsufficientFunds": _POOR,
    "pm_card_visa_chargeDeclinedInsufficientFunds": _POOR,
    "pm_card_chargeDeclinedExpiredCard": _declined("", "Your card has expired.", "expired_card"),
    "pm_card_chargeDeclinedProcessingError": _declined(
        "", "An error occurred while processing your card. Try again later.", "processing_error"
    ),
    "pm_card_threeDSecure2Required": _CHALLENGE,
    "pm_card_threeDSecureRequired": _CHALLENGE,
    "pm_card_authenticationRequired": _CHALLENGE,
}
