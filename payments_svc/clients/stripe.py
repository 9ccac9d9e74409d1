"""Stripe as our card processor: one intent for each payment, captured by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import stripe

from payments_svc.clients.processor import Authorization, IntentMoved
from payments_svc.clients.stripe_amounts import from_stripe, to_stripe
from payments_svc.clients.stripe_errors import (
    decline_code_of,
    never_begun,
    refused_intent,
    translated,
)
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money

_STATUS_OF: Final[Mapping[str, IntentStatus]] = {
    "requires_capture": IntentStatus.AUTHORIZED,
    "requires_action": IntentStatus.CHALLENGED,
    "requires_payment_method": IntentStatus.REFUSED,
    "processing": IntentStatus.PROCESSING,
    "succeeded": IntentStatus.CAPTURED,
    "canceled": IntentStatus.CANCELLED,
}
_GIVEN_BACK: Final = frozenset({"succeeded", "pending", "requires_action"})


@asynccontextmanager
async def connect(url: str, key: str, timeout_seconds: float) -> AsyncIterator["Stripe"]:
    """Open a client for the API at `url`; a call takes `timeout_seconds` at most."""
    http = stripe.HTTPXClient(timeout=timeout_seconds)
    try:
        # No retries of the SDK's own: they know nothing of our deadline.
        yield Stripe(
            stripe.StripeClient(
                key, base_addresses={"api": url}, http_client=http, max_network_retries=0
            )
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # the SDK left it so


class Stripe:
    """The `Processor` that Stripe is."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._intents = client.v1.payment_intents
        self._refunds = client.v1.refunds

    def check_chargeable(self, amount: Money) -> None:
        """Raise NotChargeable for an amount that can only be refused."""
        to_stripe(amount)

    async def authorize(self, request: Authorization) -> Intent:
        """Put a hold on a card, and return how that is now."""
        with translated():
            try:
                made = await self._intents.create_async(
                    {
                        "amount": to_stripe(request.amount),
                        "currency": request.amount.currency.lower(),
                        "payment_method": request.payment_method_id,
                        # Nothing that leaves our page, so that no return_url is needed.
                        "automatic_payment_methods": {
                            "enabled": True,
                            "allow_redirects": "never",
                        },
                        "capture_method": "manual",
                        "confirm": True,
                        "metadata": {
                            "booking_id": request.booking_id,
                            "payment_id": request.payment_id,
                            "guest_id": request.guest_id,
                        },
                    },
                    {"idempotency_key": request.key},
                )
            except stripe.CardError as error:
                return _declined(error)
            except stripe.InvalidRequestError as error:
                if not never_begun(error):
                    raise
                return _refused("", error.code or "invalid_request")
        if _is_replay(made):
            # The first answer, word for word: what became of the intent since is not in it.
            return await self.retrieve(made.id)
        return await self._as_fact(made)

    async def retrieve(self, processor_id: str) -> Intent:
        """Return an intent as it is now."""
        with translated():
            return await self._as_fact(await self._intents.retrieve_async(processor_id))

    async def find(self, booking_id: str) -> Intent | None:
        """Return the intent of a booking, as it is now."""
        with translated():
            found = await self._intents.search_async(
                {"query": f"metadata['booking_id']:'{booking_id}'", "limit": 1}
            )
        # What a search finds may be old, too.
        return await self.retrieve(found.data[0].id) if found.data else None

    async def void(self, processor_id: str, *, key: str) -> Intent:
        """Give up an intent that nothing was captured of."""
        with translated():
            intent = await self._intents.cancel_async(processor_id, {}, {"idempotency_key": key})
            return await self._as_fact(intent)

    async def capture(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Take a part of a hold, or all; the rest goes back."""
        with translated():
            intent = await self._intents.capture_async(
                processor_id, {"amount_to_capture": to_stripe(amount)}, {"idempotency_key": key}
            )
            return await self._as_fact(intent)

    async def refund(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Give back of what was captured."""
        with translated():
            await self._refunds.create_async(
                {"payment_intent": processor_id, "amount": to_stripe(amount)},
                {"idempotency_key": key},
            )
        return await self.retrieve(processor_id)

    async def _as_fact(self, intent: stripe.PaymentIntent) -> Intent:
        status = _STATUS_OF.get(intent.status)
        if status is None:
            raise IntentMoved(f"{intent.id} is {intent.status}, which we never ask for")
        currency = intent.currency
        refunded = await self._refunded(intent.id) if status is IntentStatus.CAPTURED else 0
        error = intent.last_payment_error
        return Intent(
            processor_id=intent.id,
            status=status,
            captured_minor=from_stripe(intent.amount_received, currency).amount_minor,
            refunded_minor=from_stripe(refunded, currency).amount_minor,
            decline_code=decline_code_of(None if error is None else error.to_dict()),
        )

    async def _refunded(self, processor_id: str) -> int:
        """Return what was given back, by us or by an operator.

        What a capture in part leaves to the card is no refund (since API version 2025-03-31).
        """
        page = await self._refunds.list_async({"payment_intent": processor_id, "limit": 100})
        return sum(refund.amount for refund in page.data if refund.status in _GIVEN_BACK)


def _is_replay(made: Any) -> bool:
    return bool(made.last_response.headers.get("idempotent-replayed") == "true")


def _declined(error: stripe.CardError) -> Intent:
    intent = refused_intent(error)
    body: Any = error.json_body
    return _refused(intent["id"] if intent else "", decline_code_of(body["error"]))


def _refused(processor_id: str, decline_code: str) -> Intent:
    return Intent(processor_id=processor_id, status=IntentStatus.REFUSED, decline_code=decline_code)
