"""What Stripe's errors mean to us."""

from typing import Any

import pytest
import stripe

from mesh.errors import MeshError
from payments_svc.clients.processor import (
    IntentMoved,
    ProcessorBroken,
    ProcessorBusy,
    ProcessorRefuses,
    ProcessorUnreachable,
)
from payments_svc.clients.stripe_errors import decline_code_of, meaning_of, never_begun, translated

sdk: Any = stripe
"""The SDK leaves the constructors of some errors without types."""


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (sdk.APIConnectionError("timed out"), ProcessorUnreachable),
        (stripe.RateLimitError("slow down", http_status=429), ProcessorBusy),
        (stripe.APIError("in use", http_status=409), ProcessorBusy),
        (stripe.APIError("oops", http_status=500), ProcessorBroken),
        (stripe.APIError("garbage for a body"), ProcessorBroken),
        (stripe.AuthenticationError("no key", http_status=401), ProcessorRefuses),
        (stripe.PermissionError("not yours", http_status=403), ProcessorRefuses),
        (stripe.IdempotencyError("other parameters", http_status=400), ProcessorRefuses),
        (sdk.InvalidRequestError("bad", "foo", http_status=400), ProcessorRefuses),
        (
            sdk.InvalidRequestError("no", "", "payment_intent_unexpected_state"),
            IntentMoved,
        ),
    ],
)
def test_an_error_of_stripes_is_one_of_ours(
    error: stripe.StripeError, meaning: type[MeshError]
) -> None:
    assert type(meaning_of(error)) is meaning
    with pytest.raises(meaning) as caught, translated():
        raise error
    assert caught.value.__cause__ is error


def test_the_wait_that_stripe_asks_for_is_passed_on() -> None:
    error = stripe.RateLimitError("slow down", http_status=429, headers={"retry-after": "3"})
    assert meaning_of(error).retry_after_seconds == 3.0


def test_only_what_the_guest_sent_is_a_refusal_of_the_card() -> None:
    assert never_begun(sdk.InvalidRequestError("no such card", "payment_method"))
    assert never_begun(sdk.InvalidRequestError("too small", "amount"))
    assert not never_begun(sdk.InvalidRequestError("a bug of ours", "capture_method"))


def test_the_word_for_a_refusal_is_the_most_exact_one() -> None:
    assert decline_code_of({"code": "card_declined", "decline_code": "lost_card"}) == "lost_card"
    assert decline_code_of({"code": "expired_card"}) == "expired_card"
    assert decline_code_of(None) == ""
