"""What we rely on of Stripe: tried on the sandbox always, on Stripe when STRIPE_TEST_KEY is set."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from mesh.clock import SystemClock, epoch_ms
from mesh.ids import new_id
from payments_svc.clients import stripe
from payments_svc.clients.processor import (
    Authorization,
    IntentMoved,
    ProcessorRefuses,
)
from payments_svc.clients.stripe import Stripe
from payments_svc.domain.intent import IntentStatus
from payments_svc.domain.money import Money
from tests.integration.payments_svc.conftest import KEY, SDK_WARNS, Sandbox

pytestmark = pytest.mark.filterwarnings(SDK_WARNS)
REAL_KEY = os.environ.get("STRIPE_TEST_KEY", "")


def authorization(**changes: Any) -> Authorization:
    """Return an authorization of a booking that never was before."""
    booking = new_id("bkg", now_ms=epoch_ms(SystemClock().now()))
    asked = Authorization(
        key=f"{booking}:authorize",
        booking_id=booking,
        payment_id=booking.replace("bkg", "pay"),
        guest_id="usr_guest",
        amount=Money(100_00, "USD"),
        payment_method_id="pm_card_visa",
    )
    return replace(asked, **changes)


@pytest.fixture(params=["sandbox", "stripe"] if REAL_KEY else ["sandbox"])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Stripe]:
    """The API: the sandbox's, and Stripe's own."""
    if request.param == "stripe":
        url, key = "https://api.stripe.com", REAL_KEY
    else:
        sandbox: Sandbox = request.getfixturevalue("sandbox_process")
        url, key = sandbox.url, KEY
    async with stripe.connect(url, key, timeout_seconds=20.0) as opened:
        yield opened


async def test_a_good_card_is_held_and_stays_so(api: Stripe) -> None:
    intent = await api.authorize(authorization())
    assert intent.status is IntentStatus.AUTHORIZED
    assert (intent.captured_minor, intent.refunded_minor) == (0, 0)
    assert await api.retrieve(intent.processor_id) == intent


async def test_the_same_key_is_the_same_intent_as_it_is_now(api: Stripe) -> None:
    asked = authorization()
    first = await api.authorize(asked)
    await api.void(first.processor_id, key=f"{asked.payment_id}:void")
    again = await api.authorize(asked)
    assert again.processor_id == first.processor_id
    assert again.status is IntentStatus.CANCELLED


async def test_the_same_key_for_another_amount_is_refused(api: Stripe) -> None:
    asked = authorization()
    await api.authorize(asked)
    with pytest.raises(ProcessorRefuses):
        await api.authorize(authorization(key=asked.key, amount=Money(1_00, "USD")))


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_that_never_was", "resource_missing"),
    ],
)
async def test_a_bad_card_is_refused_with_a_word_for_it(api: Stripe, card: str, code: str) -> None:
    asked = authorization(payment_method_id=card)
    intent = await api.authorize(asked)
    assert (intent.status, intent.decline_code) == (IntentStatus.REFUSED, code)
    assert await api.authorize(asked) == intent


async def test_a_challenged_card_waits_for_its_holder_and_can_be_given_up(api: Stripe) -> None:
    asked = authorization(payment_method_id="pm_card_threeDSecure2Required")
    intent = await api.authorize(asked)
    assert intent.status is IntentStatus.CHALLENGED
    voided = await api.void(intent.processor_id, key=f"{asked.payment_id}:void")
    assert voided.status is IntentStatus.CANCELLED


async def test_a_hold_is_given_up_once(api: Stripe) -> None:
    asked = authorization()
    intent = await api.authorize(asked)
    for _ in range(2):
        voided = await api.void(intent.processor_id, key=f"{asked.payment_id}:void")
        assert voided.status is IntentStatus.CANCELLED
    with pytest.raises(IntentMoved):
        await api.void(intent.processor_id, key=f"{asked.payment_id}:other")
    with pytest.raises(IntentMoved):
        await api.capture(
            intent.processor_id, Money(1_00, "USD"), key=f"{asked.payment_id}:capture"
        )


async def test_a_part_of_a_hold_is_captured_and_no_refund_comes_of_it(api: Stripe) -> None:
    asked = authorization()
    intent = await api.authorize(asked)
    for _ in range(2):
        captured = await api.capture(
            intent.processor_id, Money(30_00, "USD"), key=f"{asked.payment_id}:capture"
        )
        assert captured.status is IntentStatus.CAPTURED
        assert (captured.captured_minor, captured.refunded_minor) == (30_00, 0)
    with pytest.raises(IntentMoved):
        await api.void(intent.processor_id, key=f"{asked.payment_id}:void")


async def test_no_more_than_was_held_is_captured(api: Stripe) -> None:
    asked = authorization()
    intent = await api.authorize(asked)
    with pytest.raises(ProcessorRefuses):
        await api.capture(
            intent.processor_id, Money(100_01, "USD"), key=f"{asked.payment_id}:capture"
        )


async def test_captured_money_is_refunded_once_under_one_key_and_never_beyond(
    api: Stripe,
) -> None:
    asked = authorization()
    intent = await api.authorize(asked)
    await api.capture(intent.processor_id, Money(100_00, "USD"), key=f"{asked.payment_id}:capture")
    for _ in range(2):
        refunded = await api.refund(
            intent.processor_id, Money(60_00, "USD"), key=f"{asked.payment_id}:refund"
        )
        assert refunded.refunded_minor == 60_00
    with pytest.raises(ProcessorRefuses):
        await api.refund(intent.processor_id, Money(40_01, "USD"), key=f"{asked.payment_id}:beyond")
    rest = await api.refund(
        intent.processor_id, Money(40_00, "USD"), key=f"{asked.payment_id}:rest"
    )
    assert rest.refunded_minor == 100_00
    with pytest.raises(IntentMoved):
        await api.refund(intent.processor_id, Money(1, "USD"), key=f"{asked.payment_id}:more")


async def test_a_currency_without_decimals_is_charged_whole(api: Stripe) -> None:
    asked = authorization(amount=Money(12_345, "JPY"))
    intent = await api.authorize(asked)
    captured = await api.capture(
        intent.processor_id, Money(12_345, "JPY"), key=f"{asked.payment_id}:capture"
    )
    assert captured.captured_minor == 12_345


async def test_a_booking_nobody_paid_for_is_not_found(api: Stripe) -> None:
    assert await api.find(authorization().booking_id) is None


async def test_a_booking_is_found_by_its_id(
    sandbox: Sandbox,
) -> None:
    """On the sandbox only: Stripe's own search may need a minute."""
    async with stripe.connect(sandbox.url, KEY, timeout_seconds=20.0) as api:
        asked = authorization()
        intent = await api.authorize(asked)
        assert await api.find(asked.booking_id) == intent


async def test_a_wrong_key_is_refused(sandbox: Sandbox) -> None:
    async with stripe.connect(sandbox.url, "pk_wrong", timeout_seconds=20.0) as api:
        with pytest.raises(ProcessorRefuses):
            await api.authorize(authorization())
