"""Signing up and proving an address."""

import asyncio
from datetime import timedelta

import pytest

from accounts_svc.domain.address import Address
from accounts_svc.domain.verification import SECRET_BYTES, Token
from accounts_svc.store.emails import Emails
from mesh.errors import Exhausted, FailedPrecondition, Invalid, Unauthenticated, Unavailable
from mesh.ids import new_id
from mesh.rpc.identity import UserTokens
from mesh.rpc.keys import KeySet
from tests.integration.accounts_svc.conftest import NOW, PASSWORD, World

OTHER_PASSWORD = "a-hut-in-the-hills"


async def test_who_signs_up_and_verifies_can_log_in(world: World) -> None:
    await world.sign_up(last_name="King", host=True)
    user_id = await world.verify()
    answer = await world.log_in()
    assert (answer.token_type, answer.expires_in_seconds) == ("Bearer", 3600)
    assert (answer.user.user_id, answer.user.email) == (user_id, world.email)
    assert (answer.user.first_name, answer.user.last_name) == ("Ada", "King")
    assert answer.user.email_verified
    published = KeySet({"test": world.mesh.keys.user_key.public_key()})
    principal = UserTokens(published, world.clock).verify(answer.access_token)
    assert (principal.user_id, principal.roles) == (user_id, {"guest", "host"})
    (session,) = await world.rows("sessions", "user_id = $1", user_id)
    assert (session["session_id"], session["revoked_at"]) == (principal.session_id, None)


async def test_what_happened_to_a_person_is_told_in_order_without_the_address(
    world: World,
) -> None:
    await world.sign_up()
    user_id = await world.verify()
    created, verified = await world.events(user_id)
    assert (created.kind, verified.kind) == ("user.created", "user.verified")
    assert not created.user_changed.user.email_verified
    assert verified.user_changed.user.email_verified
    assert verified.user_changed.user.email == ""
    assert created.event_id != verified.event_id


async def test_neither_password_nor_token_is_stored_in_the_clear(world: World) -> None:
    await world.sign_up()
    token = world.mailbox.tokens(world.email)[0]
    (user,) = await world.rows("users", "email = $1", world.email)
    (kept,) = await world.rows("verifications", "user_id = $1", user["user_id"])
    assert user["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert kept["token_sha256"] == Token.parse(token).digest
    assert kept["expires_at"] == NOW + timedelta(hours=24)


async def test_a_taken_address_gets_the_same_answer_and_its_owner_a_mail(world: World) -> None:
    first = await world.sign_up()
    user_id = await world.verify()
    again = await world.sign_up(password=OTHER_PASSWORD, first_name="Eve", host=True)
    assert again == first
    mail = world.mailbox.mails[-1]
    assert (mail.to, mail.subject) == (world.email, "You already have an account")
    assert len(world.mailbox.tokens(world.email)) == 1
    with pytest.raises(Unauthenticated):
        await world.log_in(password=OTHER_PASSWORD)
    assert (await world.log_in()).user.first_name == "Ada"
    assert len(await world.events(user_id)) == 2


async def test_an_address_is_one_whatever_its_case(world: World) -> None:
    await world.sign_up()
    await world.verify()
    await world.sign_up(email=world.email.upper())
    assert len(await world.rows("users", "email = $1", world.email)) == 1
    assert (await world.log_in(email=f" {world.email.title()} ")).user.email == world.email


async def test_concurrent_sign_ups_with_one_address_make_one_account(world: World) -> None:
    answers = await asyncio.gather(*(world.sign_up() for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    (user,) = await world.rows("users", "email = $1", world.email)
    digest = Address.of(world.email).digest
    (entry,) = await world.rows("emails", "email_sha256 = $1", digest)
    assert entry["user_id"] == user["user_id"]
    assert len(await world.events(user["user_id"])) == 1
    assert await world.verify() == user["user_id"]


async def test_a_crash_between_the_directory_and_the_person_heals(world: World) -> None:
    lost = new_id("usr", now_ms=1)
    await Emails(world.shards).claim(Address.of(world.email), lost, NOW)
    with pytest.raises(Unauthenticated):
        await world.log_in()
    await world.sign_up()
    assert await world.verify() == lost
    assert (await world.log_in()).user.user_id == lost


async def test_a_mail_that_is_not_taken_is_unavailable_and_signing_up_again_sends_one(
    world: World,
) -> None:
    world.mailbox.stopped = True
    with pytest.raises(Unavailable):
        await world.sign_up()
    world.mailbox.stopped = False
    await world.sign_up()
    await world.verify()
    assert (await world.log_in()).user.email == world.email


async def test_a_token_gives_the_same_answer_when_used_again(world: World) -> None:
    await world.sign_up()
    assert await world.verify() == await world.verify()
    world.clock.advance(timedelta(days=2))
    user_id = await world.verify()
    assert len(await world.events(user_id)) == 2


async def test_a_token_ends_after_a_day(world: World) -> None:
    await world.sign_up()
    world.clock.advance(timedelta(hours=24))
    with pytest.raises(Invalid) as refused:
        await world.verify()
    assert refused.value.reason == "VERIFICATION_TOKEN_INVALID"
    await world.sign_up()
    await world.verify()
    await world.log_in()


@pytest.mark.parametrize("text", ["x" * 46, "!" * 30, Token(5, bytes(SECRET_BYTES)).text])
async def test_a_token_that_was_never_sent_is_refused(world: World, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        await world.verify(text)
    assert refused.value.reason == "VERIFICATION_TOKEN_INVALID"


async def test_who_signed_up_with_anothers_address_first_gains_nothing(world: World) -> None:
    await world.sign_up(password=OTHER_PASSWORD, first_name="Eve", host=True)
    await world.sign_up()
    eves, adas = world.mailbox.tokens(world.email)
    await world.verify(adas)
    answer = await world.log_in()
    assert (answer.user.first_name, list(answer.user.roles)) == ("Ada", [1])
    with pytest.raises(Unauthenticated):
        await world.log_in(password=OTHER_PASSWORD)
    with pytest.raises(Invalid):
        await world.verify(eves)


async def test_before_the_proof_only_the_right_password_is_told_so(world: World) -> None:
    await world.sign_up()
    with pytest.raises(FailedPrecondition) as refused:
        await world.log_in()
    assert refused.value.reason == "EMAIL_NOT_VERIFIED"
    with pytest.raises(Unauthenticated):
        await world.log_in(password=OTHER_PASSWORD)
    assert await world.rows("sessions", "user_id = (SELECT 'none')") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "P@ssw0rd1"}, "password"),
        ({"password": "short"}, "password"),
        ({"email": "not an address"}, "email"),
        ({"first_name": ""}, "firstName"),
        ({"first_name": "\x00\u202e"}, "firstName"),
    ],
)
async def test_bad_input_names_its_field_and_leaves_nothing(
    world: World, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await world.sign_up(**changes)
    assert refused.value.violations[0].field == field
    assert await world.rows("users", "email = $1", world.email) == []
    assert world.mailbox.mails == []


async def test_an_address_is_mailed_ten_times_an_hour_at_most(world: World) -> None:
    for _ in range(10):
        await world.sign_up()
    with pytest.raises(Exhausted):
        await world.sign_up()
    assert len(world.mailbox.mails) == 10
    world.clock.advance(timedelta(hours=1))
    await world.sign_up(password=PASSWORD)
