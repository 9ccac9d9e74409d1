"""Refunds of captured intents: https://docs.stripe.com/api/refunds."""

from collections.abc import Iterator

from stack.stripe_sandbox.failures import Refusal
from stack.stripe_sandbox.form import Kind, Parameters, check
from stack.stripe_sandbox.intents import find
from stack.stripe_sandbox.objects import Object, Objects, new_id
from stack.stripe_sandbox.pages import page

KIND = "refund"

_CREATE = {
    "payment_intent": Kind.TEXT,
    "amount": Kind.INTEGER,
    "reason": Kind.TEXT,
    "metadata": Kind.MAP,
}


def create(objects: Objects, given: Parameters) -> Object:
    """Give captured money back, all that is left or a part of it."""
    asked = check(given, _CREATE, required=("payment_intent",))
    intent = find(objects, asked["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise Refusal(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    amount = _amount(objects, intent, asked.get("amount"))
    refund = {
        "id": new_id("re"),
        "object": KIND,
        "amount": amount,
        "created": objects.now_seconds(),
        "currency": intent["currency"],
        "metadata": asked.get("metadata", {}),
        "payment_intent": intent["id"],
        "reason": asked.get("reason"),
        "status": "succeeded",
    }
    objects.put(refund)
    return refund


def list_all(objects: Objects, given: Parameters) -> Object:
    """Return a page of refunds, the newest first, of one intent when it is named."""
    asked = check(
        given,
        {"payment_intent": Kind.TEXT, "limit": Kind.INTEGER, "starting_after": Kind.TEXT},
    )
    intent_id = asked.get("payment_intent")
    found = objects.newest(KIND) if intent_id is None else _of(objects, intent_id)
    return page(found, "/v1/refunds", asked)


def _of(objects: Objects, intent_id: str) -> Iterator[Object]:
    return (r for r in objects.newest(KIND) if r["payment_intent"] == intent_id)


def _amount(objects: Objects, intent: Object, asked: int | None) -> int:
    left: int = intent["amount_received"] - sum(r["amount"] for r in _of(objects, intent["id"]))
    if left <= 0:
        raise Refusal("Charge has already been refunded.", code="charge_already_refunded")
    amount = left if asked is None else asked
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        raise Refusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return amount
