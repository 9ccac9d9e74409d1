"""Logging in and out, and one's own profile."""

import asyncio
import json
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from staymesh.accounts.v1 import accounts_pb2 as pb

from mesh.errors import Exhausted, MeshError, NotFound, Unauthenticated
from mesh.ids import new_id
from tests.integration.accounts_svc.conftest import World

WRONG = "not-the-password"


async def refusal(world: World, email: str, password: str) -> tuple[object, ...]:
    with pytest.raises(MeshError) as refused:
        await world.log_in(email, password)
    error = refused.value
    return (error.kind, error.reason, error.message, error.metadata, error.violations)


async def test_a_wrong_password_and_an_unknown_address_get_one_answer(world: World) -> None:
    await world.sign_up()
    await world.verify()
    wrong = await refusal(world, world.email, WRONG)
    assert wrong == await refusal(world, f"un{world.email}", WRONG)
    assert wrong[1] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("email", ["\x00\x00\x00", "no address", "\u017f@\u212a.example", "a" * 99])
async def test_any_text_may_be_tried_as_an_address(world: World, email: str) -> None:
    assert (await refusal(world, email, "\x00"))[1] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("known", [True, False])
async def test_after_ten_failures_an_address_waits_whether_or_not_anybody_has_it(
    world: World, known: bool
) -> None:
    if known:
        await world.sign_up()
        await world.verify()
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await world.log_in(password=WRONG)
    with pytest.raises(Exhausted) as refused:
        await world.log_in()
    assert refused.value.reason == "TOO_MANY_ATTEMPTS"
    assert refused.value.retry_after_seconds == 900.0
    world.clock.advance(timedelta(minutes=15))
    if known:
        await world.log_in()
    else:
        with pytest.raises(Unauthenticated):
            await world.log_in()


async def test_guesses_made_at_once_are_counted_like_others(world: World) -> None:
    await world.sign_up()
    await world.verify()
    outcomes = await asyncio.gather(
        *(world.log_in(password=WRONG) for _ in range(16)), return_exceptions=True
    )
    reasons = [error.reason for error in outcomes if isinstance(error, MeshError)]
    assert sorted(reasons) == ["INVALID_CREDENTIALS"] * 10 + ["TOO_MANY_ATTEMPTS"] * 6


async def test_a_success_forgets_the_failures(world: World) -> None:
    await world.sign_up()
    await world.verify()
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(Unauthenticated):
                await world.log_in(password=WRONG)
        await world.log_in()


async def test_an_old_hash_is_made_new_at_a_log_in(world: World) -> None:
    await world.sign_up()
    user_id = await world.verify()
    old = PasswordHasher(memory_cost=64, time_cost=1, parallelism=1).hash("a-stay-by-the-sea")
    for n in world.shards.numbers:
        await world.admin.execute(
            f"UPDATE shard_{n:02d}.users SET password_hash = $2 WHERE user_id = $1", user_id, old
        )
    await world.log_in()
    (user,) = await world.rows("users", "user_id = $1", user_id)
    assert user["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await world.log_in()


async def test_one_sees_ones_own_profile_by_me_or_by_id(world: World) -> None:
    await world.sign_up()
    user_id = await world.verify()
    answer = await world.log_in()
    with world.bearing(answer.access_token):
        me = await world.users.GetUser(pb.GetUserRequest(user_id="me"))
        assert me == await world.users.GetUser(pb.GetUserRequest(user_id=user_id)) == answer.user


async def test_somebody_elses_profile_looks_like_none(world: World) -> None:
    await world.sign_up()
    somebody = await world.verify()
    nobody = new_id("usr", now_ms=1)
    answers = []
    with world.mesh.signed_in(new_id("usr", now_ms=2)):
        for asked in (somebody, nobody, "me"):
            with pytest.raises(NotFound) as refused:
                await world.users.GetUser(pb.GetUserRequest(user_id=asked))
            answers.append((refused.value.reason, refused.value.message))
    assert answers == [("USER_NOT_FOUND", "no such user")] * 3


async def test_a_profile_is_for_signed_in_people(world: World) -> None:
    with pytest.raises(Unauthenticated):
        await world.users.GetUser(pb.GetUserRequest(user_id="me"))


async def test_a_log_out_ends_its_own_session_alone(world: World) -> None:
    await world.sign_up()
    user_id = await world.verify()
    first = await world.log_in()
    await world.log_in()
    with world.bearing(first.access_token):
        await world.auth.LogOut(pb.LogOutRequest())
        world.clock.advance(timedelta(seconds=5))
        await world.auth.LogOut(pb.LogOutRequest())
    sessions = await world.rows("sessions", "user_id = $1", user_id)
    ended = [row["revoked_at"] for row in sessions if row["revoked_at"]]
    assert (len(sessions), ended) == (2, [world.clock.now() - timedelta(seconds=5)])


async def test_the_published_keys_are_the_ones_that_sign(world: World) -> None:
    body = await world.auth.GetKeys(pb.GetKeysRequest())
    assert body.content_type == "application/json"
    (key,) = json.loads(body.data)["keys"]
    assert (key["kid"], key["alg"]) == ("test", "EdDSA")
    assert "d" not in key


async def test_what_is_over_is_forgotten_and_the_rest_is_not(world: World) -> None:
    await world.sign_up()
    user_id = await world.verify()
    await world.log_in()
    await world.service.purge()
    assert len(await world.rows("sessions", "user_id = $1", user_id)) == 1
    assert len(await world.rows("verifications", "user_id = $1", user_id)) == 1
    assert await world.rows("attempts")
    world.clock.advance(timedelta(days=32))
    await world.service.purge()
    assert await world.rows("sessions", "user_id = $1", user_id) == []
    assert await world.rows("verifications", "user_id = $1", user_id) == []
    assert await world.rows("attempts") == []
    await world.log_in()
