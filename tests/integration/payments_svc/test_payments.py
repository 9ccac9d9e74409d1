"""Authorize, look up, settle: what booking relies on."""

import asyncio

import pytest

from mesh.data.sql import all_queries
from mesh.errors import Kind, MeshError
from payments_svc.app import MIGRATIONS
from payments_svc.clients.processor import NotChargeable
from payments_svc.domain.money import Money
from payments_svc.domain.payment import PaymentClosed, PaymentMismatch, State
from payments_svc.domain.settlement import CurrencyMismatch, RetainsTooMuch, SettledOtherwise
from tests.integration.payments_svc.conftest import INTENTS, SDK_WARNS, World

CREATE = f"POST {INTENTS}"
pytestmark = pytest.mark.filterwarnings(SDK_WARNS)


async def test_a_good_card_is_held_once_and_told_once(world: World) -> None:
    payment = await world.authorize()
    assert payment.state is State.AUTHORIZED
    intent = await world.intent()
    assert (intent["id"], intent["status"]) == (payment.processor_id, "requires_capture")
    assert (intent["amount"], intent["currency"]) == (100_00, "usd")
    assert intent["metadata"]["payment_id"] == payment.payment_id
    assert await world.authorize() == payment
    assert await world.get() == payment
    assert await world.told() == ["payment.authorized"]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_that_never_was", "resource_missing"),
    ],
)
async def test_a_bad_card_is_an_answer_and_stays_one(world: World, card: str, code: str) -> None:
    payment = await world.authorize(card)
    assert (payment.state, payment.decline_code) == (State.DECLINED, code)
    assert await world.authorize(card) == payment
    assert await world.get() == payment
    assert await world.settle(0) == payment
    assert await world.told() == ["payment.declined"]


async def test_fifty_calls_at_once_make_one_intent(world: World) -> None:
    payments = await asyncio.gather(*(world.authorize() for _ in range(50)))
    assert {payment.processor_id for payment in payments} == {(await world.intent())["id"]}
    assert {payment.state for payment in payments} == {State.AUTHORIZED}
    assert await world.told() == ["payment.authorized"]


async def test_another_amount_or_card_for_the_same_booking_is_refused(world: World) -> None:
    await world.authorize()
    for changes in ({"amount": Money(1_00, "USD")}, {"payment_method_id": "pm_card_mastercard"}):
        with pytest.raises(PaymentMismatch):
            await world.authorize(**changes)
    assert (await world.intent())["amount"] == 100_00


async def test_an_amount_that_cannot_be_charged_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(NotChargeable):
        await world.authorize(amount=Money(1_234, "KWD"))
    assert await world.row() is None


async def test_an_amount_is_charged_in_its_currencys_own_minor_unit(world: World) -> None:
    await world.authorize(amount=Money(12_345, "JPY"))
    intent = await world.intent()
    assert (intent["amount"], intent["currency"]) == (12_345, "jpy")


async def test_a_challenge_that_is_passed_ends_authorized(world: World) -> None:
    card = "pm_card_threeDSecure2Required"
    assert (await world.authorize(card)).state is State.REQUIRES_ACTION
    assert (await world.authorize(card)).state is State.REQUIRES_ACTION
    await world.authenticate(succeeds=True)
    payment = await world.get()
    assert payment is not None
    assert payment.state is State.AUTHORIZED
    assert await world.authorize(card) == payment
    assert await world.told() == ["payment.requires_action", "payment.authorized"]


async def test_a_challenge_that_is_failed_ends_declined_and_cannot_be_tried_again(
    world: World,
) -> None:
    card = "pm_card_authenticationRequired"
    await world.authorize(card)
    await world.authenticate(succeeds=False)
    payment = await world.authorize(card)
    assert payment.state is State.DECLINED
    assert payment.decline_code == "payment_intent_authentication_failure"
    assert (await world.intent())["status"] == "canceled"


async def test_a_challenge_nobody_took_is_given_up_with_its_booking(world: World) -> None:
    await world.authorize("pm_card_threeDSecure2Required")
    assert (await world.settle(0)).state is State.VOIDED
    assert (await world.intent())["status"] == "canceled"


async def test_a_hold_is_given_back_whole(world: World) -> None:
    await world.authorize()
    payment = await world.settle(0)
    assert (payment.state, payment.captured_minor) == (State.VOIDED, 0)
    assert (await world.intent())["status"] == "canceled"
    assert await world.settle(0) == payment
    assert await world.told() == ["payment.authorized", "payment.voided"]


@pytest.mark.parametrize("retain", [30_00, 100_00])
async def test_of_a_hold_what_is_retained_is_captured(world: World, retain: int) -> None:
    await world.authorize()
    payment = await world.settle(retain)
    assert (payment.state, payment.captured_minor) == (State.CAPTURED, retain)
    intent = await world.intent()
    assert (intent["status"], intent["amount_received"]) == ("succeeded", retain)
    assert await world.settle(retain) == payment


@pytest.mark.parametrize(
    ("retain", "state"), [(0, State.REFUNDED), (40_00, State.PARTIALLY_REFUNDED)]
)
async def test_of_captured_money_what_is_not_retained_is_refunded(
    world: World, retain: int, state: State
) -> None:
    await world.authorize()
    intent_id = (await world.intent())["id"]
    await world.sandbox.call("POST", f"{INTENTS}/{intent_id}/capture", data={})
    payment = await world.settle(retain)
    assert payment.state is state
    assert (payment.captured_minor, payment.refunded_minor) == (100_00, 100_00 - retain)
    refunds = await world.sandbox.call("GET", "/v1/refunds", params={"payment_intent": intent_id})
    assert [refund["amount"] for refund in refunds["data"]] == [100_00 - retain]
    assert await world.settle(retain) == payment


async def test_more_than_was_held_is_never_kept(world: World) -> None:
    await world.authorize()
    with pytest.raises(RetainsTooMuch):
        await world.settle(100_01)
    with pytest.raises(CurrencyMismatch):
        await world.settle(0, "EUR")
    assert (await world.intent())["status"] == "requires_capture"


async def test_a_settlement_is_decided_once(world: World) -> None:
    await world.authorize()
    await world.settle(30_00)
    with pytest.raises(SettledOtherwise):
        await world.settle(0)


async def test_ten_settlements_at_once_are_one(world: World) -> None:
    await world.authorize()
    settled = await asyncio.gather(*(world.settle(25_00) for _ in range(10)))
    assert {payment.captured_minor for payment in settled} == {25_00}
    assert await world.told() == ["payment.authorized", "payment.captured"]


async def test_a_booking_never_seen_has_no_payment(world: World) -> None:
    assert await world.get() is None
    with pytest.raises(RetainsTooMuch):
        await world.settle(1)
    assert await world.row() is None


async def test_a_booking_given_up_before_it_was_paid_can_never_be_paid(world: World) -> None:
    assert (await world.settle(0)).state is State.CLOSED
    assert (await world.settle(0)).state is State.CLOSED
    with pytest.raises(PaymentClosed):
        await world.authorize()
    assert await world.sandbox.intents(world.booking) == []
    assert await world.told() == []


async def test_a_payment_given_up_cannot_be_asked_for_again(world: World) -> None:
    await world.authorize()
    await world.settle(0)
    with pytest.raises(PaymentClosed) as caught:
        await world.authorize()
    assert caught.value.kind is Kind.FAILED_PRECONDITION


@pytest.mark.parametrize("trouble", ["error_before", "error_after", "error_kept", "rate_limit"])
async def test_trouble_at_the_processor_still_makes_one_intent(world: World, trouble: str) -> None:
    await world.sandbox.fault(CREATE, trouble)
    assert (await world.authorize()).state is State.AUTHORIZED
    assert (await world.intent())["status"] == "requires_capture"
    assert await world.failures() == []


@pytest.mark.parametrize("verb", ["cancel", "capture"])
@pytest.mark.parametrize("trouble", ["error_before", "error_after", "error_kept", "rate_limit"])
async def test_trouble_at_the_processor_still_takes_each_step_once(
    world: World, trouble: str, verb: str
) -> None:
    await world.authorize()
    await world.sandbox.fault(f"{CREATE}/*/{verb}", trouble)
    payment = await world.settle(0 if verb == "cancel" else 10_00)
    assert payment.captured_minor == (0 if verb == "cancel" else 10_00)
    assert (await world.intent())["amount_received"] == payment.captured_minor


@pytest.mark.parametrize("trouble", ["error_before", "error_after", "error_kept"])
async def test_trouble_with_a_refund_still_refunds_once(world: World, trouble: str) -> None:
    await world.authorize()
    intent_id = (await world.intent())["id"]
    await world.sandbox.call("POST", f"{INTENTS}/{intent_id}/capture", data={})
    await world.sandbox.fault("POST /v1/refunds", trouble)
    assert (await world.settle(60_00)).refunded_minor == 40_00
    refunds = await world.sandbox.call("GET", "/v1/refunds", params={"payment_intent": intent_id})
    assert [refund["amount"] for refund in refunds["data"]] == [40_00]


async def test_an_answer_that_comes_too_late_is_asked_for_again(world: World) -> None:
    await world.sandbox.fault(CREATE, "delay_after", seconds=1.2)
    with pytest.raises(MeshError) as caught:
        await world.authorize()
    assert caught.value.reason in ("PROCESSOR_UNREACHABLE", "PROCESSOR_BUSY")
    payment = await world.get()
    assert payment is not None
    assert payment.state is State.AUTHORIZED
    await world.intent()


async def test_three_failures_are_an_error_a_note_and_no_charge(world: World) -> None:
    await world.sandbox.fault(CREATE, "error_before", times=3)
    with pytest.raises(MeshError) as caught:
        await world.authorize()
    assert caught.value.kind is Kind.UNAVAILABLE
    (failure,) = await world.failures()
    assert (failure["step"], failure["reason"]) == ("authorize", "PROCESSOR_BROKEN")
    payment = await world.get()
    assert payment is not None
    assert payment.state is State.PENDING
    assert (await world.authorize()).state is State.AUTHORIZED
    (failure,) = await world.failures()
    assert failure["resolved_at"] is not None


async def test_looking_up_a_payment_never_makes_one(world: World) -> None:
    await world.sandbox.fault(CREATE, "error_before", times=3)
    with pytest.raises(MeshError):
        await world.authorize()
    payment = await world.get()
    assert payment is not None
    assert payment.state is State.PENDING
    assert await world.sandbox.intents(world.booking) == []


async def test_every_statement_is_one_that_postgresql_knows(world: World) -> None:
    queries = all_queries(MIGRATIONS.parent)
    assert len(queries) > 5
    for query in queries:
        for shard in (0, 15):
            await world.admin.prepare(query.text_by_shard[shard])
