"""Idempotency keys, and trouble on demand."""

import asyncio

import pytest

from tests.unit.stripe_sandbox.api import HOLD, INTENTS, Api

CREATE = f"POST {INTENTS}"
DECLINED = {**HOLD, "payment_method": "pm_card_chargeDeclined"}


async def test_the_same_key_gets_the_first_answer_and_one_intent(api: Api) -> None:
    first = await api.post(INTENTS, HOLD, "key-1")
    again = await api.post(INTENTS, HOLD, "key-1")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["request-id"] == first.headers["request-id"]
    assert await api.count() == 1


async def test_other_parameters_under_a_used_key_are_an_error(api: Api) -> None:
    await api.hold("key-1")
    answer = await api.post(INTENTS, {**HOLD, "amount": "20000"}, "key-1")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert await api.count() == 1


async def test_a_decline_is_kept_under_its_key(api: Api) -> None:
    first = await api.post(INTENTS, DECLINED, "key-1")
    again = await api.post(INTENTS, DECLINED, "key-1")
    assert (again.status_code, again.json()) == (402, first.json())
    assert await api.count() == 1


async def test_a_call_that_was_not_executed_leaves_its_key_unused(api: Api) -> None:
    refused = await api.post(INTENTS, {**HOLD, "amount": "1"}, "key-1")
    assert refused.status_code == 400
    await api.hold("key-1")


async def test_a_second_call_under_a_key_that_is_under_way_is_refused(api: Api) -> None:
    await api.fault(CREATE, "delay_after", seconds=0.2)
    both = await asyncio.gather(*(api.post(INTENTS, HOLD, "key-1") for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    refused = next(a for a in both if a.status_code == 409)
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"
    await api.hold("key-1")
    assert await api.count() == 1


@pytest.mark.parametrize(
    ("trouble", "status", "made", "again"),
    [
        ("error_before", 500, 0, 200),
        ("error_after", 500, 1, 200),
        ("error_kept", 500, 1, 500),
        ("rate_limit", 429, 0, 200),
    ],
)
async def test_trouble_strikes_once_before_or_after_the_effect(
    api: Api, trouble: str, status: int, made: int, again: int
) -> None:
    await api.fault(CREATE, trouble)
    assert (await api.post(INTENTS, HOLD, "key-1")).status_code == status
    assert await api.count() == made
    assert (await api.post(INTENTS, HOLD, "key-1")).status_code == again
    assert await api.count() == 1


async def test_a_fault_names_its_call_and_strikes_as_often_as_asked(api: Api) -> None:
    intent_id = (await api.hold())["id"]
    await api.fault(f"{CREATE}/*/cancel", "error_before", times=2)
    codes = [(await api.post(f"{INTENTS}/{intent_id}/cancel", {})).status_code for _ in range(3)]
    assert codes == [500, 500, 200]


async def test_faults_are_forgotten_on_demand_and_nonsense_is_refused(api: Api) -> None:
    await api.fault(CREATE, "error_before")
    await api.client.delete("/_sandbox/faults")
    await api.hold()
    answer = await api.client.post("/_sandbox/faults", json={"call": CREATE, "trouble": "x"})
    assert answer.status_code == 400
