"""Stripe's errors as ours; the only place that knows both vocabularies.

Source: https://docs.stripe.com/error-handling and https://docs.stripe.com/error-low-level.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import stripe

from mesh.errors import MeshError
from payments_svc.clients.processor import (
    IntentMoved,
    ProcessorBroken,
    ProcessorBusy,
    ProcessorRefuses,
    ProcessorUnreachable,
)

_MOVED: Final = frozenset(
    {
        "payment_intent_unexpected_state",
        "charge_already_refunded",
        "charge_already_captured",
        "charge_expired_for_capture",
    }
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the block raises of Stripe's as what it means to us."""
    try:
        yield
    except stripe.StripeError as error:
        raise meaning_of(error) from error


def meaning_of(error: stripe.StripeError) -> MeshError:
    """Return our error for one of Stripe's; its text is for logs, and has the request id."""
    text = str(error)
    status = error.http_status or 0
    if isinstance(error, stripe.APIConnectionError):
        return ProcessorUnreachable("the card processor does not answer")
    if isinstance(error, stripe.RateLimitError) or status == 409:
        return ProcessorBusy("the card processor is busy", retry_after_seconds=_wait(error))
    if status >= 500 or (status == 0 and isinstance(error, stripe.APIError)):
        return ProcessorBroken("the card processor failed")
    if error.code in _MOVED:
        return IntentMoved(text)
    return ProcessorRefuses(text)


def never_begun(error: stripe.InvalidRequestError) -> bool:
    """Return whether a create was refused for what the guest sent: no intent was made.

    Only the card and the amount come from outside; any other bad parameter is a bug of ours.
    """
    return error.param in ("payment_method", "amount", "currency")


def refused_intent(error: stripe.CardError) -> Any:
    """Return the intent that a declined create made; None when Stripe names none."""
    body = error.json_body
    return body["error"].get("payment_intent") if isinstance(body, dict) else None


def decline_code_of(error: dict[str, Any] | None) -> str:
    """Return Stripe's word for a refusal, as "insufficient_funds" or "expired_card"."""
    error = error or {}
    return str(error.get("decline_code") or error.get("code") or "")


def _wait(error: stripe.StripeError) -> float | None:
    try:
        return float((error.headers or {})["retry-after"])
    except (KeyError, ValueError):
        return None
