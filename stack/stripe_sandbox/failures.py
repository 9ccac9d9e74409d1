"""What Stripe answers when it does not do what it was asked.

Shapes and codes: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from typing import Any


class Refusal(Exception):
    """A call that was not executed: its idempotency key stays unused."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        fields = {"type": kind, "message": message, "code": code, "param": param}
        self.error: dict[str, Any] = {name: value for name, value in fields.items() if value}


class CardRefused(Exception):
    """A card that was asked and said no: an executed call, kept under its idempotency key."""

    def __init__(self, intent: dict[str, Any]) -> None:
        super().__init__(intent["last_payment_error"]["message"])
        self.error: dict[str, Any] = {**intent["last_payment_error"], "payment_intent": intent}


def unknown_object(what: str, some_id: str, param: str) -> Refusal:
    """Return the refusal of an id that names nothing."""
    return Refusal(f"No such {what}: '{some_id}'", status=404, code="resource_missing", param=param)


def unexpected_state(intent: dict[str, Any], verb: str) -> Refusal:
    """Return the refusal of a step that the intent's status does not allow."""
    refusal = Refusal(
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
    )
    refusal.error["payment_intent"] = intent
    return refusal
