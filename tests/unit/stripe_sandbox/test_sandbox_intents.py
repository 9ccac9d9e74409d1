"""What happens to intents and refunds, step by step."""

from pathlib import Path

import pytest

from tests.unit.stripe_sandbox.api import HOLD, INTENTS, Api, running


async def test_a_good_card_is_held_captured_in_part_and_refunded(api: Api) -> None:
    intent = await api.hold()
    assert (intent["status"], intent["amount_capturable"]) == ("requires_capture", 10000)
    path = f"{INTENTS}/{intent['id']}"
    captured = await api.post(f"{path}/capture", {"amount_to_capture": "7000"})
    assert captured.json()["status"] == "succeeded"
    assert captured.json()["amount_received"] == 7000
    refund = await api.post("/v1/refunds", {"payment_intent": intent["id"], "amount": "2000"})
    assert (refund.json()["status"], refund.json()["amount"]) == ("succeeded", 2000)
    rest = await api.post("/v1/refunds", {"payment_intent": intent["id"]})
    assert rest.json()["amount"] == 5000
    listed = await api.get("/v1/refunds", payment_intent=intent["id"])
    assert [r["amount"] for r in listed.json()["data"]] == [5000, 2000]


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
async def test_a_bad_card_is_declined_with_its_intent_in_the_error(
    api: Api, card: str, code: str, decline_code: str | None
) -> None:
    answer = await api.post(INTENTS, {**HOLD, "payment_method": card})
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == decline_code
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert (await api.get(f"{INTENTS}/{error['payment_intent']['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("succeeds", "status"), [(True, "requires_capture"), (False, "requires_payment_method")]
)
async def test_a_challenge_is_passed_or_failed_by_the_cardholder(
    api: Api, succeeds: bool, status: str
) -> None:
    intent = await api.hold(payment_method="pm_card_threeDSecure2Required")
    assert intent["status"] == "requires_action"
    path = f"/_sandbox/payment_intents/{intent['id']}/authenticate"
    answer = await api.client.post(path, json={"succeeds": succeeds})
    assert answer.json()["status"] == status
    again = await api.client.post(path, json={"succeeds": succeeds})
    assert again.status_code == 400


async def test_a_challenge_nobody_is_there_to_pass_is_a_decline(api: Api) -> None:
    card = {"payment_method": "pm_card_authenticationRequired", "off_session": "true"}
    answer = await api.post(INTENTS, {**HOLD, **card})
    assert answer.json()["error"]["decline_code"] == "authentication_required"


async def test_what_was_given_up_cannot_be_captured_nor_given_up_again(api: Api) -> None:
    path = f"{INTENTS}/{(await api.hold())['id']}"
    assert (await api.post(f"{path}/cancel", {})).json()["status"] == "canceled"
    for verb in ("cancel", "capture"):
        refused = await api.post(f"{path}/{verb}", {})
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "payment_intent_unexpected_state"


async def test_nothing_beyond_the_hold_is_captured_and_nothing_beyond_that_refunded(
    api: Api,
) -> None:
    intent_id = (await api.hold())["id"]
    over = await api.post(f"{INTENTS}/{intent_id}/capture", {"amount_to_capture": "10001"})
    assert over.json()["error"]["code"] == "amount_too_large"
    early = await api.post("/v1/refunds", {"payment_intent": intent_id})
    assert early.status_code == 400
    await api.post(f"{INTENTS}/{intent_id}/capture", {})
    over = await api.post("/v1/refunds", {"payment_intent": intent_id, "amount": "10001"})
    assert over.status_code == 400
    await api.post("/v1/refunds", {"payment_intent": intent_id})
    again = await api.post("/v1/refunds", {"payment_intent": intent_id})
    assert again.json()["error"]["code"] == "charge_already_refunded"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": ""}, "parameter_missing", "amount"),
        ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": "0"}, "parameter_invalid_integer", "amount"),
        ({"amount": "49"}, "amount_too_small", "amount"),
        ({"currency": "xxy"}, None, "currency"),
        ({"amount": "1234", "currency": "kwd"}, None, "amount"),
        ({"payment_method": "pm_card_none"}, "resource_missing", "payment_method"),
        ({"confirm": "yes"}, None, "confirm"),
        ({"foo": "1"}, "parameter_unknown", "foo"),
        ({"metadata": "x"}, None, None),
        (
            {"payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"automatic_payment_methods[allow_redirects]": "always"}, None, "return_url"),
    ],
)
async def test_a_bad_parameter_is_named_and_nothing_is_made(
    api: Api, changes: dict[str, str], code: str | None, param: str | None
) -> None:
    answer = await api.post(INTENTS, {**HOLD, **changes})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert error.get("code") == code
    assert param is None or error.get("param") == param
    assert await api.count() == 0


async def test_intents_are_found_by_metadata_and_listed_newest_first(api: Api) -> None:
    ids = [(await api.hold(**{"metadata[booking_id]": f"bkg_{n}"}))["id"] for n in range(3)]
    found = await api.get(f"{INTENTS}/search", query="metadata['booking_id']:'bkg_1'")
    assert [each["id"] for each in found.json()["data"]] == [ids[1]]
    first = (await api.get(INTENTS, limit="2")).json()
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (ids[:0:-1], True)
    last = (await api.get(INTENTS, starting_after=ids[1])).json()
    assert ([each["id"] for each in last["data"]], last["has_more"]) == ([ids[0]], False)


async def test_a_query_that_is_none_is_refused(api: Api) -> None:
    assert (await api.get(f"{INTENTS}/search", query="status:")).status_code == 400


async def test_what_is_not_there_is_404_and_a_stranger_is_401(api: Api) -> None:
    assert (await api.get(f"{INTENTS}/pi_none")).status_code == 404
    assert (await api.get("/v1/customers")).status_code == 404
    for auth in (("", ""), ("pk_test_1", ""), ("sk_live_1", "")):
        assert (await api.client.get("/v1/balance", auth=auth)).status_code == 401
    assert (await api.get("/v1/balance")).status_code == 200


async def test_everything_outlives_a_crash(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        intent = await api.hold("key-1")
    async with running(tmp_path) as api:
        assert (await api.get(f"{INTENTS}/{intent['id']}")).json() == intent
        assert (await api.hold("key-1"))["id"] == intent["id"]
        assert await api.count() == 1
